"""The sweeper owns every deadline: what nobody acted on in time is moved on here."""

import datetime
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.timezone import localtime

from sanjeevani.consultation import (
    calling,
    closing,
    colleagues,
    interruptions,
    services,
    transfers,
)
from sanjeevani.consultation.queries import left_in_silence
from sanjeevani.directory.queries import clinic_of_line
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.steady import merge_marks
from sanjeevani.foundation.sweeping import to_each
from sanjeevani.queueing.queries import (
    UnattendedLine,
    attended_again,
    kept_from_all,
    left_in_closed_hubs,
    left_overnight,
    overdue,
    served_since,
    silent_practitioners,
    stranded_in_lanes,
    unattended_lines,
    waiting_in,
)
from sanjeevani.queueing.services import note_unattended, ring_again
from sanjeevani.roster.services import end_silent_duty

MOVE_AFTER = datetime.timedelta(minutes=5)
"""So long after the last doctor left, another may come; then the waiting are taken elsewhere."""

MORNING = 6
"""At this hour in India who was left in a line overnight is told: nobody is woken for it."""


MISSED = datetime.timedelta(seconds=30)
"""Deadlines are looked at every second. What ended so long ago did while the service was down."""

SILENT = interruptions.SILENT
SILENT_ON_BREAK = datetime.timedelta(hours=2)


def sweep_deadlines() -> None:
    """Calls not answered in 120 s, patients not back within the grace, seats lost. Every second."""
    now = clock.now()
    with across_states():
        due = overdue(now)
        missed = {token_id for _state_id, token_id, _status in overdue(now - MISSED)} if due else ()
    unanswered = [(state_id, token_id) for state_id, token_id, status in due if status == "called"]
    to_each([token for token in unanswered if token[1] in missed], _ring_once_more, "ring_again")
    _each(services.not_answered, [token for token in unanswered if token[1] not in missed])
    _each(
        interruptions.dropped,
        ((state_id, token_id) for state_id, token_id, status in due if status == "serving"),
    )
    calling.sweep_lost_seats()


def _ring_once_more(token: tuple[int, uuid.UUID]) -> None:
    """Let a call ring on that ended while the service was down, once: nobody could answer it."""
    state_id, token_id = token
    try:
        ring_again(SYSTEM, state_id=state_id, token_id=token_id)
    except Stale:
        services.not_answered(SYSTEM, state_id=state_id, token_id=token_id)


def sweep_lines() -> None:
    """Follow-ups whose doctor left, lines that nobody serves, patients whom no doctor is to have,
    what has closed, who was left overnight, what a doctor has left, unanswered asks."""
    colleagues.sweep_asks()
    merge_marks()
    now = clock.now()
    with across_states():
        stranded = stranded_in_lanes(now, transfers.LANE_PATIENCE)
        alone = unattended_lines(clock.today())
        kept = kept_from_all()
        forgotten = served_since(now - interruptions.LONGEST)
        again = attended_again(clock.today())
        left = left_in_closed_hubs()
        overnight = left_overnight(clock.today()) if _is_day(now) else []
    _each(transfers.to_pool, stranded)
    _each(closing.take_elsewhere, left)
    to_each(kept, _move_or_send_home, "kept_from_all")
    to_each(overnight, _send_home_if_closed, "left_overnight")
    to_each(forgotten, _leave_to_others, "served_since")
    to_each(again, lambda line: _note(*line, since=None), "note_unattended")
    to_each(alone, lambda line: _nobody_serves(line, now), "nobody_serves")


def end_silent_duties() -> None:
    """Take doctors off duty whose desk nobody has open: patients are promised them in vain.

    Whom such a doctor has left in a consultation, in writing beside an empty desk, is given the
    grace, and then to another doctor.
    """
    now = clock.now()
    with across_states():
        silent = silent_practitioners(now - SILENT, now - SILENT_ON_BREAK)
        left = left_in_silence(now - SILENT)
    to_each(left, _leave_to_others, "left_in_silence")
    to_each(
        silent,
        lambda each: end_silent_duty(SYSTEM, practitioner_id=each, not_since=now - SILENT),
        "end_silent_duty",
    )


def _nobody_serves(line: UnattendedLine, now: datetime.datetime) -> None:
    if line.since is None:
        _note(line.state_id, line.line_id, since=now)
    clinic = clinic_of_line(line.state_id, line.line_id)
    tokens = ((line.state_id, token_id) for token_id in waiting_in(line.state_id, line.line_id))
    if clinic is not None and not clinic.is_open:
        _each(transfers.send_home, tokens)
    elif line.since is not None and now - line.since >= MOVE_AFTER:
        _each(transfers.move_on, tokens)
        # A hub has no hours: whoever sat at the spoke the day before sits there no more, and would
        # be rung in vain before all who come today.
        if clinic is None and _is_day(now):
            earlier = waiting_in(line.state_id, line.line_id, before=clock.today())
            _each(transfers.send_home, ((line.state_id, token_id) for token_id in earlier))


def _is_day(now: datetime.datetime) -> bool:
    return localtime(now).hour >= MORNING


def _move_or_send_home(kept: tuple[int, uuid.UUID, uuid.UUID]) -> None:
    """Take on who waits in a line where no doctor is to have them; at once, for none will come."""
    state_id, line_id, token_id = kept
    clinic = clinic_of_line(state_id, line_id)
    is_open = clinic is None or clinic.is_open
    move = transfers.move_on if is_open else transfers.send_home
    move(SYSTEM, state_id=state_id, token_id=token_id)


def _send_home_if_closed(left: tuple[int, uuid.UUID, list[uuid.UUID]]) -> None:
    """Tell who was left in an OPD overnight: its doctors are on duty by oversight alone."""
    state_id, line_id, token_ids = left
    clinic = clinic_of_line(state_id, line_id)
    if clinic is not None and not clinic.is_open:
        _each(transfers.send_home, ((state_id, token_id) for token_id in token_ids))


def _leave_to_others(forgotten: tuple[int, uuid.UUID]) -> None:
    """Begin the grace of a consultation whose doctor has left it; then another doctor may come."""
    state_id, consultation_id = forgotten
    interruptions.interrupt(SYSTEM, state_id=state_id, consultation_id=consultation_id)


def _note(state_id: int, line_id: uuid.UUID, *, since: datetime.datetime | None) -> None:
    note_unattended(SYSTEM, state_id=state_id, line_id=line_id, since=since)


def _each(verb: Callable[..., Any], tokens: Iterable[tuple[int, uuid.UUID]]) -> None:
    to_each(
        tokens,
        lambda token: verb(SYSTEM, state_id=token[0], token_id=token[1]),
        verb.__name__,
    )
