"""What the gateway tells of seats and quality.

It is measured by machines and nobody's act: presence and samples are written without an audit row
each; that the mode has changed is a verb. Reports may come twice, late, and for rooms that are
gone.
"""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sanjeevani.calls.ladder import note_mode
from sanjeevani.calls.models import (
    SPEAKING,
    Mode,
    Presence,
    QualitySample,
    Room,
    RoomStatus,
    Seat,
)
from sanjeevani.calls.seats import GATEWAY_SEATS
from sanjeevani.calls.services import tell_seats
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.foundation.errors import DomainError
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.rows import Kept

SeatName = Literal["a", "b", "c"]
SEATS = {name: seat for seat, name in GATEWAY_SEATS.items()}

LATEST = datetime.timedelta(hours=2)
"""Reports wait at the gateway while we are away; older ones say nothing that helps."""

LOST_AFTER = datetime.timedelta(seconds=10)
"""A reload or another network is back sooner."""

MODES = {"": Mode.AUDIO, "small": Mode.LOW_VIDEO, "full": Mode.VIDEO}
"""What the host's page sees of the guest, as the mode: a picture counts when it has arrived."""


class _Report(BaseModel):
    model_config = ConfigDict(extra="ignore")

    at: AwareDatetime
    state_id: int
    room: uuid.UUID
    seat: SeatName
    subject: str = ""
    """The account whose ticket it was; empty where it is not told."""


class Joined(_Report):
    """Somebody took a seat."""

    kind: Literal["joined"]
    instance: str = Field(max_length=40)


class Left(_Report):
    """A seat is empty; `bye`: on purpose."""

    kind: Literal["left"]
    instance: str = Field(max_length=40)
    bye: bool = False


class Quality(_Report):
    """One sample."""

    kind: Literal["quality"]
    peer: SeatName
    rung: str = Field(max_length=6)
    sees: Literal["", "small", "full"] = ""
    loss: float = Field(ge=0, le=1)
    concealed: float = Field(ge=0, le=1)
    round_trip_ms: float = Field(ge=0, le=600_000)
    relayed: bool


class Batch(BaseModel):
    """The body of a report."""

    events: list[Annotated[Joined | Left | Quality, Field(discriminator="kind")]] = Field(
        max_length=500
    )


def record(batch: Batch) -> list[tuple[int, uuid.UUID]]:
    """Store a batch; return (state_id, room_id) of rooms in which both who talk are there again."""
    by_state: dict[int, list[Joined | Left | Quality]] = defaultdict(list)
    oldest = clock.now() - LATEST
    for event in batch.events:
        if event.at > oldest and -32_768 <= event.state_id <= 32_767:
            by_state[event.state_id].append(event)
    complete = []
    for state_id, events in by_state.items():
        rooms = {
            room.id: room
            for room in _rooms.all(state_id=state_id, ids=list({event.room for event in events}))
        }
        known = [event for event in events if event.room in rooms]
        wrong = [event for event in known if _is_wrong(rooms[event.room], event)]
        for room_id in {event.room for event in wrong}:
            tell_seats(SYSTEM, state_id=state_id, room_id=room_id)
        joined = {event.room for event in known if event not in wrong and _seated(state_id, event)}
        _sampled(state_id, [event for event in known if isinstance(event, Quality)])
        for room in rooms.values():
            _follow(room, [event for event in known if event.room == room.id])
        complete += [(state_id, room_id) for room_id in joined if _both_here(state_id, room_id)]
    return complete


_rooms = Compiled(lambda: Room.objects.filter(state_id=given("state_id"), id=given_any("ids")))
_presences = Kept(Presence, key=("state_id", "room_id", "seat"))


def _is_wrong(room: Room, event: Joined | Left | Quality) -> bool:
    """Tell whether somebody came who may not: to a closed room, or to another host's seat."""
    if not isinstance(event, Joined):
        return False
    is_host = event.subject in {"", str(room.host_account_id)} or SEATS[event.seat] != Seat.HOST
    return room.status != RoomStatus.OPEN or not is_host


