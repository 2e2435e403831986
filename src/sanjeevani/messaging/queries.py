"""Reads of the development inbox."""

from sanjeevani.messaging.models import InboxMessage


def inbox(mobile: str | None = None, *, limit: int = 50) -> list[InboxMessage]:
    """Return what the development inbox received, newest first; `mobile` in E.164 narrows it."""
    messages = InboxMessage.objects.order_by("-received_at")
    if mobile is not None:
        messages = messages.filter(mobile=mobile)
    return list(messages[:limit])
