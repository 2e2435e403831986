"""Facts about rooms."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sanjeevani.foundation.verbs import Fact


@dataclass(frozen=True, kw_only=True)
class RoomFact(Fact):
    """Something happened in a room: those in it look again."""

    room_id: uuid.UUID

    def topics(self) -> list[str]:
        """The room."""
        return [f"room.{self.room_id}"]


@dataclass(frozen=True, kw_only=True)
class MessageSent(RoomFact):
    """Someone wrote."""

    kind: ClassVar[str] = "calls.MessageSent"
    seat: str

    def topics(self) -> list[str]:
        """The room's chat: nothing else of a call changes by it."""
        return [f"chat.{self.room_id}"]


@dataclass(frozen=True, kw_only=True)
class AnswerWritten(RoomFact):
    """After the call the host wrote: the guest, who looks at no page any more, is to be told."""

    kind: ClassVar[str] = "calls.AnswerWritten"
    message_id: uuid.UUID

    def topics(self) -> list[str]:
        """None: that somebody wrote is a fact of its own."""
        return []


@dataclass(frozen=True, kw_only=True)
class RoomChanged(RoomFact):
    """The room's status, mode or seats changed."""

    kind: ClassVar[str] = "calls.RoomChanged"


@dataclass(frozen=True, kw_only=True)
class PhoneCallAsked(RoomFact):
    """The bridge is to place a phone call."""

    kind: ClassVar[str] = "calls.PhoneCallAsked"
    phone_call_id: uuid.UUID
