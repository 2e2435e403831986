"""Rooms: who sits where, and the way of signalling from one seat to another.

Identity is (room, seat); the newest socket of a seat wins. The gateway reads of a message only what
it needs to pass it on; which of two seats is polite is decided here, since two polite sides wait
for each other for ever.
"""

import asyncio
import json
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gateway.hub import CLOCKS_APART_SECONDS, SLOW_SECONDS, Send
from gateway.tickets import Ticket

logger = logging.getLogger("gateway")

REPLACED = 4001
"""Another socket has taken this seat."""
EXPIRED = 4003
"""Come back with a new ticket."""
CLOSED = 4004
"""The room is closed for good."""
SILENT = 4005
"""Nothing was heard for too long."""
TOO_FAST = 4008
"""Too many messages."""
MALFORMED = 4400
"""Not a message of the protocol."""

SILENCE_SECONDS = 15
MESSAGES_PER_SECOND = 30
BURST = 150
"""Both sides of a new call send their candidates at once: up to a hundred messages."""
MESSAGE_LENGTH = 2_048
"""What is longer counts as so many more: a description of a call with pictures has some 8 KB."""
JOINS_PER_SECOND = 0.5
JOIN_BURST = 20
"""A page on the poorest line comes back every two seconds or so. Each coming is told to the others
in the room, to every process and to Django."""
PACE_SECONDS = 60
"""So long a pace is kept after it was last used: all of its allowance has come back by then."""
QUALITY_SECONDS = 1
UNSENT_MESSAGES = 256
STORED_CANDIDATES = 64
CLOSED_SECONDS = 1_200
"""Longer than any ticket lives."""

SeatName = Literal["a", "b", "c"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, populate_by_name=True)


class _Addressed(_Message):
    to: SeatName
    # The page load it is meant for: what was meant for the one before the reload is lost on this.
    meant_for: str = Field(alias="for", max_length=40)


class SessionDescription(_Message):
    """RTCSessionDescriptionInit."""

    type: Literal["offer", "answer"]
    sdp: str = Field(max_length=60_000)


class IceCandidate(_Message):
    """RTCIceCandidateInit."""

    candidate: str = Field(max_length=2_000)
    sdp_mid: str | None = Field(None, alias="sdpMid", max_length=64)
    sdp_line: int | None = Field(None, alias="sdpMLineIndex", ge=0, le=63)
    fragment: str | None = Field(None, alias="usernameFragment", max_length=256)


class Description(_Addressed):
    """An offer or an answer; `id` grows with each of one page load."""

    kind: Literal["description"]
    id: int = Field(ge=0)
    description: SessionDescription


class Candidate(_Addressed):
    """A way to reach the sender; null when there are no more."""

    kind: Literal["candidate"]
    candidate: IceCandidate | None


class Ack(_Addressed):
    """The description with this id was taken."""

    kind: Literal["ack"]
    id: int = Field(ge=0)


class Bye(_Message):
    """The seat is left on purpose."""

    kind: Literal["bye"]


class Quality(_Message):
    """One sample of the call, for the reports."""

    kind: Literal["quality"]
    peer: SeatName
    rung: Literal["audio", "low", "medium", "full"]
    sees: Literal["", "small", "full"] = ""
    loss: float = Field(ge=0, le=1)
    concealed: float = Field(ge=0, le=1)
    round_trip_ms: float = Field(ge=0, le=600_000)
    relayed: bool
    reason: Literal["", "automatic", "asked"] = ""


class Ping(_Message):
    """Answered by a pong."""

    kind: Literal["ping"]


AnyMessage = Annotated[
    Description | Candidate | Ack | Bye | Quality | Ping, Field(discriminator="kind")
]
_messages: TypeAdapter[Description | Candidate | Ack | Bye | Quality | Ping] = TypeAdapter(
    AnyMessage
)


