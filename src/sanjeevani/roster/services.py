"""The verbs of duty and of weekly plans."""

import datetime
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Line, Practitioner
from sanjeevani.directory.permissions import require_facility_admin
from sanjeevani.directory.timetable import Opening, check
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.identity.limits import count_attempt
from sanjeevani.identity.queries import find_account
from sanjeevani.messaging.services import queue_message
from sanjeevani.roster.events import DutyChanged, LaneServed
from sanjeevani.roster.locking import locked_duty
from sanjeevani.roster.models import (
    Assignment,
    Break,
    Duty,
    DutyLine,
    DutyStatus,
    Spell,
    WeeklyPlan,
)
from sanjeevani.roster.permissions import require_self
from sanjeevani.roster.states import DUTY_MOVES
from sanjeevani.roster.swaps import give_up_shifts


@verb("roster.assign")
def assign(actor: Actor, *, practitioner: Practitioner, line: Line) -> Assignment:
    """Let a verified practitioner serve a line, of whichever state.

    Whoever is on duty serves it from this moment on.
    """
    require_facility_admin(actor, line.state_id, line.facility_id)
    if practitioner.verified_at is None:
        raise NotPermitted(_("Only verified practitioners can serve."))
    duty = locked_duty(practitioner.id)
    assignment, created = Assignment.objects.get_or_create(
        practitioner_id=practitioner.id,
        line_id=line.id,
        defaults={
            "practitioner_state_id": practitioner.state_id,
            "line_state_id": line.state_id,
        },
    )
    if created and duty.status != DutyStatus.OFF:
        _begin([assignment], on_break=duty.status == DutyStatus.BREAK)
        publish(_changed(practitioner.id, line, duty.status))
    concerns(practitioner)
    return assignment


@verb("roster.unassign")
def unassign(actor: Actor, *, practitioner: Practitioner, line: Line) -> None:
    """Take a practitioner off a line, who gets nobody from it any more.

    A consultation that is going on goes on to its end. Who serves no other line is off duty. The
    weekly plan is kept for a return; shifts taken over go back to their owners. Raises NotFound.
    """
    require_facility_admin(actor, line.state_id, line.facility_id)
    duty = locked_duty(practitioner.id)
    mine = Assignment.objects.filter(practitioner_id=practitioner.id)
    if not mine.filter(line_id=line.id).delete()[0]:
        raise NotFound
    lanes = list(
        Line.objects.filter(
            state_id=line.state_id, parent_id=line.id, practitioner_id=practitioner.id
        ).values_list("id", flat=True)
    )
    mine.filter(line_id__in=lanes).delete()
    give_up_shifts(practitioner, line)
    _end(practitioner.id, [(line.state_id, line_id) for line_id in [line.id, *lanes]])
    if duty.status != DutyStatus.OFF:
        publish(_changed(practitioner.id, line, DutyStatus.OFF))
        if not mine.exists():
            _back_from_break(practitioner.id)
            Duty.objects.filter(practitioner_id=practitioner.id).update(
                status=DutyStatus.OFF, since=clock.now()
            )
    concerns(practitioner)


@verb("roster.plan_week")
def plan_week(
    actor: Actor, *, practitioner_id: uuid.UUID, line: Line, shifts: Sequence[Opening]
) -> None:
    """Replace a practitioner's weekly plan in a line, from today on.

    Raises Invalid when shifts overlap or end before they begin, or for who does not serve the line.
    """
    require_facility_admin(actor, line.state_id, line.facility_id)
    # Saved twice at once, the later week replaces the earlier one; a swap agreed meanwhile holds.
    locked_duty(practitioner_id)
    if not Assignment.objects.filter(practitioner_id=practitioner_id, line_id=line.id).exists():
        raise Invalid(_("This doctor does not serve here. Add the doctor first."))
    ordered = check(shifts)
    concerns(line)
    today = clock.today()
    until_now = WeeklyPlan.objects.filter(
        state_id=line.state_id,
        line_id=line.id,
        practitioner_id=practitioner_id,
        until__isnull=True,
    )
    until_now.filter(since__gte=today).delete()
    until_now.update(until=today)
    WeeklyPlan.objects.bulk_create(
        WeeklyPlan(
            state_id=line.state_id,
            id=uuid7(),
            line_id=line.id,
            practitioner_id=practitioner_id,
            weekday=shift.weekday,
            begins=shift.opens,
            ends=shift.closes,
            since=today,
        )
        for shift in ordered
    )


