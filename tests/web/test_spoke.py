"""The spoke's desk: find, register, agree, tell, measure, ask a hub, and see the answer."""

import dataclasses
import datetime
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from sanjeevani.consultation.models import (
    ConductReport,
    Consultation,
    ConsultationStatus,
    PatientPresence,
    SpokeToDo,
)
from sanjeevani.consultation.services import call_next, withdraw_consent
from sanjeevani.consultation.transfers import return_to_patient
from sanjeevani.directory.models import Facility, Gender, Line, LineKind, State
from sanjeevani.documents.typesetting import labels
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import Invalid
from sanjeevani.foundation.models import AuditEvent, IdempotencyKey
from sanjeevani.identity.models import Account, Session
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.following import told_in_words
from sanjeevani.intake.models import EnteredVisit
from sanjeevani.intake.queries import draft_of, intake_of
from sanjeevani.intake.services import forget_drafts, save_draft
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.notifications.notices import notify
from sanjeevani.patients.consent import CURRENT_NOTICE
from sanjeevani.patients.models import Consent, ConsentDecision, Patient, SpokePatient
from sanjeevani.patients.queries import valid_consent
from sanjeevani.patients.services import decide_consent, join, leave_care
from sanjeevani.prescription.documents import document_of, render_pdf
from sanjeevani.prescription.models import Prescription
from sanjeevani.queueing.errors import NobodyWaiting
from sanjeevani.queueing.models import PriorityClass
from sanjeevani.web.names import place_of
from tests import factories
from tests.identity.helpers import sent_code
from tests.web.test_papers import at_desk, photo, scratch

pytestmark = pytest.mark.django_db

__all__ = ["scratch"]


class Spoke:
    """A spoke with its health worker at a tablet, and a hub's line for general medicine."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.proof = "none"
        factories.StateFactory()
        factories.SymptomFactory()
        self.link = factories.HubLinkFactory()
        self.line: Line = factories.LineFactory(
            facility=self.hub, kind=LineKind.HUB, state_id=self.link.hub_state_id
        )
        self.worker: Actor = factories.worker_at(self.facility)
        factories.enter(client, self.worker)

    @property
    def facility(self) -> Any:
        return Facility.objects.get(state_id=28, id=self.link.spoke_id)

    @property
    def hub(self) -> Any:
        return Facility.objects.get(state_id=28, id=self.link.hub_id)

    def register(self, **changes: str) -> Any:
        """Register somebody by the form."""
        return self.client.post("/spoke/register", self.form() | changes)

    @staticmethod
    def form() -> dict[str, str]:
        """What is filled in."""
        return {
            "key": "0190a6b5-7c1e-7000-8000-000000000001",
            "name": "Sita Devi",
            "gender": "female",
            "age": "40",
            "age_unit": "years",
            "relation": "self",
            "address": "Near the well",
            "district": "Guntur",
        }

    def ready(self, **changes: str) -> Patient:
        """Register somebody, with consent, complaint and measurement."""
        self.register(**changes)
        patient = Patient.objects.filter(state_id=28, name="Sita Devi").latest("id")
        person = f"/people/{patient.id}"
        assert self.client.post(f"{person}/consent").status_code in (302, 303)
        assert self.client.post(f"{person}/danger", {"sign": "none"}).status_code == 303
        told = self.client.post(
            f"{person}/trouble",
            {"complaints": "fever", "text": "High every evening", "duration": "3"},
        )
        assert told.headers["Location"] == f"/spoke/patients/{patient.id}/measure"
        measured = self.client.post(told.headers["Location"], {"body_temperature": "101.3"})
        assert measured.headers["Location"] == f"/spoke/patients/{patient.id}/hubs"
        return patient

    def registered(self) -> Patient:
        """Register somebody, with consent."""
        self.register()
        patient = Patient.objects.get(state_id=28, name="Sita Devi")
        assert self.client.post(f"/people/{patient.id}/consent").status_code == 303
        return patient

    def ask(self, patient: Patient, **changes: str) -> Any:
        """Ask the hub, in a state that asks for no proof of presence."""
        State.objects.filter(lgd_code=28).update(presence_proof=self.proof)
        form = {
            "request_key": "0190a6b5-7c1e-7000-8000-000000000002",
            "doctor": "pool",
            "language": "en",
        }
        return self.client.post(
            f"/spoke/patients/{patient.id}/hubs/28/{self.line.id}", form | changes
        )

    def waits(self, **changes: str) -> str:
        """Ask for somebody new; return the address of the consultation."""
        asked: str = self.ask(self.ready(**changes)).headers["Location"]
        return asked.removeprefix("/spoke").removesuffix("/presence")


@pytest.fixture
def spoke(client: Client, reference: None) -> Spoke:
    return Spoke(client)


def test_the_token_slip_names_the_hub_and_its_speciality(spoke: Spoke, client: Client) -> None:
    factories.serving_on(spoke.line)
    page = client.get(f"{spoke.waits()}/slip")
    for name in (place_of(spoke.hub), "General medicine", "Up to 2 minutes"):
        assert name in page.content.decode()
    assert re.search(r"Place and wait at \d{1,2}:\d\d [ap]m", page.content.decode())
    assert "the staff tell you" in page.content.decode()
    assert "page of your token" not in page.content.decode()


def test_from_the_register_to_the_doctors_call(spoke: Spoke, client: Client) -> None:
    assert "Nobody yet today" in client.get("/spoke").content.decode()
    patient = spoke.ready()
    consent = Consent.objects.get(state_id=28, patient_id=patient.id)
    assert consent.obtained_by_post_id == spoke.worker.post_id
    doctor = factories.serving_on(spoke.line)
    hubs = client.get(f"/spoke/patients/{patient.id}/hubs").content.decode()
    assert doctor.name in hubs
    asked = spoke.ask(patient)
    assert asked.status_code == 303, asked.content.decode()
    page = asked.headers["Location"]
    page = client.get(page).headers["Location"]
    assert "Waiting room for Sita Devi" in client.get(page).content.decode()
    assert spoke.ask(patient).headers["Location"] == asked.headers["Location"]
    consultation = Consultation.objects.get(state_id=28)
    assert consultation.spoke_id == spoke.facility.id
    assert consultation.asked_by_post_id == spoke.worker.post_id
    assert consultation.token.priority_class == PriorityClass.PRIORITY
    assert "Token 1" in client.get("/spoke").content.decode()

    called = call_next(factories.doctor(doctor), practitioner=doctor)
    assert called.id == consultation.id
    assert "The doctor is calling" in client.get("/spoke/cases").content.decode()
    assert client.post(f"{page}/answer").status_code == 303
    consultation.refresh_from_db()
    assert consultation.status == ConsultationStatus.IN_PROGRESS
    written = client.post(
        f"{page}/write",
        {"text": "She sits here", "client_key": "0190a6b5-7c1e-7000-8000-000000000003"},
    )
    assert written.status_code == 303
    assert client.get(f"{page}/seat").status_code == 200


def test_what_somebody_has_to_go_on_with_stays_on_a_busy_desk(
    spoke: Spoke, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Returned with a question, it waited beyond the newest; nothing led to what is older."""
    monkeypatch.setattr("sanjeevani.web.spoke.views.SHOWN", 2)
    monkeypatch.setattr("sanjeevani.web.patient.consultation_views.SHOWN", 2)
    doctor = factories.serving_on(spoke.line)
    asked = [spoke.waits()]
    called = call_next(factories.doctor(doctor), practitioner=doctor)
    return_to_patient(
        factories.doctor(doctor),
        practitioner=doctor,
        state_id=called.state_id,
        consultation_id=called.id,
        reason="Since when?",
    )
    patient = spoke.ready(key=str(uuid.uuid4()), another="1")
    for _one in range(5):
        answer = spoke.ask(patient, request_key=str(uuid.uuid4()))
        asked.append(answer.headers["Location"].removeprefix("/spoke").removesuffix("/presence"))
        assert client.post(f"{asked[-1]}/cancel").status_code == 303
        draft = IntakeContent(
            text="High every evening", duration_days=3, vitals={"heart_rate": 90.0}
        )
        save_draft(spoke.worker, patient=patient, content=factories.told(patient, **vars(draft)))
    for age in ("41", "42"):
        somebody = spoke.ready(key=str(uuid.uuid4()), another="1", age=age)
        answer = spoke.ask(somebody, request_key=str(uuid.uuid4()))
        asked.append(answer.headers["Location"].removeprefix("/spoke").removesuffix("/presence"))
    rings = call_next(factories.doctor(doctor), practitioner=doctor)
    for page in ("/spoke", "/spoke/cases"):
        desk = client.get(page).content.decode().partition("Speak to these patients")[0]
        listed = re.findall(r"/consultations/28/[0-9a-f-]{36}", desk)
        assert list(dict.fromkeys(listed)) == [asked[6], asked[7], asked[0]]
        assert str(rings.id) in asked[6]
    found, address = [], "/spoke"
    while older := re.search(r'href="([^"]*\?before=[^"]*)"', client.get(address).content.decode()):
        address = older[1] if older[1].startswith("/") else f"/consultations{older[1]}"
        shown = client.get(address).content.decode().partition("<main")[2]
        found += re.findall(r"/consultations/28/[0-9a-f-]{36}", shown)
    assert found == asked[5::-1]


