"""Who is at home is told the day before that a doctor wants to see them again, unless they are."""

import datetime
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from sanjeevani.consultation.conduct import report_conduct
from sanjeevani.consultation.follow_ups import follow_ups_due
from sanjeevani.consultation.models import Consultation, ConsultationReference, Outcome
from sanjeevani.consultation.services import (
    NoteContent,
    answer,
    call_next,
    cancel,
    complete,
    withdraw_consent,
    write_note,
)
from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.identity.models import Account
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.notifications.recalls import recall, recall_patients
from sanjeevani.patients.models import Patient
from sanjeevani.patients.services import join, leave_care
from tests import factories
from tests.api.caller import caller_of
from tests.notifications.test_handlers import Moment

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


class Recalled:
    """A doctor who wants to see a patient again in seven days, the 29th of June."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self.clinic: Clinic = factories.ClinicFactory.create()
        self.account = factories.AccountFactory.create()
        self.practitioner: Practitioner = factories.on_duty(self.clinic, name="Dr Asha Rao")
        self.patient: Patient = factories.PatientFactory.create(
            account=self.account, name="Meena Devi"
        )
        self.held = self.seen(7)

    def seen(self, days: int | None = None) -> Consultation:
        """The doctor sees the patient."""
        held = factories.requested(self.clinic, self.patient)
        doctor = factories.doctor(self.practitioner)
        key: dict[str, Any] = {"state_id": held.state_id, "consultation_id": held.id}
        call_next(doctor, practitioner=self.practitioner)
        answer(self.actor, **key)
        write_note(
            doctor,
            practitioner=self.practitioner,
            content=NoteContent(advice="Secret words"),
            diagnoses=[],
            **key,
        )
        return complete(
            doctor,
            practitioner=self.practitioner,
            outcome=Outcome.ADVICE,
            follow_up_days=days,
            **key,
        )

    @property
    def actor(self) -> Actor:
        """The family."""
        return factories.person(self.account.id)

    @property
    def due(self) -> list[uuid.UUID]:
        """What stands on the family's list."""
        return [one.consultation.id for one in follow_ups_due(self.actor)]

    @property
    def told(self) -> list[OutgoingMessage]:
        """The reminders."""
        return list(OutgoingMessage.objects.filter(purpose="follow_up"))


@pytest.fixture
def recalled() -> Iterator[Recalled]:
    """At ten in the morning of the 22nd of June."""
    moment = Moment()
    factories.StateFactory.create(lgd_code=28)
    with clock.driven_by(lambda: moment.now):
        yield Recalled(moment)


def test_once_on_the_day_before_by_day_and_without_a_clinical_word(recalled: Recalled) -> None:
    recalled.moment.wait(days=5)
    recall_patients()
    recalled.moment.wait(hours=20)
    recall_patients()
    assert recalled.told == []
    recalled.moment.wait(hours=4)
    for _hour in range(3):
        recall_patients()
        recalled.moment.wait(hours=1)
    [message] = recalled.told
    assert message.mobile == recalled.account.mobile
    assert message.text.startswith("Dr Asha Rao wants to see Meena again tomorrow.")
    assert message.text.endswith("/people")
    assert "Devi" not in message.text
    assert message.expires_at == datetime.datetime(2026, 6, 28, 13, 30, tzinfo=datetime.UTC)
    recall(SYSTEM, state_id=28, consultation_id=recalled.held.id)
    recalled.moment.wait(days=1)
    recall_patients()
    assert len(recalled.told) == 1


def test_in_the_language_of_the_family(recalled: Recalled) -> None:
    Account.objects.filter(id=recalled.account.id).update(language="hi")
    recalled.moment.wait(days=6)
    recall_patients()
    assert recalled.told[0].language == "hi"


def waits(recalled: Recalled) -> None:
    """The patient waits for another doctor."""
    factories.requested(factories.ClinicFactory.create(), recalled.patient)


def has_come(recalled: Recalled) -> None:
    """The patient has seen the doctor again."""
    recalled.seen()


def has_come_as_a_double(recalled: Recalled) -> None:
    """The same person, registered again, has."""
    first = recalled.patient
    recalled.patient = factories.PatientFactory.create(account_id=recalled.account.id)
    recalled.seen()
    join(recalled.actor, patient_id=first.id, kept_id=recalled.patient.id)


