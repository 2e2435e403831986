"""Messages leave soon after their commit, are retried, given up, and do not linger."""

import datetime
import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from sanjeevani.calls.phone import BridgedCall
from sanjeevani.calls.phone_bridge import HttpBridge
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.outbox import deliver, number_facts
from sanjeevani.foundation.verbs import VERBS, concerns, verb
from sanjeevani.messaging import services, tasks
from sanjeevani.messaging.models import InboxMessage, MessageStatus, OutgoingMessage
from sanjeevani.messaging.queries import inbox
from sanjeevani.messaging.services import queue_message
from sanjeevani.messaging.sms import Failed, Sent, Sms
from sanjeevani.messaging.sms_gateway import HttpGateway

GOOD = "+919876543210"
REFUSED = "+919876400400"
TWICE = "+919876503503"


@verb("tests.say")
def say(_actor: Actor, *, mobile: str = GOOD, text: str = "Your token is 12") -> uuid.UUID:
    message_id = queue_message(mobile, text, purpose="token", language="en")
    concerns(OutgoingMessage(id=message_id))
    return message_id


@verb("tests.say_and_fail")
def say_and_fail(_actor: Actor) -> None:
    queue_message(GOOD, "never", purpose="token", language="en")
    raise ValueError


# The structural tests walk the product's own verbs.
del VERBS["tests.say"], VERBS["tests.say_and_fail"]


def later(seconds: float) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(seconds=seconds)


@pytest.mark.django_db
def test_a_message_of_an_undone_verb_was_never_queued() -> None:
    with pytest.raises(ValueError):
        say_and_fail(SYSTEM)
    assert not OutgoingMessage.objects.exists()


@pytest.mark.django_db
def test_sending_fills_the_inbox_and_blanks_the_text() -> None:
    say(SYSTEM)
    assert services.send_queued() is None
    message = OutgoingMessage.objects.get()
    assert (message.status, message.text, message.attempts) == (MessageStatus.SENT, "", 1)
    assert message.provider_id
    assert [received.text for received in inbox(GOOD)] == ["Your token is 12"]
    assert inbox("+919999999999") == []
    services.send_queued()
    assert InboxMessage.objects.count() == 1


@pytest.mark.django_db
def test_what_is_refused_for_good_is_given_up_at_once() -> None:
    say(SYSTEM, mobile=REFUSED)
    assert services.send_queued() is None
    message = OutgoingMessage.objects.get()
    assert (message.status, message.text, message.failure) == ("failed", "", "http_400")
    assert not inbox()


@pytest.mark.django_db
def test_what_fails_for_the_moment_is_tried_again_and_again() -> None:
    say(SYSTEM, mobile=TWICE)
    start = timezone.now()
    with clock.driven_by(lambda: start):
        assert services.send_queued() == start + datetime.timedelta(seconds=2)
        services.send_queued()
        assert OutgoingMessage.objects.get().attempts == 1
    second = start + datetime.timedelta(seconds=2)
    with clock.driven_by(lambda: second):
        assert services.send_queued() == second + datetime.timedelta(seconds=6)
    third = second + datetime.timedelta(seconds=6)
    with clock.driven_by(lambda: third):
        assert services.send_queued() is None
    assert len(inbox(TWICE)) == 1


@pytest.mark.django_db
def test_what_comes_too_late_is_not_sent() -> None:
    say(SYSTEM)
    tomorrow = later(86_400 + 1)
    with clock.driven_by(lambda: tomorrow):
        services.send_queued()
    message = OutgoingMessage.objects.get()
    assert (message.status, message.text, message.failure) == ("failed", "", "expired")


