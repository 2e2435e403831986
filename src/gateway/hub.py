"""Who listens to which topic, and the way of a hint to every one of them."""

import asyncio
import json
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gateway.tickets import Ticket

logger = logging.getLogger("gateway")

KEEP_ALIVE_SECONDS = 20
"""Below the idle timeouts of mobile networks and proxies (30 s and more).

Clients renew before their ticket expires; a stream outlives its ticket by this time at most.
"""
SLOW_SECONDS = 15
"""Who has not taken what was sent for so long is dropped, and looks again on coming back."""
STREAMS_PER_SUBJECT = 16
"""Tabs of one person. One more closes the oldest, so that one ticket cannot fill the process."""

RECALL_SECONDS = 60
"""So long it is known which topics were hinted at: a page on a poor line takes less to open."""
CLOCKS_APART_SECONDS = 2
"""So far the clocks of the machines that make the pages may be from this one's."""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Payload:
    """What a screen is told, encoded at most once however many screens share it."""

    __slots__ = ("_encoded", "content")

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self._encoded: bytes | None = None

    def event(self, topic: str) -> bytes:
        """Return the event as bytes."""
        if self._encoded is None:
            data = json.dumps({**self.content, "topic": topic}, separators=(",", ":"))
            self._encoded = f"event: look\ndata: {data}\n\n".encode()
        return self._encoded


@dataclass(slots=True)
class Hinted:
    """When a topic was last hinted at (Unix time), and because of what, as far as is known."""

    last: float
    causes: frozenset[str]
    before: float
    """When it was last hinted at because of something else."""


