"""What the patient sees when the way bends: sent on, sent back, cut off, or no doctor there."""

import dataclasses
import datetime
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sanjeevani.calls.models import Presence, Seat
from sanjeevani.consultation.conduct import report_conduct
from sanjeevani.consultation.interruptions import GRACE, dropped, interrupt, not_reachable
from sanjeevani.consultation.models import Consultation, ConsultationStatus, Outcome
from sanjeevani.consultation.services import (
    NoteContent,
    answer,
    call_next,
    cancel,
    complete,
    hand_back,
    write_note,
)
from sanjeevani.consultation.transfers import redirect, return_to_patient, send_home
from sanjeevani.directory.models import Clinic, ClinicHours, Practitioner
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.ids import uuid7
from sanjeevani.grievance.models import Grievance
from sanjeevani.identity.models import Account
from sanjeevani.intake.queries import intake_of
from sanjeevani.patients.models import Patient
from tests import factories

pytestmark = pytest.mark.django_db

PASSED_ON = "The first doctor passed you on to another one. You are at the head of the line."


@pytest.fixture
def clinic() -> Clinic:
    """A clinic of the patient's state."""
    factories.StateFactory.create()
    factories.SymptomFactory.create()
    clinic: Clinic = factories.ClinicFactory.create()
    return clinic


@pytest.fixture
def patient(client: Client, clinic: Clinic) -> Patient:
    """A patient whose account is signed in."""
    patient: Patient = factories.PatientFactory.create()
    factories.sign_in(client, Account.objects.get(id=patient.account_id))
    return patient


@pytest.fixture
def consultation(clinic: Clinic, patient: Patient) -> Consultation:
    """The patient's request."""
    return factories.requested(clinic, patient)


@pytest.fixture
def address(consultation: Consultation) -> str:
    """The page of the consultation."""
    return f"/consultations/28/{consultation.id}"


def at(practitioner: Practitioner, consultation: Consultation) -> dict[str, Any]:
    """Name the practitioner and the consultation of a verb."""
    return {
        "practitioner": practitioner,
        "state_id": consultation.state_id,
        "consultation_id": consultation.id,
    }


def me(patient: Patient) -> Actor:
    """Return the patient's actor."""
    return factories.person(patient.account_id)


def test_sent_to_another_clinic(
    client: Client, clinic: Clinic, consultation: Consultation, address: str
) -> None:
    other = factories.ClinicFactory.create(
        line=factories.LineFactory.create(facility=factories.FacilityFactory.create(state_id=33)),
        serves=[28],
    )
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    target = clinic_serving(28, clinic_state_id=33, clinic_id=other.id)
    moved = redirect(
        factories.doctor(doctor),
        **at(doctor, consultation),
        clinic=target,
        reason="A skin doctor should see this",
    )
    there = f"/consultations/33/{moved.id}"
    assert f'data-moved-to="{there}"' in client.get(f"{address}/status").content.decode()
    assert client.get(address).headers["Location"] == there
    assert "Waiting room" in client.get(there).content.decode()


def test_handed_to_another_doctor(
    client: Client, clinic: Clinic, consultation: Consultation, address: str
) -> None:
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    hand_back(factories.doctor(doctor), **at(doctor, consultation), reason="I know the family")
    assert PASSED_ON in client.get(address).content.decode()