@pytest.mark.django_db
def test_what_a_sender_is_at_is_not_given_up_by_another() -> None:
    """It may be out already: whether somebody was told has to be known afterwards."""
    say(SYSTEM)
    OutgoingMessage.objects.update(expires_at=later(1))
    at_work = services._claim()
    too_late = later(2)
    with clock.driven_by(lambda: too_late):
        services.send_queued()
        services._settle(at_work, [Sent("m-1")])
    message = OutgoingMessage.objects.get()
    assert (message.status, message.provider_id) == (MessageStatus.SENT, "m-1")


@pytest.mark.django_db
def test_what_expires_with_its_sender_is_given_up() -> None:
    say(SYSTEM)
    OutgoingMessage.objects.update(expires_at=later(1))
    services._claim()
    afterwards = later(61)
    with clock.driven_by(lambda: afterwards):
        services.send_queued()
    message = OutgoingMessage.objects.get()
    assert (message.status, message.text, message.failure) == ("failed", "", "expired")


@pytest.mark.django_db
def test_a_sender_that_died_leaves_its_messages_to_the_next() -> None:
    say(SYSTEM)
    assert len(services._claim()) == 1
    assert services._claim() == []
    assert services.send_queued() is not None
    assert not inbox()
    afterwards = later(61)
    with clock.driven_by(lambda: afterwards):
        services.send_queued()
    assert len(inbox()) == 1


@pytest.mark.django_db
def test_more_than_a_batch_goes_out_in_one_run_soonest_to_expire_first() -> None:
    for number in range(services.BATCH + 5):
        say(SYSTEM, text=str(number))
    OutgoingMessage.objects.filter(text="44").update(expires_at=later(60))
    assert "44" in {message.text for message in services._claim()}
    OutgoingMessage.objects.update(next_attempt_at=timezone.now())
    services.send_queued()
    assert not OutgoingMessage.objects.exclude(status="sent").exists()


def _jobs() -> list[str]:
    return list(
        ProcrastinateJob.objects.filter(task_name="messaging.send_queued", status="todo")
        .order_by("id")
        .values_list("queueing_lock", flat=True)
    )


@pytest.mark.django_db(databases=["default", "owner"])
def test_a_batch_of_facts_defers_one_job_and_a_retry_another() -> None:
    for mobile in (GOOD, TWICE, GOOD):
        say(SYSTEM, mobile=mobile)
    number_facts()
    deliver("messaging")
    assert _jobs() == ["messaging.send_queued"]
    say(SYSTEM)
    number_facts()
    deliver("messaging")
    assert _jobs() == ["messaging.send_queued"]
    tasks.send_queued()
    tasks.send_queued()
    new, again = _jobs()
    assert new == "messaging.send_queued"
    assert again.startswith("messaging.retry.")
    assert len(inbox()) == 3


@pytest.mark.django_db(databases=["default", "owner"])
def test_a_code_that_fails_once_does_not_wait_for_what_has_failed_often() -> None:
    """The next run of every minute would be too late for who looks at the page."""
    say(SYSTEM, mobile=TWICE)
    soon = timezone.now() + datetime.timedelta(seconds=50)
    OutgoingMessage.objects.update(next_attempt_at=soon)
    tasks.send_queued()
    say(SYSTEM, mobile=TWICE)
    tasks.send_queued()
    waiting = ProcrastinateJob.objects.filter(task_name="messaging.send_queued", status="todo")
    first = waiting.order_by("scheduled_at").first()
    assert first is not None
    assert first.scheduled_at - timezone.now() < datetime.timedelta(seconds=3)
    tasks.send_queued()
    assert waiting.count() == 2


@pytest.mark.django_db
def test_old_messages_are_forgotten() -> None:
    say(SYSTEM)
    services.send_queued()
    say(SYSTEM)
    month = datetime.timedelta(days=31)
    OutgoingMessage.objects.filter(status="sent").update(queued_at=timezone.now() - month)
    InboxMessage.objects.update(received_at=timezone.now() - month)
    services.forget_old_messages()
    assert OutgoingMessage.objects.get().status == "queued"
    assert not inbox()


