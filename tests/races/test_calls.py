"""A call that is lost, or called again, while its doctor ends it or its grace runs out."""

import contextlib
import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sanjeevani.calls import reports
from sanjeevani.calls import services as calls
from sanjeevani.calls.models import Mode, Presence, Room, Seat
from sanjeevani.consultation import calling, interruptions
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.conduct import report_conduct
from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation, ConsultationStatus, Outcome
from sanjeevani.consultation.queries import writing_of
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.prescription import services as prescribing
from sanjeevani.prescription.queries import draft_of
from sanjeevani.prescription.shorthand import parse
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.models import Token, TokenStatus
from tests.consultation.test_transfers import called_by
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    doctor,
    on_duty,
    person,
    requested,
)
from tests.races.test_endings import ByAnother, by_another
from tests.terminology.conftest import _reference_committed

__all__ = ["_reference_committed", "by_another"]

pytestmark = pytest.mark.usefixtures("committed")


class Call:
    """A consultation in progress, about which something is written."""

    def __init__(self) -> None:
        requested(clinic := ClinicFactory.create(), PatientFactory.create())
        practitioner = on_duty(clinic)
        self.case = called_by(practitioner)
        self.doctor = doctor(practitioner)
        self.at: dict[str, Any] = {"state_id": self.case.state_id, "consultation_id": self.case.id}
        self.key: dict[str, Any] = {"practitioner": practitioner, **self.at}
        content = consultation.NoteContent(advice="Rest")
        consultation.write_note(self.doctor, content=content, diagnoses=[], **self.key)

    @property
    def status(self) -> str:
        case = Consultation.objects.get(state_id=self.case.state_id, id=self.case.id)
        return case.status

    def done(self) -> None:
        """Press Done, perhaps too late."""
        with contextlib.suppress(Stale):
            consultation.complete(self.doctor, outcome=Outcome.ADVICE, **self.key)


def meanwhile(
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    act: Callable[[], None],
    *,
    before: bool = False,
) -> None:
    """Let `act` happen once right after a module's function has run in this thread, or before."""
    function = getattr(where, name)
    main = threading.current_thread()
    acted: list[bool] = []

    def run(*arguments: Any, **more: Any) -> Any:
        result = None if before else function(*arguments, **more)
        if threading.current_thread() is main and not acted:
            acted.append(True)
            act()
        return function(*arguments, **more) if before else result

    monkeypatch.setattr(where, name, run)


def test_a_doctor_ends_what_is_lost_at_the_same_moment(
    by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patient hangs up, and the sweeper notices while the doctor presses Done."""
    call = Call()
    place: dict[str, Any] = {"state_id": call.case.state_id, "room_id": call.case.room_id}
    Presence.objects.create(
        **place,
        seat=Seat.GUEST,
        instance="page",
        first_joined_at=clock.now(),
        joined_at=clock.now(),
        left_at=clock.now() - datetime.timedelta(seconds=11),
    )
    Room.objects.filter(state_id=call.case.state_id, id=call.case.room_id).update(mode=Mode.AUDIO)
    meanwhile(monkeypatch, reports, "note_mode", lambda: by_another(call.done))
    calling.sweep_lost_seats()
    assert call.status == ConsultationStatus.INTERRUPTED
    assert Room.objects.get(state_id=call.case.state_id, id=call.case.room_id).mode == Mode.CHAT


def test_a_doctor_ends_what_is_interrupted_at_the_same_moment(
    by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call()
    meanwhile(monkeypatch, interruptions, "move", lambda: by_another(call.done))
    interruptions.interrupt(SYSTEM, **call.at)
    assert call.status == ConsultationStatus.INTERRUPTED


def test_a_call_is_lost_while_its_doctor_ends_it_with_a_day_to_come_again(
    by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds the consultation waits for nothing that holds the token."""
    call = Call()

    def lost() -> None:
        with contextlib.suppress(Stale):
            interruptions.interrupt(SYSTEM, **call.at)

    meanwhile(monkeypatch, consultation, "conclude", lambda: by_another(lost), before=True)
    consultation.complete(call.doctor, outcome=Outcome.ADVICE, follow_up_days=7, **call.key)
    assert call.status == ConsultationStatus.COMPLETED


def test_a_doctor_who_says_when_to_come_again_is_reported_meanwhile(
    by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call()
    reporter = person(call.case.patient_account_id)
    meanwhile(
        monkeypatch,
        queueing,
        "finish",
        lambda: by_another(lambda: report_conduct(reporter, **call.at)),
        before=True,
    )
    with pytest.raises(Stale):
        consultation.complete(call.doctor, outcome=Outcome.ADVICE, follow_up_days=7, **call.key)
    found = consultation.get(**call.at)
    assert (found.practitioner_id, found.follow_up_on) == (None, None)
    assert consultation.token_of(found).status == TokenStatus.WAITING


def test_a_patient_is_called_again_as_the_grace_runs_out(
    by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call()
    interruptions.interrupt(SYSTEM, **call.at)
    over: dict[str, Any] = {"state_id": call.case.state_id, "id": call.case.token_id}
    Token.objects.filter(**over).update(deadline_at=clock.now())

    def run_out() -> None:
        with contextlib.suppress(Stale):
            interruptions.dropped(SYSTEM, state_id=over["state_id"], token_id=over["id"])

    meanwhile(monkeypatch, calls, "ring", lambda: by_another(run_out))
    calling.call_again(call.doctor, **call.key)
    assert call.status == ConsultationStatus.INTERRUPTED
    token = Token.objects.get(**over)
    assert token.status == "serving"
    assert token.deadline_at is not None
    assert token.deadline_at > clock.now()


@pytest.mark.usefixtures("_reference_committed")
def test_a_medicine_is_added_in_another_tab_while_the_doctor_finishes(
    by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stand in a consultation that is over, and on no prescription."""
    call = Call()
    item = parse("pcm 650 1-0-1 5d").item
    assert item is not None

    def add() -> None:
        with contextlib.suppress(NotInProgress):
            prescribing.add_item(call.doctor, item=item, **call.key)

    meanwhile(monkeypatch, prescribing, "_require_all_signed", lambda: by_another(add))
    prescribing.conclude(call.doctor, outcome=Outcome.ADVICE, **call.key)
    assert call.status == ConsultationStatus.COMPLETED
    assert not draft_of(call.case)


def test_a_note_is_written_in_another_tab_while_the_doctor_finishes(
    by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call()

    def write() -> None:
        with contextlib.suppress(NotInProgress):
            content = consultation.NoteContent(advice="Go to hospital")
            consultation.write_note(call.doctor, content=content, diagnoses=[], **call.key)

    meanwhile(monkeypatch, prescribing, "_require_all_signed", lambda: by_another(write))
    prescribing.conclude(call.doctor, outcome=Outcome.ADVICE, **call.key)
    note = writing_of(call.case).note
    assert note is not None
    assert note.advice == "Rest"