def test_who_once_reported_a_doctor_is_not_told_to_be_the_next(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    """Every later token is kept from that doctor, long before anybody has called it."""
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    key: dict[str, Any] = {
        "state_id": consultation.state_id,
        "consultation_id": consultation.id,
    }
    answer(me(patient), **key)
    report_conduct(me(patient), **key)
    cancel(me(patient), **key)
    factories.requested(clinic, factories.PatientFactory.create())
    again = factories.requested(clinic, patient)
    page = client.get(f"/consultations/28/{again.id}").content.decode()
    assert 'data-live-bind="place">2</span>' in page
    assert PASSED_ON not in page


def test_sent_back_for_more(
    client: Client, clinic: Clinic, consultation: Consultation, address: str
) -> None:
    assert client.get(f"{address}/again").headers["Location"] == address
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    return_to_patient(
        factories.doctor(doctor), **at(doctor, consultation), reason="Which medicines <now>?"
    )
    page = client.get(address).content.decode()
    assert "Which medicines &lt;now&gt;?" in page
    assert f"{address}/again" in page
    people = client.get("/people").content.decode()
    assert "The doctor needs to know more" in people
    assert "token 1" not in people
    page = client.get(f"{address}/again").content.decode()
    assert "Which medicines" in page
    assert "Fever for three days" in page
    wrong = client.post(f"{address}/again", {"text": "", "medicines": "Metformin"})
    assert wrong.status_code == 422
    assert "Metformin" in wrong.content.decode()
    answered = client.post(f"{address}/again", {"text": "Fever", "medicines": "Metformin"})
    assert answered.headers["Location"] == address
    assert "Waiting room" in client.get(address).content.decode()
    assert intake_of(28, consultation.id).medicines == "Metformin"


def test_an_answer_that_was_saved_while_it_was_typed_is_there_again(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    return_to_patient(factories.doctor(doctor), **at(doctor, consultation), reason="Since when?")
    typed = {"text": "Fever for three days, worse since Monday", "medicines": "Metformin"}
    assert client.post(f"/people/{patient.id}/trouble/draft", typed).status_code == 204
    for _load in range(2):
        page = client.get(f"{address}/again").content.decode()
        assert "Fever for three days, worse since Monday\nFever for three days</textarea>" in page
        assert "Metformin" in page
        typed |= {"text": "Fever for three days, worse since Monday\r\nFever for three days"}
        client.post(f"/people/{patient.id}/trouble/draft", typed)


def test_an_answer_is_kept_on_the_page_of_who_waits_there_already(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    return_to_patient(factories.doctor(doctor), **at(doctor, consultation), reason="Since when?")
    factories.requested(clinic, patient)
    refused = client.post(f"{address}/again", {"text": "Since Monday", "medicines": ""})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Since Monday" in page
    assert "already has a token here" in page


def test_who_answers_the_doctor_a_day_later_is_asked_for_danger_signs_first(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    return_to_patient(factories.doctor(doctor), **at(doctor, consultation), reason="Since when?")
    danger = f"/people/{patient.id}/danger?again=28.{consultation.id}"
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(hours=25)):
        assert client.get(f"{address}/again").headers["Location"] == danger
        # The form was open when the day ended.
        late = client.post(f"{address}/again", {"text": "Since Monday"})
        assert late.headers["Location"] == danger
        asked = client.post(danger, {"sign": "none"})
        assert asked.headers["Location"] == f"{address}/again"
        assert "Since Monday" in client.get(f"{address}/again").content.decode()
        answered = client.post(f"{address}/again", {"text": "Since Monday"})
        assert answered.headers["Location"] == address
    assert intake_of(28, consultation.id).text == "Since Monday"
    for wrong in ("x", "28", "28.x", "-1.x", f"-1.{consultation.id}"):
        asked = client.post(f"/people/{patient.id}/danger?again={wrong}", {"sign": "none"})
        assert asked.headers["Location"] == f"/people/{patient.id}/trouble"


def test_what_is_told_by_who_waits_there_already_is_offered_as_a_message(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    home = f"/people/{patient.id}"
    client.post(f"{home}/danger", {"sign": "none"})
    told = {"complaints": ["fever"], "text": "Now out of breath", "duration": "2"}
    client.post(f"{home}/trouble", told | {"medicines": "Metformin"})
    form = {"request_key": str(uuid.uuid4()), "language": "en", "gender_preference": "any"}
    asked = client.post(f"{home}/opds/28/{clinic.id}", form)
    assert asked.headers["Location"] == f"{address}?told"
    words = (
        "Fever\nNow out of breath\nSince when? 2 days\nMedicines taken now: Metformin</textarea>"
    )
    for page in (f"{address}?told", f"{address}/write?told"):
        assert words in client.get(page).content.decode()
    assert "has not gone to the doctor yet" in client.get(f"{address}?told").content.decode()
    assert words not in client.get(address).content.decode()
    client.post(f"{address}/write", {"text": "Now out of breath", "client_key": uuid.uuid4()})
    # Sent, nothing is left to send: a reload does not ask again.
    assert words not in client.get(f"{address}?told").content.decode()


def test_cut_off_and_back(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    answer(me(patient), state_id=28, consultation_id=consultation.id)
    interrupt(SYSTEM, state_id=28, consultation_id=consultation.id)
    assert "The doctor is still there" in client.get(f"{address}/status").content.decode()
    for _again in range(2):
        assert client.post(f"{address}/resume").headers["Location"] == address
    assert "Write below" in client.get(address).content.decode()
    interrupt(SYSTEM, state_id=28, consultation_id=consultation.id)
    with clock.driven_by(lambda: timezone.now() + GRACE + datetime.timedelta(seconds=1)):
        dropped(SYSTEM, state_id=28, token_id=consultation.token_id)
    # The page rings, no telephone does: whoever closed it would wait for that in vain.
    assert "keep this page open until it rings" in client.get(address).content.decode()
    assert client.post(f"{address}/resume").headers["Location"] == address
    call_next(factories.doctor(doctor), practitioner=doctor)
    assert "data-call-now" in client.get(f"{address}/status").content.decode()
    assert client.post(f"{address}/answer").headers["Location"] == address
    assert "Write below" in client.get(address).content.decode()


def test_cut_off_by_the_line_of_the_doctor(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    key: dict[str, Any] = {
        "state_id": consultation.state_id,
        "consultation_id": consultation.id,
    }
    answer(me(patient), **key)
    now = clock.now()
    Presence.objects.create(
        state_id=consultation.state_id,
        id=uuid7(),
        room_id=consultation.room_id,
        seat=Seat.HOST,
        instance="page-a",
        first_joined_at=now,
        joined_at=now,
        left_at=now,
        is_noticed=True,
    )
    interrupt(SYSTEM, **key)
    assert "The doctor is away just now" in client.get(address).content.decode()
    back = client.post(f"{address}/resume", follow=True).content.decode()
    assert "The doctor is away just now" in back
    assert "Press the button to go on" not in back


def test_no_doctor_on_duty(client: Client, consultation: Consultation, address: str) -> None:
    page = client.get(address).content.decode()
    assert "No doctor is on duty just now" in page
    assert f"{address}/seek-doctor" in page
    alone = client.post(f"{address}/seek-doctor")
    assert alone.status_code == 409
    assert "You keep your place here" in alone.content.decode()
    factories.on_duty(factories.ClinicFactory.create())
    moved = client.post(f"{address}/seek-doctor")
    assert moved.headers["Location"] != address
    assert "Waiting room" in client.get(moved.headers["Location"]).content.decode()
    assert client.post(f"{address}/seek-doctor").status_code == 409


def test_closed_before_the_turn(client: Client, consultation: Consultation, address: str) -> None:
    send_home(SYSTEM, state_id=28, token_id=consultation.token_id)
    page = client.get(address).content.decode()
    assert "you go first" in page
    assert "called twice" not in page


def test_who_was_cut_off_and_then_met_a_closed_door_is_told_of_the_door(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    """It said that the connection broke and where the signal is better; the next goes first."""
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    answer(me(patient), state_id=28, consultation_id=consultation.id)
    interrupt(SYSTEM, state_id=28, consultation_id=consultation.id)
    with clock.driven_by(lambda: timezone.now() + GRACE + datetime.timedelta(seconds=1)):
        dropped(SYSTEM, state_id=28, token_id=consultation.token_id)
    send_home(SYSTEM, state_id=28, token_id=consultation.token_id)
    page = client.get(address).content.decode()
    assert "The OPD closed before your turn. When you ask it again, you go first." in page
    assert "connection broke" not in page
    factories.requested(clinic, patient)
    after = client.get(address).content.decode()
    assert "The OPD closed before your turn." in after
    assert "you go first" not in after
    assert "called twice" not in after


def test_reported_twice_is_one_complaint(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    """The first tap was heard, its answer was lost."""
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    answer(me(patient), state_id=28, consultation_id=consultation.id)
    for _tap in range(2):
        assert client.post(f"{address}/call", {"do": "report"}).status_code == 303
    assert Grievance.objects.filter(state_id=28, consultation_id=consultation.id).count() == 1


def test_given_up_by_the_doctor_is_not_a_missed_call(
    client: Client, clinic: Clinic, patient: Patient, consultation: Consultation, address: str
) -> None:
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    answer(me(patient), state_id=28, consultation_id=consultation.id)
    interrupt(SYSTEM, state_id=28, consultation_id=consultation.id)
    not_reachable(factories.doctor(doctor), **at(doctor, consultation))
    page = client.get(address).content.decode()
    assert "did not take place" in page
    assert "called twice" not in page
    found = Consultation.objects.get(state_id=28, id=consultation.id)
    assert found.status == ConsultationStatus.ABANDONED


def test_who_comes_back_finds_the_token_and_hears_that_it_rings(
    client: Client, clinic: Clinic, consultation: Consultation, address: str
) -> None:
    for page in ("/", "/people"):
        shown = client.get(page).content.decode()
        assert address in shown
        assert "Go to the waiting room" in shown
        assert "It is your turn" not in shown
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    for page in ("/", "/people"):
        shown = client.get(page).content.decode()
        assert address in shown
        assert "It is your turn: answer now" in shown
        # Neither page hears anything by itself.
        assert "live-gateway" not in shown
    assert address not in Client().get("/").content.decode()
    client.post(f"{address}/answer")
    assert "Go on with the consultation" in client.get("/").content.decode()


def test_a_call_that_rang_out_is_no_call_any_more(
    client: Client, clinic: Clinic, consultation: Consultation, address: str
) -> None:
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(seconds=121)):
        page = client.get(f"{address}/status").content.decode()
    assert "data-call-now" not in page
    assert "We called and nobody answered" in page
    assert "this page rings once more. Please keep it open" in page


def test_the_same_doctor_again(client: Client, clinic: Clinic, patient: Patient) -> None:
    factories.requested(clinic, patient)
    practitioner = factories.on_duty(clinic)
    staff = factories.doctor(practitioner)
    held = answer(
        me(patient),
        state_id=28,
        consultation_id=call_next(staff, practitioner=practitioner).id,
    )
    write_note(staff, **at(practitioner, held), content=NoteContent(advice="Rest"), diagnoses=[])
    complete(staff, **at(practitioner, held), outcome=Outcome.ADVICE)

    client.post(f"/people/{patient.id}/danger", {"sign": "none"})
    client.post(
        f"/people/{patient.id}/trouble",
        {"complaints": ["fever"], "text": "", "duration": "2", "duration_unit": "days"},
    )
    page = client.get(f"/people/{patient.id}/opds")
    again = f"/people/{patient.id}/opds/28/{clinic.id}?after=28.{held.id}"
    assert again in page.content.decode()

    form = client.get(again)
    assert f'value="28.{held.id}"' in form.content.decode()

    # Whoever looks for the doctor when the OPD is closed learns that, instead of nothing.
    hours = ClinicHours.objects.filter(state_id=28, clinic_id=clinic.id)
    kept = list(hours)
    hours.delete()
    closed = client.get(f"/people/{patient.id}/opds").content.decode()
    assert "The same doctor again" in closed
    assert f"<strong>{held.practitioner_name}</strong>" in closed
    assert again not in closed
    ClinicHours.objects.bulk_create(kept)

    sent = client.post(
        again,
        {
            "request_key": "0197d5a2-0000-7000-8000-000000000001",
            "after": f"28.{held.id}",
            "language": "en",
            "gender_preference": "any",
        },
    )

    assert sent.status_code == 303, sent.content.decode()
    asked = Consultation.objects.get(state_id=28, follows_id=held.id)
    assert asked.follow_up_with_id == practitioner.id
    assert str(asked.id) in sent.headers["Location"]

    # Asked for once more, the patient is led to where they wait.
    client.post(f"/people/{patient.id}/danger", {"sign": "none"})
    client.post(f"/people/{patient.id}/trouble", {"complaints": ["fever"], "text": ""})
    twice = client.post(
        again,
        {
            "request_key": "0197d5a2-0000-7000-8000-000000000002",
            "after": f"28.{held.id}",
            "language": "en",
            "gender_preference": "any",
        },
    )
    assert str(asked.id) in twice.headers["Location"]
    assert Consultation.objects.filter(state_id=28, follows_id=held.id).count() == 1


def test_a_patient_steps_down_and_asks_for_more(
    client: Client, clinic: Clinic, consultation: Consultation, address: str
) -> None:
    """Without the page's script, too: every button of the call does what it says."""
    practitioner = factories.on_duty(clinic)
    call_next(factories.doctor(practitioner), practitioner=practitioner)
    assert client.post(f"{address}/answer").status_code in (302, 303)
    room = consultation.room
    for do, ceiling, asked in [
        ("mode:chat", "chat", ""),
        ("mode:video", "chat", "video"),
        ("no", "chat", ""),
    ]:
        assert client.post(f"{address}/call", {"do": do}).status_code == 303, do
        room.refresh_from_db()
        assert (room.ceiling, room.asked_mode) == (ceiling, asked)


def test_who_waits_answers_what_the_doctor_will_want_to_know(client: Client) -> None:
    factories.ask_about_fever()
    clinic = factories.ClinicFactory.create()
    doctor = factories.on_duty(clinic)
    patient = factories.PatientFactory.create()
    held = factories.requested(clinic, patient, complaints=["fever"])
    factories.sign_in(client, Account.objects.get(id=patient.account_id))
    address = f"/consultations/28/{held.id}"
    assert "Do you shiver with cold?" in client.get(address).content.decode()
    wrong = client.post(f"{address}/more", {"chills": "yes", "temperature": "hot"})
    assert wrong.status_code == 422
    assert "Write a number, like 38.5." in wrong.content.decode()
    assert re.search(r'name="chills"[^>]*value="yes"[^>]*checked', wrong.content.decode())
    sent = client.post(f"{address}/more", {"chills": "yes", "phlegm": "", "temperature": "३९"})
    assert sent.headers["Location"] == f"{address}?more"
    assert "The doctor reads it before the call." in client.get(f"{address}?more").content.decode()
    told = intake_of(28, held.id)
    assert (told.complaints, told.told) == (["fever"], {"temperature": "39", "chills": "yes"})

    # Who reads already asks for the rest.
    call_next(factories.doctor(doctor), practitioner=doctor)
    late = client.post(f"{address}/more", {"chills": "no"})
    assert late.status_code == 409
    assert "please tell it in the call" in late.content.decode()
    assert "Do you shiver" not in client.get(address).content.decode()
    post = factories.PostFactory.create(practitioner=doctor, account_id=doctor.account_id)
    desk = Client()
    factories.enter(desk, dataclasses.replace(factories.doctor(doctor), post_id=post.id))
    assert "Do you shiver with cold?" in desk.get("/desk").content.decode()