def sent_back(spoke: Spoke, reason: str) -> str:
    """Ask, let the doctor send it back; return the address of the consultation."""
    address = spoke.waits()
    doctor = factories.serving_on(spoke.line)
    called = call_next(factories.doctor(doctor), practitioner=doctor)
    return_to_patient(
        factories.doctor(doctor),
        practitioner=doctor,
        state_id=called.state_id,
        consultation_id=called.id,
        reason=reason,
    )
    return address


def test_what_the_doctor_wants_measured_is_measured_where_it_is_asked_again(
    spoke: Spoke, client: Client
) -> None:
    address = sent_back(spoke, "Measure the blood pressure")
    page = client.get(f"{address}/again").content.decode()
    assert 'name="systolic_blood_pressure"' in page
    told = TOLD | {"body_temperature": "101.3"}
    pressure = {"systolic_blood_pressure": "80", "diastolic_blood_pressure": "120"}
    swapped = client.post(f"{address}/again", told | pressure)
    assert swapped.status_code == 422
    assert "The upper blood pressure is the greater one" in swapped.content.decode()
    pressure = {"systolic_blood_pressure": "132", "diastolic_blood_pressure": "84"}
    assert client.post(f"{address}/again", told | pressure).headers["Location"] == address
    consultation = Consultation.objects.get(state_id=28)
    assert intake_of(28, consultation.id).vitals == {
        "body_temperature": 38.5,
        "systolic_blood_pressure": 132,
        "diastolic_blood_pressure": 84,
    }


def test_what_was_measured_before_a_request_was_sent_back_is_no_news_days_later(
    spoke: Spoke, client: Client
) -> None:
    address = sent_back(spoke, "Which medicines?")
    consultation, now = Consultation.objects.get(state_id=28), clock.now()
    assert intake_of(28, consultation.id).answers
    with clock.driven_by(lambda: now + datetime.timedelta(days=3)):
        factories.enter(client, spoke.worker)
        page = client.get(f"{address}/again").content.decode()
        assert 'value="38.5"' not in page
        refused = client.post(f"{address}/again", TOLD)
        assert refused.status_code == 422
        assert "Write at least one measurement" in refused.content.decode()
        sent_again = client.post(f"{address}/again", TOLD | {"heart_rate": "90"})
        assert sent_again.headers["Location"] == address
    told = intake_of(28, consultation.id)
    assert (told.vitals, told.answers) == ({"heart_rate": 90}, {})


def test_who_became_an_emergency_while_the_request_was_back_goes_first(
    spoke: Spoke, client: Client
) -> None:
    address = sent_back(spoke, "Measure the pulse")
    told = TOLD | {"heart_rate": "45"}
    assert client.post(f"{address}/again", told).headers["Location"] == address
    consultation = Consultation.objects.get(state_id=28)
    assert consultation.token.priority_class == PriorityClass.EMERGENCY
    assert "Ring 108 first" in client.get(address).content.decode()


def test_nothing_to_do_and_no_visit_drops_off_a_busy_desk(
    spoke: Spoke, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sanjeevani.web.spoke.views.VISITS", 2)
    monkeypatch.setattr("sanjeevani.web.spoke.views.TO_DOS", 2)
    for name in ("Asha", "Bela", "Chitra"):
        entered = Spoke.form() | VISIT | {"name": name, "key": str(uuid.uuid4())}
        assert sent(client, "/spoke/visit", entered, name).status_code == 204
    held = Consultation.objects.get(id=spoke.waits().rsplit("/", 1)[1], state_id=28)
    today = clock.today()
    for kind, day in (
        ("follow_up", today - datetime.timedelta(days=9)),
        ("answer", today),
        ("call_back", today),
    ):
        SpokeToDo.objects.create(
            state_id=28,
            facility_id=spoke.facility.id,
            kind=kind,
            consultation_state_id=28,
            consultation_id=held.id,
            patient_id=held.patient_id,
            due_on=day,
        )
    for page in ("/spoke", "/spoke/cases"):
        some, every = (client.get(page + to).content.decode() for to in ("", "?all"))
        part = some.partition("Last here")[0]
        assert ("Asha" in part, "Bela" in part, "Chitra" in part) == (False, True, True)
        assert "Speak to these patients" in some
        assert "Read the doctor" in some
        assert "Ring the patient, then" in some
        assert "Overdue" not in some
        assert some.count("?all") == 2
        assert "Overdue" in every
        assert "Asha" in every.partition("Last here")[0]
        assert every.count("/spoke?all") == 0
    assert "/spoke/cases?all" in client.get("/spoke?all").content.decode()


def test_pain_alone_reaches_no_doctor(spoke: Spoke, client: Client) -> None:
    spoke.register()
    patient = Patient.objects.get(state_id=28)
    client.post(f"/people/{patient.id}/consent")
    client.post(f"/people/{patient.id}/danger", {"sign": "none"})
    trouble = f"/people/{patient.id}/trouble"
    assert "at least 3 words" in client.get(trouble).content.decode()
    for then in ({}, {"then": "papers"}):
        said = client.post(trouble, {"text": "Pain", **then})
        assert said.status_code == 422
        page = said.content.decode()
        assert "Write in at least 3 words" in page
        assert "Write since when" in page
        assert ">Pain</textarea>" in page
    hubs = client.get(f"/spoke/patients/{patient.id}/hubs").content.decode()
    for missing in ("since when", "at least one measurement", "in a few words"):
        assert missing in hubs
    refused = spoke.ask(patient)
    assert refused.headers["Location"] == f"/spoke/patients/{patient.id}/hubs"
    assert not Consultation.objects.filter(state_id=28).exists()


@pytest.mark.parametrize(("chosen", "kept"), [("", "hi"), ("hi", "hi"), ("en", "en")])
def test_messages_come_in_the_language_of_the_patient_not_of_the_worker(
    spoke: Spoke, client: Client, chosen: str, kept: str
) -> None:
    client.cookies["language"] = "hi"
    spoke.register(mobile="9876512345", language=chosen)
    assert Account.objects.get(login="+919876512345").language == kept
    assert spoke.register(mobile="9876512346", name="Gita", language="xx").status_code == 422


def test_a_measurement_beyond_what_is_safe_is_said_before_a_hub_is_asked(
    spoke: Spoke, client: Client
) -> None:
    patient = spoke.ready()
    hubs = f"/spoke/patients/{patient.id}/hubs"
    assert "at once" not in client.get(hubs).content.decode()
    client.post(
        f"/spoke/patients/{patient.id}/measure",
        {"body_temperature": "101.3", "oxygen_saturation": "82"},
    )
    page = client.get(hubs).content.decode()
    assert "A doctor should see this patient at once" in page
    assert "82 %" in page
    assert spoke.ask(patient).status_code in (302, 303)


def test_what_only_staff_can_see_is_asked_for_beside_the_patient(
    spoke: Spoke, client: Client
) -> None:
    patient = spoke.ready()
    page = client.get(f"/people/{patient.id}/danger").content.decode()
    assert 'value="capillary_refill_slow"' in page
    told = draft_of(patient)
    unseen = told.answers.keys() - {"weak_fast_pulse"}
    content = dataclasses.replace(told, answers=dict.fromkeys(unseen, False))
    save_draft(spoke.worker, patient=patient, content=content)
    assert spoke.ask(patient).headers["Location"] == f"/people/{patient.id}/danger"
    sign = client.post(f"/people/{patient.id}/danger", {"sign": "weak_fast_pulse"})
    assert sign.headers["Location"] == f"/people/{patient.id}/emergency"


def test_who_does_not_wake_is_an_emergency_and_who_is_confused_is_seen_at_once(
    spoke: Spoke, client: Client
) -> None:
    patient = spoke.ready()
    measure = f"/spoke/patients/{patient.id}/measure"
    seen = {"body_temperature": "37", "consciousness": "1.0", "oxygen_supply": "1.0"}
    assert client.post(measure, seen).headers["Location"].endswith("/hubs")
    assert '<option value="1.0" selected' in client.get(measure).content.decode()
    page = client.get(f"/spoke/patients/{patient.id}/hubs").content.decode()
    assert "Newly confused" in page
    asleep = client.post(measure, seen | {"consciousness": "4.0"})
    assert asleep.headers["Location"] == f"/people/{patient.id}/emergency"
    page = client.get(asleep.headers["Location"]).content.decode()
    assert "This was measured, and is a sign of danger:" in page
    assert "Does not wake" in page


def test_a_danger_sign_goes_before_all_others(spoke: Spoke, client: Client) -> None:
    spoke.register()
    patient = Patient.objects.get(state_id=28)
    client.post(f"/people/{patient.id}/consent")
    page = client.get(f"/people/{patient.id}/danger").content.decode()
    sign = page.split('name="sign" value="')[1].split('"')[0]
    client.post(f"/people/{patient.id}/danger", {"sign": sign})
    emergency = client.get(f"/people/{patient.id}/emergency").content.decode()
    assert "The ambulance is called" in emergency
    client.post(f"/people/{patient.id}/trouble", {"complaints": "fever"})
    draft = {"complaints": "fever"}
    client.post(f"/people/{patient.id}/trouble/draft", draft)
    assert spoke.ask(patient).status_code == 303
    token = Consultation.objects.get(state_id=28).token
    assert token.priority_class == PriorityClass.EMERGENCY


def test_found_by_mobile_abha_and_name(spoke: Spoke, client: Client) -> None:
    spoke.register(mobile="98480 12345", abha_number="12-3456-7890-1234")
    patient = Patient.objects.get(state_id=28)
    assert Account.objects.get(id=patient.account_id).mobile == "+919848012345"
    other = factories.worker_at(factories.FacilityFactory(is_spoke=True))
    elsewhere = Client()
    factories.enter(elsewhere, other)
    for sought, here, there in (
        ("9848012345", True, True),
        ("12 3456 7890 1234", True, True),
        ("sita", True, False),
        ("9848012346", False, False),
    ):
        for desk, found in ((client, here), (elsewhere, there)):
            answer = desk.post("/spoke/find", {"sought": sought}).content.decode()
            assert ("Sita Devi" in answer) is found, sought
    assert (
        "Sita"
        in client.post("/spoke/find", {"sought": "sita", "birth_year": "1986"}).content.decode()
    )
    assert AuditEvent.objects.filter(
        state_id=28, verb="patients.find", patient_id=patient.id, post_id=other.post_id
    ).exists()
    page = f"/people/{patient.id}"
    assert elsewhere.get(page).status_code == 404
    assert elsewhere.post(f"/spoke/patients/{patient.id}/take-in").status_code == 303
    assert elsewhere.get(page).status_code == 200


def test_likely_doubles_are_offered(spoke: Spoke, client: Client) -> None:
    spoke.register(mobile="9848012345")
    again = spoke.register(
        mobile="9848012345", key="0190a6b5-7c1e-7000-8000-000000000009", name="SITA DEVI"
    )
    assert again.status_code == 409
    assert "Yes, go on with Sita Devi" in again.content.decode()
    assert spoke.register(mobile="9848012345").status_code == 303
    assert Patient.objects.filter(state_id=28).count() == 1
    double = spoke.register(
        abha_number="11112222333344", key="0190a6b5-7c1e-7000-8000-00000000000a"
    )
    assert double.status_code == 303
    taken = spoke.register(
        abha_number="11112222333344", key="0190a6b5-7c1e-7000-8000-00000000000b", name="Gita"
    )
    assert taken.status_code == 422
    assert "ABHA number is registered already" in taken.content.decode()
    assert SpokePatient.objects.filter(state_id=28).count() == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"mobile": "12"}, "mobile"),
        ({"abha_number": "123"}, "14 digits"),
        ({"name": ""}, "Write the name"),
        ({"age": "200"}, "check the age"),
    ],
)
def test_wrong_details_are_said_and_kept(spoke: Spoke, typed: dict[str, str], said: str) -> None:
    refused = spoke.register(**typed)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert said in page
    assert "Near the well" in page
    assert not Patient.objects.filter(state_id=28).exists()


