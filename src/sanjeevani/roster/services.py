"""The verbs of duty."""

import uuid

from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Line, Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.roster.events import DutyChanged
from sanjeevani.roster.models import Assignment, Duty, DutyLine, DutyStatus
from sanjeevani.roster.states import DUTY_MOVES


@verb("roster.assign")
def assign(actor: Actor, *, practitioner: Practitioner, line: Line) -> Assignment:
    """Let a verified practitioner serve a line, of whichever state."""
    if practitioner.verified_at is None:
        raise NotPermitted(_("Only verified practitioners can serve."))
    assignment, _created = Assignment.objects.get_or_create(
        practitioner_id=practitioner.id,
        line_id=line.id,
        defaults={
            "practitioner_state_id": practitioner.state_id,
            "line_state_id": line.state_id,
        },
    )
    concerns(practitioner)
    return assignment


@verb("roster.change_duty")
def change_duty(actor: Actor, *, practitioner_id: uuid.UUID, to: DutyStatus) -> Duty:
    """Go on duty, on a break, or off duty, for all lines assigned.

    Asking for the present status changes nothing. Raises Stale for a move that the table does not
    know, Invalid for somebody who serves no line.
    """
    now = clock.now()
    Duty.objects.get_or_create(
        practitioner_id=practitioner_id, defaults={"status": DutyStatus.OFF, "since": now}
    )
    duty = Duty.objects.select_for_update().get(practitioner_id=practitioner_id)
    concerns(duty)
    if duty.status == to:
        return duty
    if not DUTY_MOVES.allows(duty.status, to):
        raise Stale
    lines = list(Assignment.objects.filter(practitioner_id=practitioner_id))
    if not lines:
        raise Invalid(_("You are not assigned to any line yet. Ask your facility's administrator."))
    for state_id in sorted({assignment.line_state_id for assignment in lines}):
        rows = DutyLine.objects.filter(state_id=state_id, practitioner_id=practitioner_id)
        if duty.status == DutyStatus.OFF:
            DutyLine.objects.bulk_create(
                DutyLine(
                    state_id=state_id,
                    id=uuid7(),
                    line_id=assignment.line_id,
                    practitioner_id=practitioner_id,
                    since=now,
                )
                for assignment in lines
                if assignment.line_state_id == state_id
            )
        elif to == DutyStatus.OFF:
            rows.delete()
        else:
            rows.update(on_break=to == DutyStatus.BREAK)
    Duty.objects.filter(practitioner_id=practitioner_id).update(status=to, since=now)
    duty.status, duty.since = to, now
    for assignment in lines:
        publish(
            DutyChanged(
                state_id=assignment.line_state_id,
                practitioner_id=practitioner_id,
                line_id=assignment.line_id,
                status=to,
            )
        )
    return duty


@verb("roster.serve_lane")
def serve_lane(
    actor: Actor, *, practitioner_id: uuid.UUID, practitioner_state_id: int, lane: Line
) -> None:
    """Let a practitioner who is on duty for the parent serve their own follow-up lane too."""
    Assignment.objects.bulk_create(
        [
            Assignment(
                practitioner_id=practitioner_id,
                practitioner_state_id=practitioner_state_id,
                line_state_id=lane.state_id,
                line_id=lane.id,
            )
        ],
        ignore_conflicts=True,
    )
    DutyLine.objects.bulk_create(
        [
            DutyLine(
                state_id=lane.state_id,
                id=uuid7(),
                line_id=lane.id,
                practitioner_id=practitioner_id,
                since=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )
    concerns(lane)
