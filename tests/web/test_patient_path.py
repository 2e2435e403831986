"""The patient's way from the landing page to the feedback, as a browser without scripts walks it."""

import datetime
import re
import uuid
from decimal import Decimal

import pytest
from django.test import Client

from sanjeevani.consultation.models import Consultation, Outcome
from sanjeevani.consultation.services import NoteContent, call_next, complete, write_note
from sanjeevani.directory.models import Clinic
from sanjeevani.patients.models import Patient
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
    page = client.get(f"{home}/opds").content.decode()
    ask = f"{home}/opds/28/{clinic.id}"
    assert ask in page
    page = client.get(ask).content.decode()
    key = re.search(r'name="request_key" value="([^"]+)"', page)
    assert key
    form = {"request_key": key[1], "language": "hi", "gender_preference": "female"}
    answer = client.post(ask, form)
    consultation = Consultation.objects.get(state_id=28, patient_id=patient.id)
    waiting = f"/consultations/28/{consultation.id}"
    assert answer.headers["Location"] == waiting
    assert consultation.language == "hi"
    again = client.post(ask, form)
    assert again.headers["Location"] == waiting
    assert Consultation.objects.filter(state_id=28).count() == 1
    page = client.get(waiting).content.decode()
    assert "Waiting room for मीना देवी" in page
    assert '<meta http-equiv="refresh" content="15">' in page
    assert client.get("/people").status_code == 200
    assert waiting in client.get("/people").content.decode()
    assert waiting in client.get("/consultations").content.decode()
