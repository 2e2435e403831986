"""Queueing messages inside a verb, and sending what is queued."""

import datetime
import logging
import uuid
from collections import Counter
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import QuerySet

from sanjeevani.foundation import clock
from sanjeevani.foundation.verbs import publish
from sanjeevani.messaging.events import MessageQueued
from sanjeevani.messaging.models import InboxMessage, MessageStatus, OutgoingMessage
from sanjeevani.messaging.sms import Failed, Outcome, Sent, Sms, sms_port

logger = logging.getLogger(__name__)

# A batch must be through before its lease ends: 160 messages, 32 at a time, 10 s at worst each.
BATCH = 160
LEASE = datetime.timedelta(seconds=60)
LONGEST_WAIT = datetime.timedelta(minutes=15)
KEPT_FOR = datetime.timedelta(days=30)


def queue_message(
    mobile: str,
    text: str,
    *,
    purpose: str,
    language: str,
    valid_for: datetime.timedelta = datetime.timedelta(days=1),
    leaves_at: datetime.datetime | None = None,
) -> uuid.UUID:
    """Queue an SMS in the running verb's transaction; return the message's id.

    `mobile` in E.164, `text` in the reader's `language`. It leaves now, or at `leaves_at`, and is
    given up `valid_for` after that.
    """
    at = clock.now()
    leaves_at = max(at, leaves_at or at)
    message = OutgoingMessage.objects.create(
        mobile=mobile,
        text=text,
        purpose=purpose,
        language=language,
        queued_at=at,
        next_attempt_at=leaves_at,
        expires_at=leaves_at + valid_for,
    )
    publish(MessageQueued(state_id=0, message_id=message.id))
    return message.id


def send_queued() -> datetime.datetime | None:
    """Send every message that is due; return when the next retry is, or None.

    Runs outside any verb: sending changes nothing but the messages themselves. Several senders may
    run at once, each claims its own.
    """
    _give_up_expired()
    port = sms_port()
    while messages := _claim():
        _settle(messages, port.send(messages))
    return (
        OutgoingMessage.objects.filter(status=MessageStatus.QUEUED)
        .order_by("next_attempt_at")
        .values_list("next_attempt_at", flat=True)
        .first()
    )


def _claim() -> list[Sms]:
    at = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_outgoingmessage"
            " SET attempts = attempts + 1, next_attempt_at = %s"
            " WHERE id IN (SELECT id FROM messaging_outgoingmessage"
            " WHERE status = 'queued' AND next_attempt_at <= %s AND expires_at > %s"
            " ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING id, mobile, text, purpose, language, attempts",
            [at + LEASE, at, at, BATCH],
        )
        return [Sms(*row) for row in cursor.fetchall()]


def _settle(messages: Sequence[Sms], outcomes: Sequence[Outcome]) -> None:
    at = clock.now()
    failures = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Failed))
    if failures:
        logger.warning(
            "messages not taken: %s",
            ", ".join(f"{count} {reason}" for reason, count in failures.most_common()),
        )
    with transaction.atomic():
        for message, outcome in zip(messages, outcomes, strict=True):
            row = OutgoingMessage.objects.filter(id=message.id, status=MessageStatus.QUEUED)
            if isinstance(outcome, Sent):
                row.update(
                    status=MessageStatus.SENT,
                    text="",
                    provider_id=outcome.provider_id,
                    settled_at=at,
                )
            elif outcome.permanent:
                _give_up(row, outcome)
            else:
                row.update(next_attempt_at=at + _wait_after(message.attempt))


def _give_up_expired() -> None:
    at = clock.now()
    _give_up(
        # Not what another sender is at: it may be out, and whether it is has to be kept.
        OutgoingMessage.objects.filter(
            status=MessageStatus.QUEUED, expires_at__lte=at, next_attempt_at__lte=at
        ),
        Failed("expired", permanent=True),
    )


def _give_up(rows: QuerySet[OutgoingMessage], failure: Failed) -> None:
    rows.update(
        status=MessageStatus.FAILED, text="", failure=failure.reason, settled_at=clock.now()
    )


def _wait_after(attempt: int) -> datetime.timedelta:
    """2, 6, 18, 54, ... seconds: a sign-in code of five minutes gets five attempts."""
    return min(datetime.timedelta(seconds=2 * 3 ** min(attempt - 1, 8)), LONGEST_WAIT)


def forget_old_messages() -> None:
    """Delete messages after thirty days, mobiles and all."""
    before = clock.now() - KEPT_FOR
    OutgoingMessage.objects.filter(queued_at__lt=before).delete()
    InboxMessage.objects.filter(received_at__lt=before).delete()
