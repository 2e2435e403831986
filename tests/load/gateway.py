"""What waiting costs: memory per idle stream, a hint to everyone, everyone coming back at once.

    python tests/load/gateway.py [connections]

Starts a NATS server and one gateway process, opens the streams, and prints a table for
docs/performance.md. Every stream has a ticket of its own with two topics: the consultation's, which
nobody shares, and the line's. Times are of the whole: sent by the publisher, read by the client.
"""

import json
import select
import socket
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gateway.conftest import Bus, Gateway, new_topic, ticket

BATCH = 200


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    connections: int
    kilobytes_each: float
    connects_per_second: float
    all_median_ms: float
    all_p99_ms: float
    all_last_ms: float
    own_part_last_ms: float
    cpu_seconds_per_minute_idle: float


class Clients:
    """Many streams in one thread."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}

    def connect(self, tickets: list[str]) -> float:
        """Open a stream with each ticket; return the seconds it took until all had their hello."""
        started = time.monotonic()
        for first in range(0, len(tickets), BATCH):
            batch = tickets[first : first + BATCH]
            for value in batch:
                client = socket.create_connection(("127.0.0.1", self._gateway.port), 10)
                client.sendall(
                    f"GET /live/events?ticket={value} HTTP/1.1\r\nHost: localhost\r\n"
                    "User-Agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36\r\n"
                    "Accept: text/event-stream\r\nAccept-Language: hi-IN,hi;q=0.9,en;q=0.8\r\n"
                    "Accept-Encoding: gzip, deflate, br\r\nCache-Control: no-cache\r\n"
                    "Origin: http://localhost:8000\r\nReferer: http://localhost:8000/\r\n"
                    "Sec-Fetch-Mode: cors\r\n\r\n".encode()
                )
                self._open[client.fileno()] = client
                self._poll.register(client, select.EPOLLIN)
            self.heard(b"event: hello", len(batch))
        return time.monotonic() - started

    def heard(self, mark: bytes, count: int, seconds: float = 30) -> list[float]:
        """Return the times at which `count` clients heard `mark`. Fails when they do not."""
        times: list[float] = []
        deadline = time.monotonic() + seconds
        while len(times) < count:
            for number, _event in self._poll.poll(1):
                chunk = self._open[number].recv(65_536)
                assert chunk, "a stream was closed"
                if mark in chunk:
                    times.append(time.monotonic())
            assert time.monotonic() < deadline, f"{len(times)} of {count} heard {mark!r}"
        return times

    def close(self) -> None:
        """Leave, all of them."""
        for client in self._open.values():
            client.close()


def measure(connections: int) -> Figures:
    """Run the whole measurement."""
    bus = Bus()
    bus.start()
    gateway = Gateway(bus.url).start()
    assert gateway.process is not None
    process = psutil.Process(gateway.process.pid)
    everyone = new_topic("desk")
    keys = [str(uuid.uuid4()) for _client in range(connections)]
    tickets = [
        ticket({new_topic("consultation"): "", everyone: key}, seconds=3_600) for key in keys
    ]
    clients = Clients(gateway)
    try:
        warm = Clients(gateway)
        warm.connect(tickets[:BATCH])
        warm.close()
        time.sleep(2)
        before = process.memory_info().rss
        took = clients.connect(tickets)
        time.sleep(1)
        each = (process.memory_info().rss - before) / connections / 1024

        times: list[float] = []
        for number in range(5):
            started = time.monotonic()
            bus.hint(everyone, {"mark": f"turn{number}"})
            heard = clients.heard(f'"turn{number}"'.encode(), connections)
            times += [moment - started for moment in heard]
        times.sort()

        started = time.monotonic()
        own = {key: {"place": place} for place, key in enumerate(keys[:60])}
        bus.publish(f"look.{everyone}", {"all": None, "each": own})
        last_own = clients.heard(b'"place"', 60)[-1] - started

        cpu = process.cpu_times()
        time.sleep(20)
        later = process.cpu_times()
        idle = 3 * (later.user + later.system - cpu.user - cpu.system)
    finally:
        clients.close()
        gateway.stop()
        bus.stop()
    return Figures(
        connections=connections,
        kilobytes_each=round(each, 1),
        connects_per_second=round(connections / took),
        all_median_ms=round(1000 * times[len(times) // 2]),
        all_p99_ms=round(1000 * times[len(times) * 99 // 100]),
        all_last_ms=round(1000 * times[-1]),
        own_part_last_ms=round(1000 * last_own),
        cpu_seconds_per_minute_idle=round(idle, 2),
    )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(json.dumps(asdict(measure(count)), indent=2))  # noqa: T201
