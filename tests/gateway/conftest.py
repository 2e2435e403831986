"""A real gateway process on a real NATS server of its own, which tests may stop and start."""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from playwright.sync_api import Browser

from tests.browsers import CAMERA, chromium
from tests.gateway.site import Site

SECRET = secrets.token_hex(32)
ORIGIN = "http://localhost:8000"
SOURCE = Path(__file__).parents[2] / "src"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a condition; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def ticket(
    topics: dict[str, str] | None = None,
    *,
    seconds: float = 600,
    secret: str = SECRET,
    **claims: Any,
) -> str:
    """Return a ticket as the web process signs it."""
    payload = {
        "sub": str(uuid.uuid4()),
        "topics": topics or {},
        "exp": time.time() + seconds,
        **claims,
    }
    return jwt.encode({"alg": "HS256"}, payload, OctKey.import_key(secret))


def new_topic(kind: str = "line") -> str:
    """Return a topic that no other test uses."""
    return f"{kind}.{uuid.uuid4()}"


class Bus:
    """A NATS server."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        program = Path(sys.executable).with_name("nats-server")
        self.process = subprocess.Popen(
            [program, "-a", "127.0.0.1", "-p", str(self.port)], stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, 30)

    def stop(self) -> None:
        """Kill."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def publish(self, subject: str, content: Any) -> None:
        """Publish as the relay does: JSON, or bytes as they are. Returns when the server has it."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            stream = connection.makefile("rwb")
            stream.readline()
            stream.write(b'CONNECT {"verbose":false}\r\n')
            stream.write(b"PUB %s %d\r\n%s\r\nPING\r\n" % (subject.encode(), len(body), body))
            stream.flush()
            assert stream.readline() == b"PONG\r\n"

    def hint(
        self,
        topic: str,
        everyone: dict[str, Any] | None = None,
        **each: dict[str, Any],
    ) -> None:
        """Publish a hint for a topic."""
        self.publish(f"look.{topic}", {"all": everyone, "each": each})


class Gateway:
    """A gateway process."""

    def __init__(self, bus_url: str, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "SANJEEVANI_GATEWAY_HOST": "127.0.0.1",
            "SANJEEVANI_GATEWAY_PORT": str(self.port),
            "SANJEEVANI_NATS_URL": bus_url,
            "SANJEEVANI_LIVE_SECRET": SECRET,
            "SANJEEVANI_PUBLIC_URL": ORIGIN,
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, bus: bool = True) -> Self:
        """Start, and wait until it answers, with its bus if there is to be one."""
        self.process = subprocess.Popen([sys.executable, "-m", "gateway"], env=self.environment)
        wait_until(lambda: self._alive() and (not bus or self.figures()["nats"]), 60)
        return self

    def _alive(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the gateway has died"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz").status_code == 200
        return False

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Stop, by default in good order."""
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(10)
            self.process = None

    def figures(self) -> dict[str, Any]:
        """Return `/metrics`."""
        found: dict[str, Any] = httpx.get(f"{self.url}/metrics").json()
        return found


class Listener:
    """One open event stream."""

    def __init__(self, gateway: Gateway, value: str) -> None:
        self._client = httpx.Client(timeout=httpx.Timeout(30))
        request = self._client.build_request(
            "GET", f"{gateway.url}/live/events", params={"ticket": value}
        )
        self.response = self._client.send(request, stream=True)
        self._lines = self.response.iter_lines()

    def next(self, *, comments: bool = False) -> tuple[str, Any]:
        """Return the next event and its data, signs of life left out; comments when asked for."""
        name = ""
        for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: ") and name != "alive":
                return name, json.loads(line.removeprefix("data: "))
            elif comments and line.startswith(":"):
                return "comment", None
        return "end", None

    def close(self) -> None:
        """Go away."""
        self._client.close()


@pytest.fixture(scope="module")
def bus() -> Iterator[Bus]:
    """A NATS server for the tests of one file."""
    server = Bus()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gateway(bus: Bus) -> Iterator[Gateway]:
    """A gateway for the tests of one file."""
    process = Gateway(bus.url).start()
    yield process
    process.stop()


@pytest.fixture
def listen(gateway: Gateway) -> Iterator[Callable[..., Listener]]:
    """Open streams that are closed after the test."""
    with contextlib.ExitStack() as stack:

        def opened(
            topics: dict[str, str] | None = None,
            *,
            at: Gateway | None = None,
            value: str | None = None,
            **claims: Any,
        ) -> Listener:
            listener = Listener(at or gateway, value or ticket(topics, **claims))
            stack.callback(listener.close)
            return listener

        yield opened


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site for the tests of one file."""
    with Site() as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, with speech as its microphone."""
    with chromium(*CAMERA) as running:
        yield running
