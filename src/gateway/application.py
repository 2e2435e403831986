"""The ASGI application: `/live/events`, `/healthz`, `/metrics`."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from gateway.bus import Bus
from gateway.hub import Hub, Send, Stream
from gateway.settings import Settings
from gateway.tickets import Ticket, TicketReader, TicketRefused

Receive = Callable[[], Awaitable[dict[str, Any]]]
Scope = dict[str, Any]

PROBLEMS = {
    400: "The request is malformed.",
    401: "The ticket is missing, forged or expired. Ask for a new one.",
    404: "There is nothing at this address.",
    405: "Only GET is understood here.",
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
            hint=self.hub.hint,
            changed=lambda up: self.hub.bus_changed(up=up),
        )
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

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        work = [
            asyncio.create_task(self.bus.run()),
            asyncio.create_task(self.hub.keep_alive()),
        ]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in work:
            task.cancel()
        for task in work:
            with contextlib.suppress(asyncio.CancelledError):
                await task
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
        elif self.hub.streams >= self.settings.max_connections:
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

    def figures(self) -> dict[str, Any]:
        """Return what `/metrics` shows: counts, nothing about anyone."""
        return {
            "connections": self.hub.streams,
            "topics": self.hub.topics,
            "hints": self.hub.hints,
            "nats": self.hub.bus_up,
        }

    async def _json(self, send: Send, content: dict[str, Any]) -> None:
        await _respond(send, 200, b"application/json", content, self._cors)

    async def _problem(self, send: Send, status: int) -> None:
        extra = [*self._cors, (b"connection", b"close")]
        if status == 503:
            extra.append((b"retry-after", b"5"))
        await _respond(
            send,
            status,
            b"application/problem+json",
            {"status": status, "title": PROBLEMS[status]},
            extra,
        )


async def _respond(
    send: Send,
    status: int,
    media_type: bytes,
    content: dict[str, Any],
    headers: list[tuple[bytes, bytes]],
) -> None:
    body = json.dumps(content).encode()
    length = str(len(body)).encode()
    headers = [(b"content-type", media_type), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _parameter(scope: Scope, name: str) -> str:
    try:
        given = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=8)
    except ValueError:
        return ""
    values = given.get(name)
    return values[0] if values else ""