class Stream:
    """One open event stream. Idle, it costs no task of its own and no timer."""

    __slots__ = (
        "_abort",
        "_full",
        "_notices",
        "_pending",
        "_send",
        "_writer",
        "ended",
        "finished",
        "slot",
        "ticket",
    )

    def __init__(self, ticket: Ticket, send: Send, connection: dict[str, Any]) -> None:
        self.ticket = ticket
        self._send = send
        self._abort: Callable[[], None] = connection["abort"]
        self._full: Callable[[], bool] = connection["full"]
        self._pending: dict[str, Payload] | None = None
        self._notices = b""
        self._writer: asyncio.Task[None] | None = None
        self.ended = False
        self.finished = False
        self.slot = 0

    def tell(self, topic: str, payload: Payload) -> None:
        """Queue a hint; while the client is slow, those of one topic become one."""
        if self._pending is None:
            self._pending = {}
        waiting = self._pending.get(topic)
        if waiting is not None:
            payload = Payload({**waiting.content, **payload.content})
        self._pending[topic] = payload
        self._wake()

    def announce(self, event: bytes) -> None:
        """Queue an event of the gateway itself; one of its kind waits at most."""
        if event not in self._notices:
            self._notices += event
        self._wake()

    def keep_alive(self) -> None:
        """Show that the line is open, unless something is on its way already.

        An event, not a comment: the page must notice a stream that died without a word.
        """
        if self._writer is None:
            self.announce(b"event: alive\ndata: 1\n\n")

    def end(self) -> None:
        """Finish the response in good order; the client comes back with a new ticket."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        if self._writer is not None or self.finished:
            return
        if self._full():
            self._writer = asyncio.get_running_loop().create_task(self._write_slowly())
            return
        # With room in the buffer `send` never waits, so that no task is needed: a third of the time
        # of a hint to ten thousand.
        step = self._write()
        try:
            step.send(None)
        except StopIteration:
            return
        step.close()
        self._abort()

    async def _write_slowly(self) -> None:
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                await self._write()
        except TimeoutError:
            self._abort()
        finally:
            self._writer = None

    async def _write(self) -> None:
        while self._pending or self._notices:
            body, self._notices = self._notices, b""
            if self._pending:
                body += b"".join([payload.event(topic) for topic, payload in self._pending.items()])
                self._pending = None
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
        if self.ended and not self.finished:
            self.finished = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


class Hub:
    """Every stream of this process, by topic, by subject and by the second of its keep-alive."""

    def __init__(self) -> None:
        self.bus_up = False
        self.hints = 0
        self._topics: dict[str, set[Stream]] = {}
        self._subjects: dict[str, tuple[Stream, ...]] = {}
        self._slots: list[set[Stream]] = [set() for _second in range(KEEP_ALIVE_SECONDS)]
        self._turn = 0
        self._hinted: OrderedDict[str, Hinted] = OrderedDict()
        """By topic, the longest ago first."""
        self._hears_since: float | None = None

    @property
    def streams(self) -> int:
        """How many are open."""
        return sum(map(len, self._slots))

    @property
    def topics(self) -> int:
        """How many topics someone listens to."""
        return len(self._topics)

    def join(self, stream: Stream) -> None:
        """Let a stream hear its topics."""
        self._turn = (self._turn + 1) % KEEP_ALIVE_SECONDS
        stream.slot = self._turn
        self._slots[stream.slot].add(stream)
        for topic in stream.ticket.topics:
            self._topics.setdefault(topic, set()).add(stream)
        subject = stream.ticket.subject
        if subject:
            siblings = (*self._subjects.get(subject, ()), stream)
            if len(siblings) > STREAMS_PER_SUBJECT:
                siblings[0].end()
            self._subjects[subject] = siblings[-STREAMS_PER_SUBJECT:]
        # Spread, so that a restarted gateway is not met by everybody in one second.
        retry = random.randint(1_000, 4_000)  # noqa: S311
        hello = {"bus": self.bus_up, "missed": self._missed(stream.ticket)}
        stream.announce(f"retry: {retry}\nevent: hello\ndata: {json.dumps(hello)}\n\n".encode())

    def _missed(self, ticket: Ticket) -> list[str] | None:
        """Return the topics hinted at since the ticket was made, because of what the page does not
        know; None when that is not known."""
        if ticket.issued is None or self._hears_since is None:
            return None
        since = ticket.issued - CLOCKS_APART_SECONDS
        if since < max(self._hears_since, time.time() - RECALL_SECONDS):
            return None
        return [topic for topic in ticket.topics if self._news(topic, ticket.seen) >= since]

    def _news(self, topic: str, seen: frozenset[str]) -> float:
        hinted = self._hinted.get(topic)
        if hinted is None:
            return 0
        return hinted.before if hinted.causes and hinted.causes <= seen else hinted.last

    def _remember(self, topic: str, causes: frozenset[str]) -> None:
        now = time.time()
        hinted = self._hinted.get(topic)
        before = 0.0
        if hinted is not None:
            before = hinted.before if causes and hinted.causes == causes else hinted.last
        self._hinted[topic] = Hinted(now, causes, before)
        self._hinted.move_to_end(topic)

    def leave(self, stream: Stream) -> None:
        """Forget a stream."""
        self._slots[stream.slot].discard(stream)
        for topic in stream.ticket.topics:
            listeners = self._topics.get(topic)
            if listeners is not None:
                listeners.discard(stream)
                if not listeners:
                    del self._topics[topic]
        subject = stream.ticket.subject
        rest = tuple(other for other in self._subjects.get(subject, ()) if other is not stream)
        if rest:
            self._subjects[subject] = rest
        else:
            self._subjects.pop(subject, None)

    def hint(self, topic: str, message: bytes) -> None:
        """Pass on a hint: `{"all": {...} | null, "each": {key: {...}}}`, to each its own part.

        `"causes": [...]` says what it tells of: whose page knows all of that is spared it.
        """
        try:
            hint = json.loads(message)
            everyone, each = hint["all"], hint.get("each") or {}
            causes = frozenset(map(str, hint.get("causes") or ()))
            shared = None if everyone is None else Payload({**everyone})
            own = {key: Payload({**(everyone or {}), **part}) for key, part in each.items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.error("A hint on %s is not one; everybody there looks again.", topic)
            shared, own, causes = Payload({}), {}, frozenset()
        self._remember(topic, causes)
        listeners = self._topics.get(topic)
        if listeners is None:
            return
        self.hints += 1
        for stream in listeners:
            if causes and causes <= stream.ticket.seen:
                continue
            payload = own.get(stream.ticket.topics[topic], shared)
            if payload is not None:
                stream.tell(topic, payload)

    def bus_changed(self, *, up: bool) -> None:
        """Tell every client: to poll meanwhile, or to look again, since hints were missed."""
        self.bus_up = up
        self._hears_since = time.time() if up else None
        event = b"event: resync\ndata: {}\n\n" if up else b"event: lost\ndata: {}\n\n"
        for slot in self._slots:
            for stream in slot:
                stream.announce(event)

    async def keep_alive(self) -> None:
        """Every second, wake a twentieth of the streams and end those whose ticket has run out."""
        second = 0
        while True:
            second = (second + 1) % KEEP_ALIVE_SECONDS
            now = time.time()
            self._forget_before(now - RECALL_SECONDS)
            for stream in self._slots[second]:
                if stream.ticket.expires < now:
                    stream.end()
                else:
                    stream.keep_alive()
            await asyncio.sleep(1)

    def _forget_before(self, moment: float) -> None:
        while self._hinted and next(iter(self._hinted.values())).last < moment:
            self._hinted.popitem(last=False)

    def end_all(self) -> None:
        """End every stream: the process stops."""
        for slot in self._slots:
            for stream in slot:
                stream.end()
