"""Who runs the service learns what is left undone; nobody else does."""

import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from sanjeevani.foundation import outbox
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import ListenerCursor, OutboxFact
from sanjeevani.foundation.sharding import across_states
from sanjeevani.messaging.models import MessageStatus, OutgoingMessage
from sanjeevani.queueing.models import Token, TokenStatus
from tests.factories import LineFactory

pytestmark = pytest.mark.django_db
TOKEN = "a long secret of whoever watches"
FIVE_MINUTES = datetime.timedelta(minutes=5)


@pytest.fixture(autouse=True)
def watched(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    cache.delete("operation")
    # Tests that commit may have left some.
    with across_states():
        OutboxFact.objects.all().delete()
        Token.objects.all().delete()
    OutgoingMessage.objects.all().delete()
    ListenerCursor.objects.all().delete()


def read(client: Client) -> dict[str, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return {
        "/".join([sample.name.removeprefix("sanjeevani_"), *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def token(number: int, since: datetime.datetime, **changes: Any) -> Token:
    line = LineFactory()
    made: Token = Token.objects.create(
        state_id=line.state_id,
        id=uuid7(),
        line_id=line.id,
        day=since.date(),
        number=number,
        subject_id=uuid7(),
        consultation_id=uuid7(),
        priority_class=2,
        waiting_since=since,
        order_class=2,
        order_at=since,
        language="en",
        **changes,
    )
    return made


@pytest.mark.parametrize("told", ["", "Bearer", "Bearer another", f"Basic {TOKEN}"])
def test_without_the_token_there_is_nothing(client: Client, told: str) -> None:
    assert client.get("/metrics", headers={"Authorization": told}).status_code == 404


def test_where_no_token_is_set_nobody_reads(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_a_service_at_rest_has_left_nothing(client: Client) -> None:
    told = read(client)
    assert [name for name, value in told.items() if value] == []
    assert {"fact_unread_seconds/relay", "fact_unread_seconds/notifications"} < set(told)


def test_what_stands_still_is_seen(client: Client) -> None:
    now = timezone.now()
    before = now - FIVE_MINUTES
    token(1, before)
    called = {"called_at": before, "deadline_at": before, "practitioner_id": uuid7()}
    token(2, before, status=TokenStatus.CALLED, **called)
    for status, queued_at in ((MessageStatus.QUEUED, before), (MessageStatus.FAILED, now)):
        OutgoingMessage.objects.create(
            mobile="+919876543210",
            text="Hello",
            purpose="token",
            language="en",
            status=status,
            queued_at=queued_at,
            next_attempt_at=queued_at,
            expires_at=now + FIVE_MINUTES,
        )
    kind = min(outbox._listeners["notifications"].kinds)
    for position in (None, 7):
        OutboxFact.objects.create(
            state_id=28, kind=kind, payload={}, topics=[], recorded_at=before, position=position
        )
    ListenerCursor.objects.create(listener="relay", position=7)
    told = read(client)
    assert (told["patients_waiting"], told["deadlines_late"]) == (1, 1)
    assert (told["messages_queued"], told["messages_failed"]) == (1, 1)
    for late in (
        "patient_waiting_seconds",
        "message_queued_seconds",
        "fact_unread_seconds/relay",
        "fact_unread_seconds/notifications",
    ):
        assert 299 < told[late] < 400, late


def test_the_database_is_looked_at_once_in_five_seconds(client: Client) -> None:
    assert read(client)["patients_waiting"] == 0
    token(1, timezone.now())
    assert read(client)["patients_waiting"] == 0
