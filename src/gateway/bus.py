"""The way to NATS and from it.

One subscription to `look.>` per process, and one to `room.*`. A hint that nobody here waits for
costs a look into a dictionary; a subscription per topic would cost an asyncio task and a queue in
nats-py for every waiting patient, and ten thousand of them to renew at every reconnection.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import SlowConsumerError

logger = logging.getLogger("gateway")

HINTS = "look."
ROOMS = "room."


class Bus:
    """A connection that is sought for ever; the gateway serves without it meanwhile."""

    def __init__(
        self,
        url: str,
        *,
        hint: Callable[[str, bytes], None],
        room: Callable[[str, bytes], None],
        changed: Callable[[bool], None],
    ) -> None:
        self._nodes = [node.strip() for node in url.split(",")]
        self._hint = hint
        self._room = room
        self._changed = changed
        self._up = False
        self._client: Client | None = None
        self._publishing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            closed = asyncio.Event()
            client: Client | None = None
            try:
                self._client = client = await self._connect(closed)
                await client.subscribe(f"{HINTS}>", cb=self._on_hint)
                await client.subscribe(f"{ROOMS}*", cb=self._on_room)
                # The round trip proves that the subscription stands before clients rely on it.
                await client.flush()
                self._set(up=True)
                await closed.wait()
            except (OSError, nats.errors.Error) as error:
                logger.warning("No bus: %s", type(error).__name__)
            finally:
                if client is not None and not client.is_closed:
                    await client.close()
            self._set(up=False)
            await asyncio.sleep(1)

    async def _connect(self, closed: asyncio.Event) -> Client:
        async def on_up() -> None:
            self._set(up=True)

        async def on_down() -> None:
            self._set(up=False)

        async def on_closed() -> None:
            closed.set()

        async def on_error(error: Exception) -> None:
            # What overflowed is lost: whoever is connected looks again.
            if isinstance(error, SlowConsumerError):
                self._changed(True)

        return await nats.connect(
            self._nodes,
            name="gateway",
            no_echo=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=3,
            ping_interval=10,
            reconnected_cb=on_up,
            disconnected_cb=on_down,
            closed_cb=on_closed,
            error_cb=on_error,
        )

    def _set(self, *, up: bool) -> None:
        if self._up != up:
            self._up = up
            logger.info("The bus is %s.", "up" if up else "down")
            self._changed(up)

    async def _on_hint(self, message: Msg) -> None:
        self._hint(message.subject.removeprefix(HINTS), message.data)

    async def _on_room(self, message: Msg) -> None:
        self._room(message.subject.removeprefix(ROOMS), message.data)

    def tell_room(self, room_id: str, message: bytes) -> None:
        """Tell the other processes something about a room. Lost when the bus is away."""
        if self._up and self._client is not None:
            task = asyncio.get_running_loop().create_task(self._publish(room_id, message))
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)

    async def _publish(self, room_id: str, message: bytes) -> None:
        assert self._client is not None
        with contextlib.suppress(nats.errors.Error):
            await self._client.publish(f"{ROOMS}{room_id}", message)
