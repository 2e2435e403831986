"""Wrong, hostile, stale, other people's: a kind message, nothing lost, nothing stored by half."""

import datetime
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sanjeevani.calls.models import Message
from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.consultation.services import call_next, not_answered
from sanjeevani.directory.models import Clinic
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.identity.models import Account
from sanjeevani.intake.queries import draft_of
from sanjeevani.patients.models import Patient
from tests import factories

pytestmark = pytest.mark.django_db

PROFILE = {
    "relation": "child",
    "name": "Meena Devi",
    "gender": "female",
    "age": "6",
    "age_unit": "years",
    "address": "12 Temple Street",
    "district": "Guntur",
}


@pytest.fixture
def clinic() -> Clinic:
    """A clinic of the patient's state."""
    factories.StateFactory.create()
    factories.SymptomFactory.create()
    clinic: Clinic = factories.ClinicFactory.create()
    return clinic


@pytest.fixture
def patient(client: Client, clinic: Clinic) -> Patient:
    """A patient whose account is signed in, with consent and the danger signs answered."""
    patient: Patient = factories.PatientFactory.create()
    factories.sign_in(client, Account.objects.get(id=patient.account_id))
    factories.ConsentFactory.create(patient=patient)
    client.post(f"/people/{patient.id}/danger", {"sign": "none"})
    return patient