@verb("roster.ask_on_duty")
def ask_on_duty(actor: Actor, *, practitioner: Practitioner, line: Line, clinic_name: str) -> None:
    """Send a doctor of the line a message that patients wait.

    Raises Invalid for who is on duty already or has no mobile number, TooMany.
    """
    require_facility_admin(actor, line.state_id, line.facility_id)
    if not Assignment.objects.filter(practitioner_id=practitioner.id, line_id=line.id).exists():
        raise NotFound
    duty = Duty.objects.filter(practitioner_id=practitioner.id).first()
    if duty is not None and duty.status == DutyStatus.ON:
        raise Invalid(_("This doctor is on duty already."))
    account = find_account(practitioner.account_id)
    if account is None or not account.mobile:
        raise Invalid(_("There is no mobile number of this doctor."))
    count_attempt("duty_requests_per_doctor", str(practitioner.id))
    with translation.override(account.language):
        text = gettext(
            "Sanjeevani: patients are waiting in %(clinic)s. Please go on duty if you can: %(link)s"
        ) % {"clinic": clinic_name, "link": f"{settings.PUBLIC_URL}/desk"}
    queue_message(
        account.mobile,
        text,
        purpose="ask_on_duty",
        language=account.language,
        valid_for=datetime.timedelta(minutes=30),
    )
    concerns(practitioner)


def _begin(assignments: Sequence[Assignment], *, on_break: bool = False) -> None:
    """Let a practitioner serve lines from now on, and note that it began; once for each line."""
    now = clock.now()
    for state_id in sorted({assignment.line_state_id for assignment in assignments}):
        here = [one for one in assignments if one.line_state_id == state_id]
        DutyLine.objects.bulk_create(
            [
                DutyLine(
                    state_id=state_id,
                    id=uuid7(),
                    line_id=assignment.line_id,
                    practitioner_id=assignment.practitioner_id,
                    on_break=on_break,
                    since=now,
                )
                for assignment in here
            ],
            ignore_conflicts=True,
        )
        Spell.objects.bulk_create(
            [
                Spell(
                    state_id=state_id,
                    id=uuid7(),
                    line_id=assignment.line_id,
                    practitioner_id=assignment.practitioner_id,
                    practitioner_state_id=assignment.practitioner_state_id,
                    began_at=now,
                )
                for assignment in here
            ],
            ignore_conflicts=True,
        )


def _end(practitioner_id: uuid.UUID, lines: Sequence[tuple[int, uuid.UUID]]) -> None:
    """Let a practitioner serve lines `(state_id, line_id)` no longer, and note that it ended."""
    for state_id in sorted({state_id for state_id, _line_id in lines}):
        here = {
            "state_id": state_id,
            "line_id__in": [line_id for home, line_id in lines if home == state_id],
            "practitioner_id": practitioner_id,
        }
        DutyLine.objects.filter(**here).delete()
        Spell.objects.filter(**here, ended_at__isnull=True).update(ended_at=clock.now())


def _back_from_break(practitioner_id: uuid.UUID) -> None:
    Break.objects.filter(practitioner_id=practitioner_id, ended_at__isnull=True).update(
        ended_at=clock.now()
    )


def _changed(practitioner_id: uuid.UUID, line: Line, status: str) -> DutyChanged:
    return DutyChanged(
        state_id=line.state_id, practitioner_id=practitioner_id, line_id=line.id, status=status
    )