def test_an_impossible_measurement_is_said_and_the_others_kept(
    spoke: Spoke, client: Client
) -> None:
    spoke.register()
    patient = Patient.objects.get(state_id=28)
    page = f"/spoke/patients/{patient.id}/measure"
    wrong = client.post(page, {"body_temperature": "12", "heart_rate": "८०"})
    assert wrong.status_code == 422
    assert "Temperature: measure again" in wrong.content.decode()
    assert 'value="80' in client.get(page).content.decode()


def test_what_matters_for_the_complaint_is_asked_and_reaches_the_doctor(
    spoke: Spoke, client: Client
) -> None:
    factories.ask_about_fever()
    patient = spoke.ready()
    measure = f"/spoke/patients/{patient.id}/measure"
    page = client.get(measure).content.decode()
    assert "Do you shiver with cold?" in page
    assert "First day of your last period" in page
    day = {"last_period_day": "1", "last_period_month": "1", "last_period_year": "2026"}
    told = {"chills": "yes", "phlegm": "blood", "temperature": "102.2", **day}
    wrong = client.post(measure, {"body_temperature": "38", "stools_per_day": "99", **told})
    assert wrong.status_code == 422
    assert "Write a number between 0 and 40." in wrong.content.decode()
    # What was right is kept, also beside what was wrong.
    assert draft_of(patient).told["chills"] == "yes"
    client.post(measure, {"body_temperature": "38", **told})
    assert draft_of(patient).told["temperature"] == "39"
    # Another complaint has other questions.
    trouble = {"text": "High every evening", "duration": "3"}
    client.post(f"/people/{patient.id}/trouble", trouble)
    assert draft_of(patient).told == {}
    client.post(f"/people/{patient.id}/trouble", trouble | {"complaints": "fever"})
    client.post(measure, {"body_temperature": "38", **told})
    assert spoke.ask(patient).status_code in (302, 303)
    held = Consultation.objects.get(state_id=28)
    assert told_in_words(intake_of(28, held.id), "en") == [
        ("If you measured it, how high was the fever?", "39 °C"),
        ("Do you shiver with cold?", "Yes"),
        ("What comes up when you cough?", "Blood"),
        ("First day of your last period", "1 January 2026"),
    ]


def test_looking_at_the_patient_is_no_measurement(spoke: Spoke, client: Client) -> None:
    patient = spoke.ready()
    answer = client.post(f"/spoke/patients/{patient.id}/measure", {"consciousness": "0.0"})
    assert answer.status_code == 422
    assert "Write at least one measurement" in answer.content.decode()
    assert '<option value="0.0" selected' in answer.content.decode()


def test_at_least_one_measurement_is_asked_for_where_it_is_made(
    spoke: Spoke, client: Client
) -> None:
    spoke.register()
    patient = Patient.objects.get(state_id=28)
    client.post(f"/people/{patient.id}/consent")
    client.post(f"/people/{patient.id}/danger", {"sign": "none"})
    told = {"text": "High every evening", "duration": "3", "then": "papers"}
    papers = client.post(f"/people/{patient.id}/trouble", told).headers["Location"]
    measure = f"/spoke/patients/{patient.id}/measure"
    assert f'href="{measure}"' in client.get(papers).content.decode()
    nothing = client.post(measure, {"heart_rate": " "})
    assert nothing.status_code == 422
    assert "Write at least one measurement" in nothing.content.decode()
    wrong = client.post(measure, {"heart_rate": "9000"}).content.decode()
    assert "Write at least one measurement" not in wrong
    page = client.get(f"/people/{patient.id}/danger").content.decode()
    sign = page.split('name="sign" value="')[1].split('"')[0]
    client.post(f"/people/{patient.id}/danger", {"sign": sign})
    assert client.post(measure, {}).headers["Location"] == f"/people/{patient.id}/emergency"