class Pace:
    """How much one bearer may still do on one seat, however often the socket is a new one."""

    __slots__ = ("at", "joins", "messages")

    def __init__(self) -> None:
        self.at = time.time()
        self.joins = float(JOIN_BURST)
        self.messages = float(BURST)

    def _earn(self) -> None:
        now = time.time()
        passed, self.at = max(now - self.at, 0), now
        self.joins = min(JOIN_BURST, self.joins + passed * JOINS_PER_SECOND)
        self.messages = min(BURST, self.messages + passed * MESSAGES_PER_SECOND)

    def joins_once_more(self) -> bool:
        """Count a coming; false when there were too many."""
        self._earn()
        if self.joins < 1:
            return False
        self.joins -= 1
        return True

    def takes(self, length: int) -> bool:
        """Count a message of so many characters; false when it is too much."""
        self._earn()
        self.messages -= 1 + length // MESSAGE_LENGTH
        if self.messages > 0:
            return True
        self.messages = 0
        return False


@dataclass(frozen=True, slots=True)
class Holders:
    """Who alone may sit where in a room, by seat; nobody where the subject is empty.

    `at`: when that was read (Unix time). A ticket that is newer was made by who knew better.
    """

    at: float
    subjects: dict[str, str]

    def admit(self, ticket: Ticket) -> bool:
        """Tell whether the bearer may have the seat."""
        holder = self.subjects.get(ticket.seat)
        return (
            holder is None
            or (holder != "" and holder == ticket.subject)
            or (ticket.issued or 0) > self.at + CLOCKS_APART_SECONDS
        )