@verb("roster.change_duty")
def change_duty(actor: Actor, *, practitioner: Practitioner, to: DutyStatus) -> Duty:
    """Go on duty, on a break, or off duty, for all lines assigned.

    Asking for the present status changes nothing. Raises NotPermitted for anybody else's duty,
    Stale for a move that the table does not know, Invalid for somebody who serves no line.
    """
    require_self(actor, practitioner)
    duty = locked_duty(practitioner.id)
    concerns(duty)
    if duty.status == to:
        return duty
    if not DUTY_MOVES.allows(duty.status, to):
        raise Stale
    lines = list(Assignment.objects.filter(practitioner_id=practitioner.id))
    if not lines:
        raise Invalid(_("You are not assigned to any line yet. Ask your facility's administrator."))
    _change(duty, lines, to)
    return duty


@verb("roster.end_silent_duty")
def end_silent_duty(
    actor: Actor, *, practitioner_id: uuid.UUID, not_since: datetime.datetime
) -> Duty:
    """Take off duty whose desk nobody has open any more: patients would wait for nobody.

    Raises Stale for who has come or paused after `not_since`, or is off duty.
    """
    duty = locked_duty(practitioner_id)
    concerns(duty)
    if duty.status == DutyStatus.OFF or duty.since > not_since:
        raise Stale
    lines = list(Assignment.objects.filter(practitioner_id=practitioner_id))
    _change(duty, lines, DutyStatus.OFF, in_silence=True)
    return duty


def _change(
    duty: Duty, lines: Sequence[Assignment], to: DutyStatus, *, in_silence: bool = False
) -> None:
    practitioner_id = duty.practitioner_id
    now = clock.now()
    if duty.status == DutyStatus.OFF:
        _begin(lines)
    elif to == DutyStatus.OFF:
        _end(practitioner_id, [(one.line_state_id, one.line_id) for one in lines])
    else:
        for state_id in sorted({assignment.line_state_id for assignment in lines}):
            DutyLine.objects.filter(state_id=state_id, practitioner_id=practitioner_id).update(
                on_break=to == DutyStatus.BREAK
            )
    if to == DutyStatus.BREAK:
        Break.objects.create(practitioner_id=practitioner_id, began_at=now)
    else:
        _back_from_break(practitioner_id)
    Duty.objects.filter(practitioner_id=practitioner_id).update(
        status=to, since=now, ended_in_silence=in_silence
    )
    duty.status, duty.since, duty.ended_in_silence = to, now, in_silence
    for assignment in lines:
        publish(
            DutyChanged(
                state_id=assignment.line_state_id,
                practitioner_id=practitioner_id,
                line_id=assignment.line_id,
                status=to,
            )
        )


@verb("roster.serve_lane")
def serve_lane(
    actor: Actor, *, practitioner_id: uuid.UUID, practitioner_state_id: int, lane: Line
) -> None:
    """Let a practitioner who serves the parent serve their own follow-up lane too.

    On duty from now on, unless they have gone off it at this moment. Taken off the parent at this
    moment, they do not serve the lane either: who waits in it comes to the pool.
    """
    concerns(lane)
    duty = locked_duty(practitioner_id)
    mine = Assignment.objects.filter(practitioner_id=practitioner_id)
    if lane.parent_id is None or not mine.filter(line_id=lane.parent_id).exists():
        return
    assignment = Assignment(
        practitioner_id=practitioner_id,
        practitioner_state_id=practitioner_state_id,
        line_state_id=lane.state_id,
        line_id=lane.id,
    )
    Assignment.objects.bulk_create([assignment], ignore_conflicts=True)
    if duty.status != DutyStatus.OFF:
        _begin([assignment], on_break=duty.status == DutyStatus.BREAK)
    publish(LaneServed(state_id=lane.state_id, practitioner_id=practitioner_id, line_id=lane.id))
