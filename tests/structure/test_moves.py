"""Every status met by every verb: it moves as its table says, or not at all."""

import datetime
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanjeevani.calls import services as calls
from sanjeevani.calls.models import Room, RoomStatus
from sanjeevani.calls.states import ROOM_MOVES
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.models import AskStatus, Consultation, ConsultationStatus, Outcome
from sanjeevani.consultation.states import ASK_MOVES, CONSULTATION_MOVES
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import DomainError, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.states import Moves, move
from sanjeevani.grievance.models import GrievanceStatus
from sanjeevani.grievance.states import GRIEVANCE_MOVES
from sanjeevani.onboarding.models import ImportStatus
from sanjeevani.onboarding.states import IMPORT_MOVES
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.errors import CallExpired
from sanjeevani.queueing.models import Lease, Token, TokenStatus
from sanjeevani.queueing.states import TOKEN_MOVES
from sanjeevani.roster.models import Duty, DutyStatus, OfferStatus
from sanjeevani.roster.services import change_duty
from sanjeevani.roster.states import DUTY_MOVES, OFFER_MOVES
from tests.structure.verb_calls import World, of

pytestmark = pytest.mark.django_db

TABLES = [
    (TOKEN_MOVES, TokenStatus),
    (CONSULTATION_MOVES, ConsultationStatus),
    (ASK_MOVES, AskStatus),
    (DUTY_MOVES, DutyStatus),
    (OFFER_MOVES, OfferStatus),
    (ROOM_MOVES, RoomStatus),
    (GRIEVANCE_MOVES, GrievanceStatus),
    (IMPORT_MOVES, ImportStatus),
]


@pytest.mark.parametrize(("moves", "statuses"), TABLES)
def test_a_table_names_statuses_only(moves: Moves, statuses: Any) -> None:
    named = set(moves.table) | set().union(*moves.table.values())
    assert named == set(statuses.values)


def token_verbs(world: World, token: Token) -> dict[str, Callable[[], Any]]:
    """What can be done to a token."""
    key: dict[str, Any] = {"state_id": token.state_id, "token_id": token.id}
    return {
        "answer": lambda: queueing.answer(world.guest, **key),
        "not_answered": lambda: queueing.not_answered(SYSTEM, **key),
        "hand_back": lambda: queueing.hand_back(
            world.host, practitioner_id=world.practitioner.id, **key
        ),
        "drop": lambda: queueing.drop(SYSTEM, **key),
        "finish": lambda: queueing.finish(world.host, **key),
        "cancel": lambda: queueing.cancel(world.guest, **key),
        "claim": lambda: queueing.claim_next(
            world.host,
            server=consultation.server_of(world.practitioner),
            lines=[(token.state_id, token.line_id)],
        ),
    }


def put(token: Token, status: str, world: World) -> None:
    """Set a token to a status as it would be found in it."""
    live = status in ("called", "serving")
    Token.objects.filter(state_id=token.state_id, id=token.id).update(
        status=status,
        practitioner_id=world.practitioner.id if live else None,
        deadline_at=clock.now() - datetime.timedelta(seconds=1) if status == "called" else None,
        not_for=[],
    )


@pytest.mark.parametrize("status", TokenStatus.values)
def test_a_token_moves_by_its_table(status: str) -> None:
    world = World()
    token = consultation.token_of(world.waiting)
    for name, verb in token_verbs(world, token).items():
        put(token, status, world)
        assert_moves(Token, TOKEN_MOVES, token, f"{status} {name}", verb)


def assert_moves(model: Any, moves: Moves, row: Any, case: str, verb: Callable[[], Any]) -> None:
    """Call a verb and undo it: the status moved by the table, or stands and the verb said why."""
    row.refresh_from_db()
    before = row.status
    with transaction.atomic():
        refused = None
        try:
            verb()
        except DomainError as error:
            refused = error
        row.refresh_from_db()
        if refused is None:
            assert row.status == before or moves.allows(before, row.status), (case, row.status)
        else:
            assert row.status == before, case
        transaction.set_rollback(True)
    row.refresh_from_db()


WALKED_FROM = ("answer", "not_answered", "hand_back", "drop", "finish", "cancel", "claim")


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(walk=st.lists(st.sampled_from(WALKED_FROM), min_size=1, max_size=12))
def test_any_walk_of_a_token_keeps_to_the_table(db: None, walk: list[str]) -> None:
    with transaction.atomic():
        world = World()
        token = consultation.token_of(world.waiting)
        _ = world.practitioner
        for name in walk:
            before = Token.objects.get(state_id=token.state_id, id=token.id).status
            with transaction.atomic():
                try:
                    token_verbs(world, token)[name]()
                except DomainError:
                    transaction.set_rollback(True)
            after = Token.objects.get(state_id=token.state_id, id=token.id)
            assert after.status == before or TOKEN_MOVES.allows(before, after.status)
            assert (after.practitioner_id is not None) >= (after.status in ("called", "serving"))
        transaction.set_rollback(True)