def _seated(state_id: int, event: Joined | Left | Quality) -> bool:
    """Write down that a seat was taken or left; whether it was taken."""
    key = {"state_id": state_id, "room_id": event.room, "seat": SEATS[event.seat]}
    if isinstance(event, Joined):
        taken = {
            "instance": event.instance,
            "joined_at": event.at,
            "left_at": None,
            "on_purpose": False,
            "is_noticed": False,
        }
        if not _presences.add(Presence(**key, first_joined_at=event.at, **taken)):
            Presence.objects.filter(**key, joined_at__lt=event.at).update(**taken)
        return True
    if isinstance(event, Left):
        Presence.objects.filter(
            **key, instance=event.instance, joined_at__lte=event.at, left_at__isnull=True
        ).update(left_at=event.at, on_purpose=event.bye)
    return False


def _sampled(state_id: int, events: Sequence[Quality]) -> None:
    QualitySample.objects.bulk_create(
        [
            QualitySample(
                state_id=state_id,
                id=uuid7(),
                room_id=event.room,
                seat=SEATS[event.seat],
                peer=SEATS[event.peer],
                minute=event.at.replace(second=0, microsecond=0),
                rung=event.rung,
                sees=event.sees,
                loss_permille=round(1_000 * event.loss),
                concealed_permille=round(1_000 * event.concealed),
                round_trip_ms=round(event.round_trip_ms),
                is_relayed=event.relayed,
            )
            for event in events
        ],
        ignore_conflicts=True,
    )


def _follow(room: Room, events: Sequence[Joined | Left | Quality]) -> None:
    """Let the mode follow what the host's page sees of the guest, and end with the call."""
    if room.status != RoomStatus.OPEN:
        return
    for event in events:
        if SEATS[event.seat] == Seat.HOST and event.subject not in {"", str(room.host_account_id)}:
            # Late, of a page whose doctor has this patient no more.
            continue
        mode = None
        if isinstance(event, Quality) and SEATS[event.seat] == Seat.HOST and event.peer == "b":
            mode = MODES[event.sees]
        elif isinstance(event, Left) and event.bye and event.seat in {"a", "b"}:
            mode = Mode.CHAT if room.mode in SPEAKING else None
        if mode is not None and mode != room.mode:
            follow(room, mode, SEATS[event.seat])


def follow(room: Room, mode: Mode, seat: Seat) -> None:
    """Note a change of mode; what both agreed to meanwhile stands."""
    try:
        room.mode = note_mode(
            SYSTEM, state_id=room.state_id, room_id=room.id, mode=mode, seat=seat
        ).mode
    except DomainError:
        return


_left = Compiled(
    lambda: Presence.objects.filter(
        state_id=given("state_id"), room_id=given("room_id")
    ).values_list("seat", "left_at")
)


def _both_here(state_id: int, room_id: uuid.UUID) -> bool:
    seats = dict(_left.all(state_id=state_id, room_id=room_id))
    return all(seat in seats and seats[seat] is None for seat in (Seat.HOST, Seat.GUEST))


def notice_loss(presence: Presence) -> bool:
    """Mark that a lost seat was acted on; False when somebody was faster, or it is back."""
    noticed = Presence.objects.filter(
        state_id=presence.state_id,
        id=presence.id,
        left_at=presence.left_at,
        is_noticed=False,
    ).update(is_noticed=True)
    return bool(noticed)


def is_lost(state_id: int, room_id: uuid.UUID, seat: Seat, since: datetime.datetime) -> bool:
    """Tell whether a seat was lost since then, was acted on, and whose it was is still away."""
    return Presence.objects.filter(
        state_id=state_id,
        room_id=room_id,
        seat=seat,
        left_at__gt=since,
        on_purpose=False,
        is_noticed=True,
    ).exists()


def is_there_without(state_id: int, room_id: uuid.UUID, seat: Seat) -> None:
    """Note that whoever lost a seat is at the page all the same: they act there.

    Before the token is locked, as for a loss that is acted on.
    """
    Presence.objects.filter(
        state_id=state_id, room_id=room_id, seat=seat, left_at__isnull=False, on_purpose=False
    ).update(on_purpose=True)


def follow_loss(room: Room, seat: Seat) -> None:
    """Let the mode follow that a seat is lost: nobody speaks any more."""
    if room.status == RoomStatus.OPEN and room.mode in SPEAKING:
        follow(room, Mode.CHAT, seat)
