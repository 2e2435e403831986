"""A bad link in user space: delay, loss, a narrow pipe with a short queue, and cuts.

A UDP shim stands before the TURN server and a TCP shim before the gateway, so that no kernel module
and no root is needed. One link is the access of one caller, in both directions.
"""

import asyncio
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tests.gateway.conftest import free_port

HEADERS = 28
"""IP and UDP, which the real link carries too."""
QUEUE_SECONDS = 0.4
"""What the base station keeps before it drops."""


@dataclass(frozen=True)
class Quality:
    """One direction of a link."""

    bits_per_second: int
    delay_seconds: float
    loss: float


class _Direction:
    def __init__(self, link: "Link") -> None:
        self._link = link
        self._free = 0.0

    def carry(self, size: int, deliver: Callable[[], None], *, reliable: bool = False) -> None:
        loop = asyncio.get_running_loop()
        quality = self._link.quality
        now = loop.time()
        start = max(now, self._free)
        if not reliable and (
            self._link.cut or random.random() < quality.loss or start - now > QUEUE_SECONDS
        ):
            return
        self._free = start + (size + HEADERS) * 8 / quality.bits_per_second
        loop.call_at(self._free + quality.delay_seconds, deliver)


class Link:
    """Forwards UDP to the TURN server and TCP to the gateway, as well as a bad link would."""

    def __init__(self, quality: Quality, *, turn_port: int, gateway_port: int) -> None:
        self.quality = quality
        self.cut = False
        self.udp_port, self.tcp_port = free_port(), free_port()
        self._turn_port, self._gateway_port = turn_port, gateway_port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._up, self._down = _Direction(self), _Direction(self)
        front = _Front(self, self._turn_port)
        self._loop.run_until_complete(
            self._loop.create_datagram_endpoint(
                lambda: front, local_addr=("127.0.0.1", self.udp_port)
            )
        )
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", self.tcp_port)
        )
        self._ready.set()
        self._loop.run_forever()
        server.close()
        front.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        # Sockets close in the turns of the loop that follow.
        self._loop.run_until_complete(asyncio.sleep(0.1))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passable()
        there, back = await asyncio.open_connection("127.0.0.1", self._gateway_port)
        try:
            await asyncio.gather(
                self._pump(reader, back, self._up), self._pump(there, writer, self._down)
            )
        finally:
            back.close()
            writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Direction
    ) -> None:
        try:
            while data := await reader.read(1_400):
                await self._passable()
                arrived = asyncio.Event()
                way.carry(len(data), arrived.set, reliable=True)
                await arrived.wait()
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _passable(self) -> None:
        while self.cut:
            await asyncio.sleep(0.05)


class _Front(asyncio.DatagramProtocol):
    """Faces the callers; every caller's address has a socket of its own towards the server."""

    def __init__(self, link: Link, port: int) -> None:
        self._link = link
        self._port = port
        self._backs: dict[tuple[str, int], asyncio.DatagramTransport] = {}

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._link._up.carry(len(data), lambda: self._forward(data, address))

    def _forward(self, data: bytes, address: tuple[str, int]) -> None:
        back = self._backs.get(address)
        if back is not None:
            back.sendto(data)
            return

        async def open_back() -> None:
            transport, _protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Back(self, address), remote_addr=("127.0.0.1", self._port)
            )
            self._backs[address] = transport
            transport.sendto(data)

        asyncio.get_running_loop().create_task(open_back())

    def close(self) -> None:
        """Close the sockets on both sides."""
        for transport in (self.transport, *self._backs.values()):
            transport.close()

    def answer(self, data: bytes, address: tuple[str, int]) -> None:
        """Carry a datagram of the server down to a caller."""
        self._link._down.carry(len(data), lambda: self.transport.sendto(data, address))


class _Back(asyncio.DatagramProtocol):
    def __init__(self, front: _Front, address: tuple[str, int]) -> None:
        self._front = front
        self._address = address

    def datagram_received(self, data: bytes, address: object) -> None:
        self._front.answer(data, self._address)

    def error_received(self, exc: Exception) -> None:
        """The server was away for a moment; UDP forgets."""