class Operator(BaseHTTPRequestHandler):
    """An SMS operator's gateway that answers as the last digits of the mobile say."""

    received: list[tuple[dict[str, str], str]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).received.append((body, self.headers["Authorization"]))
        endings = ("0400", "0401", "0403", "0404", "0408", "0422", "0429", "0503")
        answers = {ending: int(ending) for ending in endings}
        status = answers.get(body.get("to", "")[-4:], 202)
        answer = (
            b"gone" if body.get("to", "").endswith("0777") else json.dumps({"id": "m-1"}).encode()
        )
        if body.get("to", "").endswith("0999"):
            threading.Event().wait(1.5)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def operator(settings: Settings) -> Iterator[type[Operator]]:
    handler = type("Handler", (Operator,), {"received": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SMS_GATEWAY_URL = f"http://127.0.0.1:{server.server_port}/sms"
    settings.SMS_GATEWAY_TOKEN = "secret"
    yield handler
    server.shutdown()
    server.server_close()


def sms(ending: str) -> Sms:
    return Sms(uuid.uuid4(), f"+91987650{ending}", "Hello", "token", "hi", 1)


def test_the_gateway_tells_what_failed_for_good_from_what_may_pass(
    operator: type[Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpGateway, "timeout_seconds", 1.0)
    messages = [sms(end) for end in ("1234", "0400", "0408", "0429", "0503", "0777", "0999")]
    assert HttpGateway().send(messages) == [
        Sent("m-1"),
        Failed("http_400", permanent=True),
        Failed("http_408", permanent=False),
        Failed("http_429", permanent=False),
        Failed("http_503", permanent=False),
        Sent(""),
        Failed("timeout", permanent=False),
    ]
    body, authorization = next(line for line in operator.received if line[0]["to"][-4:] == "1234")
    assert authorization == "Bearer secret"
    assert body == {
        "id": str(messages[0].id),
        "to": "+919876501234",
        "text": "Hello",
        "purpose": "token",
        "language": "hi",
    }


@pytest.mark.parametrize("token", ["", " "])
def test_an_operator_who_wants_no_token_gets_none(
    operator: type[Operator], settings: Settings, token: str
) -> None:
    """What knows us by our address needs none, and an empty one cannot be sent at all."""
    settings.SMS_GATEWAY_TOKEN = token
    assert HttpGateway().send([sms("1234")]) == [Sent("m-1")]
    settings.PHONE_BRIDGE_URL = settings.SMS_GATEWAY_URL
    settings.PHONE_BRIDGE_TOKEN = token
    assert HttpBridge().connect(BridgedCall(uuid.uuid4(), "+911234567890", "+919876501234")) == ""
    assert [authorization for _body, authorization in operator.received] == [None, None]


def test_a_message_is_not_given_up_for_what_is_wrong_between_operator_and_us(
    operator: type[Operator],
) -> None:
    """A token that has run out, an address that has moved: mended within the message's time."""
    outcomes = HttpGateway().send([sms(end) for end in ("0401", "0403", "0404", "0422")])
    assert outcomes == [
        Failed("http_401", permanent=False),
        Failed("http_403", permanent=False),
        Failed("http_404", permanent=False),
        Failed("http_422", permanent=True),
    ]


@pytest.mark.django_db
def test_the_log_says_that_messages_are_not_taken_and_nothing_about_them(
    operator: type[Operator], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SMS_BACKEND = "sanjeevani.messaging.sms_gateway.HttpGateway"
    for ending in ("1234", "0503", "0503", "0401"):
        say(SYSTEM, mobile=f"+91987650{ending}", text="A secret")
    services.send_queued()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "messages not taken: 2 http_503, 1 http_401"


def test_a_gateway_that_is_away_is_tried_again(settings: Settings) -> None:
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:9/sms"
    settings.SMS_GATEWAY_TOKEN = "secret"
    assert HttpGateway().send([sms("1234")]) == [Failed("ConnectError", permanent=False)]
