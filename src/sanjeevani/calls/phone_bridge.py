"""Phone call-backs through an operator's HTTP bridge.

A module of its own: the HTTP client takes half a second to import, and only the caller needs it.
"""

import httpx
from django.conf import settings

from sanjeevani.calls.phone import BridgedCall
from sanjeevani.messaging.sms_gateway import bearer


class HttpBridge:
    """An operator's bridge: JSON by POST to `settings.PHONE_BRIDGE_URL`, a bearer token if any.

    Sends `{"id", "first", "second"}`, numbers as registered; it rings `first`, then `second`, and
    shows both its own number. Any status 2xx means that it rings.
    """

    timeout_seconds = 10.0

    def connect(self, call: BridgedCall) -> str:
        """Ask the bridge once."""
        try:
            response = httpx.post(
                settings.PHONE_BRIDGE_URL,
                json={
                    "id": str(call.id),
                    "first": call.host_number,
                    "second": call.guest_number,
                },
                headers=bearer(settings.PHONE_BRIDGE_TOKEN) | {"Idempotency-Key": str(call.id)},
                timeout=self.timeout_seconds,
            )
        except httpx.HTTPError as error:
            return type(error).__name__[:40]
        return "" if response.is_success else f"http_{response.status_code}"
