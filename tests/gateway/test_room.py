"""The relay of call signalling: seats, letters, limits, several processes, reports."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from gateway.reports import Reports
from gateway.room import Rooms
from gateway.tickets import Ticket
from tests.gateway.conftest import ORIGIN, SECRET, Bus, Gateway, ticket, wait_until
from tests.gateway.site import Answer, Site

OFFER = {"type": "offer", "sdp": "v=0"}


class Sitter:
    """One socket on a seat."""

    def __init__(self, gateway: Gateway, room: str, seat: str, instance: str, **claims: Any):
        self.seat = seat
        self.instance = instance
        value = claims.pop("value", None) or ticket(room=room, seat=seat, **claims)
        address = f"ws://127.0.0.1:{gateway.port}/live/room?ticket={value}&instance={instance}"
        self.socket: ClientConnection = connect(
            address, origin=Origin(ORIGIN), compression=None, legacy=True
        )

    def say(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"kind": kind, **fields}))

    def describe(self, to: "Sitter", number: int = 1, **description: Any) -> None:
        self.say(
            "description",
            to=to.seat,
            id=number,
            description=description or OFFER,
            **{"for": to.instance},
        )

    def next(self, seconds: float = 5) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        return message

    def until(self, kind: str) -> dict[str, Any]:
        while (message := self.next())["kind"] != kind:
            pass
        return message

    def silent(self) -> bool:
        """Say whether nothing but pongs comes; a pong proves that all before it was handled."""
        self.say("ping")
        return bool(self.next()["kind"] == "pong")

    def closed(self) -> int:
        """Return the code of the close that comes."""
        try:
            while True:
                self.next(20)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


Sit = Callable[..., Sitter]


def heard(bus: Bus, sit: Sit) -> None:
    """Wait until the gateway has heard all hints so far."""
    other = str(uuid.uuid4())
    marker = sit("a", room=other)
    marker.until("welcome")
    bus.hint(f"room.{other}", {"closed": True})
    assert marker.closed() == 4004


@pytest.fixture
def room() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def sit(gateway: Gateway, room: str) -> Iterator[Sit]:
    """Take seats that are left after the test."""
    with contextlib.ExitStack() as stack:

        def taken(
            seat: str, instance: str = "", at: Gateway | None = None, **claims: Any
        ) -> Sitter:
            name = instance or f"page-{uuid.uuid4().hex[:8]}"
            sitter = Sitter(at or gateway, claims.pop("room", room), seat, name, **claims)
            stack.callback(sitter.socket.close)
            return sitter

        yield taken


def test_one_of_two_is_polite_and_each_knows_the_other(sit: Sit) -> None:
    doctor = sit("a")
    assert doctor.next() == {"kind": "welcome", "seat": "a", "peers": []}
    patient = sit("b")
    assert patient.next() == {
        "kind": "welcome",
        "seat": "b",
        "peers": [{"seat": "a", "instance": doctor.instance, "polite": True}],
    }
    assert doctor.next() == {
        "kind": "joined",
        "seat": "b",
        "instance": patient.instance,
        "polite": False,
    }


def test_messages_reach_the_seat_they_are_for_and_no_other(sit: Sit) -> None:
    doctor, patient, third = sit("a"), sit("b"), sit("c")
    stranger = sit("b", room=str(uuid.uuid4()))
    for sitter in (doctor, patient, third, stranger):
        sitter.until("welcome")
    doctor.until("joined"), doctor.until("joined")
    patient.until("joined")
    doctor.describe(patient)
    assert patient.next() == {
        "kind": "description",
        "from": "a",
        "instance": doctor.instance,
        "id": 1,
        "description": OFFER,
    }
    candidate = {"candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "sdpMid": "0"}
    doctor.say("candidate", to="b", candidate=candidate, **{"for": patient.instance})
    assert patient.next()["candidate"]["candidate"] == candidate["candidate"]
    doctor.say("candidate", to="b", candidate=None, **{"for": patient.instance})
    assert patient.next()["candidate"] is None
    patient.say("ack", to="a", id=1, **{"for": doctor.instance})
    assert doctor.next() == {"kind": "ack", "from": "b", "instance": patient.instance, "id": 1}
    assert third.silent()
    assert stranger.silent()


def test_what_was_meant_for_the_page_before_the_reload_is_dropped(sit: Sit) -> None:
    doctor, before = sit("a"), sit("b")
    doctor.until("joined")
    after = sit("b")
    doctor.describe(before)
    after.until("welcome")
    assert after.silent()


def test_the_newest_socket_of_a_seat_wins(sit: Sit) -> None:
    doctor, first = sit("a"), sit("b", "same-page-1")
    second = sit("b", "same-page-1")
    assert first.closed() == 4001
    doctor.until("joined")
    assert doctor.until("joined")["instance"] == "same-page-1"
    doctor.describe(second)
    assert second.until("description")["id"] == 1


def test_an_unacknowledged_description_is_replayed_with_its_candidates(sit: Sit) -> None:
    doctor, patient = sit("a"), sit("b", "same-page-1")
    doctor.until("joined")
    patient.socket.close()
    assert doctor.until("left")["bye"] is False
    doctor.describe(patient, 1)
    doctor.describe(patient, 2, type="offer", sdp="v=0 second")
    doctor.say("candidate", to="b", candidate={"candidate": "one"}, **{"for": patient.instance})
    doctor.say("ping")
    doctor.until("pong")
    back = sit("b", "same-page-1")
    assert back.next()["kind"] == "welcome"
    assert back.next()["id"] == 2
    assert back.next()["candidate"]["candidate"] == "one"
    back.say("ack", to="a", id=2, **{"for": doctor.instance})
    assert doctor.until("ack")["id"] == 2
    again = sit("b", "same-page-1")
    again.until("welcome")
    assert again.silent(), "what was acknowledged is not replayed"


def test_an_old_acknowledgement_does_not_lose_a_newer_description(sit: Sit) -> None:
    doctor, patient = sit("a"), sit("b", "same-page-1")
    patient.until("welcome")
    doctor.until("joined")
    doctor.describe(patient, 1)
    doctor.describe(patient, 2)
    assert [patient.next()["id"], patient.next()["id"]] == [1, 2]
    patient.say("ack", to="a", id=1, **{"for": doctor.instance})
    doctor.until("ack")
    back = sit("b", "same-page-1")
    back.until("welcome")
    assert back.next()["id"] == 2


def test_a_reload_gets_nothing_of_the_page_before(sit: Sit) -> None:
    doctor, patient = sit("a"), sit("b")
    doctor.until("joined")
    doctor.describe(patient)
    reloaded = sit("b")
    reloaded.until("welcome")
    assert reloaded.silent()


def test_leaving_on_purpose_is_told(sit: Sit) -> None:
    doctor, patient = sit("a"), sit("b")
    doctor.until("joined")
    patient.say("bye")
    assert patient.closed() == 1000
    assert doctor.next() == {
        "kind": "left",
        "seat": "b",
        "instance": patient.instance,
        "bye": True,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"kind": "mode"}',
        '{"kind": "description", "to": "b"}',
        json.dumps({"kind": "description", "to": "d", "for": "x", "id": 1, "description": OFFER}),
        json.dumps({"kind": "description", "to": "a", "for": "x", "id": 1, "description": OFFER}),
        json.dumps({"kind": "description", "to": "b", "for": "x", "id": -1, "description": OFFER}),
        json.dumps({"kind": "description", "to": "b", "for": "x", "id": 1, "description": "v=0"}),
        json.dumps(
            {
                "kind": "description",
                "to": "b",
                "for": "x",
                "id": 1,
                "description": {"type": "rollback", "sdp": ""},
            }
        ),
        json.dumps({"kind": "candidate", "to": "b", "for": "x", "candidate": {"candidate": 5}}),
        json.dumps(
            {"kind": "candidate", "to": "b", "for": "x", "candidate": {"candidate": "x" * 3_000}}
        ),
        json.dumps({"kind": "quality", "rung": "audio", "loss": float("nan")}),
        "[" * 5_000,
    ],
)
def test_rubbish_closes_its_own_socket_only(sit: Sit, text: str) -> None:
    doctor, patient = sit("a"), sit("b")
    doctor.socket.send(text)
    assert doctor.closed() == 4400
    assert patient.until("left")["seat"] == "a"
    assert patient.silent()


def test_bytes_and_oversized_messages_close_the_socket(sit: Sit) -> None:
    doctor, patient = sit("a"), sit("b")
    doctor.socket.send(b"\x00\x01")
    assert doctor.closed() == 4400
    again = sit("a")
    again.describe(patient, sdp="x" * 70_000, type="offer")
    assert again.closed() == 1009


def test_a_flood_is_cut_off_and_others_talk_on(sit: Sit, gateway: Gateway) -> None:
    doctor, patient = sit("a"), sit("b")
    other, peer = sit("a", room=str(uuid.uuid4())), sit("c")
    doctor.until("joined")
    started = time.monotonic()
    with contextlib.suppress(ConnectionClosed):
        for number in range(1_000):
            doctor.describe(patient, number)
    assert doctor.closed() == 4008
    assert other.until("welcome")
    assert other.silent()
    assert peer.until("left")["seat"] == "a"
    assert time.monotonic() - started < 5
    heard = 0
    while patient.next()["kind"] != "left":
        heard += 1
    assert heard < 300


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a short frame as a client sends it."""
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload


