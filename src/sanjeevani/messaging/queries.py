"""Reads of the development inbox, and of what has not left yet."""

import datetime
from dataclasses import dataclass

from django.db.models import Count, Min, Q

from sanjeevani.foundation import clock
from sanjeevani.messaging.models import InboxMessage, MessageStatus, OutgoingMessage

LATELY = datetime.timedelta(minutes=5)


def inbox(mobile: str | None = None, *, limit: int = 50) -> list[InboxMessage]:
    """Return what the development inbox received, newest first; `mobile` in E.164 narrows it."""
    messages = InboxMessage.objects.order_by("-received_at")
    if mobile is not None:
        messages = messages.filter(mobile=mobile)
    return list(messages[:limit])


@dataclass(frozen=True)
class Sending:
    """How messages leave: what is queued and since when, and what became of those of LATELY."""

    queued: int
    queued_since: datetime.datetime | None
    sent: int
    failed: int


def sending() -> Sending:
    """Return how messages leave just now."""
    now = clock.now()
    queued = (
        OutgoingMessage.objects.filter(status=MessageStatus.QUEUED)
        # What is kept for the morning waits for nobody.
        .exclude(attempts=0, next_attempt_at__gt=now)
        .aggregate(number=Count("id"), since=Min("queued_at"))
    )
    lately = OutgoingMessage.objects.filter(queued_at__gt=now - LATELY).aggregate(
        sent=Count("id", filter=Q(status=MessageStatus.SENT)),
        failed=Count("id", filter=Q(status=MessageStatus.FAILED)),
    )
    return Sending(queued["number"], queued["since"], lately["sent"], lately["failed"])