class Seat:
    """One open socket."""

    def __init__(
        self,
        ticket: Ticket,
        instance: str,
        send: Send,
        abort: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        self.ticket = ticket
        self.name = ticket.seat
        self.instance = instance
        self.since = time.time()
        self.heard = self.since
        self.pace = pace or Pace()
        self.quality_at = 0.0
        self._send = send
        self._abort = abort
        self._unsent: deque[dict[str, Any]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self.closing = False

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self._put({"type": "websocket.send", "text": json.dumps(message, separators=(",", ":"))})

    def close(self, code: int) -> None:
        """Close the socket after what is already on its way."""
        self._put({"type": "websocket.close", "code": code})
        self.closing = True

    def takes(self, length: int) -> bool:
        """Count a message against the bearer's pace."""
        self.heard = time.time()
        return self.pace.takes(length)

    def _put(self, event: dict[str, Any]) -> None:
        if self.closing:
            return
        if len(self._unsent) >= UNSENT_MESSAGES:
            self._unsent.clear()
            event = {"type": "websocket.close", "code": TOO_FAST}
            self.closing = True
        self._unsent.append(event)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                while self._unsent:
                    await self._send(self._unsent.popleft())
        except TimeoutError:
            # A close would wait behind what is not taken either.
            self.closing = True
            self._abort()
        except Exception as error:  # noqa: BLE001 - the socket went away meanwhile, in one of many ways
            logger.debug("A socket was lost: %s", type(error).__name__)
            self.closing = True
        finally:
            self._writer = None


@dataclass
class Room:
    """The seats held by this process, those known to be held by others, and undelivered letters."""

    seats: dict[str, Seat] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    """Seat to the instance that holds it in another process."""
    letters: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    """(from, to): the last description that `to` has not acknowledged, and its candidates."""


def polite_towards(seat: str, peer: str) -> bool:
    """Of two seats, the later in the alphabet gives way when both offer at once."""
    return seat > peer


class Rooms:
    """Every room that has a seat in this process."""

    def __init__(
        self,
        *,
        publish: Callable[[str, dict[str, Any]], None],
        report: Callable[[Ticket, dict[str, Any]], None],
    ) -> None:
        self._publish = publish
        self._report = report
        self._rooms: dict[str, Room] = {}
        self._closed: dict[str, float] = {}
        self._holders: OrderedDict[str, Holders] = OrderedDict()
        """By room, the longest ago first."""
        self._paces: dict[tuple[str, str, str], Pace] = {}
        """By room, seat and bearer."""

    def __len__(self) -> int:
        return len(self._rooms)

    @property
    def seats(self) -> int:
        """How many sockets are open."""
        return sum(len(room.seats) for room in self._rooms.values())

    def is_closed(self, room_id: str) -> bool:
        """Say whether the room was closed while this process ran."""
        return room_id in self._closed

    def admits(self, ticket: Ticket) -> bool:
        """Say whether the seat is the bearer's still: a doctor may have lost it since."""
        holders = self._holders.get(ticket.room)
        return holders is None or holders.admit(ticket)

    def pace_of(self, ticket: Ticket) -> Pace | None:
        """Count a coming; return the bearer's pace, None when there were too many."""
        pace = self._paces.setdefault((ticket.room, ticket.seat, ticket.subject), Pace())
        return pace if pace.joins_once_more() else None

    def hold(self, room_id: str, holders: Holders) -> None:
        """Take who may sit where; whoever else sits there goes, and does not come back."""
        known = self._holders.get(room_id)
        if known is not None and known.at > holders.at:
            return
        self._holders[room_id] = holders
        self._holders.move_to_end(room_id)
        room = self._rooms.get(room_id)
        for seat in list(room.seats.values()) if room else []:
            if not holders.admit(seat.ticket):
                # On purpose: the others' pages end what goes on between them without the gateway.
                self.leave(seat, bye=True)
                seat.close(EXPIRED)

    def join(self, seat: Seat) -> None:
        """Take a seat, from whoever held it."""
        room_id = seat.ticket.room
        room = self._rooms.setdefault(room_id, Room())
        older = room.seats.get(seat.name)
        if older is not None:
            older.close(REPLACED)
        room.seats[seat.name] = seat
        room.elsewhere.pop(seat.name, None)
        known = {name: other.instance for name, other in room.seats.items() if other is not seat}
        seat.tell(
            {
                "kind": "welcome",
                "seat": seat.name,
                "peers": [
                    _arrival(name, instance, seat.name)
                    for name, instance in sorted({**room.elsewhere, **known}.items())
                ],
            }
        )
        self._arrived(room, seat.name, seat.instance)
        self._announce(room_id, seat)
        self._report(seat.ticket, {"kind": "joined", "instance": seat.instance})

    def leave(self, seat: Seat, *, bye: bool = False) -> None:
        """Free a seat, unless a newer socket holds it."""
        room_id = seat.ticket.room
        room = self._rooms.get(room_id)
        if room is None or room.seats.get(seat.name) is not seat:
            return
        del room.seats[seat.name]
        gone = {"kind": "left", "seat": seat.name, "instance": seat.instance, "bye": bye}
        for other in room.seats.values():
            other.tell(gone)
        self._publish(room_id, gone)
        self._report(seat.ticket, {"kind": "left", "instance": seat.instance, "bye": bye})
        if not room.seats:
            del self._rooms[room_id]

    def receive(self, seat: Seat, text: str | None) -> None:
        """Take a message from a seat; what breaks the protocol closes the socket."""
        if not seat.takes(len(text or "")):
            self._expel(seat, TOO_FAST)
            return
        try:
            message = _messages.validate_json(text or "")
        except ValidationError:
            self._expel(seat, MALFORMED)
            return
        if isinstance(message, Ping):
            seat.tell({"kind": "pong"})
        elif isinstance(message, Bye):
            self.leave(seat, bye=True)
            seat.close(1000)
        elif isinstance(message, Quality):
            if seat.heard - seat.quality_at >= QUALITY_SECONDS:
                seat.quality_at = seat.heard
                self._report(seat.ticket, message.model_dump())
        elif message.to == seat.name:
            self._expel(seat, MALFORMED)
        else:
            self._pass_on(seat, message)

    def hear(self, room_id: str, message: dict[str, Any]) -> None:
        """Take what another process says about a room."""
        room = self._rooms.get(room_id)
        if room is None:
            return
        kind = message["kind"]
        if kind == "relay":
            self._deliver(room, message["message"])
            return
        name, instance = message["seat"], message["instance"]
        if kind == "left":
            if room.elsewhere.get(name) == instance:
                del room.elsewhere[name]
                for seat in room.seats.values():
                    seat.tell(message)
            return
        mine = room.seats.get(name)
        if mine is not None:
            if mine.since > message["since"]:
                return
            mine.close(REPLACED)
            del room.seats[name]
        if kind == "joined" or room.elsewhere.get(name) != instance:
            room.elsewhere[name] = instance
            self._arrived(room, name, instance)
        if kind == "joined":
            for seat in room.seats.values():
                self._announce(room_id, seat, "present")
        if not room.seats:
            del self._rooms[room_id]

    def announce_all(self) -> None:
        """Say again who sits here: the bus was away."""
        for room_id, room in self._rooms.items():
            for seat in room.seats.values():
                self._announce(room_id, seat)

    def close(self, room_id: str) -> None:
        """Send everyone out and let nobody in again."""
        now = time.time()
        self._closed = {room: at for room, at in self._closed.items() if now - at < CLOSED_SECONDS}
        self._closed[room_id] = now
        self._holders.pop(room_id, None)
        room = self._rooms.pop(room_id, Room())
        for seat in room.seats.values():
            seat.close(CLOSED)
            self._report(seat.ticket, {"kind": "left", "instance": seat.instance, "bye": True})

    def sweep(self) -> None:
        """Close the sockets that are silent, and those whose ticket has run out."""
        now = time.time()
        for seat in [seat for room in self._rooms.values() for seat in room.seats.values()]:
            if seat.ticket.expires < now:
                self._expel(seat, EXPIRED)
            elif now - seat.heard > SILENCE_SECONDS:
                self._expel(seat, SILENT)
        while self._holders and next(iter(self._holders.values())).at < now - CLOSED_SECONDS:
            self._holders.popitem(last=False)
        for key in [key for key, pace in self._paces.items() if pace.at < now - PACE_SECONDS]:
            del self._paces[key]

    def _expel(self, seat: Seat, code: int) -> None:
        self.leave(seat)
        seat.close(code)

    def _announce(self, room_id: str, seat: Seat, kind: str = "joined") -> None:
        self._publish(
            room_id,
            {"kind": kind, "seat": seat.name, "instance": seat.instance, "since": seat.since},
        )

    def _arrived(self, room: Room, name: str, instance: str) -> None:
        for other in room.seats.values():
            if other.name != name:
                other.tell({"kind": "joined", **_arrival(name, instance, other.name)})
        for (sender, to), letters in list(room.letters.items()):
            stale = letters[0]["instance" if sender == name else "for"] != instance
            if name in {sender, to} and stale:
                del room.letters[sender, to]
            elif to == name:
                for letter in letters:
                    self._send(room, letter)

    def _pass_on(self, seat: Seat, message: Description | Candidate | Ack) -> None:
        room_id = seat.ticket.room
        room = self._rooms.get(room_id)
        if room is None or room.seats.get(seat.name) is not seat:
            return
        passed = {
            **message.model_dump(by_alias=True),
            "from": seat.name,
            "instance": seat.instance,
            "room": room_id,
        }
        way = (seat.name, message.to)
        if isinstance(message, Description):
            room.letters[way] = [passed]
        elif isinstance(message, Candidate) and 0 < len(room.letters.get(way, ())) <= (
            STORED_CANDIDATES
        ):
            room.letters[way].append(passed)
        self._send(room, passed)

    def _send(self, room: Room, message: dict[str, Any]) -> None:
        if message["to"] in room.seats:
            self._deliver(room, message)
        else:
            self._publish(message["room"], {"kind": "relay", "message": message})

    def _deliver(self, room: Room, message: dict[str, Any]) -> None:
        target = room.seats.get(message["to"])
        if target is None or target.instance != message["for"]:
            return
        if message["kind"] == "ack":
            way = (message["to"], message["from"])
            if way in room.letters and room.letters[way][0]["id"] == message["id"]:
                del room.letters[way]
        target.tell(
            {key: value for key, value in message.items() if key not in {"to", "for", "room"}}
        )


def _arrival(name: str, instance: str, towards: str) -> dict[str, Any]:
    return {"seat": name, "instance": instance, "polite": polite_towards(towards, name)}
