"""What happened in the rooms, told to Django by signed HTTP; a call never waits for it.

The body and its signature are described in the README.
"""

import asyncio
import contextlib
import datetime
import hashlib
import hmac
import json
import logging
import time
import uuid
from collections import deque
from typing import Any

import httpx

from gateway.tickets import Ticket

logger = logging.getLogger("gateway")

PATH = "/internal/calls/seats"
BATCH = 200
MOST_WAITING = 10_000
"""Two minutes of a thousand calls while Django is away; the oldest are dropped beyond."""
EVERY_SECONDS = 1
LONGEST_PAUSE_SECONDS = 30
STOPPING_SECONDS = 3
"""So long a process that stops tries to tell the last of it."""


def signature(secret: str, moment: int, body: bytes) -> str:
    """Return the signature of a body sent at `moment` (Unix time)."""
    signed = b"seats.%d." % moment + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class Reports:
    """Collects events and posts them in batches."""

    def __init__(self, internal_url: str, secret: str) -> None:
        self._url = f"{internal_url}{PATH}" if internal_url else ""
        self._secret = secret
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)

    def add(self, ticket: Ticket, event: dict[str, Any]) -> None:
        """Queue an event of the ticket's seat."""
        if self._url:
            self._waiting.append(
                {
                    "id": str(uuid.uuid4()),
                    "at": datetime.datetime.now(datetime.UTC).isoformat(),
                    "state_id": ticket.state_id,
                    "room": ticket.room,
                    "seat": ticket.seat,
                    "subject": ticket.subject,
                    **event,
                }
            )

    async def run(self) -> None:
        """Post until cancelled."""
        if not self._url:
            return
        pause: float = EVERY_SECONDS
        async with httpx.AsyncClient(timeout=10) as client:
            while True:
                await asyncio.sleep(pause)
                if await self._post_next(client):
                    # A full batch that waits goes at once, or thousands of calls are ever later.
                    pause = EVERY_SECONDS if len(self._waiting) < BATCH else 0
                else:
                    pause = min(max(2 * pause, EVERY_SECONDS), LONGEST_PAUSE_SECONDS)

    async def finish(self) -> None:
        """Post what is left, once `run` is cancelled.

        That a seat was left would never be known otherwise: whoever sat there counts as there.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOPPING_SECONDS), httpx.AsyncClient() as client:
                while self._waiting and await self._post_next(client):
                    pass

    async def _post_next(self, client: httpx.AsyncClient) -> bool:
        """Post the oldest; False when they wait again."""
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        posted = not batch
        try:
            posted = posted or await self._post(client, batch)
        finally:
            if not posted:
                room = MOST_WAITING - len(self._waiting)
                self._waiting.extendleft(reversed(batch[-room:] if room else []))
        return posted

    async def _post(self, client: httpx.AsyncClient, batch: list[dict[str, Any]]) -> bool:
        """Post a batch; return False when it should be tried again."""
        body = json.dumps({"events": batch}, separators=(",", ":")).encode()
        moment = int(time.time())
        sign = f"t={moment},v1={signature(self._secret, moment, body)}"
        headers = {"Content-Type": "application/json", "X-Gateway-Signature": sign}
        try:
            answer = await client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            logger.warning("Reports wait: %s", type(error).__name__)
            return False
        if answer.is_client_error:
            # The same batch would be refused again.
            logger.error("Reports were refused with %d.", answer.status_code)
        return not answer.is_server_error
