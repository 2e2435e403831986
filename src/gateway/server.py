"""The HTTP server: uvicorn, held to small requests and quick handshakes.

uvicorn with httptools costs 11 KB per idle stream, granian 16 (docs/performance.md).
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.settings import Settings

LARGEST_HEAD = 16_384
MOST_HEADERS = 64
HEAD_SECONDS = 15
LARGEST_FRAME = 65_536
UNREAD_BYTES = 32_768
"""What may wait in user space for one slow client before writing to it pauses."""
DEAD_PEER_MILLISECONDS = 60_000


def bounded(settings: Settings) -> type[HttpToolsProtocol]:
    """Return the protocol class with this process's limits."""
    ceiling = settings.max_connections + settings.max_connections // 20 + 10

    class BoundedProtocol(HttpToolsProtocol):
        """Closes what sends too much or too slowly before its request is complete."""

        head_timer: asyncio.TimerHandle | None = None
        head_bytes = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            transport.set_write_buffer_limits(high=UNREAD_BYTES)
            # The application refuses politely at its limit; this is the wall behind it.
            if len(self.connections) > ceiling:
                transport.abort()
                return
            self.head_timer = self.loop.call_later(HEAD_SECONDS, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_is_complete()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self.head_timer is not None:
                self.head_bytes += len(data)
                if self.head_bytes > LARGEST_HEAD:
                    self.send_400_response("Too large.")
                    return
            super().data_received(data)

        def on_message_begin(self) -> None:
            # uvicorn forgets a running response when another request is piped behind it; no
            # browser does that.
            if self.cycle is not None and not self.cycle.response_complete:
                self.transport.abort()
                raise ValueError("pipelined request")
            super().on_message_begin()
            self.scope["extensions"] = {
                "connection": {"abort": self.transport.abort, "full": self._full}
            }

        def on_header(self, name: bytes, value: bytes) -> None:
            if len(self.headers) >= MOST_HEADERS:
                raise ValueError("too many headers")
            super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self._head_is_complete()
            super().on_headers_complete()
            if not self.parser.should_upgrade():
                self.url = b""

        def _full(self) -> bool:
            return self.flow.write_paused

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self.transport.is_closing():
                self.head_bytes = 0
                self.head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

        def _head_is_complete(self) -> None:
            if self.head_timer is not None:
                self.head_timer.cancel()
                self.head_timer = None

    return BoundedProtocol


class BoundedSocket(WebSocketsSansIOProtocol):
    """Lets the application cut a socket off, and cuts off who asks without reading the answers."""

    def handle_connect(self, event: Request) -> None:
        """Begin; the application may `abort` what takes nothing."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"] = {
                **(self.scope["extensions"] or {}),
                "connection": {"abort": self.transport.abort},
            }

    def handle_ping(self) -> None:
        """Answer, unless answers wait already: nothing else would hold back what piles up."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()


class Server(uvicorn.Server):
    """Ends its streams first when told to stop: uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, before_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_stop = before_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._before_stop()
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """Open the listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit these: a phone that vanished, and one that does not read.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MILLISECONDS)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * UNREAD_BYTES)
    listener.bind((settings.host, settings.port))
    return listener


def server(settings: Settings, application: Any, before_stop: Callable[[], None]) -> Server:
    """Return the server, ready to `run`."""
    return Server(
        uvicorn.Config(
            application,
            http=bounded(settings),
            ws=BoundedSocket,
            ws_max_size=LARGEST_FRAME,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            loop="asyncio",
            lifespan="on",
            backlog=4096,
            server_header=False,
            date_header=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=3,
        ),
        before_stop,
    )