def consultation_verbs(world: World, held: Consultation) -> dict[str, Callable[[], Any]]:
    """What can be done to a consultation."""
    desk = world.at_the_desk(held)
    return {
        "answer": lambda: consultation.answer(world.guest, **of(held)),
        "cancel": lambda: consultation.cancel(world.guest, **of(held)),
        "not_answered": lambda: consultation.not_answered(
            SYSTEM, state_id=held.state_id, token_id=held.token_id
        ),
        "hand_back": lambda: consultation.hand_back(world.host, **desk, reason="Not my field"),
        "complete": lambda: consultation.complete(world.host, outcome=Outcome.ADVICE, **desk),
    }


@pytest.mark.parametrize(
    ("status", "token_status"),
    list(itertools.product(ConsultationStatus.values, TokenStatus.values)),
)
def test_a_consultation_moves_by_its_table(status: str, token_status: str) -> None:
    """Whatever its token says: the two may be seen apart while someone else is at work."""
    world = World()
    held = world.noted
    for name, verb in consultation_verbs(world, held).items():
        Consultation.objects.filter(state_id=held.state_id, id=held.id).update(status=status)
        put(consultation.token_of(held), token_status, world)
        assert_moves(
            Consultation, CONSULTATION_MOVES, held, f"{status} {token_status} {name}", verb
        )


@pytest.mark.parametrize(("source", "to"), list(itertools.product(DutyStatus.values, repeat=2)))
def test_duty_moves_by_its_table(source: str, to: str) -> None:
    world = World()
    practitioner = world.practitioner
    Duty.objects.filter(practitioner_id=practitioner.id).update(status=source)
    duty = Duty.objects.get(practitioner_id=practitioner.id)

    def change() -> None:
        change_duty(world.host, practitioner=practitioner, to=DutyStatus(to))
        duty.refresh_from_db()
        assert duty.status == to

    if source == "off":
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM roster_dutyline WHERE state_id = %s", [practitioner.state_id]
            )
    if source == to or DUTY_MOVES.allows(source, to):
        assert_moves(Duty, DUTY_MOVES, duty, f"{source} {to}", change)
    else:
        with pytest.raises(Stale):
            change()


@pytest.mark.parametrize("status", RoomStatus.values)
def test_a_room_moves_by_its_table(status: str) -> None:
    world = World()
    room = world.waiting.room
    key: dict[str, Any] = {"state_id": room.state_id, "room_id": room.id}
    verbs: dict[str, Callable[[], Any]] = {
        "leave": lambda: calls.leave_for_questions(SYSTEM, until=clock.now(), **key),
        "close": lambda: calls.close_room(SYSTEM, **key),
        "write": lambda: calls.send_message(world.guest, text="?", client_key=uuid7(), **key),
    }
    for name, verb in verbs.items():
        Room.objects.filter(state_id=room.state_id, id=room.id).update(status=status)
        assert_moves(Room, ROOM_MOVES, room, f"{status} {name}", verb)


def test_the_loser_of_a_race_is_told() -> None:
    """Two that both saw the token waiting: the first moves it, the second is stale."""
    token = consultation.token_of(World().waiting)
    key: dict[str, Any] = {"state_id": token.state_id, "id": token.id, "source": ["waiting"]}
    move(Token, TOKEN_MOVES, to="cancelled", **key)
    with pytest.raises(Stale):
        move(Token, TOKEN_MOVES, to="redirected", **key)


def test_a_move_that_no_table_knows_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="no move from"):
        move(Token, TOKEN_MOVES, state_id=28, id=uuid7(), to="served", source=["waiting"])


def test_an_answer_too_late_is_told_that_the_place_is_kept() -> None:
    world = World()
    token = consultation.token_of(world.called)
    Token.objects.filter(state_id=token.state_id, id=token.id).update(
        deadline_at=clock.now() - datetime.timedelta(seconds=1)
    )
    with pytest.raises(CallExpired):
        queueing.answer(world.guest, state_id=token.state_id, token_id=token.id)
    assert Lease.objects.filter(practitioner_id=world.practitioner.id).exists()
