"""Rooms, the modes a call went through, and what was written in it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import ShardedModel, sharded_relation


class Mode(models.TextChoices):
    """The rungs of the ladder, from the richest."""

    VIDEO = "video", _("Video")
    LOW_VIDEO = "low_video", _("Small video")
    AUDIO = "audio", _("Audio")
    CHAT = "chat", _("Chat")
    PHONE = "phone", _("Phone")


SPEAKING = frozenset({Mode.VIDEO, Mode.LOW_VIDEO, Mode.AUDIO})
"""The modes that run between the two pages themselves."""


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
    """Where two people, at most three, meet.

    `mode` is the rung that is really used, `ceiling` the highest that both allow; `asked_mode` and
    `asked_seat` say who asks for a higher one. `rung_at`: when the host last rang a guest who is
    away. `check_result`: what the guest's device could do before the call (`CheckResult`).
    """

    status = models.CharField(max_length=10, choices=RoomStatus.choices, default=RoomStatus.OPEN)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    ceiling = models.CharField(max_length=10, choices=Mode.choices, default=Mode.VIDEO)
    asked_mode = models.CharField(max_length=10, choices=Mode.choices, blank=True)
    asked_seat = models.CharField(max_length=5, choices=Seat.choices, blank=True)
    rung_at = models.DateTimeField(null=True)
    check_result = models.JSONField(null=True)
    guest_account_id = models.UUIDField()
    host_account_id = models.UUIDField(null=True)
    opened_at = models.DateTimeField()
    questions_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["state_id", "host_account_id", "questions_until"],
                condition=models.Q(questions_until__isnull=False),
                name="room_questions",
            )
        ]


class ModeChange(ShardedModel):
    """A change of mode with its time: the guidelines' drug lists depend on it. Insert-only.

    `seat` is who changed it, or whose page saw that it had changed (`automatic`). It counts for the
    host who sat there then, `host_account_id`; what was before any host counts for all.
    """

    insert_only = True

    room_id = models.UUIDField()
    room = sharded_relation("calls.Room", "room_id")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    at = models.DateTimeField()
    seat = models.CharField(max_length=5, choices=Seat.choices)
    automatic = models.BooleanField(default=False)
    host_account_id = models.UUIDField(null=True)

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


class Presence(ShardedModel):
    """When a seat was last taken and left: one row a seat. `instance` names the page load.

    `is_noticed`: the sweeper has acted on the loss.
    """

    room_id = models.UUIDField()
    room = sharded_relation("calls.Room", "room_id")
    seat = models.CharField(max_length=5, choices=Seat.choices)
    instance = models.CharField(max_length=40)
    first_joined_at = models.DateTimeField()
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    on_purpose = models.BooleanField(default=False)
    is_noticed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "room_id", "seat"], name="presence_once")
        ]
        indexes = [
            models.Index(
                fields=["left_at"],
                condition=models.Q(left_at__isnull=False, on_purpose=False, is_noticed=False),
                name="presence_lost",
            )
        ]


class QualitySample(ShardedModel):
    """How a call was at one seat towards another, at most once a minute. Insert-only.

    `sees` says what picture arrived: none, a small one, a full one.
    """

    insert_only = True

    room_id = models.UUIDField()
    room = sharded_relation("calls.Room", "room_id")
    seat = models.CharField(max_length=5, choices=Seat.choices)
    peer = models.CharField(max_length=5, choices=Seat.choices)
    minute = models.DateTimeField()
    rung = models.CharField(max_length=6)
    sees = models.CharField(max_length=5, blank=True)
    loss_permille = models.PositiveSmallIntegerField()
    concealed_permille = models.PositiveSmallIntegerField()
    round_trip_ms = models.PositiveIntegerField()
    is_relayed = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "room_id", "seat", "peer", "minute"],
                name="quality_once_a_minute",
            )
        ]


class Invitation(ShardedModel):
    """A link to the third seat. The secret in it is stored nowhere, only its digest.

    `account_id`: the seat is held by an account of the service, and its link opens nothing.
    """

    room_id = models.UUIDField()
    room = sharded_relation("calls.Room", "room_id")
    digest = models.CharField(max_length=64)
    seat = models.CharField(max_length=5, choices=Seat.choices)
    name = models.CharField(max_length=100, blank=True)
    account_id = models.UUIDField(null=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "digest"], name="invitation_digest"),
            models.UniqueConstraint(
                fields=["state_id", "room_id"],
                condition=models.Q(revoked_at__isnull=True),
                name="invitation_one_third",
            ),
        ]


class PhoneCallStatus(models.TextChoices):
    """How far a phone call-back has come."""

    ASKED = "asked", _("Being placed")
    PLACED = "placed", _("Ringing")
    FAILED = "failed", _("Not placed")


class PhoneCall(ShardedModel):
    """A call that the bridge is asked to place between the host's phone and the guest's.

    `host_account_id`: who asked for it. `taken_at`: when a worker began to place it.
    """

    room_id = models.UUIDField()
    room = sharded_relation("calls.Room", "room_id")
    host_number = models.CharField(max_length=100)
    status = models.CharField(
        max_length=6, choices=PhoneCallStatus.choices, default=PhoneCallStatus.ASKED
    )
    failure = models.CharField(max_length=40, blank=True)
    host_account_id = models.UUIDField(null=True)
    asked_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Pressing twice is once.
            models.UniqueConstraint(
                fields=["state_id", "room_id"],
                condition=models.Q(status="asked"),
                name="phone_call_one_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["state_id", "room_id", "id"], name="phone_call_by_room")]