def left(recalled: Recalled) -> None:
    """The patient is not on the list any more."""
    leave_care(recalled.actor, patient_id=recalled.patient.id)


def withdrew(recalled: Recalled) -> None:
    """The patient has withdrawn consent."""
    withdraw_consent(recalled.actor, patient=recalled.patient, language="en")


def blocked(recalled: Recalled) -> None:
    """The patient never wants to meet this doctor again."""
    report_conduct(recalled.actor, state_id=28, consultation_id=recalled.held.id)


@pytest.mark.parametrize(
    "happened", [waits, has_come, has_come_as_a_double, left, withdrew, blocked]
)
def test_nobody_is_told_what_is_done_or_unwanted(
    recalled: Recalled, happened: Callable[[Recalled], None]
) -> None:
    recalled.moment.wait(days=6)
    assert recalled.due == [recalled.held.id]
    happened(recalled)
    assert recalled.due == []
    recall_patients()
    assert recalled.told == []


def test_what_was_given_back_or_seen_before_counts_for_nothing(recalled: Recalled) -> None:
    recalled.moment.wait(days=6)
    asked = factories.requested(recalled.clinic, recalled.patient)
    assert recalled.due == []
    cancel(recalled.actor, state_id=28, consultation_id=asked.id)
    assert recalled.due == [recalled.held.id]
    recall_patients()
    assert len(recalled.told) == 1


def test_the_staff_of_a_spoke_see_to_its_patients(recalled: Recalled) -> None:
    ConsultationReference.objects.filter(state_id=28, id=recalled.held.id).update(
        spoke_id=uuid.uuid4()
    )
    recalled.moment.wait(days=6)
    recall_patients()
    assert (recalled.due, recalled.told) == ([], [])


def test_who_has_no_mobile_is_not_told(recalled: Recalled) -> None:
    Account.objects.filter(id=recalled.account.id).update(mobile="")
    recalled.moment.wait(days=6)
    recall_patients()
    assert recalled.told == []


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (3, ""),
        (4, "Around 29 June 2026."),
        (7, "Around today."),
        (8, "The day was 29 June 2026. It is not too late."),
        (21, "It is not too late."),
        (22, ""),
    ],
)
def test_the_first_page_leads_to_asking_again(
    recalled: Recalled, client: Client, days: int, words: str
) -> None:
    recalled.moment.wait(days=days)
    factories.sign_in(client, recalled.account)
    page = client.get("/people").content.decode()
    shown = "Dr Asha Rao wants to see Meena Devi again" in page
    assert (shown, words in page) == (bool(words), True)
    assert ("Ask the same doctor again" in page) is bool(words)


def test_put_away_it_is_gone_and_no_message_comes(recalled: Recalled, client: Client) -> None:
    recalled.moment.wait(days=6)
    address = f"/consultations/28/{recalled.held.id}/put-away"
    stranger = Client()
    factories.sign_in(stranger, factories.AccountFactory.create())
    assert stranger.post(address).status_code == 404
    assert recalled.due == [recalled.held.id]
    factories.sign_in(client, recalled.account)
    assert address in client.get("/people").content.decode()
    for _twice in range(2):
        assert client.post(address).headers["Location"] == "/people"
    assert "wants to see" not in client.get("/people").content.decode()
    recall_patients()
    assert recalled.told == []


def test_an_app_learns_of_it_and_puts_it_away(recalled: Recalled) -> None:
    recalled.moment.wait(days=6)
    app = caller_of(recalled.account)
    [due] = app.get("/profiles")["follow_ups"]
    assert due == {
        "state_id": 28,
        "id": str(recalled.held.id),
        "patient_id": str(recalled.patient.id),
        "patient_name": "Meena Devi",
        "practitioner": "Dr Asha Rao",
        "day": "2026-06-29",
    }
    assert app.get("/consultations")["items"][0]["follow_up_on"] == "2026-06-29"
    path = f"/consultations/28/{recalled.held.id}/follow-up/put-away"
    assert app.send("PUT", path).status_code == 204
    assert app.get("/profiles")["follow_ups"] == []
