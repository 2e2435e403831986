"""The patient's way from the state to the feedback, as a browser without scripts walks it."""

import datetime
import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sanjeevani.calls.models import Message
from sanjeevani.consultation.models import Consultation, Outcome
from sanjeevani.consultation.services import NoteContent, call_next, write_note
from sanjeevani.directory.models import Clinic
from sanjeevani.foundation import clock
from sanjeevani.identity.models import Account
from sanjeevani.intake.queries import intake_of
from sanjeevani.patients.models import Patient
from sanjeevani.prescription.services import add_item, conclude, sign
from sanjeevani.prescription.shorthand import ItemContent
from sanjeevani.terminology.services import load_reference
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    factories.StateFactory.create()
    factories.SymptomFactory.create()
    clinic: Clinic = factories.ClinicFactory.create()
    return clinic


def test_from_state_to_token(client: Client, clinic: Clinic) -> None:
    account = factories.AccountFactory.create(home_state_id=None)
    factories.sign_in(client, account)
    assert client.get("/people").headers["Location"] == "/start"
    assert client.get("/start").status_code == 200
    assert client.post("/start", {"state": "28"}).headers["Location"] == "/people"
    assert client.get("/people").headers["Location"] == "/people/add"
    assert client.get("/people/add").status_code == 200
    answer = client.post(
        "/people/add",
        {
            "relation": "child",
            "name": "मीना देवी",
            "gender": "female",
            "age": "6",
            "age_unit": "years",
            "address": "12 Temple Street",
            "district": "Guntur",
        },
    )
    patient = Patient.objects.get(state_id=28, account_id=account.id)
    home = f"/people/{patient.id}"
    assert answer.headers["Location"] == f"{home}/consent"
    assert patient.name == "मीना देवी"
    assert patient.birth_date_is_estimated
    assert client.get(f"{home}/danger").headers["Location"] == f"{home}/consent"
    assert client.get(f"{home}/consent").status_code == 200
    assert client.post(f"{home}/consent").headers["Location"] == f"{home}/danger"
    assert client.get(f"{home}/trouble").headers["Location"] == f"{home}/danger"
    assert "harsh sound" in client.get(f"{home}/danger").content.decode()
    answer = client.post(f"{home}/danger", {"sign": "none"})
    assert answer.headers["Location"] == f"{home}/trouble"
    assert "Fever" in client.get(f"{home}/trouble").content.decode()
    answer = client.post(
        f"{home}/trouble",
        {"complaints": ["fever"], "text": "बुखार", "duration": "2", "duration_unit": "weeks"},
    )
    assert answer.headers["Location"] == f"{home}/opds"
    assert client.get(f"{home}/opds").headers["Location"] == f"{home}/companion"
    assert "under 18" in client.get(f"{home}/companion").content.decode()
    answer = client.post(f"{home}/companion", {"name": "लक्ष्मी देवी", "bond": "parent"})
    assert answer.headers["Location"] == f"{home}/opds"
    page = client.get(f"{home}/opds").content.decode()
    ask = f"{home}/opds/28/{clinic.id}"
    assert ask in page
    page = client.get(ask).content.decode()
    key = re.search(r'name="request_key" value="([^"]+)"', page)
    assert key
    companion = re.search(r'name="companion" value="([^"]+)"', page)
    assert companion
    form = {
        "request_key": key[1],
        "language": "hi",
        "gender_preference": "female",
        "companion": companion[1],
    }
    answer = client.post(ask, form)
    consultation = Consultation.objects.get(state_id=28, patient_id=patient.id)
    waiting = f"/consultations/28/{consultation.id}"
    assert answer.headers["Location"] == waiting
    assert consultation.language == "hi"
    said = intake_of(28, consultation.id)
    assert said.companion
    assert (said.companion.name, said.companion.bond) == ("लक्ष्मी देवी", "parent")
    again = client.post(ask, form)
    assert again.headers["Location"] == waiting
    assert Consultation.objects.filter(state_id=28).count() == 1
    page = client.get(waiting).content.decode()
    assert "Waiting room for मीना देवी" in page
    assert '<meta http-equiv="refresh" content="15">' in page
    assert client.get("/people").status_code == 200
    assert waiting in client.get("/people").content.decode()
    assert waiting in client.get("/consultations").content.decode()


def test_from_call_to_feedback(client: Client, clinic: Clinic) -> None:
    load_reference()
    doctor = factories.on_duty(clinic)
    patient = factories.PatientFactory.create()
    consultation = factories.requested(clinic, patient)
    factories.sign_in(client, Account.objects.get(id=patient.account_id))
    address = f"/consultations/28/{consultation.id}"
    page = client.get(address).content.decode()
    assert 'data-live-bind="place">1<' in page
    assert 'data-live-bind="wait_high"' in page
    assert "people over 60 and people with a disability go first" in page

    written = {"text": "She also vomits\n<b>twice</b>", "client_key": str(uuid.uuid4())}
    for _again in range(2):
        assert client.post(f"{address}/write", written).headers["Location"] == address
    assert Message.objects.filter(state_id=28, room_id=consultation.room_id).count() == 1
    assert "vomits<br>&lt;b&gt;twice" in client.get(f"{address}/messages").content.decode()

    call_next(factories.doctor(doctor), practitioner=doctor)
    page = client.get(f"{address}/status").content.decode()
    assert "data-call-now" in page
    assert doctor.registration_number in page
    assert doctor.qualification in page
    assert client.post(f"{address}/answer").headers["Location"] == address
    assert client.post(f"{address}/answer").headers["Location"] == address
    page = client.get(address).content.decode()
    assert page.index(doctor.name) < page.index('id="messages"')

    at: dict[str, Any] = {"state_id": 28, "consultation_id": consultation.id}
    at["practitioner"] = doctor
    write_note(
        factories.doctor(doctor),
        **at,
        content=NoteContent(advice="Drink plenty", come_back="If the fever stays three days"),
        diagnoses=[("R50.9", "Fever, unspecified")],
    )
    add_item(
        factories.doctor(doctor),
        **at,
        item=ItemContent(
            medicine_code="paracetamol-tablet-650mg",
            dose=Decimal(1),
            frequency="BD",
            duration_days=5,
            instruction_code="after_food",
            instructions="",
        ),
    )
    prescription = sign(factories.doctor(doctor), **at)
    conclude(factories.doctor(doctor), **at, outcome=Outcome.PRESCRIPTION)
    page = client.get(address).content.decode()
    for said in (
        "Drink plenty",
        "If the fever stays",
        "Morning",
        "After food",
        prescription.number,
    ):
        assert said in page
    for language in ("en", "hi", "xx"):
        answer = client.get(f"{address}/prescription.pdf?language={language}")
        assert answer.content.startswith(b"%PDF-")

    assert client.post(
        f"{address}/write", {"text": "One more question", "client_key": uuid.uuid4()}
    )
    assert "One more question" in client.get(address).content.decode()
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(days=4)):
        late = client.post(f"{address}/write", {"text": "Late", "client_key": uuid.uuid4()})
        assert late.status_code == 409
        assert "Late" in late.content.decode()

    wrong = client.post(f"{address}/feedback", {"rating": "6", "comment": "धन्यवाद"})
    assert wrong.status_code == 422
    assert "धन्यवाद" in wrong.content.decode()
    for _again in range(2):
        answer = client.post(f"{address}/feedback", {"rating": "5", "comment": "धन्यवाद"})
        assert answer.headers["Location"] == address
    assert "Thank you" in client.get(address).content.decode()