@pytest.fixture
def home(patient: Patient) -> str:
    """The address of the patient's pages."""
    return f"/people/{patient.id}"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "Write the name."),
        ("name", "   ", "Write the name."),
        ("name", "12345", "Write the name in letters."),
        ("name", "मी" * 51, "Please shorten the name to 100 characters."),
        ("relation", "", "Choose who needs the doctor."),
        ("relation", "landlord", "Choose one of these."),
        ("gender", "", "Choose the gender."),
        ("age", "", "Write the age, or the date of birth."),
        ("age", "six", "Write the age as a number, like 6."),
        ("age", "-1", "Write the age as a number, like 6."),
        ("age", "6.5", "Write the age as a number, like 6."),
        ("age", "0", "For a baby, write the age in months, or the date of birth."),
        ("age", "200", "Please check the age."),
        ("age", "9" * 400, "Write the age as a number, like 6."),
        ("birth_date_day", "31", "Write this as well: Month, Year"),
        ("address", "", "Write the address."),
        ("address", "x" * 201, "Please shorten the address to 200 characters."),
        ("district", "x" * 61, "Please shorten the district to 60 characters."),
    ],
)
def test_profile_says_what_is_wrong(
    client: Client, clinic: Clinic, field: str, typed: str, said: str
) -> None:
    account = factories.AccountFactory.create()
    factories.sign_in(client, account)
    answer = client.post("/people/add", PROFILE | {field: typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert page.count(said) == 2  # in the summary and beside the field
    assert "12 Temple Street" in page or field == "address"
    assert not Patient.objects.filter(state_id=28).exists()


def test_dates_of_birth_that_cannot_be(client: Client, clinic: Clinic) -> None:
    factories.sign_in(client, factories.AccountFactory.create())
    today = clock.today()
    for day, said in (
        (today + datetime.timedelta(days=1), "lies in the future"),
        (today.replace(year=today.year - 121, day=1), "check the year of birth"),
    ):
        parts = {
            "birth_date_day": str(day.day),
            "birth_date_month": str(day.month),
            "birth_date_year": str(day.year),
        }
        answer = client.post("/people/add", PROFILE | {"age": ""} | parts)
        assert answer.status_code == 422
        assert said in answer.content.decode()


def test_digits_of_other_scripts_and_hostile_characters(client: Client, clinic: Clinic) -> None:
    account = factories.AccountFactory.create()
    factories.sign_in(client, account)
    name = "क्‍षमा \x00\u202e<script>alert(1)</script>\u200f"
    answer = client.post("/people/add", PROFILE | {"name": name, "age": "१८", "age_unit": "months"})
    assert answer.status_code == 303
    patient = Patient.objects.get(state_id=28, account_id=account.id)
    assert patient.name == "क्‍षमा <script>alert(1)</script>"
    months = (clock.today() - patient.birth_date).days / 30.44
    assert 17.5 < months < 19.5
    page = client.get(f"/people/{patient.id}").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "page", ["", "/edit", "/consent", "/consent/withdraw", "/danger", "/trouble", "/opds"]
)
def test_other_peoples_patients_do_not_exist(client: Client, patient: Patient, page: str) -> None:
    other = factories.PatientFactory.create()
    for address in (f"/people/{other.id}{page}", f"/people/{uuid.uuid4()}{page}"):
        assert client.get(address).status_code == 404
        if page:
            assert client.post(address, PROFILE).status_code in (404, 405)
    assert Patient.objects.get(state_id=28, id=other.id).name == other.name


def test_other_peoples_consultations_do_not_exist(
    client: Client, clinic: Clinic, patient: Patient
) -> None:
    other = factories.requested(clinic, factories.PatientFactory.create())
    own = factories.requested(clinic, patient)
    for state_id, consultation_id in ((28, other.id), (33, own.id), (28, uuid.uuid4())):
        address = f"/consultations/{state_id}/{consultation_id}"
        for page in ("", "/status", "/messages", "/write", "/ticket", "/cancel"):
            assert client.get(address + page).status_code == 404, page
        for page in ("/write", "/answer", "/cancel", "/feedback"):
            form = {"text": "Hello", "client_key": uuid.uuid4(), "rating": 5}
            assert client.post(address + page, form).status_code == 404, page
        assert client.get(f"{address}/prescription.pdf").status_code == 404
    assert not Message.objects.filter(state_id=28).exists()
    assert {one.status for one in Consultation.objects.filter(state_id=28)} == {"requested"}


def test_states_and_signs_that_are_not_offered(client: Client, patient: Patient, home: str) -> None:
    for sign in ("", "capillary_refill_slow", "cannot_drink", "x" * 5000):
        answer = client.post(f"{home}/danger", {"sign": sign})
        assert answer.status_code == 422
        assert "Tap one of the signs" in answer.content.decode()
    newcomer = Client()
    factories.sign_in(newcomer, factories.AccountFactory.create(home_state_id=None))
    for state in ("", "0", "99", "Andhra", "28; DROP"):
        answer = newcomer.post("/start", {"state": state})
        assert answer.status_code == 422
        assert "Choose your state" in answer.content.decode()


def test_danger_leads_to_the_emergency_page_and_nowhere_else(
    client: Client, clinic: Clinic, patient: Patient, home: str
) -> None:
    answer = client.post(f"{home}/danger", {"sign": "convulsions"})
    assert answer.headers["Location"] == f"{home}/emergency"
    page = client.get(f"{home}/emergency").content.decode()
    assert 'href="tel:108"' in page
    assert "put nothing in the mouth" in page
    assert "<form" not in page
    ask = f"{home}/opds/28/{clinic.id}"
    for address in (f"{home}/trouble", f"{home}/opds", ask):
        assert client.get(address).headers["Location"] == f"{home}/emergency"
    form = {"request_key": uuid.uuid4(), "language": "en", "gender_preference": "any"}
    assert client.post(ask, form).headers["Location"] == f"{home}/emergency"
    assert not Consultation.objects.filter(state_id=28).exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Tap a complaint, or write in your own words."),
        ({"text": "  \n "}, "Tap a complaint, or write in your own words."),
        ({"complaints": ["nonsense"], "text": "hot"}, "Choose from the list."),
        ({"text": "ब" * 2001}, "Please shorten this to 2000 characters."),
        ({"text": "hot", "duration": "three"}, "Write a number, like 3."),
        ({"text": "hot", "duration": "0"}, "Write a number, like 3."),
        ({"text": "hot", "duration": "11", "duration_unit": "years"}, "Write at most 10 years."),
        ({"text": "hot", "duration": "1", "duration_unit": "moons"}, "Choose one of these."),
        ({"text": "hot", "history": "x" * 2001}, "Please shorten this to 2000 characters."),
    ],
)
def test_trouble_says_what_is_wrong_and_keeps_what_was_typed(
    client: Client, patient: Patient, home: str, given: dict[str, Any], said: str
) -> None:
    answer = client.post(f"{home}/trouble", {"allergies": "पेनिसिलिन\x00", **given})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count(said) == 2
    assert "पेनिसिलिन" in page
    draft = draft_of(patient)
    assert draft.allergies == "पेनिसिलिन"
    assert draft.text == str(given.get("text", "")).strip()


