"""The port to SMS: an operator's HTTP gateway, or the development inbox."""

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, cast

import httpx
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


class HttpGateway:
    """An SMS operator's gateway: JSON by POST to `settings.SMS_GATEWAY_URL`, a bearer token.

    Sends `{"id", "to", "text", "purpose", "language"}`; the operator maps the purpose to the
    template registered for it (TRAI's DLT rules). Expects `{"id": ...}` with status 2xx. Other 4xx
    than 408 and 429 are permanent; 408, 429, 5xx, timeouts and broken connections are tried again.
    """

    timeout_seconds = 5.0
    connections = 8

    def send(self, messages: Sequence[Sms]) -> list[Outcome]:
        """Send over a few connections at once."""
        with (
            httpx.Client(
                timeout=self.timeout_seconds,
                headers={"Authorization": f"Bearer {settings.SMS_GATEWAY_TOKEN}"},
            ) as client,
            ThreadPoolExecutor(self.connections) as pool,
        ):
            return list(pool.map(lambda message: self._send_one(client, message), messages))

    def _send_one(self, client: httpx.Client, message: Sms) -> Outcome:
        try:
            response = client.post(
                settings.SMS_GATEWAY_URL,
                json={
                    "id": str(message.id),
                    "to": message.mobile,
                    "text": message.text,
                    "purpose": message.purpose,
                    "language": message.language,
                },
                headers={"Idempotency-Key": str(message.id)},
            )
        except httpx.TimeoutException:
            return Failed("timeout", permanent=False)
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        if response.is_success:
            return Sent(_provider_id(response))
        permanent = response.is_client_error and response.status_code not in (408, 429)
        return Failed(f"http_{response.status_code}", permanent=permanent)


def _provider_id(response: httpx.Response) -> str:
    # The message is out: an answer that we cannot read must not send it a second time.
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("id", ""))[:100] if isinstance(body, dict) else ""


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
