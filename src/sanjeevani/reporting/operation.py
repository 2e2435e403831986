"""How the service itself is doing, for whoever runs it: what is left undone, and since when."""

import datetime
from dataclasses import dataclass

from django.db.models import Count, Q
from procrastinate.contrib.django.models import ProcrastinateJob

from sanjeevani.foundation import clock
from sanjeevani.foundation.outbox import unread_since
from sanjeevani.foundation.sharding import across_states
from sanjeevani.messaging.queries import Sending, sending
from sanjeevani.queueing.queries import overdue, waiting_everywhere
from sanjeevani.reporting.presence import in_their_hours
from sanjeevani.reporting.queries import OnDuty, on_duty

LATE = datetime.timedelta(seconds=10)
"""The sweeper looks each second: a deadline that is past for so long was missed."""


@dataclass(frozen=True)
class Operation:
    """The service at one moment. Counts and ages in seconds, nothing about anyone.

    `unread`: how long the oldest fact has waited to be read, by who reads it. `jobs`: deferred jobs
    by what is with them: due, doing, failed. `deadlines_late`: 200 stands for more. `opds_open`: in
    their hours now; `opds_attended`: of these, with a doctor. `counted_ago`: since who is on duty
    was counted, each minute; 0 before the first time.
    """

    unread: dict[str, float]
    jobs: dict[str, int]
    messages: Sending
    messages_wait: float
    deadlines_late: int
    waiting: int
    longest_wait: float
    duty: OnDuty
    opds_open: int
    opds_attended: int
    counted_ago: float


def operation() -> Operation:
    """Look at what every process leaves behind in the database."""
    now = clock.now()

    def age(since: datetime.datetime | None) -> float:
        return max(0.0, (now - since).total_seconds()) if since else 0.0

    due = Q(status="todo") & (Q(scheduled_at__isnull=True) | Q(scheduled_at__lte=now))
    jobs = ProcrastinateJob.objects.aggregate(
        due=Count("id", filter=due),
        doing=Count("id", filter=Q(status="doing")),
        failed=Count("id", filter=Q(status="failed")),
    )
    messages, duty = sending(), on_duty()
    opds_open, opds_attended = in_their_hours()
    with across_states():
        late = len(overdue(now - LATE))
        waiting, waiting_since = waiting_everywhere()
    return Operation(
        unread={name: age(since) for name, since in unread_since().items()},
        jobs=jobs,
        messages=messages,
        messages_wait=age(messages.queued_since),
        deadlines_late=late,
        waiting=waiting,
        longest_wait=age(waiting_since),
        duty=duty,
        opds_open=opds_open,
        opds_attended=opds_attended,
        counted_ago=age(duty.as_of),
    )
