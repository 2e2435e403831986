"""Who runs the service learns what is left undone; nobody else does."""

import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from sanjeevani.directory.models import Holiday
from sanjeevani.foundation import clock, outbox
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import ListenerCursor, OutboxFact
from sanjeevani.foundation.sharding import across_states
from sanjeevani.messaging.models import MessageStatus, OutgoingMessage
from sanjeevani.queueing.models import Token, TokenStatus
from tests.factories import ClinicFactory, LineFactory, on_duty

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


def test_an_opd_that_is_closed_at_this_hour_lacks_no_doctor(client: Client) -> None:
    """By clock and calendar of India, and without those that hold holiday."""
    morning = [(datetime.time(9), datetime.time(13))]
    attended, _alone, on_holiday, closed = (ClinicFactory.create(hours=morning) for _ in range(4))
    ClinicFactory.create(hours=[(datetime.time(14), datetime.time(18))])
    on_duty(attended)
    day = datetime.date(2026, 11, 30)
    for clinic, only in ((on_holiday, on_holiday.id), (closed, None)):
        Holiday.objects.create(
            state_id=clinic.state_id,
            id=uuid7(),
            facility_id=clinic.facility_id,
            clinic_id=only,
            date=day,
            reason="Feast",
        )
    for minutes, expected in ((8 * 60 + 59, (0, 0)), (9 * 60, (2, 1)), (13 * 60, (0, 0))):
        at = datetime.datetime(2026, 11, 30, tzinfo=timezone.get_default_timezone())
        moment = at + datetime.timedelta(minutes=minutes)
        with clock.driven_by(lambda moment=moment: moment):  # type: ignore[misc]
            cache.delete("operation")
            told = read(client)
        assert (told["opds_open"], told["opds_attended"]) == expected, minutes