def test_draft_is_kept_while_typing(client: Client, patient: Patient, home: str) -> None:
    answer = client.post(f"{home}/trouble/draft", {"text": "half a sent", "duration": "x"})
    assert answer.status_code == 204
    assert "half a sent" in client.get(f"{home}/trouble").content.decode()
    other = factories.PatientFactory.create()
    assert client.post(f"/people/{other.id}/trouble/draft", {"text": "x"}).status_code == 404
    assert Client().post(f"{home}/trouble/draft", {"text": "x"}).status_code == 303


def test_asking_what_cannot_be(client: Client, clinic: Clinic, patient: Patient, home: str) -> None:
    client.post(f"{home}/trouble", {"text": "Fever"})
    ask = f"{home}/opds/28/{clinic.id}"
    right = {"request_key": uuid.uuid4(), "language": "en", "gender_preference": "any"}
    for wrong in ({"language": "xx"}, {"language": ""}, {"gender_preference": "x"}):
        assert client.post(ask, right | wrong).status_code == 422
    assert client.post(ask, right | {"request_key": "x"}).status_code == 422
    elsewhere = factories.ClinicFactory.create(serves=[33])
    assert client.get(f"{home}/opds/28/{elsewhere.id}").status_code == 404
    assert client.post(f"{home}/opds/28/{elsewhere.id}", right).status_code == 404
    closed = factories.ClinicFactory.create(hours=[])
    answer = client.post(f"{home}/opds/28/{closed.id}", right)
    assert answer.status_code == 409
    assert "closed now" in answer.content.decode()
    full = factories.ClinicFactory.create(line=factories.LineFactory.create(places_per_day=1))
    factories.requested(full, factories.PatientFactory.create())
    answer = client.post(f"{home}/opds/28/{full.id}", right)
    assert answer.status_code == 409
    assert "All places for today are taken" in answer.content.decode()
    page = client.get(f"{home}/opds").content.decode()
    assert "All places taken today" in page
    assert "Closed today" in page
    assert Consultation.objects.filter(state_id=28, patient_id=patient.id).count() == 0


def test_asking_again_leads_to_the_waiting_room(
    client: Client, clinic: Clinic, patient: Patient, home: str
) -> None:
    first = factories.requested(clinic, patient)
    client.post(f"{home}/danger", {"sign": "none"})
    client.post(f"{home}/trouble", {"text": "Fever"})
    form = {"request_key": uuid.uuid4(), "language": "en", "gender_preference": "any"}
    answer = client.post(f"{home}/opds/28/{clinic.id}", form)
    assert answer.headers["Location"] == f"/consultations/28/{first.id}?told"


def test_withdrawn_consent_stops_the_way(
    client: Client, clinic: Clinic, patient: Patient, home: str
) -> None:
    client.post(f"{home}/trouble", {"text": "Fever"})
    assert client.post(f"{home}/consent/withdraw").headers["Location"] == home
    form = {"request_key": uuid.uuid4(), "language": "en", "gender_preference": "any"}
    answer = client.post(f"{home}/opds/28/{clinic.id}", form)
    assert answer.headers["Location"] == f"{home}/consent"
    assert "no consent now" in client.get(home).content.decode()


