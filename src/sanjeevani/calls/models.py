"""Rooms, the modes a call went through, and what was written in it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import ShardedModel, sharded_relation


class Mode(models.TextChoices):
    """The rungs of the ladder, from the richest."""

    VIDEO = "video", _("Video")
    AUDIO = "audio", _("Audio")
    CHAT = "chat", _("Chat")
    PHONE = "phone", _("Phone")


class RoomStatus(models.TextChoices):
    """Chat works from the request on; after the call only questions remain, then nothing."""

    OPEN = "open", _("Open")
    QUESTIONS = "questions", _("Questions only")
    CLOSED = "closed", _("Closed")


class Seat(models.TextChoices):
    """Who speaks in a room."""

    GUEST = "guest", _("Guest")
    HOST = "host", _("Host")
    THIRD = "third", _("Third")


class Room(ShardedModel):
    """Where two people, at most three, meet."""

    status = models.CharField(max_length=10, choices=RoomStatus.choices, default=RoomStatus.OPEN)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    guest_account_id = models.UUIDField()
    host_account_id = models.UUIDField(null=True)
    opened_at = models.DateTimeField()
    questions_until = models.DateTimeField(null=True)


class ModeChange(ShardedModel):
    """A change of mode with its time: the guidelines' drug lists depend on it. Insert-only."""

    insert_only = True

    room_id = models.UUIDField()
    room = sharded_relation("calls.Room", "room_id")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    at = models.DateTimeField()
    seat = models.CharField(max_length=5, choices=Seat.choices)

    class Meta:
        indexes = [models.Index(fields=["state_id", "room_id", "id"], name="mode_change_by_room")]


class Message(ShardedModel):
    """A chat message, insert-only. `client_key` makes a repeated sending one message."""

    insert_only = True

    room_id = models.UUIDField()
    room = sharded_relation("calls.Room", "room_id")
    seat = models.CharField(max_length=5, choices=Seat.choices)
    text = models.CharField(max_length=2000)
    client_key = models.UUIDField()
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "room_id", "client_key"], name="message_once"
            )
        ]
        indexes = [models.Index(fields=["state_id", "room_id", "id"], name="message_by_room")]