@contextlib.contextmanager
def deaf(gateway: Gateway, room: str, seat: str) -> Iterator[socket.socket]:
    """Take a seat on a socket that reads nothing."""
    head = (
        f"GET /live/room?ticket={ticket(room=room, seat=seat)}&instance=page-deaf HTTP/1.1",
        "Host: gateway",
        f"Origin: {ORIGIN}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
    )
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.settimeout(20)
        opened.connect(("127.0.0.1", gateway.port))
        opened.sendall("\r\n".join([*head, "", ""]).encode())
        assert opened.recv(12) == b"HTTP/1.1 101"
        yield opened


def test_who_asks_and_never_reads_is_cut_off(gateway: Gateway, room: str) -> None:
    """Pings are answered by the server itself: its answers must not pile up in memory."""
    with deaf(gateway, room, "a") as asking, pytest.raises(ConnectionError):
        asking.sendall(frame(0x9, bytes(125)) * 500_000)
    wait_until(lambda: gateway.figures()["seats"] == 0)


@pytest.mark.verify
def test_who_takes_nothing_is_cut_off(sit: Sit, gateway: Gateway, room: str) -> None:
    """Its seat is free before; the socket must not stay for ever beside those that are counted."""
    with deaf(gateway, room, "b") as still:
        doctor = sit("a")
        long = {"type": "offer", "sdp": "x" * 50_000}
        for number in range(10):
            doctor.say("description", to="b", id=number, description=long, **{"for": "page-deaf"})

        def is_cut_off() -> bool:
            time.sleep(0.5)
            try:
                still.sendall(frame(0x1, b'{"kind":"ping"}'))
            except ConnectionError:
                return True
            return False

        wait_until(is_cut_off, 25)


