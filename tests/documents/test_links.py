"""Expiring links: nothing to guess, few tries, an end."""

import datetime
import threading
import uuid
from typing import Any

import pytest
from django.db import connections

from sanjeevani.documents import links
from sanjeevani.documents.errors import LinkAnswerWrong, LinkDead
from sanjeevani.documents.models import ShareLink
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.models import AuditEvent

DOCTOR = Actor(ActorKind.STAFF, account_id=uuid.uuid4(), state_id=28)
STRANGER = Actor(ActorKind.ANONYMOUS, address="203.0.113.7")
RECORD, PATIENT = uuid.uuid4(), uuid.uuid4()


def made(**options: object) -> str:
    _link, token = links.share(
        DOCTOR,
        record_type="prescription",
        state_id=28,
        record_id=RECORD,
        patient_id=PATIENT,
        **options,  # type: ignore[arg-type]
    )
    return token


def opened(token: str, right: bool) -> links.LinkedRecord:
    return links.open_link(STRANGER, token=token, is_right=lambda _record: right)


@pytest.mark.django_db
def test_the_right_answer_opens_the_record_again_and_again() -> None:
    token = made()
    for _time in range(links.TRIES + 2):
        record = opened(token, right=True)
    assert (record.record_type, record.state_id, record.record_id) == ("prescription", 28, RECORD)
    event = AuditEvent.objects.filter(state_id=0, verb="documents.open_link").latest("at")
    assert (event.patient_id, event.address) == (PATIENT, "203.0.113.7")


@pytest.mark.django_db
def test_wrong_answers_use_the_tries_up_for_good() -> None:
    token = made(tries=3)
    for left in (2, 1, 0):
        with pytest.raises(LinkAnswerWrong) as wrong:
            opened(token, right=False)
        assert wrong.value.tries_left == left
    with pytest.raises(LinkDead):
        opened(token, right=True)
    with pytest.raises(LinkDead):
        links.linked(token)


@pytest.mark.django_db
def test_a_link_ends_on_its_day_and_is_swept_away() -> None:
    token = made(lifetime=datetime.timedelta(days=7))
    start = clock.now()
    with clock.driven_by(lambda: start + datetime.timedelta(days=6, hours=23)):
        assert links.linked(token).record_id == RECORD
    with clock.driven_by(lambda: start + datetime.timedelta(days=7, seconds=1)):
        with pytest.raises(LinkDead):
            opened(token, right=True)
        assert links.remove_expired_links() == 0
    with clock.driven_by(lambda: start + datetime.timedelta(days=9)):
        assert links.remove_expired_links() == 1


@pytest.mark.django_db
def test_a_withdrawn_link_is_dead() -> None:
    token = made()
    other = made(made_for="Pharmacy")
    key: dict[str, Any] = {"record_type": "prescription", "state_id": 28, "record_id": RECORD}
    newest, link = links.links_to(**key)
    assert (newest.made_for, newest.opened) == ("Pharmacy", 0)
    links.withdraw_link(DOCTOR, link_id=link.id, **key)
    opened(other, right=True)
    (left,) = links.links_to(**key)
    assert (left.id, left.opened) == (newest.id, 1)
    with pytest.raises(LinkDead):
        links.withdraw_link(DOCTOR, link_id=left.id, **{**key, "record_id": uuid.uuid4()})
    for attempt in (lambda: opened(token, right=True), lambda: links.linked(token)):
        with pytest.raises(LinkDead):
            attempt()


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", "../..", "%00", "a" * 5000, "संजीवनी"])
def test_unknown_links_look_dead(token: str) -> None:
    with pytest.raises(LinkDead):
        opened(token, right=True)


@pytest.mark.django_db
def test_the_token_is_stored_nowhere() -> None:
    token = made()
    row = ShareLink.objects.values().get()
    assert token not in str(row)
    assert len(token) >= 43


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_guesses_in_parallel_share_the_tries() -> None:
    token = made(tries=5)
    outcomes: list[str] = []

    def guess() -> None:
        try:
            opened(token, right=False)
        except (LinkAnswerWrong, LinkDead) as outcome:
            outcomes.append(type(outcome).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=guess) for _number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("LinkAnswerWrong") == 5
    assert outcomes.count("LinkDead") == 11
