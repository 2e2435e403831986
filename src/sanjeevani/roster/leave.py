"""The verbs of leave."""

import datetime
import uuid

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.roster.errors import LeaveOver, LeaveOverlaps, LeavePassed
from sanjeevani.roster.locking import locked_duty
from sanjeevani.roster.models import LeaveDay
from sanjeevani.roster.permissions import require_self_or_admin
from sanjeevani.roster.planning import days_from

LONGEST_DAYS = 366


@verb("roster.take_leave")
def take_leave(
    actor: Actor, *, practitioner: Practitioner, first: datetime.date, last: datetime.date
) -> uuid.UUID:
    """Note that a practitioner is away from the first day to the last; return the leave's id.

    Raises LeavePassed, LeaveOverlaps, Invalid.
    """
    require_self_or_admin(actor, practitioner)
    if first < clock.today():
        raise LeavePassed
    if last < first:
        raise Invalid(_("The last day is before the first one."), field="last")
    days = days_from(first, last)
    if len(days) > LONGEST_DAYS:
        raise Invalid(_("Note a year at most at once."), field="last")
    locked_duty(practitioner.id)
    leave_id = uuid7()
    rows = [LeaveDay(practitioner_id=practitioner.id, date=day, leave_id=leave_id) for day in days]
    try:
        LeaveDay.objects.bulk_create(rows)
    except IntegrityError as error:
        if "roster_leaveday_pkey" in str(error):
            raise LeaveOverlaps from None
        raise
    concerns(rows[0])
    return leave_id


@verb("roster.cancel_leave")
def cancel_leave(
    actor: Actor, *, practitioner: Practitioner, leave_id: uuid.UUID
) -> tuple[datetime.date, datetime.date]:
    """Cancel what is to come of a leave, today included; return its first and last day.

    Days that are over stay. Raises NotFound, LeaveOver.
    """
    require_self_or_admin(actor, practitioner)
    locked_duty(practitioner.id)
    rows = LeaveDay.objects.filter(practitioner_id=practitioner.id, leave_id=leave_id)
    ahead = list(rows.filter(date__gte=clock.today()).order_by("date"))
    if not ahead:
        raise LeaveOver if rows.exists() else NotFound
    rows.filter(date__gte=clock.today()).delete()
    concerns(ahead[0])
    return ahead[0].date, ahead[-1].date
