"""Server-sent events: who hears what, and what happens when something breaks."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hub import CLOCKS_APART_SECONDS
from tests.gateway.conftest import (
    ORIGIN,
    Bus,
    Gateway,
    Listener,
    free_port,
    new_topic,
    ticket,
    wait_until,
)

Listen = Callable[..., Listener]


def test_everyone_on_the_topic_hears_and_nobody_else(bus: Bus, listen: Listen) -> None:
    topic, other = new_topic(), new_topic()
    first, second, stranger = listen({topic: ""}), listen({topic: ""}), listen({other: ""})
    for listener in (first, second, stranger):
        assert listener.next() == ("hello", {"bus": True, "missed": None})
    bus.hint(topic, {"waiting": 3})
    bus.hint(other, {"waiting": 9})
    assert first.next() == second.next() == ("look", {"waiting": 3, "topic": topic})
    assert stranger.next() == ("look", {"waiting": 9, "topic": other})


def test_a_node_of_the_bus_that_is_away_keeps_none_from_starting(bus: Bus) -> None:
    """That the bus is there is waited for."""
    gateway = Gateway(f"nats://127.0.0.1:{free_port()}, {bus.url}")
    try:
        gateway.start()
    finally:
        gateway.stop()


def test_hello_names_what_moved_since_the_page_was_made(bus: Bus, listen: Listen) -> None:
    moved, still = new_topic(), new_topic()

    def hello(made: float) -> Any:
        return listen({moved: "", still: ""}, iat=made).next()

    # A gateway that has just been started does not know what was before.
    wait_until(lambda: hello(time.time())[1]["missed"] is not None)
    made = time.time()
    witness = listen({moved: ""})
    witness.next()
    bus.hint(moved, {})
    witness.next()
    assert hello(made) == ("hello", {"bus": True, "missed": [moved]})
    assert hello(made + CLOCKS_APART_SECONDS + 1) == ("hello", {"bus": True, "missed": []})


def test_a_page_is_spared_what_it_knows_and_nothing_else(bus: Bus, listen: Listen) -> None:
    topic, other = new_topic(), new_topic()
    wait_until(lambda: listen({topic: ""}, iat=time.time()).next()[1]["missed"] is not None)
    made = time.time()
    stranger = listen({topic: "", other: ""})
    stranger.next()

    def hint(about: str, *causes: str, **content: Any) -> None:
        bus.publish(f"look.{about}", {"all": content, "each": {}, "causes": list(causes)})
        assert stranger.next() == ("look", {**content, "topic": about})

    def missed() -> Any:
        return listen({topic: "", other: ""}, iat=made, seen=["own"]).next()[1]["missed"]

    hint(topic, "own")
    hint(topic, "own", again=True)
    assert missed() == []
    hint(topic, "own", "another")
    assert missed() == [topic], "it tells of more than the page did"
    hint(topic, "own")
    assert missed() == [topic], "what came in between is not forgotten"
    hint(other)
    assert missed() == [topic, other], "nobody knows because of what"

    own = listen({topic: "", other: ""}, iat=made, seen=["own"])
    own.next()
    hint(topic, "own")
    hint(topic, "another", n=1)
    assert own.next() == ("look", {"n": 1, "topic": topic})
    hint(other, n=2)
    assert own.next() == ("look", {"n": 2, "topic": other})


def test_hello_does_not_guess_what_an_old_page_lacks(listen: Listen) -> None:
    assert listen({new_topic(): ""}, iat=1).next() == ("hello", {"bus": True, "missed": None})


def test_each_hears_its_own_part(bus: Bus, listen: Listen) -> None:
    topic = new_topic()
    asha, bala, nobody = listen({topic: "asha"}), listen({topic: "bala"}), listen({topic: ""})
    for listener in (asha, bala, nobody):
        listener.next()
    bus.hint(topic, None, asha={"place": 1}, bala={"place": 2})
    assert asha.next() == ("look", {"place": 1, "topic": topic})
    assert bala.next() == ("look", {"place": 2, "topic": topic})
    bus.hint(topic, {"moved": True}, asha={"place": 5})
    assert asha.next() == ("look", {"moved": True, "place": 5, "topic": topic})
    assert bala.next() == ("look", {"moved": True, "topic": topic})
    assert nobody.next() == ("look", {"moved": True, "topic": topic})


def test_a_payload_cannot_pose_as_another_topic_or_event(bus: Bus, listen: Listen) -> None:
    topic = new_topic()
    listener = listen({topic: ""})
    listener.next()
    bus.hint(topic, {"topic": "line.00", "text": "a\n\nevent: resync\ndata: {}\n\nआशा"})
    name, data = listener.next()
    assert (name, data["topic"]) == ("look", topic)
    assert data["text"].endswith("आशा")


@pytest.mark.parametrize("message", [b"", b"[1]", b'{"all": 3}', b"\xff", b'{"each": {"a": 1}}'])
def test_a_senseless_hint_makes_people_look_and_hurts_nobody(
    bus: Bus, listen: Listen, message: bytes
) -> None:
    topic = new_topic()
    listener = listen({topic: ""})
    listener.next()
    bus.publish(f"look.{topic}", message)
    assert listener.next() == ("look", {"topic": topic})


def _with_algorithm(value: str, algorithm: str) -> str:
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()
    return ".".join([header, *value.split(".")[1:]])


@pytest.mark.parametrize(
    "value",
    [
        "",
        "rubbish",
        "a.b.c",
        "é",
        "x" * 9_000,
        ticket({new_topic(): ""}, seconds=-1),
        ticket({new_topic(): ""}, secret="another secret of enough characters"),
        ticket({new_topic(): ""})[:-4] + "AAAA",
        _with_algorithm(ticket({new_topic(): ""}), "none"),
        _with_algorithm(ticket({new_topic(): ""}), "RS256"),
        ticket({"look.>": ""}),
        ticket({"line.*": ""}),
        ticket({f"line.{number:x}": "" for number in range(65)}),
        ticket({"line.aa": 5}),  # type: ignore[dict-item]
        ticket(topics=["line.aa"]),  # type: ignore[arg-type]
        ticket({"line.aa": ""}, exp="tomorrow"),
        ticket({"line.aa": ""}, exp=None),
    ],
    ids=[
        "empty",
        "rubbish",
        "dots",
        "letter",
        "long",
        "expired",
        "other-secret",
        "changed",
        "unsigned",
        "other-algorithm",
        "all-topics",
        "any-line",
        "many-topics",
        "number-as-key",
        "list-of-topics",
        "words-as-end",
        "no-end",
    ],
)
def test_a_bad_ticket_is_refused(gateway: Gateway, value: str) -> None:
    answer = httpx.get(f"{gateway.url}/live/events", params={"ticket": value})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401


@settings(max_examples=150)
@given(
    value=st.one_of(
        st.text(max_size=200),
        st.lists(st.text("ABCabc0189-_=", max_size=40), min_size=3, max_size=5).map(".".join),
        st.binary(max_size=100).map(lambda raw: base64.urlsafe_b64encode(raw).decode() + "..e30"),
    )
)
def test_rubbish_tickets_are_refused_and_nothing_breaks(gateway: Gateway, value: str) -> None:
    assert httpx.get(f"{gateway.url}/live/events", params={"ticket": value}).status_code == 401


def test_the_headers_are_those_of_a_stream_for_one_origin(listen: Listen) -> None:
    headers = listen({new_topic(): ""}).response.headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["cache-control"] == "no-store"


def test_retry_is_told_with_jitter(listen: Listen) -> None:
    told = {
        next(line for line in listen().response.iter_lines() if line.startswith("retry: "))
        for _time in range(8)
    }
    assert len(told) > 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
        (b"POST /live/events HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", b"405"),
        (b"GET /live/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", b"400"),
        (b"rubbish\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 40_000, b"400"),
    ],
)
def test_malformed_requests_are_refused(gateway: Gateway, request_: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), 5) as connection:
        connection.sendall(request_)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(4096):
                answer += chunk
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert httpx.get(f"{gateway.url}/healthz").json() == {"status": "ok"}


def test_a_request_piped_behind_a_stream_ends_it(gateway: Gateway) -> None:
    before = gateway.figures()["connections"]
    line = f"GET /live/events?ticket={ticket({new_topic(): ''})} HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), 5) as connection:
        connection.sendall(line.encode())
        heard = b""
        while b"hello" not in heard:
            heard += connection.recv(4096)
        connection.sendall(line.encode())
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(4096):
                pass
    wait_until(lambda: gateway.figures()["connections"] == before)


def test_a_client_that_leaves_is_forgotten(gateway: Gateway, listen: Listen) -> None:
    wait_until(lambda: gateway.figures()["connections"] == 0)
    listener = listen({new_topic(): "", new_topic(): ""})
    listener.next()
    figures = gateway.figures()
    assert (figures["connections"], figures["topics"]) == (1, 2)
    listener.close()
    wait_until(lambda: gateway.figures()["connections"] == gateway.figures()["topics"] == 0)


def test_one_subject_cannot_fill_the_process(gateway: Gateway, listen: Listen) -> None:
    value = ticket({new_topic(): ""})
    streams = [listen(value=value) for _tab in range(18)]
    assert [stream.next()[0] for stream in streams] == ["hello"] * 18
    assert [stream.next()[0] for stream in streams[:2]] == ["end", "end"]
    wait_until(lambda: gateway.figures()["connections"] == 16)


def test_200_clients_hear_a_hint_at_once(bus: Bus, gateway: Gateway) -> None:
    topic = new_topic()
    request = f"GET /live/events?ticket={ticket({topic: ''}, sub='')} HTTP/1.1\r\nHost: a\r\n\r\n"
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 5))
            for _client in range(200)
        ]
        for client in clients:
            client.sendall(request.encode())
        wait_until(lambda: gateway.figures()["connections"] >= 200)
        started = time.monotonic()
        bus.hint(topic, {"place": 1})
        for client in clients:
            heard = b""
            while b"event: look" not in heard:
                heard += client.recv(4096)
        assert time.monotonic() - started < 0.5


@pytest.mark.verify
def test_a_slow_client_is_dropped_and_others_hear_on(bus: Bus, gateway: Gateway) -> None:
    topic = new_topic()
    request = f"GET /live/events?ticket={ticket({topic: ''})} HTTP/1.1\r\nHost: a\r\n\r\n"
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", gateway.port))
    slow.sendall(request.encode())
    healthy = Listener(gateway, ticket({topic: ""}))
    healthy.next()
    wait_until(lambda: gateway.figures()["connections"] >= 2)
    connected = gateway.figures()["connections"]
    heard = 0
    text = "x" * 20_000

    def read() -> None:
        nonlocal heard
        while healthy.next()[0] == "look":
            heard += 1

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    deadline = time.monotonic() + 40
    while gateway.figures()["connections"] == connected:
        assert time.monotonic() < deadline, "the slow client is still there"
        bus.hint(topic, {"text": text})
        time.sleep(0.05)
    before = heard
    bus.hint(topic, {"text": "after"})
    wait_until(lambda: heard > before)
    slow.close()


@pytest.mark.verify
def test_a_stream_ends_soon_after_its_ticket(listen: Listen) -> None:
    started = time.monotonic()
    listener = listen({new_topic(): ""}, seconds=1)
    assert listener.next()[0] == "hello"
    assert listener.next() == ("end", None)
    assert 1 <= time.monotonic() - started < 25


def test_hints_resume_after_nats_was_away(bus: Bus, listen: Listen) -> None:
    topic = new_topic()
    listener = listen({topic: ""})
    assert listener.next() == ("hello", {"bus": True, "missed": None})
    bus.stop()
    assert listener.next() == ("lost", {})
    late = listen({topic: ""})
    assert late.next() == ("hello", {"bus": False, "missed": None})
    bus.start()
    assert listener.next() == late.next() == ("resync", {})
    bus.hint(topic, {"waiting": 1})
    assert listener.next() == late.next() == ("look", {"waiting": 1, "topic": topic})


def test_it_serves_before_nats_is_there() -> None:
    bus = Bus()
    gateway = Gateway(bus.url).start(bus=False)
    try:
        topic = new_topic()
        listener = Listener(gateway, ticket({topic: ""}))
        assert listener.next() == ("hello", {"bus": False, "missed": None})
        bus.start()
        assert listener.next() == ("resync", {})
        bus.hint(topic, {"waiting": 1})
        assert listener.next() == ("look", {"waiting": 1, "topic": topic})
    finally:
        gateway.stop()
        bus.stop()


def test_stopping_ends_the_streams_and_is_quick(bus: Bus) -> None:
    gateway = Gateway(bus.url).start()
    listener = Listener(gateway, ticket({new_topic(): ""}))
    listener.next()
    started = time.monotonic()
    gateway.stop()
    assert listener.next() == ("end", None)
    assert time.monotonic() - started < 3


def test_a_full_gateway_says_so(bus: Bus) -> None:
    gateway = Gateway(bus.url, SANJEEVANI_GATEWAY_MAX_CONNECTIONS="2").start()
    try:
        streams = [Listener(gateway, ticket()) for _client in range(2)]
        assert [stream.next()[0] for stream in streams] == ["hello", "hello"]
        answer = httpx.get(f"{gateway.url}/live/events", params={"ticket": ticket()})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
    finally:
        gateway.stop()


def test_no_orphan_outlives_its_parent(bus: Bus) -> None:
    gateway = Gateway(bus.url)
    starter = (
        "import subprocess, sys, time;"
        "print(subprocess.Popen([sys.executable, '-m', 'gateway']).pid, flush=True);"
        "time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", starter], env=gateway.environment, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{gateway.url}/healthz").status_code == 200
        return False

    wait_until(answers)
    parent.kill()
    parent.wait()
    parent.stdout.close()

    def gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        return not answers()

    wait_until(gone)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("SANJEEVANI_LIVE_SECRET", "", "SANJEEVANI_LIVE_SECRET must be set."),
        ("SANJEEVANI_LIVE_SECRET", "short", "must have at least 32 characters"),
        ("SANJEEVANI_PUBLIC_URL", "localhost", "must look like https://host"),
        ("SANJEEVANI_GATEWAY_PORT", "eighty", "must be a number from 1 to 65535"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(name: str, value: str, line: str) -> None:
    environment = Gateway("nats://127.0.0.1:1", **{name: value}).environment
    done = subprocess.run(
        [sys.executable, "-m", "gateway"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert line in done.stderr
    assert "Traceback" not in done.stderr


def test_a_busy_port_is_one_clear_line(gateway: Gateway) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway"], env=gateway.environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gateway: cannot listen on 127.0.0.1:")
    assert "Traceback" not in done.stderr


def test_interrupting_leaves_no_traceback() -> None:
    environment = Gateway(f"nats://127.0.0.1:{free_port()}").environment
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "listening" in process.stderr.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _out, rest = process.communicate(timeout=10)
    assert "Traceback" not in rest