def test_a_swapped_blood_pressure_is_refused_where_it_is_typed(
    spoke: Spoke, client: Client
) -> None:
    patient = spoke.ready()
    measure = f"/spoke/patients/{patient.id}/measure"
    swapped = {"systolic_blood_pressure": "80", "diastolic_blood_pressure": "120"}
    refused = client.post(measure, swapped | {"heart_rate": "90"})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "The upper blood pressure is the greater one" in page
    for typed in ("80", "120", "90"):
        assert f'value="{typed}"' in page
    assert draft_of(patient).vitals == {"heart_rate": 90}
    visit = client.post("/spoke/visit", Spoke.form() | VISIT | swapped)
    assert (visit.status_code, "greater one" in visit.content.decode()) == (422, True)
    with pytest.raises(Invalid):
        save_draft(
            spoke.worker,
            patient=patient,
            content=IntakeContent(
                vitals={"systolic_blood_pressure": 80, "diastolic_blood_pressure": 120}
            ),
        )


def test_a_visit_replaces_a_whole_blood_pressure(spoke: Spoke) -> None:
    earlier = IntakeContent(
        vitals={"systolic_blood_pressure": 190, "diastolic_blood_pressure": 130, "heart_rate": 90}
    )
    now = IntakeContent(vitals={"systolic_blood_pressure": 120})
    assert now.with_earlier(earlier).vitals == {"heart_rate": 90, "systolic_blood_pressure": 120}


def test_the_emergency_page_says_what_was_measured_and_lets_measure_again(
    spoke: Spoke, client: Client
) -> None:
    patient = spoke.ready()
    measure, emergency = f"/spoke/patients/{patient.id}/measure", f"/people/{patient.id}/emergency"
    slow = client.post(measure, {"heart_rate": "45", "body_temperature": "37"})
    assert slow.headers["Location"] == emergency
    page = client.get(emergency).content.decode()
    assert "Pulse 45 /min" in page
    assert "Temperature" not in page
    assert f'href="{measure}"' in page
    assert "by mistake" not in page
    # She is pregnant: the blood pressure counts, and stands there as one.
    client.post(f"/people/{patient.id}/trouble/draft", {"complaints": "fever", "pregnant": "yes"})
    high = {"systolic_blood_pressure": "170", "diastolic_blood_pressure": "90"}
    client.post(measure, high)
    assert "Blood pressure 170/90 mmHg" in client.get(emergency).content.decode()
    well = client.post(measure, {"systolic_blood_pressure": "120"})
    assert well.headers["Location"] == f"/spoke/patients/{patient.id}/hubs"


def test_others_see_nothing(spoke: Spoke, client: Client) -> None:
    page = spoke.waits()
    patient = Patient.objects.get(state_id=28)
    stranger, doctor_elsewhere = Client(), Client()
    factories.enter(stranger, factories.worker_at(factories.FacilityFactory(is_spoke=True)))
    post = factories.PostFactory.create()
    factories.sign_in(doctor_elsewhere, Account.objects.get(id=post.account_id))
    Session.objects.filter(account_id=post.account_id).update(
        post_state_id=post.state_id, post_id=post.id
    )
    for address in (page, f"{page}/status", f"/people/{patient.id}", f"{page}/seat"):
        assert stranger.get(address).status_code == 404, address
        assert doctor_elsewhere.get(address).status_code == 403, address
    assert stranger.post(f"{page}/answer").status_code == 404
    assert doctor_elsewhere.get("/spoke").status_code == 403


def conclude_with(desk: Client, do: str, to: Line, **more: str) -> Any:
    """Write a note at the desk and send the patient on to a hub's line."""
    return desk.post(
        "/desk/consultations/28/{}/write".format(
            Consultation.objects.filter(state_id=28).latest("id").id
        ),
        {
            "do": do,
            "advice": "Heart sounds need a specialist.",
            "clinic": f"hub:{to.id}",
            "redirect_reason": "Murmur",
            "client_key": "0190a6b5-7c1e-7000-8000-000000000004",
            **more,
        },
    )


@pytest.mark.parametrize(("do", "outcome"), [("refer", "referred_up"), ("redirect", "")])
def test_a_doctor_sends_the_patient_on_to_another_tier_with_the_time_waited(
    spoke: Spoke, client: Client, do: str, outcome: str
) -> None:
    """The hub is a spoke of the next tier; who sits at the sub-centre stays there."""
    factories.SpecialityFactory(code="cardiology")
    above = factories.FacilityFactory(is_hub=True)
    Facility.objects.filter(state_id=28, id=spoke.hub.id).update(is_spoke=True)
    factories.HubLinkFactory(spoke=spoke.hub, hub=above)
    upper: Line = factories.LineFactory(
        facility=above, kind=LineKind.HUB, speciality_code="cardiology"
    )
    doctor, specialist = factories.serving_on(spoke.line), factories.serving_on(upper)
    page = spoke.waits()
    call_next(factories.doctor(doctor), practitioner=doctor)
    client.post(f"{page}/answer")
    assert conclude_with(at_desk(doctor), do, upper).status_code in (200, 303)
    first, second = Consultation.objects.filter(state_id=28).order_by("id")
    assert (first.outcome, second.line_id) == (outcome, upper.id)
    assert second.spoke_id == spoke.facility.id
    assert second.token.waiting_since == first.token.waiting_since
    if do == "refer":
        assert "Go to the waiting room" in client.get(page).content.decode()
    else:
        assert client.get(page).headers["Location"] == f"/consultations/28/{second.id}"
    called = call_next(factories.doctor(specialist), practitioner=specialist)
    assert called.id == second.id
    seen = at_desk(specialist)
    screen = seen.get("/desk").content.decode()
    for told in ("Murmur", "High every evening", "38.5", spoke.facility.name):
        assert told in screen
    if do == "refer":
        record = seen.get(f"/desk/consultations/28/{first.id}").content.decode()
        assert "Heart sounds need a specialist." in record


def test_a_doctor_who_behaves_badly_is_reported_from_the_tablet_too(
    spoke: Spoke, client: Client
) -> None:
    doctor, other = factories.serving_on(spoke.line), factories.serving_on(spoke.line)
    page = spoke.waits()
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    client.post(f"{page}/answer")
    assert client.post(f"{page}/call", {"do": "report"}).status_code == 303
    with pytest.raises(NobodyWaiting):
        call_next(factories.doctor(doctor), practitioner=doctor)
    assert call_next(factories.doctor(other), practitioner=other).id == held.id
    assert ConductReport.objects.get(state_id=28).by == "guest"


def test_nobody_is_referred_up_with_medicines_that_are_not_signed(
    spoke: Spoke, client: Client
) -> None:
    """The patient would go home without them, and the specialist would not see them."""
    factories.SpecialityFactory(code="cardiology")
    upper: Line = factories.LineFactory(
        facility=spoke.hub, kind=LineKind.HUB, speciality_code="cardiology"
    )
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits()
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    client.post(f"{page}/answer")
    desk = at_desk(doctor)
    typed = conclude_with(desk, "refer", upper, line="pcm 500 1-0-1 3d")
    assert "This line is not added yet" in typed.content.decode()
    conclude_with(desk, "add_line", upper, line="pcm 500 1-0-1 3d")
    refused = conclude_with(desk, "refer", upper)
    assert refused.status_code == 422
    assert "not signed yet" in refused.content.decode()
    assert "Murmur" in refused.content.decode()
    held.refresh_from_db()
    assert held.status == "in_progress"


