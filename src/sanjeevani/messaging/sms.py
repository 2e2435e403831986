"""The port to SMS: an operator's HTTP gateway (`sms_gateway.py`), or the development inbox."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from sanjeevani.foundation import clock
from sanjeevani.messaging.models import InboxMessage


@dataclass(frozen=True, slots=True)
class Sms:
    """A message as it is handed to the port. `attempt` counts from 1."""

    id: uuid.UUID
    mobile: str
    text: str
    purpose: str
    language: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took the message, under this id of its own."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The message was not taken; `reason` is a short code without personal data."""

    reason: str
    permanent: bool


Outcome = Sent | Failed


class SmsPort(Protocol):
    """What every way to send SMS offers."""

    def send(self, messages: Sequence[Sms]) -> list[Outcome]:
        """Try each message once and return the outcomes in the same order. Never raises.

        A message may be handed over twice when a sender dies midway; its id lets the provider
        see that it is the same one.
        """
        ...


def sms_port() -> SmsPort:
    """Return the port that `settings.SMS_BACKEND` names."""
    return cast(SmsPort, import_string(settings.SMS_BACKEND)())


class DevelopmentInbox:
    """Keeps messages for the page at /inbox instead of sending them.

    It fails as the real thing does: a mobile that ends in 400400 is refused for good, one that ends
    in 503503 fails twice and then works.
    """

    def send(self, messages: Sequence[Sms]) -> list[Outcome]:
        """Store what a gateway would have taken."""
        outcomes = [self._outcome(message) for message in messages]
        InboxMessage.objects.bulk_create(
            (
                InboxMessage(
                    id=message.id,
                    mobile=message.mobile,
                    text=message.text,
                    purpose=message.purpose,
                    received_at=clock.now(),
                )
                for message, outcome in zip(messages, outcomes, strict=True)
                if isinstance(outcome, Sent)
            ),
            ignore_conflicts=True,
        )
        return outcomes

    def _outcome(self, message: Sms) -> Outcome:
        if message.mobile.endswith("400400"):
            return Failed("http_400", permanent=True)
        if message.mobile.endswith("503503") and message.attempt <= 2:
            return Failed("http_503", permanent=False)
        return Sent(f"inbox-{message.id}")
