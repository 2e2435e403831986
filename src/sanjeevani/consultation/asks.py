"""Reads of who is asked into consultations, and the end of it with the consultation's own."""

import uuid
from collections.abc import Mapping
from typing import Any

from sanjeevani.calls.invitations import free_third
from sanjeevani.consultation.errors import AskOver
from sanjeevani.consultation.events import AskChanged
from sanjeevani.consultation.models import (
    OPEN_ASKS,
    Ask,
    AskReference,
    AskStatus,
    Consultation,
)
from sanjeevani.consultation.states import ASK_MOVES
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.states import move
from sanjeevani.foundation.verbs import concern_of, concerns, publish, verb, write_audit

READABLE = (*OPEN_ASKS, AskStatus.LEFT)
"""While it stands so, the colleague may read."""

ADVISING = (AskStatus.PRESENT, AskStatus.LEFT)
"""Who has come in may write, also once the consultation is over."""

_asks = Compiled(
    lambda: Ask.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).order_by("id")
)


def asks_in(consultation: Consultation) -> list[Ask]:
    """Return who was asked in, in order; the caller has read the consultation through a query."""
    return _asks.all(state_id=consultation.state_id, consultation_id=consultation.id)


def open_ask(consultation: Consultation) -> Ask | None:
    """Return whom a consultation waits for, or who is in it."""
    return next((ask for ask in asks_in(consultation) if ask.status in OPEN_ASKS), None)


def advice_in(consultation: Consultation) -> list[Ask]:
    """Return the asks in which a colleague has advised."""
    return [ask for ask in asks_in(consultation) if ask.advice]


_references = Compiled(
    lambda: (
        AskReference.objects.filter(
            state_id=given("state_id"),
            colleague_id=given("colleague_id"),
            read_until__gt=given("now"),
        )
        .order_by("id")
        .values_list("id", "ask_state_id")
    )
)


def asks_to(actor: Actor, colleague: Practitioner) -> list[Ask]:
    """Return the asks that a colleague may read now, with their consultations; audited each."""
    if colleague.account_id != actor.account_id:
        raise NotFound
    found = readable_asks(colleague)
    for ask in found:
        _audit(actor, "consultation.read_ask", ask)
    return found


def readable_asks(colleague: Practitioner) -> list[Ask]:
    """Return the asks that a colleague may read now; the caller audits, or shows nothing."""
    by_state: dict[int, list[uuid.UUID]] = {}
    for ask_id, state_id in _references.all(
        state_id=colleague.state_id, colleague_id=colleague.id, now=clock.now()
    ):
        by_state.setdefault(state_id, []).append(ask_id)
    found = [
        ask
        for state_id, ids in by_state.items()
        for ask in Ask.objects.select_related("consultation__room").filter(
            state_id=state_id, id__in=ids, status__in=READABLE
        )
    ]
    return sorted(found, key=lambda ask: ask.id)


def ask_to(actor: Actor, colleague: Practitioner, state_id: int, ask_id: uuid.UUID) -> Ask:
    """Return an ask with its consultation, to be read by the colleague; audited.

    Raises AskOver for the colleague's own that has ended, NotFound for any other.
    """
    ask = readable_ask(actor, colleague, state_id, ask_id)
    _audit(actor, "consultation.read", ask)
    return ask


def readable_ask(actor: Actor, colleague: Practitioner, state_id: int, ask_id: uuid.UUID) -> Ask:
    """Return an ask that the colleague may read; the caller audits. Raises what `ask_to` raises."""
    ask = (
        Ask.objects.select_related("consultation__room", "consultation__token")
        .filter(state_id=state_id, id=ask_id, colleague_id=colleague.id)
        .first()
    )
    if ask is None or colleague.account_id != actor.account_id:
        raise NotFound
    if ask.status not in READABLE or ask.read_until <= clock.now():
        raise AskOver
    return ask


def _audit(actor: Actor, what: str, ask: Ask) -> None:
    consultation = ask.consultation
    write_audit(actor, what, concern_of(consultation, patient_id=consultation.patient_id))


@verb("consultation.end_asks")
def end_asks(actor: Actor, consultation: Consultation) -> None:
    """Let nobody be asked in any more: part of the verbs that end. These hold the room already."""
    ask = open_ask(consultation)
    if ask is not None:
        settle(actor, ask, AskStatus.LEFT if ask.status == AskStatus.PRESENT else AskStatus.LAPSED)
    concerns(consultation, patient_id=consultation.patient_id)


@verb("consultation.settle_ask")
def settle(actor: Actor, ask: Ask, to: AskStatus, changes: Mapping[str, Any] | None = None) -> None:
    """Move an ask whose room the caller holds; the seat of a colleague who was there is freed."""
    move(Ask, ASK_MOVES, state_id=ask.state_id, id=ask.id, to=to, **(changes or {}))
    if ask.status == AskStatus.PRESENT:
        free_third(actor, state_id=ask.state_id, room_id=ask.consultation.room_id)
    ask.status = to
    concerns(ask, patient_id=ask.consultation.patient_id)
    tell(ask)


def tell(ask: Ask) -> None:
    """Let the screens look again: part of the verbs that change an ask."""
    publish(
        AskChanged(
            state_id=ask.state_id,
            consultation_id=ask.consultation_id,
            colleague_id=ask.colleague_id,
        )
    )