def test_rubbish_inside_a_description_is_passed_on_as_it_is(sit: Sit) -> None:
    doctor, patient = sit("a"), sit("b")
    doctor.until("joined")
    hostile = "\x00\u2028</script>'; DROP TABLE\r\na=ptime:1" * 100
    doctor.describe(patient, type="answer", sdp=hostile)
    assert patient.until("description")["description"] == {"type": "answer", "sdp": hostile}


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"seconds": -1}, 401),
        ({"secret": "another secret of enough characters"}, 401),
        ({"seat": "d"}, 401),
        ({"seat": ["a"]}, 401),
        ({"room": "../x"}, 401),
        ({"room": None}, 401),
        ({"state_id": "29"}, 401),
        ({"instance": "x"}, 400),
        ({"instance": "a/b/c/d/e"}, 400),
    ],
)
def test_a_bad_ticket_gets_no_seat(
    gateway: Gateway, room: str, claims: dict[str, Any], status: int
) -> None:
    instance = claims.pop("instance", "page-12345678")
    value = ticket(**{"room": room, "seat": "a", **claims})
    with pytest.raises(InvalidStatus) as caught:
        Sitter(gateway, room, "a", instance, value=value)
    assert caught.value.response.status_code == status


def test_a_ticket_without_a_room_gets_no_seat(gateway: Gateway, room: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        Sitter(gateway, room, "a", "page-12345678", value=ticket({f"room.{room}": ""}))
    assert caught.value.response.status_code == 400


def test_pages_of_other_sites_get_no_seat(gateway: Gateway, room: str) -> None:
    value = ticket(room=room, seat="a")
    address = f"ws://127.0.0.1:{gateway.port}/live/room?ticket={value}&instance=page-12345678"
    with pytest.raises(InvalidStatus) as caught:
        connect(address, origin=Origin("https://elsewhere.example"), legacy=True)
    assert caught.value.response.status_code == 403


def test_a_closed_room_sends_everyone_out_and_stays_closed(bus: Bus, sit: Sit, room: str) -> None:
    doctor, patient = sit("a"), sit("b")
    doctor.until("joined")
    bus.hint(f"room.{room}", {"status": "open"})
    assert doctor.silent()
    bus.hint(f"room.{room}", {"closed": True})
    assert doctor.closed() == patient.closed() == 4004
    with pytest.raises(InvalidStatus) as caught:
        sit("a")
    assert caught.value.response.status_code == 410


def test_who_lost_a_seat_goes_and_does_not_come_back_with_the_old_ticket(
    bus: Bus, sit: Sit, room: str
) -> None:
    """A doctor who was reported had ten minutes to go on, with a client of their own."""
    before = time.time()
    reported = ticket(room=room, seat="a", sub="reported", iat=before - 60)
    doctor, patient = sit("a", value=reported), sit("b")
    patient.until("welcome")
    doctor.until("joined")
    freed = {"all": {}, "each": {}, "seats": {"a": "", "c": ""}, "at": time.time()}
    bus.publish(f"look.room.{room}", freed)
    assert doctor.closed() == 4003
    assert patient.until("left")["bye"] is True
    with pytest.raises(InvalidStatus) as caught:
        sit("a", value=reported)
    assert caught.value.response.status_code == 401
    bus.publish(f"look.room.{room}", freed | {"seats": {"a": "next"}, "at": time.time()})
    bus.publish(f"look.room.{room}", freed)  # an older one, late
    heard(bus, sit)
    with pytest.raises(InvalidStatus):
        sit("a", value=reported)
    following = sit("a", sub="next", iat=time.time())
    assert following.until("welcome")["peers"][0]["seat"] == "b"
    assert patient.until("joined")["instance"] == following.instance


def test_whose_ticket_is_newer_than_the_hint_sits(bus: Bus, sit: Sit, room: str) -> None:
    """The next doctor answers before the gateway has heard of it."""
    hint = {"all": {}, "each": {}, "seats": {"a": ""}, "at": time.time() - 30}
    bus.publish(f"look.room.{room}", hint)
    heard(bus, sit)
    assert sit("a", sub="next", iat=time.time()).until("welcome")
    with pytest.raises(InvalidStatus):
        sit("a", sub="earlier", iat=time.time() - 60)


def test_who_comes_and_goes_in_a_loop_is_kept_out_and_others_are_not(sit: Sit) -> None:
    """Each coming was told to the others, to every process and to Django, as often as it came."""
    patient = sit("b")
    loop = {"sub": str(uuid.uuid4())}

    def come_and_go() -> None:
        for _time in range(60):
            sit("a", **loop).socket.close()

    with pytest.raises(InvalidStatus) as caught:
        come_and_go()
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"]
    coming = 0
    patient.say("ping")
    while (message := patient.next())["kind"] != "pong":
        coming += message["kind"] == "joined"
    assert coming <= 21
    assert sit("a", sub=str(uuid.uuid4())).until("welcome")
    time.sleep(2.5)
    assert sit("a", **loop).until("welcome")


def test_a_new_socket_is_no_new_allowance(sit: Sit) -> None:
    patient, loop = sit("b"), {"sub": str(uuid.uuid4())}
    sent = 0
    for _time in range(4):
        doctor = sit("a", **loop)
        with contextlib.suppress(ConnectionClosed):
            for number in range(400):
                doctor.describe(patient, number)
        assert doctor.closed() == 4008
    patient.say("ping")
    while (message := patient.next())["kind"] != "pong":
        sent += message["kind"] == "description"
    assert sent < 250


def test_paces_are_forgotten_although_a_call_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """One long call kept those of all who came after it."""
    rooms = Rooms(publish=lambda *_said: None, report=lambda *_said: None)
    start = time.time()
    long, short = (Ticket(name, start + 600, {}, room=name, seat="a") for name in ("aa", "bb"))
    talking = rooms.pace_of(long)
    assert talking
    assert rooms.pace_of(short)
    monkeypatch.setattr("gateway.room.time.time", lambda: start + 90)
    assert talking.takes(10)
    rooms.sweep()
    assert [room for room, _seat, _subject in rooms._paces] == ["aa"]


def test_long_messages_count_for_more(sit: Sit) -> None:
    doctor, patient = sit("a"), sit("b")
    doctor.until("joined")
    with contextlib.suppress(ConnectionClosed):
        for number in range(20):
            doctor.describe(patient, number, type="offer", sdp="x" * 50_000)
    assert doctor.closed() == 4008


def test_a_seat_ends_with_its_ticket(sit: Sit) -> None:
    doctor, patient = sit("a"), sit("b", seconds=1.5)
    doctor.until("joined")
    assert patient.closed() == 4003
    assert doctor.until("left")["bye"] is False


@pytest.mark.verify
def test_a_silent_seat_is_freed(sit: Sit) -> None:
    patient = sit("b")
    assert patient.closed() == 4005


def test_two_processes_are_one_room(bus: Bus, sit: Sit, room: str) -> None:
    other = Gateway(bus.url, SANJEEVANI_PUBLIC_URL=ORIGIN).start()
    try:
        doctor = sit("a")
        patient = sit("b", "same-page-1", at=other)
        assert doctor.until("joined")["instance"] == "same-page-1"
        assert patient.until("joined") == {
            "kind": "joined",
            "seat": "a",
            "instance": doctor.instance,
            "polite": True,
        }
        doctor.describe(patient)
        assert patient.until("description")["from"] == "a"
        patient.say("ack", to="a", id=1, **{"for": doctor.instance})
        doctor.until("ack")

        doctor.describe(patient, 2)
        patient.until("description")
        moved = sit("b", "same-page-1")
        assert patient.closed() == 4001
        assert moved.until("description")["id"] == 2
        moved.say("ack", to="a", id=2, **{"for": doctor.instance})
        doctor.until("ack")

        away = sit("b", "same-page-1", at=other)
        assert moved.closed() == 4001
        away.socket.close()
        assert doctor.until("left")["seat"] == "b"
        doctor.describe(away, 3)
        doctor.say("ping")
        doctor.until("pong")
        back = sit("b", "same-page-1", at=other)
        assert back.until("description")["id"] == 3
        bus.hint(f"room.{room}", {"closed": True})
        assert doctor.closed() == back.closed() == 4004
    finally:
        other.stop()


def test_processes_find_each_other_again_after_nats_was_away(bus: Bus, sit: Sit) -> None:
    other = Gateway(bus.url).start()
    try:
        doctor = sit("a")
        bus.stop()
        wait_until(lambda: not other.figures()["nats"])
        patient = sit("b", at=other)
        assert patient.next()["peers"] == []
        bus.start()
        assert patient.until("joined")["instance"] == doctor.instance
        assert doctor.until("joined")["instance"] == patient.instance
    finally:
        other.stop()


def test_signalling_outlives_a_killed_gateway(bus: Bus, sit: Sit, room: str) -> None:
    own = Gateway(bus.url).start()
    try:
        doctor, patient = sit("a", "page-aaaaaaaa", at=own), sit("b", "page-bbbbbbbb", at=own)
        doctor.until("joined")
        assert own.process is not None
        own.process.kill()
        own.process.wait()
        own.start()
        patient = sit("b", "page-bbbbbbbb", at=own)
        doctor = sit("a", "page-aaaaaaaa", at=own)
        doctor.describe(patient)
        assert patient.until("description")["instance"] == "page-aaaaaaaa"
    finally:
        own.stop()


def _events(site: Site) -> list[dict[str, Any]]:
    return [
        event
        for path, status, body in site.requests
        if path == "/internal/calls/seats" and status == 204
        for event in json.loads(body)["events"]
    ]


def test_seats_and_quality_are_reported_signed_and_again_after_a_failure(
    bus: Bus, sit: Sit, room: str
) -> None:
    answers = [503, 204]
    with Site() as site:
        site.pages["/internal/calls/seats"] = lambda: (
            answers.pop(0) if answers else 204,
            "text/plain",
            "",
        )
        own = Gateway(bus.url, SANJEEVANI_INTERNAL_URL=site.url).start()
        try:
            doctor = sit("a", at=own, state_id=29)
            doctor.until("welcome")
            sample = {
                "peer": "b",
                "rung": "low",
                "loss": 0.12,
                "concealed": 0.01,
                "round_trip_ms": 180,
                "relayed": True,
                "reason": "automatic",
            }
            doctor.say("quality", **sample)
            doctor.say("bye")
            doctor.closed()
            wait_until(lambda: len(_events(site)) >= 3)
        finally:
            own.stop()
        joined, quality, left = _events(site)
        place = {"room": room, "seat": "a", "state_id": 29}
        assert {**joined, **place, "kind": "joined", "instance": doctor.instance} == joined
        assert {**quality, **place, **sample, "kind": "quality"} == quality
        assert {**left, **place, "kind": "left", "bye": True} == left
        assert len({event["id"] for event in (joined, quality, left)}) == 3
        assert site.requests[0][1] == 503
        headers, body = site.headers[-1], site.requests[-1][2]
        moment, sign = headers["X-Gateway-Signature"].removeprefix("t=").split(",v1=")
        assert abs(time.time() - int(moment)) < 30
        expected = hmac.new(SECRET.encode(), f"seats.{moment}.".encode() + body, hashlib.sha256)
        assert sign == expected.hexdigest()


@pytest.mark.parametrize("first", [204, 503])
def test_who_was_there_is_reported_when_the_gateway_stops(
    bus: Bus, sit: Sit, room: str, first: int
) -> None:
    """Or nobody would notice that a patient is lost who does not come back to another gateway."""
    answers = [first]
    with Site() as site:
        site.pages["/internal/calls/seats"] = lambda: (
            answers.pop(0) if answers else 204,
            "text/plain",
            "",
        )
        own = Gateway(bus.url, SANJEEVANI_INTERNAL_URL=site.url).start()
        try:
            patient = sit("b", at=own, state_id=29)
            patient.until("welcome")
            wait_until(lambda: bool(site.requests))
        finally:
            own.stop()
        assert [(event["kind"], event.get("bye")) for event in _events(site)] == [
            ("joined", None),
            ("left", False),
        ]


def test_a_gateway_stops_although_nobody_takes_its_reports(bus: Bus, sit: Sit, room: str) -> None:
    def silent() -> Answer:
        time.sleep(20)
        return 204, "text/plain", ""

    with Site() as site:
        site.pages["/internal/calls/seats"] = silent
        own = Gateway(bus.url, SANJEEVANI_INTERNAL_URL=site.url).start()
        sit("b", at=own, state_id=29).until("welcome")
        started = time.monotonic()
        own.stop()
        assert time.monotonic() - started < 8


def test_many_reports_do_not_wait_for_each_other() -> None:
    """Thousands of calls: who is lost must be known within seconds."""
    with Site() as site:
        site.pages["/internal/calls/seats"] = lambda: (204, "text/plain", "")
        reports = Reports(site.url, SECRET)
        for _event in range(3_000):
            reports.add(Ticket("", 0, {}, room="r", seat="a"), {"kind": "quality"})

        async def work() -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(4):
                    await reports.run()

        asyncio.run(work())
        assert len(_events(site)) == 3_000
