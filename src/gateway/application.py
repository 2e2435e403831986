"""The ASGI application: `/live/events`, `/live/room`, `/healthz`, `/metrics`."""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from gateway.bus import Bus
from gateway.hub import Hub, Send, Stream
from gateway.reports import Reports
from gateway.room import Holders, Rooms, Seat
from gateway.settings import Settings
from gateway.tickets import Ticket, TicketReader, TicketRefused

Receive = Callable[[], Awaitable[dict[str, Any]]]
Scope = dict[str, Any]

logger = logging.getLogger("gateway")

INSTANCE = re.compile(r"[0-9a-z-]{8,40}")

PROBLEMS = {
    400: "The request is malformed.",
    401: "The ticket is missing, forged or expired. Ask for a new one.",
    403: "Pages of another site may not listen.",
    404: "There is nothing at this address.",
    405: "Only GET is understood here.",
    410: "The room is closed.",
    429: "This seat is taken and left too often. Try again in a few seconds.",
    503: "This gateway is full. Try again in a few seconds.",
}


class Application:
    """One process: its hub, and the bus that feeds it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tickets = TicketReader(settings.live_secret)
        self.hub = Hub()
        self.bus = Bus(
            settings.nats_url,
            hint=self._hint,
            room=self._hear,
            changed=self._bus_changed,
        )
        self.reports = Reports(settings.internal_url, settings.live_secret)
        self.rooms = Rooms(publish=self._tell, report=self.reports.add)
        self._cors = [
            (b"access-control-allow-origin", settings.public_origin.encode()),
            (b"vary", b"origin"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._seat(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        work = [
            asyncio.create_task(self.bus.run()),
            asyncio.create_task(self.hub.keep_alive()),
            asyncio.create_task(self._sweep()),
            asyncio.create_task(self.reports.run()),
        ]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in work:
            task.cancel()
        for task in work:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.reports.finish()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path not in {"/live/events", "/healthz", "/metrics"}:
            await self._problem(send, 404)
        elif scope["method"] not in {"GET", "HEAD"}:
            await self._problem(send, 405)
        elif any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"]):
            await self._problem(send, 400)
        elif path == "/healthz":
            await self._json(send, {"status": "ok"})
        elif path == "/metrics":
            await self._json(send, self.figures())
        elif self._full():
            await self._problem(send, 503)
        else:
            try:
                ticket = self.tickets.read(_parameter(scope, "ticket"))
            except TicketRefused:
                await self._problem(send, 401)
            else:
                await self._stream(ticket, scope, receive, send)

    async def _stream(self, ticket: Ticket, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"x-accel-buffering", b"no"),
            *self._cors,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        stream = Stream(ticket, send, scope["extensions"]["connection"])
        # The server keeps the scope as long as the response lasts; nobody reads these again.
        scope["headers"].clear()
        scope["query_string"] = b""
        self.hub.join(stream)
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self.hub.leave(stream)

    async def _seat(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            ticket = self.tickets.read(_parameter(scope, "ticket"))
        except TicketRefused:
            await self._problem(send, 401, websocket=True)
            return
        instance = _parameter(scope, "instance")
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if origins and origins != [self.settings.public_origin.encode()]:
            await self._problem(send, 403, websocket=True)
        elif scope["path"] != "/live/room":
            await self._problem(send, 404, websocket=True)
        elif not ticket.room or not INSTANCE.fullmatch(instance):
            await self._problem(send, 400, websocket=True)
        elif self.rooms.is_closed(ticket.room):
            await self._problem(send, 410, websocket=True)
        elif not self.rooms.admits(ticket):
            await self._problem(send, 401, websocket=True)
        elif (pace := self.rooms.pace_of(ticket)) is None:
            await self._problem(send, 429, websocket=True)
        elif self._full():
            await self._problem(send, 503, websocket=True)
        else:
            await send({"type": "websocket.accept"})
            scope["headers"].clear()
            scope["query_string"] = b""
            abort = scope["extensions"]["connection"]["abort"]
            seat = Seat(ticket, instance, send, abort, pace)
            self.rooms.join(seat)
            try:
                while (event := await receive())["type"] != "websocket.disconnect":
                    if not seat.closing:
                        self.rooms.receive(seat, event.get("text"))
            finally:
                seat.closing = True
                self.rooms.leave(seat)

    def _full(self) -> bool:
        return self.hub.streams + self.rooms.seats >= self.settings.max_connections

    def _hint(self, topic: str, message: bytes) -> None:
        self.hub.hint(topic, message)
        kind, _, room_id = topic.partition(".")
        if kind != "room":
            return
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            hint = json.loads(message)
            if (hint["all"] or {}).get("closed") is True:
                self.rooms.close(room_id)
            elif "seats" in hint:
                subjects = {str(seat): str(held) for seat, held in hint["seats"].items()}
                self.rooms.hold(room_id, Holders(float(hint["at"]), subjects))

    def _hear(self, room_id: str, message: bytes) -> None:
        try:
            self.rooms.hear(room_id, json.loads(message))
        except (ValueError, TypeError, KeyError):
            logger.error("A message of another gateway is not one.")

    def _tell(self, room_id: str, message: dict[str, Any]) -> None:
        self.bus.tell_room(room_id, json.dumps(message, separators=(",", ":")).encode())

    def _bus_changed(self, up: bool) -> None:
        self.hub.bus_changed(up=up)
        if up:
            self.rooms.announce_all()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.rooms.sweep()

    def figures(self) -> dict[str, Any]:
        """Return what `/metrics` shows: counts, nothing about anyone."""
        return {
            "connections": self.hub.streams,
            "topics": self.hub.topics,
            "rooms": len(self.rooms),
            "seats": self.rooms.seats,
            "hints": self.hub.hints,
            "nats": self.hub.bus_up,
        }

    async def _json(self, send: Send, content: dict[str, Any]) -> None:
        await _respond(send, 200, b"application/json", content, self._cors)

    async def _problem(self, send: Send, status: int, *, websocket: bool = False) -> None:
        extra = [*self._cors, (b"connection", b"close")]
        if status in {429, 503}:
            extra.append((b"retry-after", b"5"))
        await _respond(
            send,
            status,
            b"application/problem+json",
            {"status": status, "title": PROBLEMS[status]},
            extra,
            prefix="websocket.http" if websocket else "http",
        )


async def _respond(
    send: Send,
    status: int,
    media_type: bytes,
    content: dict[str, Any],
    headers: list[tuple[bytes, bytes]],
    prefix: str = "http",
) -> None:
    body = json.dumps(content).encode()
    length = str(len(body)).encode()
    headers = [(b"content-type", media_type), (b"content-length", length), *headers]
    await send({"type": f"{prefix}.response.start", "status": status, "headers": headers})
    await send({"type": f"{prefix}.response.body", "body": body})


def _parameter(scope: Scope, name: str) -> str:
    try:
        given = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=8)
    except ValueError:
        return ""
    values = given.get(name)
    return values[0] if values else ""