def test_messages_that_cannot_be(client: Client, clinic: Clinic, patient: Patient) -> None:
    consultation = factories.requested(clinic, patient)
    write = f"/consultations/28/{consultation.id}/write"
    key = uuid.uuid4()
    for text, said in ((" ", "Write something first."), ("x" * 2001, "too long")):
        answer = client.post(write, {"text": text, "client_key": key})
        assert answer.status_code == 422
        assert said in answer.content.decode()
        script = client.post(
            write,
            {"text": text, "client_key": key},
            headers={"X-Fragment": "1", "Accept": "application/problem+json"},
        )
        assert script.status_code == 422
        assert said in script.json()["title"]
    answer = client.post(write, {"text": "नमस्ते", "client_key": "x"})
    assert answer.status_code == 422
    assert "नमस्ते" in answer.content.decode()
    sent = client.post(write, {"text": "नमस्ते", "client_key": key}, headers={"X-Fragment": "1"})
    assert sent.status_code == 201
    assert uuid.UUID(sent.headers["X-Next-Key"]) != key
    client.post(f"/consultations/28/{consultation.id}/cancel")
    answer = client.post(write, {"text": "Still there?", "client_key": uuid.uuid4()})
    assert answer.status_code == 409


def test_stale_answers_and_cancellations(client: Client, clinic: Clinic, patient: Patient) -> None:
    doctor = factories.on_duty(clinic)
    consultation = factories.requested(clinic, patient)
    address = f"/consultations/28/{consultation.id}"
    assert client.post(f"{address}/answer").status_code == 409
    assert client.post(f"{address}/feedback", {"rating": 5}).status_code == 422
    call_next(factories.doctor(doctor), practitioner=doctor)
    assert client.get(f"{address}/cancel").headers["Location"] == address
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(seconds=121)):
        answer = client.post(f"{address}/answer")
        assert answer.status_code == 409
        assert "This call is over" in answer.content.decode()
        not_answered(SYSTEM, state_id=28, token_id=consultation.token_id)
        page = client.get(address).content.decode()
        assert "We called and nobody answered" in page
        call_next(factories.doctor(doctor), practitioner=doctor)
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(seconds=300)):
        not_answered(SYSTEM, state_id=28, token_id=consultation.token_id)
    page = client.get(address).content.decode()
    assert "We called twice" in page
    # Nothing more happens here: nothing is asked for again and again.
    assert "data-live-src" not in page
    assert client.post(f"{address}/cancel").status_code == 409
    found = Consultation.objects.get(state_id=28, id=consultation.id)
    assert found.status == ConsultationStatus.ABANDONED


def test_cancelling_gives_the_place_back(client: Client, clinic: Clinic, patient: Patient) -> None:
    consultation = factories.requested(clinic, patient)
    address = f"/consultations/28/{consultation.id}"
    assert "Give the token back?" in client.get(f"{address}/cancel").content.decode()
    assert client.post(f"{address}/cancel").headers["Location"] == address
    assert "You gave the token back" in client.get(address).content.decode()


def test_staff_and_strangers_stay_outside(client: Client, clinic: Clinic) -> None:
    answer = client.get("/people")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=%2Fpeople")
    factories.enter(client, factories.worker_at(factories.FacilityFactory.create()))
    assert client.get("/people").status_code == 403
    assert client.get("/consultations").status_code == 403


def test_forms_without_a_token_are_refused(clinic: Clinic) -> None:
    strict = Client(enforce_csrf_checks=True)
    account = factories.AccountFactory.create()
    factories.sign_in(strict, account)
    assert strict.post("/people/add", PROFILE).status_code == 403
    page = strict.get("/people/add").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    assert (
        strict.post("/people/add", PROFILE | {"csrfmiddlewaretoken": token[1]}).status_code == 303
    )
