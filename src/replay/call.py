"""A seat in the call of a consultation: the real signalling over the gateway, without media."""

import asyncio
import contextlib
import json
import uuid
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Origin

from replay import html
from replay.person import Failed, Held, Person

PING_SECONDS = 1.5
CONNECT_SECONDS = 30
CANDIDATES = 6
"""A phone with one network offers about as many ways to reach it."""
FORBIDDEN = 403
GONE = 410
TICKET_URL = "data-call-ticket-url"
OVER = (1000, 4001, 4004)
"""Close codes after which one does not come back."""

SDP = "v=0\r\n" + "a=ssrc:1001 cname:a-line-of-a-description-that-a-browser-makes\r\n" * 60


class Call(Held):
    """Somebody's seat, as the page's script holds it.

    Who need not give way offers; every description is acknowledged, every offer answered, and both
    sides send their candidates. A socket that is lost is opened again.
    """

    def __init__(self, person: Person, ticket_address: str, gateway: str = "") -> None:
        """`ticket_address` answers with a ticket; the API also says where the socket is."""
        self._person = person
        self._ticket_address = ticket_address
        self._socket_address = f"{gateway.replace('http', 'ws', 1)}/live/room"
        self._instance = uuid.uuid4().hex
        self._descriptions = 0
        self._connected = asyncio.Event()

    @classmethod
    def of_page(cls, person: Person, page: str) -> Self | None:
        """Return the call of a page, or None when it has none."""
        ticket_address, gateway = html.attribute(page, TICKET_URL), html.gateway_of(page)
        return cls(person, ticket_address, gateway) if ticket_address and gateway else None

    async def connected(self) -> None:
        """Wait until both sides have described themselves. Raises Failed."""
        world, step = self._person.world, f"{self._person.prefix}.connect_call"
        try:
            with world.steps.timed(step):
                async with asyncio.timeout(CONNECT_SECONDS + world.patience):
                    await self._connected.wait()
        except TimeoutError:
            world.steps.failed(step, "no answer")
            raise Failed(f"{step}: no answer") from None

    async def _run(self) -> None:
        while True:
            try:
                answer = await self._person.step(
                    "seat", "GET", self._ticket_address, accept=(200, GONE)
                )
                if answer.status_code == GONE:
                    return
                given = answer.json()
                address = given.get("url", self._socket_address)
                async with connect(
                    f"{address}?ticket={given['ticket']}&instance={self._instance}",
                    origin=Origin(self._person.world.url),
                    compression=None,
                    ping_interval=None,
                    open_timeout=10,
                ) as socket:
                    await self._sit(socket)
                if socket.close_code in OVER:
                    return
            except InvalidStatus as refusal:
                # Its owner meets this with a --url that is not the service's own address.
                status = refusal.response.status_code
                if status == FORBIDDEN:
                    self._person.world.steps.failed(f"{self._person.prefix}.room", str(status))
            except (OSError, WebSocketException, TimeoutError, Failed):
                pass
            await asyncio.sleep(0.5 + self._person.world.random.random())

    async def _sit(self, socket: ClientConnection) -> None:
        pinging = asyncio.create_task(self._ping(socket))
        try:
            async for text in socket:
                await self._take(socket, json.loads(text))
        except ConnectionClosed:
            return
        except asyncio.CancelledError:
            await _say(socket, kind="bye")
            raise
        finally:
            pinging.cancel()

    async def _ping(self, socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            await _say(socket, kind="ping")

    async def _take(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        kind = message["kind"]
        if kind in ("welcome", "joined"):
            for peer in message.get("peers", [message]):
                if not peer["polite"]:
                    await self._describe(socket, peer["seat"], peer["instance"], "offer")
        elif kind == "description":
            peer = {"to": message["from"], "for": message["instance"]}
            await _say(socket, kind="ack", id=message["id"], **peer)
            if message["description"]["type"] == "offer":
                await self._describe(socket, peer["to"], peer["for"], "answer")
            self._connected.set()

    async def _describe(self, socket: ClientConnection, seat: str, instance: str, of: str) -> None:
        self._descriptions += 1
        peer = {"to": seat, "for": instance}
        description = {"type": of, "sdp": SDP}
        await _say(
            socket, kind="description", id=self._descriptions, description=description, **peer
        )
        for number in range(CANDIDATES):
            found = f"candidate:{number} 1 udp 2122260223 10.0.0.{number} {40000 + number} typ host"
            candidate = {"candidate": found, "sdpMid": "0", "sdpMLineIndex": 0}
            await _say(socket, kind="candidate", candidate=candidate, **peer)
        await _say(socket, kind="candidate", candidate=None, **peer)


class Talk:
    """The call of a consultation, as often as it is held: after a break there is another one."""

    def __init__(self) -> None:
        self._call = contextlib.AsyncExitStack()
        self.is_held = False

    async def hold(self, call: Call | None) -> None:
        """Take the seat, if there is a call: there is none where all is written."""
        self.is_held = True
        if call:
            await self._call.enter_async_context(call)

    async def leave(self) -> None:
        """Leave the seat, if one is held."""
        self.is_held = False
        await self._call.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.leave()


async def _say(socket: ClientConnection, **message: Any) -> None:
    # A socket that broke is seen by who reads from it.
    with contextlib.suppress(WebSocketException):
        await socket.send(json.dumps(message))
