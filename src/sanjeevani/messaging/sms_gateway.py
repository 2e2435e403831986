"""SMS through an operator's HTTP gateway.

A module of its own: the HTTP client takes half a second to import, and only the sender needs it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
from django.conf import settings

from sanjeevani.messaging.sms import Failed, Outcome, Sent, Sms

NOT_THE_MESSAGE = frozenset({401, 403, 404, 407, 408, 429})
"""A token that has run out, an address that has moved, too much at once: mended by somebody, or by
time, perhaps while the message is still true."""


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token: none for an operator who knows us by our address.

    "Bearer" with nothing behind it cannot be sent.
    """
    return {"Authorization": f"Bearer {token}"} if token.strip() else {}


class HttpGateway:
    """An SMS operator's gateway: JSON by POST to `settings.SMS_GATEWAY_URL`, a bearer token if any.

    Sends `{"id", "to", "text", "purpose", "language"}`; the operator maps the purpose to the
    template registered for it (TRAI's DLT rules). Expects `{"id": ...}` with status 2xx. A 4xx that
    speaks of the message is permanent. Those of `NOT_THE_MESSAGE`, 5xx, timeouts and broken
    connections are tried again.
    """

    timeout_seconds = 5.0
    """To connect, and again for the answer."""
    connections = 32

    def send(self, messages: Sequence[Sms]) -> list[Outcome]:
        """Send over a few connections at once."""
        with (
            httpx.Client(
                timeout=self.timeout_seconds,
                limits=httpx.Limits(max_keepalive_connections=self.connections),
                headers=bearer(settings.SMS_GATEWAY_TOKEN),
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
        permanent = response.is_client_error and response.status_code not in NOT_THE_MESSAGE
        return Failed(f"http_{response.status_code}", permanent=permanent)


def _provider_id(response: httpx.Response) -> str:
    # The message is out: an answer that we cannot read must not send it a second time.
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("id", ""))[:100] if isinstance(body, dict) else ""
