"""The pages of the days after a consultation: accessible, in both languages, at both widths."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from sanjeevani.consultation.models import ConsultationReference
from sanjeevani.directory.models import Role
from sanjeevani.foundation import clock
from tests import factories
from tests.notifications.test_handlers import Moment
from tests.notifications.test_questions import After
from tests.web.looks import LANGUAGES, faults_in
from tests.web.public_world import administrator
from tests.web.test_desk import sign_in_doctor

pytestmark = pytest.mark.django_db


@pytest.fixture
def after() -> Iterator[After]:
    """A consultation that has just ended."""
    moment = Moment()
    factories.StateFactory.create(lgd_code=28)
    with clock.driven_by(lambda: moment.now):
        yield After(moment)


def pages(after: After, language: str) -> dict[str, Any]:
    """What the pages answer, as the days go by."""
    client, desk = Client(), Client()
    for one in (client, desk):
        one.cookies["language"] = language
    after.say(after.patient, "Since this morning his stomach hurts. Is that from the medicine?")
    after.moment.wait(days=2, hours=1)
    sign_in_doctor(desk, after.practitioner)
    answers = {"day-with-question": desk.get("/desk/today")}
    after.moment.wait(days=1)
    ConsultationReference.objects.filter(state_id=28).update(follow_up_on=clock.today())
    factories.sign_in(client, after.account)
    answers["people-recalled"] = client.get("/people")
    person = f"/people/{after.held.patient_id}"
    answers |= {"person": client.get(person), "accesses": client.get(f"{person}/accesses")}
    admin = Client()
    admin.cookies["language"] = language
    administrator(Role.STATE_ADMIN, 28, admin)
    factories.PatientFactory.create(account_id=after.account.id, name="Ravi")
    records = "/states/28/records"
    answers |= {
        "records": admin.get(records),
        "records-found": admin.post(records, {"number": after.account.mobile}),
        "records-none": admin.post(records, {"number": "9876500000"}),
        "record-accesses": admin.get(f"{records}/{after.held.patient_id}"),
    }
    answers["question-unanswered"] = client.get(after.address)
    return answers


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_days_after_are_accessible(after: After, language: str) -> None:
    answers = pages(after, language)
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        answers, 200
    )
    assert faults_in(answers, language) == []
