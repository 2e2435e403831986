"""Who asked after a consultation learns of the answer; who got none is told so on the page."""

import datetime
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import sanjeevani
from sanjeevani.calls.services import send_message
from sanjeevani.consultation.models import Consultation, Outcome, SpokeToDo, ToDoKind
from sanjeevani.consultation.services import NoteContent, answer, call_next, complete, write_note
from sanjeevani.consultation.to_do import tick
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation import clock, outbox
from sanjeevani.foundation.actor import Actor
from sanjeevani.identity.models import Account
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.messaging.queries import sending
from sanjeevani.messaging.services import send_queued
from tests import factories
from tests.notifications.test_handlers import Moment

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


class After:
    """A consultation that is over, and the two who write on."""

    def __init__(self, moment: Moment) -> None:
        clinic = factories.ClinicFactory.create()
        self.moment = moment
        self.account = factories.AccountFactory.create()
        self.practitioner: Practitioner = factories.on_duty(clinic)
        patient = factories.PatientFactory.create(account=self.account)
        held = factories.requested(clinic, patient)
        key: dict[str, Any] = {"state_id": held.state_id, "consultation_id": held.id}
        call_next(self.doctor, practitioner=self.practitioner)
        answer(self.patient, **key)
        send_message(
            self.doctor,
            state_id=held.state_id,
            room_id=held.room_id,
            text="In the call",
            client_key=uuid.uuid4(),
        )
        write_note(
            self.doctor,
            practitioner=self.practitioner,
            content=NoteContent(advice="Rest"),
            diagnoses=[],
            **key,
        )
        moment.wait(minutes=2)
        self.held: Consultation = complete(
            self.doctor, practitioner=self.practitioner, outcome=Outcome.ADVICE, **key
        )
        self.address = f"/consultations/{held.state_id}/{held.id}"
        moment.wait(minutes=1)

    @property
    def doctor(self) -> Actor:
        """The doctor's account."""
        return factories.doctor(self.practitioner)

    @property
    def patient(self) -> Actor:
        """The patient's account."""
        return factories.person(self.account.id)

    def say(self, who: Actor, text: str = "Secret words", tell: bool = True) -> None:
        """Somebody writes, and the worker comes to it."""
        send_message(
            who,
            state_id=self.held.state_id,
            room_id=self.held.room_id,
            text=text,
            client_key=uuid.uuid4(),
        )
        if tell:
            self.tell()

    def tell(self) -> None:
        """The worker comes to what happened, twice."""
        for _round in range(2):
            outbox.number_facts()
            outbox.deliver_all()

    @property
    def sent(self) -> list[OutgoingMessage]:
        """What the patient is told of answers."""
        return list(
            OutgoingMessage.objects.filter(
                mobile=self.account.mobile, purpose="doctor_wrote"
            ).order_by("queued_at")
        )


@pytest.fixture
def moment() -> Iterator[Moment]:
    """Ten in the morning."""
    made = Moment()
    factories.StateFactory.create(lgd_code=28)
    with clock.driven_by(lambda: made.now):
        yield made


@pytest.fixture
def after(moment: Moment) -> After:
    """A consultation that has just ended."""
    return After(moment)


def test_the_patient_is_told_where_the_answer_stands_and_not_what_it_says(after: After) -> None:
    after.say(after.patient)
    assert after.sent == []
    Account.objects.filter(id=after.account.id).update(language="hi")
    after.say(after.doctor)
    [message] = after.sent
    assert (message.language, message.text.split()[-1].endswith(after.address)) == ("hi", True)
    assert "Secret" not in message.text
    assert message.next_attempt_at == after.moment.now


def test_what_was_written_during_the_call_is_told_by_nobody(moment: Moment, after: After) -> None:
    after.tell()
    assert after.sent == []
    # Nor does it stand for what is written soon after.
    after.say(after.doctor)
    assert len(after.sent) == 1


def test_one_message_for_a_run_of_lines_and_another_for_what_comes_later(
    moment: Moment, after: After
) -> None:
    after.say(after.patient)
    for _line in range(3):
        after.say(after.doctor)
        moment.wait(minutes=4)
    assert len(after.sent) == 1
    moment.wait(hours=1)
    after.say(after.doctor)
    assert len(after.sent) == 2
    moment.wait(minutes=1)
    after.say(after.patient)
    after.say(after.doctor)
    assert len(after.sent) == 3


def test_who_has_written_back_has_read_it(after: After) -> None:
    after.say(after.doctor, tell=False)
    after.say(after.patient)
    assert after.sent == []


def test_at_night_one_message_waits_for_the_morning(moment: Moment, after: After) -> None:
    moment.wait(hours=12)
    for _line in range(2):
        after.say(after.doctor)
        moment.wait(hours=1)
    [message] = after.sent
    assert message.next_attempt_at == datetime.datetime(2026, 6, 23, 1, 30, tzinfo=datetime.UTC)
    # It does not look as if the operator had stopped taking messages.
    send_queued()
    assert after.sent[0].status == "queued"
    assert sending().queued == 0
    moment.now = message.next_attempt_at
    send_queued()
    assert after.sent[0].status == "sent"
    after.say(after.doctor)
    assert len(after.sent) == 2


def test_the_staff_of_the_spoke_are_to_read_it_to_the_patient(moment: Moment, after: After) -> None:
    spoke = factories.FacilityFactory.create(is_spoke=True)
    worker = factories.worker_at(spoke)
    Consultation.objects.filter(state_id=28, id=after.held.id).update(spoke_id=spoke.id)
    to_do = SpokeToDo.objects.filter(state_id=28, facility_id=spoke.id, kind=ToDoKind.ANSWER)
    after.say(after.doctor)
    assert to_do.get().consultation_id == after.held.id
    assert len(after.sent) == 1

    # Ticked before the next line came: to be read again.
    tick(worker, consultation_id=after.held.id, kind=ToDoKind.ANSWER, done=True)
    after.tell()
    assert to_do.get().done_at is not None
    moment.wait(minutes=1)
    after.say(after.doctor)
    assert to_do.get().done_at is None
    assert len(after.sent) == 1


def test_who_has_no_mobile_is_not_told(after: After) -> None:
    Account.objects.filter(id=after.account.id).update(mobile="")
    after.say(after.doctor)
    assert not OutgoingMessage.objects.filter(purpose="doctor_wrote").exists()


SORRY = "your question was not answered"


@pytest.mark.parametrize("answered", [True, False])
def test_a_question_without_an_answer_does_not_end_without_a_word(
    moment: Moment, after: After, client: Client, answered: bool
) -> None:
    factories.sign_in(client, after.account)
    after.say(after.patient)
    if answered:
        after.say(after.doctor)
    page = client.get(after.address).content.decode()
    assert (SORRY in page, "the doctor answers until" in page) == (False, True)
    moment.wait(days=3, minutes=1)
    factories.sign_in(client, after.account)
    page = client.get(after.address).content.decode()
    assert (SORRY in page) is not answered
    assert ("The days for questions are over" in page) is answered
    assert ('href="tel:108"' in page) is not answered
    assert "Ask the same doctor again" in page


def test_every_purpose_stands_in_the_list_for_operators() -> None:
    source = Path(sanjeevani.__file__).parent
    listed = (source.parents[1] / "docs/running.md").read_text(encoding="utf-8")
    found = set()
    for module in source.rglob("*.py"):
        found |= set(re.findall(r'purpose="([a-z_]+)"', module.read_text(encoding="utf-8")))
    assert {"doctor_wrote", "token"} <= found
    assert [one for one in sorted(found - {"phone_call"}) if f"`{one}`" not in listed] == []
