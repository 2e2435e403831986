"""A call of the replay that the service refuses is an error of the run, not a silence."""

import asyncio
import random
import ssl
from http import HTTPStatus
from typing import Any

import httpx
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from replay.call import Call
from replay.measuring import Steps
from replay.person import World


class _Caller:
    """Somebody whose ticket is always given."""

    prefix = "doctor"

    def __init__(self, world: World) -> None:
        self.world = world

    async def step(self, *_args: Any, **_kwargs: Any) -> httpx.Response:
        return httpx.Response(200, json={"ticket": "t"})


def test_a_refused_room_is_counted() -> None:
    """Whoever runs it with another address than the service's own is told, and not left waiting."""
    steps = Steps()

    def refuse(connection: ServerConnection, _request: Request) -> Response:
        return connection.respond(HTTPStatus.FORBIDDEN, "")

    async def never(_connection: ServerConnection) -> None:
        raise AssertionError("nobody is let in")

    async def run() -> None:
        async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            world = World(
                "http://elsewhere", steps, ssl.create_default_context(), 0, random.Random(1)
            )
            async with Call(_Caller(world), "/ticket", f"http://127.0.0.1:{port}"):  # type: ignore[arg-type]
                async with asyncio.timeout(10):
                    while not steps.errors:
                        await asyncio.sleep(0.01)

    asyncio.run(run())

    assert steps.errors[("doctor.room", "403")] == 1