def test_the_doctor_hears_once_that_the_patient_agrees(spoke: Spoke, client: Client) -> None:
    """Who obtained consent stands on the desk; Done and Sign ask once, and lose nothing typed."""
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits()
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    desk = at_desk(doctor)
    write = f"/desk/consultations/28/{held.id}/write"
    called = desk.get("/desk").content.decode()
    assert "Consent obtained by the health worker" in called
    assert 'value="confirm_consent"' not in called
    client.post(f"{page}/answer")
    held.refresh_from_db()
    assert f"the health worker {held.consent_by}, " in desk.get("/desk").content.decode()
    typed = {
        "client_key": "0190a6b5-7c1e-7000-8000-000000000005",
        "advice": "Rest",
        "outcome": "advice",
        "follow_up_days": "7",
        "letter_reason": "Murmur, begun",
    }
    for do in ("done", "done_next", "sign"):
        asked = desk.post(write, typed | {"do": do})
        shown = asked.content.decode()
        assert asked.status_code == 200
        assert "Does the patient agree to this consultation?" in shown
        assert f'value="confirm_consent:{do}"' in shown
        assert "Murmur, begun" in shown
        assert '<option value="7" selected' in shown
    held.refresh_from_db()
    assert (held.status, held.consent_confirmed_at) == ("in_progress", None)
    # The press in the page, then nothing is asked any more.
    pressed = desk.post(
        write, typed | {"do": "confirm_consent"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert 'id="consent-title"' in pressed
    assert "the patient confirmed it" in pressed
    desk.post(write, typed | {"do": "confirm_consent"})
    held.refresh_from_db()
    confirmed = held.consent_confirmed_at
    assert confirmed is not None
    rows = AuditEvent.objects.filter(state_id=28, verb="consultation.confirm_consent")
    assert {(row.record_id, row.patient_id) for row in rows} == {(held.id, held.patient_id)}
    assert desk.post(write, typed | {"do": "done", "letter_reason": ""}).status_code == 303
    held.refresh_from_db()
    assert (held.status, held.consent_confirmed_at) == ("completed", confirmed)
    record = desk.get(f"/desk/consultations/28/{held.id}").content.decode()
    assert "The patient confirmed it" in record


def test_without_the_patients_word_one_more_press_goes_on(spoke: Spoke, client: Client) -> None:
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits()
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    client.post(f"{page}/answer")
    desk = at_desk(doctor)
    write = f"/desk/consultations/28/{held.id}/write"
    typed = {
        "client_key": "0190a6b5-7c1e-7000-8000-000000000005",
        "advice": "Rest",
        "do": "done",
        "outcome": "advice",
    }
    shown = desk.post(write, typed).content.decode()
    assert 'name="consent_asked" value="1"' in shown
    assert desk.post(write, typed | {"consent_asked": "1"}).status_code == 303
    held.refresh_from_db()
    assert (held.status, held.consent_confirmed_at) == ("completed", None)


def test_the_prescription_says_who_obtained_consent_and_that_it_was_confirmed(
    spoke: Spoke, client: Client
) -> None:
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits()
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    client.post(f"{page}/answer")
    desk = at_desk(doctor)
    write = f"/desk/consultations/28/{held.id}/write"
    common = {"client_key": "0190a6b5-7c1e-7000-8000-000000000005", "advice": "Rest"}
    desk.post(write, common | {"do": "add_line", "line": "pcm 500 1-0-1 3d"})
    desk.post(write, common | {"do": "add_diagnosis:J00"})
    went = desk.post(write, common | {"do": "confirm_consent:sign"})
    assert went.status_code == 303
    assert "/sign" in went.headers["Location"]
    sign = f"/desk/consultations/28/{held.id}/sign"
    assert "The patient confirmed it" in desk.get(sign).content.decode()
    assert desk.post(sign).status_code == 303
    signed = Prescription.objects.get(state_id=28)
    held.refresh_from_db()
    consent = signed.content["consent"]
    assert consent["obtained_by"] == held.consent_by != ""
    assert consent["obtained_at"]
    assert consent["confirmed_at"]
    for language, word in (("en", "confirmed it to the doctor"), ("hi", "पुष्टि")):
        assert document_of(signed, language)["consent"] == consent
        assert word in labels(language)["consent_confirmed"]
        assert render_pdf(signed, language).startswith(b"%PDF")


@pytest.mark.parametrize("do", ["refer", "redirect"])
def test_a_written_request_goes_on_in_writing(spoke: Spoke, client: Client, do: str) -> None:
    """The patient went home long ago: a call would find nobody."""
    factories.SpecialityFactory(code="cardiology")
    upper: Line = factories.LineFactory(
        facility=spoke.hub, kind=LineKind.HUB, speciality_code="cardiology"
    )
    doctor, specialist = factories.serving_on(spoke.line), factories.serving_on(upper)
    spoke.ask(spoke.ready(), doctor="later")
    assert at_desk(doctor).post("/desk/written").status_code == 303
    assert conclude_with(at_desk(doctor), do, upper).status_code in (200, 303)
    first, second = Consultation.objects.filter(state_id=28).order_by("id")
    assert second.due_at == first.due_at is not None
    assert Line.objects.get(state_id=28, id=second.line_id).kind == LineKind.WRITTEN
    desk = at_desk(specialist)
    assert desk.post("/desk/written").status_code == 303
    assert "A written request" in desk.get("/desk").content.decode()


def test_medicines_are_handed_out_and_the_doctor_sees_what_is_missing(
    spoke: Spoke, client: Client
) -> None:
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits()
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    client.post(f"{page}/answer")
    desk = at_desk(doctor)
    write = f"/desk/consultations/28/{held.id}/write"
    common = {"client_key": "0190a6b5-7c1e-7000-8000-000000000005", "advice": "Rest"}
    desk.post(write, common | {"do": "add_line", "line": "pcm 500 1-0-1 3d"})
    assert "The spoke has none of this" not in desk.get("/desk").content.decode()
    desk.post(write, common | {"do": "add_diagnosis:J00"})
    assert desk.post(f"/desk/consultations/28/{held.id}/sign").status_code == 303
    signed = Prescription.objects.get(state_id=28)
    hand_out = f"/spoke/medicines/28/{signed.id}"
    form = client.get(hand_out).content.decode()
    [code] = re.findall(r'name="([^"]+)"[^>]*value="full"[^>]*checked', form)
    assert client.post(hand_out, {code: "everything"}).status_code == 422
    assert client.post(hand_out, {code: "none"}).status_code == 303
    assert "The spoke has none of this" in desk.get("/desk").content.decode()
    desk.post(write, common | {"do": "confirm_consent:done", "outcome": "prescription"})
    assert "Not in stock" in client.get(page).content.decode()
    assert client.post(hand_out, {code: "full"}).status_code == 303
    done = client.get(page).content.decode()
    assert "In full" in done
    assert "Not in stock" not in done


def test_presence_is_shown_by_a_photo_before_the_call_is_answered(
    spoke: Spoke, client: Client
) -> None:
    spoke.proof = "any"
    page = spoke.waits()
    proof = f"/spoke{page}/presence"
    doctor = factories.serving_on(spoke.line)
    call_next(factories.doctor(doctor), practitioner=doctor)
    status = client.get(f"{page}/status").content.decode()
    assert proof in status
    assert f'action="{page}/answer"' not in status
    refused = client.post(f"{page}/answer")
    assert refused.status_code == 409
    assert "Show first that the patient is here" in refused.content.decode()
    assert client.post(proof, {"do": "photo"}).status_code == 422
    assert client.post(proof, {"do": "send"}).status_code == 422
    assert client.post(proof, {"do": "photo", "photo": photo()}).status_code == 303
    assert client.get(proof).headers["Location"] == page
    assert "presence shown: photo" in at_desk(doctor).get("/desk").content.decode()
    assert client.post(f"{page}/answer").status_code == 303


def test_presence_is_shown_by_the_code_that_the_patient_tells(spoke: Spoke, client: Client) -> None:
    spoke.proof = "code"
    page = spoke.waits(mobile="9848012345")
    proof = f"/spoke{page}/presence"
    assert client.post(proof, {"do": "photo", "photo": photo()}).status_code == 422
    asked = client.post(proof, {"do": "send"}).content.decode()
    [challenge] = re.findall(r'name="challenge" value="([^"]+)"', asked)
    code = sent_code("+919848012345")
    other = "000000" if code != "000000" else "111111"
    wrong = {"do": "code", "challenge": challenge, "code": other}
    refused = client.post(proof, wrong)
    assert refused.status_code == 422
    assert 'name="challenge"' in refused.content.decode()
    # What shows presence signs nobody in.
    stranger = Client()
    stranger.cookies["challenge"] = challenge
    assert stranger.post("/sign-in/code", {"code": code}).status_code != 303
    assert client.post(proof, wrong | {"code": code}).headers["Location"] == page
    assert PatientPresence.objects.get(state_id=28).shown_by == "code"


def test_tries_at_a_code_count_whatever_they_are_sent_with(spoke: Spoke, client: Client) -> None:
    spoke.proof = "code"
    page = spoke.waits(mobile="9848012345")
    proof = f"/spoke{page}/presence"
    asked = client.post(proof, {"do": "send"}, headers={"Idempotency-Key": "send"}).content.decode()
    [challenge] = re.findall(r'name="challenge" value="([^"]+)"', asked)
    code = sent_code("+919848012345")
    for number in range(5):
        other = f"{(int(code) + 1 + number) % 10**6:06}"
        guess = {"do": "code", "challenge": challenge, "code": other}
        refused = client.post(proof, guess, headers={"Idempotency-Key": f"guess{number}"})
        assert refused.status_code == 422
    late = {"do": "code", "challenge": challenge, "code": code}
    assert client.post(proof, late, headers={"Idempotency-Key": "late"}).status_code == 422
    assert not PatientPresence.objects.filter(state_id=28).exists()


def test_an_emergency_is_not_kept_waiting_for_a_proof(spoke: Spoke, client: Client) -> None:
    spoke.proof = "photo"
    patient = spoke.ready()
    page = client.get(f"/people/{patient.id}/danger").content.decode()
    sign = page.split('name="sign" value="')[1].split('"')[0]
    client.post(f"/people/{patient.id}/danger", {"sign": sign})
    asked = spoke.ask(patient).headers["Location"]
    page = client.get(asked).headers["Location"]
    doctor = factories.serving_on(spoke.line)
    call_next(factories.doctor(doctor), practitioner=doctor)
    assert client.post(f"{page}/answer").status_code == 303


def test_a_written_request_is_answered_later_without_a_call(spoke: Spoke, client: Client) -> None:
    doctor = factories.serving_on(spoke.line)
    spoke.proof = "photo"
    asked = spoke.ask(spoke.ready(), doctor="later").headers["Location"]
    page = client.get(asked).headers["Location"]
    assert "A doctor answers in writing" in client.get(page).content.decode()
    assert "Answer by" in client.get("/spoke").content.decode()
    with pytest.raises(NobodyWaiting):
        call_next(factories.doctor(doctor), practitioner=doctor)
    desk = at_desk(doctor)
    assert "1 waits, due by" in desk.get("/desk").content.decode()
    assert desk.post("/desk/written").status_code == 303
    held = Consultation.objects.get(state_id=28)
    assert (held.status, held.practitioner_id) == ("in_progress", doctor.id)
    screen = desk.get("/desk").content.decode()
    assert "A written request" in screen
    assert "data-call-room" not in screen
    assert "data-call-room" not in client.get(page).content.decode()
    assert desk.post("/desk/written").status_code == 409
    desk.post(
        f"/desk/consultations/28/{held.id}/write",
        {
            "client_key": "0190a6b5-7c1e-7000-8000-000000000006",
            "advice": "Drink, and come back in two days.",
            "do": "done",
            "outcome": "advice",
        },
    )
    assert "Drink, and come back" in client.get(page).content.decode()
    assert "1 waits" not in desk.get("/desk").content.decode()
    assert desk.post("/desk/written").status_code == 404


def test_an_emergency_is_never_put_off(spoke: Spoke, client: Client) -> None:
    patient = spoke.ready()
    page = client.get(f"/people/{patient.id}/danger").content.decode()
    sign = page.split('name="sign" value="')[1].split('"')[0]
    client.post(f"/people/{patient.id}/danger", {"sign": sign})
    spoke.ask(patient, doctor="later")
    assert Consultation.objects.get(state_id=28).due_at is None


def test_papers_of_the_spoke_are_not_taken_for_the_doctors(spoke: Spoke, client: Client) -> None:
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits()
    client.post(f"{page}/papers", {"files": photo()})
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    client.post(f"{page}/answer")
    assert "The doctor shows you this" not in client.get(page).content.decode()
    at_desk(doctor).post(f"/desk/consultations/28/{held.id}/papers/show", {"files": photo()})
    shown = client.get(f"{page}/status").content.decode()
    assert shown.count("?small") == 1


def test_nobody_is_rung_at_home_who_sits_at_a_spoke(spoke: Spoke, client: Client) -> None:
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits(mobile="9848012345")
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    told = OutgoingMessage.objects.filter(mobile="+919848012345")
    key: dict[str, Any] = {"state_id": 28, "consultation_id": held.id}
    notify(SYSTEM, **key, purpose="called")
    assert not told.exists()
    client.post(f"{page}/answer")
    at_desk(doctor).post(
        f"/desk/consultations/28/{held.id}/write",
        {
            "client_key": "0190a6b5-7c1e-7000-8000-000000000007",
            "advice": "Rest",
            "do": "confirm_consent:done",
            "outcome": "advice",
        },
    )
    notify(SYSTEM, **key, purpose="completed")
    assert told.count() == 1


ABHA = "91234567890123"


def test_a_number_on_a_double_leads_to_the_record_that_is_kept(
    spoke: Spoke, client: Client
) -> None:
    spoke.register(mobile="9848012345", abha_number=ABHA)
    double = Patient.objects.get(state_id=28)
    kept = factories.PatientFactory(account_id=double.account_id, name="Sita Kumari")
    join(factories.person(double.account_id), patient_id=double.id, kept_id=kept.id)
    found = client.post("/spoke/find", {"sought": ABHA}).content.decode()
    assert "Sita Kumari" in found
    assert f"/spoke/patients/{kept.id}/" in found


def test_a_number_on_a_record_that_left_its_account_stops_nobody(
    spoke: Spoke, client: Client
) -> None:
    spoke.register(mobile="9848012345", abha_number=ABHA)
    left = Patient.objects.get(state_id=28)
    leave_care(factories.person(left.account_id), patient_id=left.id)
    found = client.post("/spoke/find", {"sought": ABHA}).content.decode()
    assert f"/spoke/patients/{left.id}/" not in found
    again = {"key": "0190a6b5-7c1e-7000-8000-00000000000f", "mobile": "", "abha_number": ABHA}
    refused = spoke.register(**again)
    assert refused.status_code == 422
    assert "Register without the number" in refused.content.decode()


def test_who_is_no_longer_on_the_familys_list_is_not_offered_at_the_desk(
    spoke: Spoke, client: Client
) -> None:
    spoke.register(mobile="9848012345")
    double = Patient.objects.get(state_id=28)
    entered = Spoke.form() | VISIT | {"same": str(double.id)}
    entered["key"] = "0190a6b5-7c1e-7000-8000-00000000000f"
    assert sent(client, "/spoke/visit", entered).status_code == 204
    assert "Last here" in client.get("/spoke").content.decode()
    kept = factories.PatientFactory(account_id=double.account_id, name="Sita Kumari")
    join(factories.person(double.account_id), patient_id=double.id, kept_id=kept.id)
    desk = client.get("/spoke").content.decode()
    assert "Last here" not in desk
    # What was entered without a link still waits: the page says who goes on with it.
    assert f'href="/people/{double.id}"' in desk
    page = client.get(f"/people/{double.id}")
    assert page.status_code == 200
    assert f"/people/{double.id}/back" not in page.content.decode()
    assert "Yes, go on with Sita Kumari" in page.content.decode()
    taken = client.post(f"/spoke/patients/{kept.id}/take-in")
    assert taken.headers["Location"] == f"/people/{kept.id}/consent"
    leave_care(factories.person(kept.account_id), patient_id=kept.id)
    gone = client.get(f"/people/{kept.id}").content.decode()
    assert "The family took this person off its list" in gone
    assert "/back" not in gone


def test_a_form_gone_back_to_does_not_take_the_next_patient_for_the_last(spoke: Spoke) -> None:
    assert spoke.register().status_code == 303
    first = Patient.objects.get(state_id=28)
    assert spoke.register(name="SITA  DEVI").headers["Location"] == f"/people/{first.id}/consent"
    another = spoke.register(name="Gita Devi", age="9")
    assert another.status_code == 422
    assert "This form has registered Sita Devi already" in another.content.decode()
    assert Patient.objects.get(state_id=28).id == first.id
    new_form = "0190a6b5-7c1e-7000-8000-00000000000f"
    assert spoke.register(name="Gita Devi", key=new_form).status_code == 303


def sent(client: Client, address: str, values: dict[str, str], key: str = "one") -> Any:
    """Send a form as the tablet does."""
    headers = {"Idempotency-Key": key, "Accept": "application/json"}
    return client.post(address, values, headers=headers)


TOLD = {"complaints": "fever", "text": "High every evening", "duration": "3"}
VISIT = {"complaints": "fever", "text": "High every evening", "heart_rate": "88"}


def before_now(**by: int) -> str:
    """Return a moment as the tablet writes it."""
    return (clock.now() - datetime.timedelta(**by)).isoformat()


def test_a_visit_without_a_link_is_entered_once_and_continued(spoke: Spoke, client: Client) -> None:
    at = before_now(hours=3)
    entered = Spoke.form() | VISIT | {"entered_at": at}
    for _again in range(2):
        taken = sent(client, "/spoke/visit", entered)
        assert taken.status_code == 204, taken.content.decode()
    patient = Patient.objects.get(state_id=28)
    assert taken.headers["X-Location"] == f"/people/{patient.id}/consent"
    assert draft_of(patient).vitals == {"heart_rate": 88}
    assert EnteredVisit.objects.get(state_id=28).entered_at.isoformat() == at
    assert "Entered without a link: continue" in client.get("/spoke/cases").content.decode()
    # The key is forgotten one day; the visit is not.
    IdempotencyKey.objects.all().delete()
    save_draft(spoke.worker, patient=patient, content=IntakeContent(text="Corrected"))
    assert sent(client, "/spoke/visit", entered).status_code == 204
    assert draft_of(patient).text == "Corrected"
    spoke.ready()
    assert spoke.ask(patient).status_code == 303
    assert "Entered without a link: continue" not in client.get("/spoke").content.decode()


def test_who_may_be_the_same_is_offered_when_a_visit_arrives(spoke: Spoke, client: Client) -> None:
    spoke.register()
    known = Patient.objects.get(state_id=28)
    entered = Spoke.form() | VISIT | {"key": "0190a6b5-7c1e-7000-8000-00000000000f"}
    save_draft(spoke.worker, patient=known, content=IntakeContent(text="Told before"))
    assert sent(client, "/spoke/visit", entered).status_code == 409
    assert "Yes, go on with Sita Devi" in client.post("/spoke/visit", entered).content.decode()
    assert sent(client, "/spoke/visit", entered | {"same": str(known.id)}).status_code == 204
    assert draft_of(known).text == "High every evening\nTold before"
    another = entered | {"key": "0190a6b5-7c1e-7000-8000-00000000001f", "another": "1"}
    assert sent(client, "/spoke/visit", another, "two").status_code == 204
    assert Patient.objects.filter(state_id=28).count() == 2


def test_what_a_tablet_measured_days_ago_is_measured_anew(spoke: Spoke, client: Client) -> None:
    entered = Spoke.form() | VISIT | {"disabled": "on", "entered_at": before_now(days=3)}
    assert sent(client, "/spoke/visit", entered).status_code == 204
    told = draft_of(Patient.objects.get(state_id=28))
    assert (told.text, told.answers, told.vitals) == ("High every evening", {"disabled": True}, {})


def test_a_visit_that_arrives_late_takes_nothing_from_what_was_told_since(
    spoke: Spoke, client: Client
) -> None:
    spoke.register()
    known = Patient.objects.get(state_id=28)
    since = IntakeContent(text="Worse", vitals={"heart_rate": 131.0, "body_temperature": 39.0})
    save_draft(spoke.worker, patient=known, content=since)
    entered = Spoke.form() | VISIT | {"same": str(known.id), "entered_at": before_now(hours=5)}
    entered["key"] = "0190a6b5-7c1e-7000-8000-00000000000f"
    assert sent(client, "/spoke/visit", entered).status_code == 204
    told = draft_of(known)
    assert told.vitals == since.vitals
    assert (told.text, told.complaints) == ("Worse\nHigh every evening", ["fever"])


def kept_form(client: Client, address: str, form: dict[str, str], **kept: Any) -> Any:
    """Send a form that a tablet has kept for so long; `by_itself`: as the browser sends a form."""
    seconds = kept.get("age", str(int(datetime.timedelta(**kept.get("ago", {})).total_seconds())))
    if kept.get("by_itself"):
        return client.post(address, form | {"kept_for": seconds})
    key = f"{address[-8:]} {[*form.values(), seconds][0]}"
    return client.post(address, form, HTTP_IDEMPOTENCY_KEY=key, HTTP_KEPT_FOR=seconds)


@pytest.mark.parametrize("by_itself", [False, True])
@pytest.mark.parametrize(
    "age", ["259200", "-86400", "86401", "1800000000", "99999999999999", "soon"]
)
def test_what_a_tablet_kept_for_days_says_nothing_of_today(
    spoke: Spoke, client: Client, age: str, by_itself: bool
) -> None:
    """Also where its clock was changed meanwhile, so that nobody knows for how long."""
    patient = spoke.registered()
    danger, measure = f"/people/{patient.id}/danger", f"/spoke/patients/{patient.id}/measure"
    trouble = f"/people/{patient.id}/trouble"
    kept: dict[str, Any] = {"age": age, "by_itself": by_itself}
    for address, form, to in (
        (danger, {"sign": "none"}, f"{danger}?late"),
        (danger, {"sign": "heavy_bleeding"}, f"{danger}?late"),
        (trouble, TOLD | {"disabled": "on"}, danger),
        (measure, {"body_temperature": "101.3"}, f"{measure}?late"),
    ):
        taken = kept_form(client, address, form, **kept)
        assert taken.headers["Location" if by_itself else "X-Location"] == to
        if to.endswith("?late"):
            assert "more than a day old" in client.get(to).content.decode()
    told = draft_of(patient)
    assert (told.text, told.answers, told.vitals) == (TOLD["text"], {"disabled": True}, {})


def test_what_a_tablet_kept_counts_from_when_it_was_entered(spoke: Spoke, client: Client) -> None:
    patient = spoke.registered()
    danger, measure = f"/people/{patient.id}/danger", f"/spoke/patients/{patient.id}/measure"
    for address, form in ((danger, {"sign": "none"}), (measure, {"heart_rate": "90"})):
        assert kept_form(client, address, form, ago={"hours": 20}).status_code == 204
    told, now = draft_of(patient), clock.now()
    assert told.vitals == {"heart_rate": 90}
    assert told.answers
    assert not any(told.answers.values())
    with clock.driven_by(lambda: now + datetime.timedelta(hours=4, minutes=1)):
        assert (draft_of(patient).answers, draft_of(patient).vitals) == ({}, {})


def test_a_visit_counts_from_when_it_was_entered(spoke: Spoke, client: Client) -> None:
    entered = Spoke.form() | VISIT
    assert kept_form(client, "/spoke/visit", entered, ago={"hours": 20}).status_code == 204
    patient, now = Patient.objects.get(state_id=28), clock.now()
    assert draft_of(patient).vitals == {"heart_rate": 88}
    with clock.driven_by(lambda: now + datetime.timedelta(hours=5)):
        assert draft_of(patient).vitals == {}


@pytest.mark.parametrize("wrong", [{"days": 3650}, {"days": -3650}])
def test_a_tablets_wrong_clock_makes_a_visit_neither_older_nor_newer(
    spoke: Spoke, client: Client, wrong: dict[str, int]
) -> None:
    """The clock is wrong, what it measures between two readings is right."""
    entered = Spoke.form() | VISIT | {"entered_at": before_now(**wrong)}
    assert kept_form(client, "/spoke/visit", entered, ago={"hours": 2}).status_code == 204
    patient = Patient.objects.get(state_id=28)
    assert draft_of(patient).vitals == {"heart_rate": 88}
    now = clock.now()
    age = now - EnteredVisit.objects.get(state_id=28).entered_at
    assert round(age / datetime.timedelta(hours=1)) == 2
    with clock.driven_by(lambda: now + datetime.timedelta(days=1)):
        assert forget_drafts() == 0


def test_a_draft_of_a_clock_that_is_years_wrong_is_not_forgotten_the_next_night(
    spoke: Spoke, client: Client
) -> None:
    entered = Spoke.form() | VISIT | {"entered_at": before_now(days=3650)}
    assert sent(client, "/spoke/visit", entered).status_code == 204
    assert forget_drafts() == 0
    assert draft_of(Patient.objects.get(state_id=28)).text == VISIT["text"]


def test_a_consent_that_was_withdrawn_since_is_not_given_by_what_a_tablet_kept(
    spoke: Spoke, client: Client
) -> None:
    patient = spoke.registered()
    consent = f"/people/{patient.id}/consent"
    withdraw_consent(spoke.worker, patient=patient, language="en")
    now = clock.now()
    with clock.driven_by(lambda: now + datetime.timedelta(days=1)):
        kept = {"age": str(25 * 3600), "by_itself": False}
        for by_itself in (False, True):
            refused = kept_form(client, consent, {}, **kept | {"by_itself": by_itself})
            assert refused.status_code == 409
            page = refused.content.decode()
            assert "withdrawn after this was entered" in page
            # Who agrees on this page agrees now.
            assert "data-outbox-anew" in page
        assert valid_consent(patient) is None
        # Obtained after it was withdrawn.
        assert kept_form(client, consent, {}, ago={"hours": 23}).status_code == 204
        assert valid_consent(patient) is not None


def test_what_was_withdrawn_for_a_double_is_not_given_by_what_a_tablet_kept(
    spoke: Spoke, client: Client
) -> None:
    spoke.register(mobile="9876512345")
    patient = Patient.objects.get(state_id=28)
    double = factories.PatientFactory(account_id=patient.account_id)
    family = Actor(ActorKind.PERSON, account_id=patient.account_id, state_id=28)
    decide_consent(family, patient=double, decision=ConsentDecision.GIVEN, language="en")
    join(family, patient_id=double.id, kept_id=patient.id)
    withdraw_consent(family, patient=double, language="en")
    consent = f"/people/{patient.id}/consent"
    assert kept_form(client, consent, {}, ago={"hours": 2}).status_code == 409
    assert kept_form(client, consent, {"notice": CURRENT_NOTICE}).status_code == 204


def test_no_doctor_rings_somebody_who_has_gone_home_since_the_tablet_asked(
    spoke: Spoke, client: Client
) -> None:
    patient = spoke.ready()
    State.objects.filter(lgd_code=28).update(presence_proof="none")
    address = f"/spoke/patients/{patient.id}/hubs/28/{spoke.line.id}"
    form = {"doctor": "pool", "language": "en", "request_key": str(uuid.uuid4())}
    refused = kept_form(client, address, form, ago={"hours": 15})
    assert refused.status_code == 409
    page = refused.content.decode()
    assert "Is the patient still here?" in page
    # Whoever asks on this page asks now.
    assert "data-outbox-anew" in page
    assert not Consultation.objects.filter(state_id=28).exists()
    written = form | {"doctor": "later"}
    for kept, ago in ((form, {"minutes": 50}), (written, {"hours": 15})):
        kept |= {"request_key": str(uuid.uuid4())}
        taken = kept_form(client, address, kept, ago=ago)
        assert taken.status_code == 204
        where = taken.headers["X-Location"].removeprefix("/spoke").removesuffix("/presence")
        assert client.post(f"{where}/cancel").status_code == 303
        told = draft_of(patient)
        assert not told.text
        again = IntakeContent(
            text="High every evening", duration_days=3, vitals={"heart_rate": 90.0}
        )
        save_draft(spoke.worker, patient=patient, content=factories.told(patient, **vars(again)))


def test_what_a_tablet_kept_takes_nothing_from_what_was_told_since(
    spoke: Spoke, client: Client
) -> None:
    patient = spoke.registered()
    danger, measure = f"/people/{patient.id}/danger", f"/spoke/patients/{patient.id}/measure"
    trouble = f"/people/{patient.id}/trouble"
    assert client.post(danger, {"sign": "heavy_bleeding"}).status_code == 303
    assert client.post(measure, {"heart_rate": "131"}).status_code == 303
    client.post(trouble, TOLD | {"text": "Worse since this morning"})
    emergency = f"/people/{patient.id}/emergency"
    for address, form, to in (
        (danger, {"sign": "none"}, emergency),
        (measure, {"heart_rate": "80", "body_temperature": "37"}, emergency),
        (trouble, TOLD | {"text": "High every evening"}, emergency),
    ):
        taken = kept_form(client, address, form, ago={"hours": 3})
        assert taken.headers.get("X-Location", taken.headers.get("Location")) == to
    told = draft_of(patient)
    assert told.answers["heavy_bleeding"] is True
    assert told.vitals == {"heart_rate": 131, "body_temperature": 37}
    assert told.text == "Worse since this morning\nHigh every evening"


def test_what_is_heard_twice_has_one_effect(spoke: Spoke, client: Client) -> None:
    for _again in range(2):
        assert sent(client, "/spoke/register", Spoke.form()).status_code == 204
    patient = Patient.objects.get(state_id=28)
    person = f"/people/{patient.id}"
    early = sent(client, f"{person}/danger", {"sign": "none"}, "danger")
    assert (early.status_code, early.headers["X-Location"]) == (409, f"{person}/consent")
    for _again in range(2):
        assert sent(client, f"{person}/consent", {}, "consent").status_code == 204
    assert Consent.objects.filter(state_id=28).count() == 1
    assert sent(client, f"{person}/danger", {"sign": "none"}, "danger").status_code == 204
    measure = f"/spoke/patients/{patient.id}/measure"
    assert sent(client, measure, {"heart_rate": "9000"}, "measure").status_code == 422
    assert sent(client, measure, {"heart_rate": "90"}, "measure").status_code == 204
    assert sent(client, measure, {"heart_rate": "95"}, "measure").status_code == 409
    assert draft_of(patient).vitals == {"heart_rate": 90}
    assert sent(Client(), measure, {"heart_rate": "90"}, "measure").status_code == 401


def test_the_key_of_a_tablet_is_one_persons_at_one_spoke(spoke: Spoke, client: Client) -> None:
    again, colleague = Client(), Client()
    factories.enter(again, spoke.worker)
    factories.enter(colleague, factories.worker_at(spoke.facility))
    mine, same, other = (one.get("/spoke/tablet").json() for one in (client, again, colleague))
    assert (mine["owner"], mine["key"]) == (same["owner"], same["key"])
    assert mine["owner"] != other["owner"]
    assert mine["key"] != other["key"]
    for page in ("/spoke/kept", "/spoke/visit"):
        assert mine["key"] not in client.get(page).content.decode()
    worker = Client().get("/tablet_worker.js")
    assert worker.headers["Content-Type"] == "text/javascript"


def test_a_hub_is_asked_once_the_danger_signs_were_asked_about(spoke: Spoke) -> None:
    """A tablet's visit without a link has none of the answers."""
    patient = spoke.ready()
    told = draft_of(patient)
    content = IntakeContent.from_json(told.as_json() | {"answers": {}})
    save_draft(spoke.worker, patient=patient, content=content)
    asked = spoke.ask(patient)
    assert asked.headers["Location"] == f"/people/{patient.id}/danger"
    assert not Consultation.objects.filter(state_id=28).exists()


def test_a_woman_may_ask_for_a_woman_doctor(spoke: Spoke, client: Client) -> None:
    man = factories.serving_on(spoke.line, gender=Gender.MALE, name="Dr Ravi")
    patient = spoke.ready()
    person = f"/spoke/patients/{patient.id}/hubs"
    assert "A woman doctor is on duty now" not in client.get(person).content.decode()
    woman = factories.serving_on(spoke.line, name="Dr Usha", languages=["te", "en"])
    shown = client.get(person).content.decode()
    assert "A woman doctor is on duty now" in shown
    assert "The doctors on duty speak" in shown
    assert 'value="female"' in client.get(f"{person}/28/{spoke.line.id}").content.decode()
    assert spoke.ask(patient, gender_preference="sideways").status_code == 422
    assert spoke.ask(patient, gender_preference="female").status_code == 303
    token = Consultation.objects.get(state_id=28).token
    assert token.gender_preference == "female"
    with pytest.raises(NobodyWaiting):
        call_next(factories.doctor(man), practitioner=man)
    assert call_next(factories.doctor(woman), practitioner=woman).token_id == token.id


@pytest.mark.parametrize(("wish", "kept"), [("male", ""), ("female", "female"), ("any", "")])
def test_who_is_asked_by_name_is_not_waited_for_in_vain(spoke: Spoke, wish: str, kept: str) -> None:
    named = factories.serving_on(spoke.line, gender=Gender.FEMALE)
    spoke.ask(spoke.ready(), doctor=str(named.id), gender_preference=wish)
    assert Consultation.objects.get(state_id=28).token.gender_preference == kept
    assert call_next(factories.doctor(named), practitioner=named)


def test_in_an_emergency_whoever_is_free_comes(spoke: Spoke, client: Client) -> None:
    factories.serving_on(spoke.line)
    patient = spoke.ready()
    page = client.get(f"/people/{patient.id}/danger").content.decode()
    sign = page.split('name="sign" value="')[1].split('"')[0]
    client.post(f"/people/{patient.id}/danger", {"sign": sign})
    address = f"/spoke/patients/{patient.id}/hubs/28/{spoke.line.id}"
    assert "gender_preference" not in client.get(address).content.decode()
    assert spoke.ask(patient, gender_preference="female").status_code == 303
    token = Consultation.objects.get(state_id=28).token
    assert token.priority_class == PriorityClass.EMERGENCY
    assert token.gender_preference == ""
