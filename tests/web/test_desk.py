"""The doctor's desk, over HTTP: what it shows, what it keeps, what it refuses, what it costs."""

import datetime
import re
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate
from joserfc import jwt
from joserfc.jwk import OctKey

from sanjeevani.calls.models import Message
from sanjeevani.calls.services import send_message
from sanjeevani.consultation.models import Consultation, ConsultationStatus, Diagnosis, Note
from sanjeevani.consultation.services import answer, give_feedback, not_answered, token_of
from sanjeevani.directory.models import Clinic, Practitioner, Role
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.live import hints_for
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.outbox import number_facts
from sanjeevani.identity.models import Account, Session
from sanjeevani.patients.models import Patient
from sanjeevani.prescription.models import DraftItem, Prescription
from sanjeevani.queueing.models import TokenStatus
from sanjeevani.roster.queries import duty_of
from sanjeevani.roster.services import unassign
from sanjeevani.web.doctor.writing import PARTING
from tests.factories import (
    ANDHRA_PRADESH,
    ClinicFactory,
    FacilityFactory,
    PatientFactory,
    PostFactory,
    PractitionerFactory,
    on_duty,
    person,
    requested,
    sign_in,
)

pytestmark = pytest.mark.django_db

STATEMENTS_OF_THE_DESK = 23
STATEMENTS_OF_A_DRAFT = 9
"""What the rules ask on top, once a medicine stands in the draft."""


STATEMENTS_BEFORE_SIGNING = 10
STATEMENTS_OF_SIGNING = 23


@dataclass
class Desk:
    """A doctor's browser, and the OPD that the doctor serves."""

    client: Client
    clinic: Clinic
    practitioner: Practitioner

    def get(self, name: str = "desk", *args: Any, **headers: str) -> Any:
        return self.client.get(reverse(f"doctor:{name}", args=args), headers=headers)

    def post(self, name: str, *args: Any, **data: Any) -> Any:
        return self.client.post(reverse(f"doctor:{name}", args=args), data)

    def write(self, case: Consultation, do: str, *, in_page: bool = True, **data: Any) -> Any:
        address = reverse("doctor:write", args=[case.state_id, case.id])
        headers = {"HX-Request": "true"} if in_page else {}
        return self.client.post(address, {"do": do, **data}, headers=headers)


@pytest.fixture
def desk(client: Client) -> Desk:
    clinic = ClinicFactory.create()
    practitioner = on_duty(clinic)
    sign_in_doctor(client, practitioner)
    return Desk(client, clinic, practitioner)


def sign_in_doctor(client: Client, practitioner: Practitioner, role: str = Role.DOCTOR) -> None:
    post = PostFactory.create(
        practitioner=practitioner,
        facility=FacilityFactory.create(state_id=practitioner.state_id),
        role=role,
    )
    sign_in(client, Account.objects.get(id=practitioner.account_id))
    Session.objects.filter(account_id=practitioner.account_id).update(
        post_state_id=post.state_id, post_id=post.id
    )


def called(desk: Desk, **content: Any) -> Consultation:
    """Let a patient ask, and the doctor press Next."""
    requested(desk.clinic, PatientFactory.create(), **content)
    assert desk.post("next").status_code == 303
    return Consultation.objects.get(
        state_id=ANDHRA_PRADESH, practitioner_id=desk.practitioner.id, ended_at=None
    )


def in_progress(desk: Desk, **content: Any) -> Consultation:
    """Let a patient ask, the doctor press Next, and the patient answer."""
    case = called(desk, **content)
    answer(person(case.patient_account_id), state_id=case.state_id, consultation_id=case.id)
    return case


def note_of(case: Consultation) -> Note:
    return Note.objects.get(state_id=case.state_id, consultation_id=case.id)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# The lines and Next


def test_an_empty_desk_says_what_to_do(desk: Desk) -> None:
    shown = text_of(desk.get())
    assert "Nobody is with you now" in shown
    assert "Next patient" in shown
    assert desk.clinic.name in shown


def test_off_duty_there_is_no_next(desk: Desk) -> None:
    desk.post("duty", to="off")
    assert "You are off duty" in text_of(desk.get())
    refused = desk.post("next")
    assert refused.status_code == 409
    assert "Go on duty first" in text_of(refused)


def test_next_with_nobody_waiting_says_so_on_the_desk(desk: Desk) -> None:
    response = desk.post("next")
    assert response.status_code == 404
    assert "Nobody is waiting in your lines." in text_of(response)
    assert "Your lines" in text_of(response)


def test_next_twice_is_one_patient(desk: Desk) -> None:
    case = called(desk)
    requested(desk.clinic, PatientFactory.create(name="Second"))
    response = desk.post("next")
    assert response.status_code == 409
    assert "already with a patient" in text_of(response)
    assert case.patient_name in text_of(response)


def test_going_off_duty_says_first_who_then_waits_for_whom(desk: Desk) -> None:
    requested(desk.clinic, PatientFactory.create())
    shown = text_of(desk.post("duty", to="off"))
    assert "1 waits." in shown
    assert "No other doctor is on duty there" in shown
    assert duty_of(desk.practitioner.id) == "on"
    on_duty(desk.clinic)
    assert "1 other doctor goes on" in text_of(desk.post("duty", to="off"))
    assert desk.post("duty", to="off", sure="yes").status_code == 303
    assert duty_of(desk.practitioner.id) == "off"


@pytest.mark.parametrize("to", ["", "holiday", "ON", "on\x00"])
def test_a_made_up_duty_changes_nothing(desk: Desk, to: str) -> None:
    assert desk.post("duty", to=to).status_code == 303
    assert duty_of(desk.practitioner.id) == "on"


def test_a_doctor_without_lines_is_told_whom_to_ask(client: Client) -> None:
    practitioner = PractitionerFactory.create()
    sign_in_doctor(client, practitioner)
    response = client.post(reverse("doctor:duty"), {"to": "on"})
    assert response.status_code == 422
    assert "Ask your facility" in text_of(response)


# The patient


@pytest.mark.parametrize(
    ("vitals", "warned"),
    [
        ({"oxygen_saturation": 82.0}, "3 at least, one value far off"),
        ({"oxygen_saturation": 90.0, "respiratory_rate": 26.0, "heart_rate": 132.0}, "high risk"),
        ({"oxygen_saturation": 98.0, "heart_rate": 72.0}, ""),
        ({"heart_rate": 72.0, "consciousness": 1.0}, "3 at least, one value far off"),
        ({"consciousness": 1.0}, "3 at least, one value far off"),
        ({"heart_rate": 72.0, "consciousness": 0.0, "oxygen_supply": 0.0}, ""),
        ({"consciousness": 0.0}, ""),
        ({}, ""),
    ],
)
def test_a_measurement_beyond_what_is_safe_stands_out(
    desk: Desk, reference: None, vitals: dict[str, float], warned: str
) -> None:
    in_progress(desk, text="Short of breath", vitals=vitals)
    shown = text_of(desk.get())
    assert ("Beyond what is safe" in shown) is bool(warned)
    assert ("NEWS2" in shown) is bool(warned)
    assert warned in shown


def test_a_measurement_stands_beside_what_it_was_before(desk: Desk, reference: None) -> None:
    earlier = in_progress(desk, text="High", vitals={"heart_rate": 96.0})
    desk.write(earlier, "done", in_page=False, outcome="advice", advice="Rest")
    then = clock.now() - datetime.timedelta(days=400)
    rows = Consultation.objects.filter(state_id=earlier.state_id, id=earlier.id)
    rows.update(requested_at=then)
    patient = Patient.objects.get(state_id=earlier.patient_state_id, id=earlier.patient_id)
    requested(desk.clinic, patient, text="High again", vitals={"heart_rate": 88.0})
    desk.post("next")
    year = localdate(then).year
    assert re.search(rf"88 /min before: 96 /min \(\d+ \w+ {year}\)", text_of(desk.get()))


def test_from_home_the_patient_has_agreed_and_is_not_asked_again(desk: Desk) -> None:
    case = in_progress(desk)
    shown = desk.get().content.decode()
    assert "The patient agreed, " in shown
    assert "confirm_consent" not in shown
    refused = desk.write(case, "confirm_consent", in_page=False)
    assert refused.status_code == 422
    case.refresh_from_db()
    assert case.consent_confirmed_at is None


def test_the_summary_has_what_a_doctor_asks_first(desk: Desk, reference: None) -> None:
    case = in_progress(
        desk,
        complaints=["fever", "cough"],
        text="तीन दिन से <b>बुखार</b>",
        duration_days=3,
        allergies="Penicillin",
        medicines="Telmisartan",
        history="Asthma",
        answers={"heavy_bleeding": False, "pregnant": False},
    )
    html = desk.get().content.decode()
    shown = text_of(desk.get())
    for expected in (case.patient_name, "female", "Guntur", "for 3 days", "Telmisartan", "Asthma"):
        assert expected in shown
    assert "Fever, Cough" in shown
    assert "&lt;b&gt;बुखार" in html
    assert 'class="glance__danger"' in html
    assert "Danger signs asked and answered no: 1" in shown
    assert "Pregnant No" in shown


def test_a_reload_shows_the_live_consultation(desk: Desk) -> None:
    case = called(desk)
    shown = text_of(desk.get())
    assert f"Calling {case.patient_name}" in shown
    assert "Hand back" in shown
    assert "Next patient" not in shown
    assert "History" not in shown


def test_handing_back_frees_the_doctor(desk: Desk) -> None:
    case = called(desk)
    response = desk.write(case, "hand_back", in_page=False, hand_back_reason="Not my field")
    assert response.status_code == 303
    assert "Next patient" in text_of(desk.get())
    again = desk.write(case, "hand_back", in_page=False, hand_back_reason="Not my field")
    assert again.status_code == 404
    assert "This consultation is not with you any more" in text_of(again)
    assert "Not my field" in text_of(again)


def test_a_call_not_answered_leaves_the_desk(desk: Desk) -> None:
    case = called(desk)
    later = clock.now() + datetime.timedelta(minutes=3)
    with clock.driven_by(lambda: later):
        not_answered(SYSTEM, state_id=case.state_id, token_id=case.token_id)
    assert 'data-call="none"' in desk.get("call").content.decode()
    assert "Nobody is with you now" in text_of(desk.get())


def test_a_record_of_a_stranger_is_not_found(desk: Desk, client: Client) -> None:
    case = in_progress(desk)
    other = on_duty(ClinicFactory.create())
    sign_in_doctor(client, other)
    for name in ("record", "messages", "sign", "prescription"):
        assert desk.get(name, case.state_id, case.id).status_code == 404, name
    assert desk.write(case, "save", history="x").status_code == 404
    assert desk.post("reply", case.state_id, case.id, text="x").status_code == 404
    assert desk.write(case, "hand_back", hand_back_reason="Not my field").status_code == 404
    assert desk.get("record", 33, case.id).status_code == 404
    assert not Note.objects.filter(state_id=case.state_id).exists()


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.FACILITY_ADMIN, Role.HEALTH_WORKER])
def test_other_roles_are_kept_out(client: Client, role: str) -> None:
    sign_in_doctor(client, PractitionerFactory.create(), role)
    for name in ("desk", "today", "lines", "call", "ticket"):
        assert client.get(reverse(f"doctor:{name}")).status_code == 403


def test_every_reading_is_on_the_audit_trail(desk: Desk) -> None:
    case = in_progress(desk)
    for name, args in (
        ("desk", ()),
        ("record", (case.state_id, case.id)),
        ("messages", (case.state_id, case.id)),
        ("sign", (case.state_id, case.id)),
    ):
        before = AuditEvent.objects.filter(state_id=case.state_id, verb="consultation.read").count()
        assert desk.get(name, *args).status_code == 200
        rows = AuditEvent.objects.filter(state_id=case.state_id, verb="consultation.read")
        assert rows.count() == before + 1, name
        newest = rows.order_by("id").last()
        assert newest is not None
        assert newest.record_id == case.id
        assert newest.post_id is not None
        assert newest.patient_id == case.patient_id


# Writing


def test_the_note_is_kept_and_comes_back(desk: Desk) -> None:
    case = in_progress(desk)
    response = desk.write(case, "save", history="बुखार तीन दिन से", height_cm="162", weight_kg="54.5")
    assert response.status_code == 200
    assert response.headers["X-Kept"] == "yes"
    assert "Kept at" in text_of(response)
    assert note_of(case).history == "बुखार तीन दिन से"
    assert "बुखार तीन दिन से" in text_of(desk.get())


def test_a_wrong_measure_is_refused_beside_it_and_the_rest_is_kept(desk: Desk) -> None:
    case = in_progress(desk)
    desk.write(case, "save", weight_kg="54")
    response = desk.write(case, "save", advice="Rest", weight_kg="fifty", height_cm="900")
    assert response.status_code == 422
    assert response.headers["X-Kept"] == "no"
    html = response.content.decode()
    beside = re.search(r'id="said-weight_kg".*?</div>', html, re.DOTALL)
    assert beside
    assert "Write the weight as a number" in beside.group()
    assert "from 20 to 250" in html
    kept = note_of(case)
    assert kept.advice == "Rest"
    assert kept.weight_kg == 54
    assert kept.height_cm is None


@pytest.mark.parametrize("do", sorted(PARTING))
def test_nobody_leaves_with_a_note_that_could_not_be_kept(desk: Desk, do: str) -> None:
    """Afterwards it could never be corrected."""
    case = in_progress(desk)
    ClinicFactory.create()
    reasons = ("redirect_reason", "missing", "hand_back_reason")
    response = desk.write(
        case,
        do,
        in_page=False,
        advice="Rest",
        height_cm="5.6",
        outcome="advice",
        **dict.fromkeys(reasons, "A reason to keep"),
    )
    assert response.status_code == 422
    html = response.content.decode()
    assert 'href="#id_height_cm"' in html
    assert 'value="5.6"' in html
    assert do not in ("redirect", "refer") or 'value="A reason to keep"' in html
    case.refresh_from_db()
    assert case.status == ConsultationStatus.IN_PROGRESS
    assert note_of(case).advice == "Rest"


def test_without_scripts_a_refused_note_keeps_what_was_typed(desk: Desk) -> None:
    case = in_progress(desk)
    tomorrow = clock.today() + datetime.timedelta(days=1)
    response = desk.write(
        case,
        "save",
        in_page=False,
        weight_kg="fifty",
        advice="Rest",
        text="half a message",
        last_menstrual_period_day=str(tomorrow.day),
        last_menstrual_period_month=str(tomorrow.month),
        last_menstrual_period_year=str(tomorrow.year),
    )
    html = response.content.decode()
    assert response.status_code == 422
    assert 'value="fifty"' in html
    assert 'value="half a message"' in html
    assert 'href="#id_weight_kg"' in html
    assert "This day has not come yet." in html
    assert desk.write(case, "save", in_page=False, advice="Rest").status_code == 303


def test_too_long_a_text_is_refused_and_the_old_one_stays(desk: Desk) -> None:
    case = in_progress(desk)
    desk.write(case, "save", history="short")
    response = desk.write(case, "save", history="x" * 4001)
    assert response.status_code == 422
    assert "Shorten this: 4000 characters fit here." in text_of(response)
    assert note_of(case).history == "short"


def test_what_cannot_be_kept_is_shown_to_be_copied(desk: Desk) -> None:
    case = called(desk)
    in_page = desk.write(case, "save", history="precious words")
    assert in_page.status_code == 409
    assert in_page.headers["X-Unkept"] == "NotInProgress"
    assert "still here" in text_of(in_page)
    plain = desk.write(
        case,
        "save",
        in_page=False,
        history="precious words",
        urgency="within_a_week",
        follow_up_days="14",
        clinic="hub:0190a6b5-7c1e-7000-8000-000000000001",
    )
    assert plain.status_code == 409
    for shown in ("precious words", "Within a week", "In 2 weeks"):
        assert shown in text_of(plain)
    for code in ("within_a_week", "hub:"):
        assert code not in text_of(plain)


def test_the_doctor_writes_to_the_patient_once_per_message(desk: Desk) -> None:
    case = in_progress(desk)
    key = str(uuid.uuid4())
    for _again in range(2):
        response = desk.write(case, "send", text="नमस्ते <script>", client_key=key, history="H")
        assert response.status_code == 200
        assert response.headers["X-Taken"] == "text"
        assert "नमस्ते &lt;script&gt;" in response.content.decode()
        assert f'value="{key}"' not in response.content.decode()
    assert Message.objects.filter(state_id=case.state_id, room_id=case.room_id).count() == 1
    assert note_of(case).history == "H"


@pytest.mark.parametrize(
    ("text", "said"),
    [(" ", "Write something first."), ("x" * 2001, "2000"), ("\x00", "Write something first.")],
)
def test_a_message_that_cannot_be_sent(desk: Desk, text: str, said: str) -> None:
    case = in_progress(desk)
    response = desk.write(case, "send", text=text, client_key=str(uuid.uuid4()))
    assert response.status_code == 422
    assert said in text_of(response)
    assert response.headers["X-Taken"] == ""
    assert not Message.objects.filter(state_id=case.state_id).exists()


@pytest.mark.parametrize("words", ["acute upper resp", "j06", "J069"])
def test_a_diagnosis_is_found_chosen_and_removed(desk: Desk, reference: None, words: str) -> None:
    case = in_progress(desk)
    found = desk.write(case, "find_diagnosis", diagnosis=words).content.decode()
    assert "add_diagnosis:J06.9" in found
    added = desk.write(case, "add_diagnosis:J06.9", diagnosis=words, history="H")
    assert added.headers["X-Taken"] == "diagnosis"
    assert "remove_diagnosis:J06.9" in added.content.decode()
    desk.write(case, "add_diagnosis:J06.9")
    kept = Diagnosis.objects.filter(state_id=case.state_id, consultation_id=case.id)
    assert [row.code for row in kept] == ["J06.9"]
    assert note_of(case).history == "H"
    desk.write(case, "remove_diagnosis:J06.9")
    assert not kept.all().exists()


@pytest.mark.parametrize(
    "do", ["add_diagnosis:ZZZ", "remove_diagnosis:", "remove_item:nonsense", "fly", "", ":"]
)
def test_made_up_actions_do_nothing(desk: Desk, do: str) -> None:
    case = in_progress(desk)
    assert desk.write(case, do).status_code == 200
    assert not Diagnosis.objects.filter(state_id=case.state_id).exists()


def test_without_scripts_results_stand_on_the_desk(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    response = desk.write(case, "send", in_page=False, diagnosis="fever", advice="Rest")
    assert response.status_code == 200
    html = response.content.decode()
    assert "add_diagnosis:R50.9" in html
    assert "Rest" in html
    chosen = desk.write(case, "add_diagnosis:R50.9", in_page=False, diagnosis="fever")
    assert chosen.status_code == 303


# Prescribing


def lines_of(case: Consultation) -> list[tuple[str, str, int, str]]:
    rows = DraftItem.objects.filter(state_id=case.state_id, consultation_id=case.id)
    return [
        (row.medicine_code, row.frequency, row.duration_days, row.instruction_code) for row in rows
    ]


def test_a_line_as_doctors_type_it(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    response = desk.write(case, "add_line", line="pcm 650 1-0-1 5d after food")
    assert response.status_code == 200
    assert response.headers["X-Taken"] == "line"
    assert "PARACETAMOL 650 mg" in text_of(response)
    assert "1 tablet, twice a day, 5 days, after food" in text_of(response)
    assert lines_of(case) == [("paracetamol-tablet-650mg", "BD", 5, "after_food")]
    item = DraftItem.objects.get(state_id=case.state_id)
    desk.write(case, f"remove_item:{item.id}")
    desk.write(case, f"remove_item:{item.id}")
    assert lines_of(case) == []


def test_several_medicines_fit_and_one_is_chosen_with_the_line(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    response = desk.write(case, "add_line", line="pcm 1-0-1 4d")
    assert response.status_code == 422
    assert "Several medicines fit" in text_of(response)
    assert "add_line:paracetamol-tablet-500mg" in response.content.decode()
    response = desk.write(case, "add_line:paracetamol-tablet-500mg", line="pcm 1-0-1 4d")
    assert response.status_code == 200
    assert [line[:3] for line in lines_of(case)] == [("paracetamol-tablet-500mg", "BD", 4)]


def test_a_name_misspelt_offers_the_nearest(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    response = desk.write(case, "add_line", line="metphormin 500 1-0-1 5d")
    assert response.status_code == 422
    assert "Did you mean one of these?" in text_of(response)
    assert "add_line:metformin-tablet-500mg" in response.content.decode()
    assert lines_of(case) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "Write a medicine"),
        ("zzzz 1-0-1 5d", "no medicine of this name"),
        ("pcm 650 1-0-1 900d", "from 1 to 90"),
        ("digoxin 0.125 od 30d", "There is: Digoxin 0.25 mg, tablet."),
        ("warfarin 5 od 30d", "Write how much is taken at a time"),
        ("amoxicillin 500 mg cap tds 5d", "only after seeing the patient by video"),
    ],
)
def test_a_line_that_is_refused_stays_with_its_reason(
    desk: Desk, reference: None, line: str, said: str
) -> None:
    case = in_progress(desk)
    response = desk.write(case, "add_line", line=line, history="H")
    assert response.status_code == 422
    assert said in text_of(response)
    assert response.headers["X-Taken"] == ""
    assert response.headers["X-Kept"] == "yes"
    assert lines_of(case) == []
    plain = desk.write(case, "add_line", in_page=False, line=line)
    assert plain.status_code == 422
    if line:
        assert f'value="{line}"' in plain.content.decode()


def test_field_by_field(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    found = desk.write(case, "find_medicine", medicine="cetir").content.decode()
    assert "choose_medicine:cetirizine-tablet-10mg" in found
    form = desk.write(case, "choose_medicine:cetirizine-tablet-10mg", medicine="cetir")
    assert 'name="medicine_code" value="cetirizine-tablet-10mg"' in form.content.decode()
    fields: dict[str, Any] = {
        "medicine_code": "cetirizine-tablet-10mg",
        "frequency": "HS",
        "medicine": "cetir",
    }
    refused = desk.write(case, "add_item", **fields, dose="much", duration_days="")
    assert refused.status_code == 422
    assert 'value="much"' in refused.content.decode()
    assert "for how many days" in text_of(refused)
    added = desk.write(case, "add_item", **fields, dose="1", duration_days="3")
    assert added.status_code == 200
    assert lines_of(case) == [("cetirizine-tablet-10mg", "HS", 3, "")]


def test_a_warning_asks_for_a_reason_which_stands(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    response = desk.write(case, "add_line", line="pcm 500 3-3-3-3 2d")
    assert response.status_code == 200
    assert "Needs a reason:" in text_of(response)
    desk.write(case, "add_diagnosis:R50.9")
    refused = desk.post("sign", case.state_id, case.id)
    assert refused.status_code == 422
    assert "Write the reason beside the medicine" in text_of(refused)
    item = DraftItem.objects.get(state_id=case.state_id)
    kept = desk.write(case, "sign", in_page=False, **{f"reason_{item.id}": "Weighs 110 kg"})
    assert kept.headers["Location"].endswith("/sign?follow_up_days=")
    assert "Weighs 110 kg" in text_of(desk.get("sign", case.state_id, case.id))
    assert desk.post("sign", case.state_id, case.id).status_code == 303
    signed = Prescription.objects.get(state_id=case.state_id, consultation_id=case.id)
    assert signed.content["medicines"][0]["override_reason"] == "Weighs 110 kg"


@pytest.mark.parametrize(
    "change",
    [
        {"do": "add_line", "line": "cetirizine 10 hs 3d"},
        {"do": "add_diagnosis:R50.9"},
        {"do": "save", "advice": "Rest"},
    ],
)
def test_what_was_changed_in_another_tab_is_not_signed_unseen(
    desk: Desk, reference: None, change: dict[str, Any]
) -> None:
    case = in_progress(desk)
    desk.write(case, "add_line", line="pcm 650 1-0-1 5d")
    desk.write(case, "add_diagnosis:J00")

    def seen() -> str:
        page = desk.get("sign", case.state_id, case.id).content.decode()
        [seal] = re.findall(r'name="seen" value="(\w+)"', page)
        return str(seal)

    before = seen()
    desk.write(case, **change)
    refused = desk.post("sign", case.state_id, case.id, seen=before)
    assert refused.status_code == 409
    assert "Something was changed after you looked at this" in text_of(refused)
    assert not Prescription.objects.filter(state_id=case.state_id, consultation_id=case.id)
    for _twice in range(2):
        assert desk.post("sign", case.state_id, case.id, seen=seen()).status_code == 303
    assert Prescription.objects.filter(state_id=case.state_id).count() == 1


def test_signing_asks_for_a_diagnosis_and_a_medicine(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    assert "Add a medicine" in text_of(desk.post("sign", case.state_id, case.id))
    desk.write(case, "add_line", line="pcm 650 1-0-1 5d")
    refused = desk.post("sign", case.state_id, case.id)
    assert refused.status_code == 422
    assert "Choose a diagnosis" in text_of(refused)


def test_the_page_before_signing_says_all_that_is_missing(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    address = reverse("doctor:desk")
    empty = desk.get("sign", case.state_id, case.id)
    assert f'href="{address}#id_line"' in empty.content.decode()

    desk.write(case, "add_line", line="pcm 500 3-3-3-3 2d")
    item = DraftItem.objects.get(state_id=case.state_id)
    page = desk.get("sign", case.state_id, case.id)
    assert "PARACETAMOL 500 mg: Write the reason beside the medicine" in text_of(page)
    assert "Choose a diagnosis" in text_of(page)
    for field in (f"reason_{item.id}", "id_diagnosis"):
        assert f'href="{address}#{field}"' in page.content.decode()
        assert f'id="{field}"' in desk.get().content.decode()
    assert 'data-key="s"' not in page.content.decode()
    both = text_of(desk.post("sign", case.state_id, case.id))
    assert "Write the reason" in both
    assert "Choose a diagnosis" in both

    explained: dict[str, Any] = {f"reason_{item.id}": "Weighs 110 kg"}
    desk.write(case, "add_diagnosis:R50.9", **explained)
    ready = desk.get("sign", case.state_id, case.id).content.decode()
    assert 'data-key="s"' in ready
    assert "Before you can sign" not in ready


def test_from_note_to_next(desk: Desk, reference: None) -> None:
    case = in_progress(desk, complaints=["fever"], allergies="Penicillin")
    desk.write(case, "add_diagnosis:J06.9", advice="Rest and fluids", height_cm="110")
    desk.write(case, "add_line", line="pcm 650 1-0-1 5d after food")
    forgotten = desk.write(case, "sign", in_page=False, line="cetirizine 10 hs 3d")
    assert forgotten.status_code == 422
    assert "This line is not added yet" in text_of(forgotten)
    unsigned = desk.write(case, "done", in_page=False, outcome="prescription")
    assert unsigned.status_code == 422
    assert "Sign the prescription first" in text_of(unsigned)
    preview = text_of(desk.get("sign", case.state_id, case.id))
    for expected in (
        "PARACETAMOL 650 mg",
        "by mouth",
        "Rest and fluids",
        "110",
        "(J06.9)",
        "Penicillin",
        case.patient_name,
        "Guntur",
        desk.practitioner.registration_number,
        desk.practitioner.qualification,
        desk.practitioner.contact,
        "Chat",
    ):
        assert expected in preview, expected
    assert desk.post("sign", case.state_id, case.id).status_code == 303
    signed = Prescription.objects.get(state_id=case.state_id, consultation_id=case.id)
    assert f"number {signed.number}" in text_of(desk.get())
    beside = desk.write(case, "remove_item:none")
    assert f"number {signed.number}" in text_of(beside)
    cancelled = desk.post("cancel-prescription", case.state_id, case.id, reason="Wrong strength")
    assert cancelled.status_code == 303
    assert f"number {signed.number}" not in text_of(desk.get())
    assert desk.post("sign", case.state_id, case.id).status_code == 303
    paper = desk.get("prescription", case.state_id, case.id)
    assert paper.headers["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF")
    none = desk.write(case, "done", in_page=False)
    assert none.status_code == 422
    assert "Choose what this consultation led to." in text_of(none)
    done = desk.write(case, "done", in_page=False, outcome="prescription")
    assert done.headers["Location"] == "/desk?finished=1"
    shown = text_of(desk.client.get(done.headers["Location"]))
    assert "Finished." in shown
    assert "Next patient" in shown
    late = desk.write(case, "save", in_page=False, history="one word more")
    assert late.status_code == 409
    assert "one word more" in text_of(late)


def ready_to_sign(desk: Desk) -> Consultation:
    """A consultation with a prescription that only has to be signed."""
    case = in_progress(desk)
    desk.write(case, "add_line", line="pcm 650 1-0-1 5d")
    desk.write(case, "add_diagnosis:J00")
    return case


def test_signing_can_end_the_consultation_and_call_the_next(desk: Desk, reference: None) -> None:
    case = ready_to_sign(desk)
    second = requested(desk.clinic, PatientFactory.create(name="Second"))
    sent = desk.write(case, "sign", in_page=False, outcome="advice", follow_up_days="7")
    page = desk.client.get(sent.headers["Location"]).content.decode()
    assert re.search(r'<option value="7" selected', page)
    seal = re.findall(r'name="seen" value="(\w+)"', page)[0]
    end = {"seen": seal, "outcome": "prescription", "follow_up_days": "7", "do": "done_next"}
    # Pressed twice over a slow link: the second time the next patient's phone rings already.
    for _twice in range(2):
        answer = desk.client.post(sent.headers["Location"], end)
        assert answer.headers["Location"] == "/desk?finished-next=1"
    assert f"Calling {second.patient_name}" in text_of(desk.get())
    case.refresh_from_db()
    assert (case.status, case.outcome) == ("completed", "prescription")
    assert case.follow_up_on == clock.today() + datetime.timedelta(days=7)
    other = desk.client.post(sent.headers["Location"], end | {"follow_up_days": "14"})
    assert other.headers["Location"] == "/desk?moved=1"


@pytest.mark.parametrize(
    "ending", [{"outcome": "in_person"}, {"outcome": "advice", "letter_reason": "Chest X-ray"}]
)
def test_who_has_to_go_somewhere_gets_the_letter_first(
    desk: Desk, reference: None, ending: dict[str, Any]
) -> None:
    case = ready_to_sign(desk)
    sent = desk.write(case, "sign", in_page=False, **ending)
    page = desk.client.get(sent.headers["Location"]).content.decode()
    assert 'data-key="s"' in page
    assert "done" not in re.findall(r'name="do" value="(\w+)"', page)


def test_an_end_that_is_refused_leaves_what_was_signed(desk: Desk, reference: None) -> None:
    case = ready_to_sign(desk)
    address = reverse("doctor:sign", args=[case.state_id, case.id])
    refused = desk.client.post(address, {"outcome": "in_person", "do": "done"})
    assert refused.status_code == 422
    case.refresh_from_db()
    assert case.is_open
    assert "number" in text_of(desk.get())


def test_done_needs_a_word(desk: Desk) -> None:
    case = in_progress(desk)
    response = desk.write(case, "done", in_page=False, outcome="advice")
    assert response.status_code == 422
    assert "Write your advice or a diagnosis" in text_of(response)
    assert desk.write(case, "done", in_page=False, outcome="referred_up").status_code == 422
    finished = desk.write(case, "done", in_page=False, outcome="advice", advice="Rest")
    assert finished.status_code == 303


def test_done_calls_the_next_patient_of_who_wants_it(desk: Desk) -> None:
    first = in_progress(desk)
    second = requested(desk.clinic, PatientFactory.create(name="Second"))
    wrong = desk.write(first, "done_next", in_page=False, outcome="advice")
    assert wrong.status_code == 422
    assert token_of(second).status == TokenStatus.WAITING
    done = desk.write(first, "done_next", in_page=False, outcome="advice", advice="Rest")
    assert done.headers["Location"] == "/desk?finished-next=1"
    shown = text_of(desk.client.get(done.headers["Location"]))
    assert "The last consultation is finished." in shown
    assert second.patient_name in shown

    answer(person(second.patient_account_id), state_id=28, consultation_id=second.id)
    last = desk.write(second, "done_next", in_page=False, outcome="advice", advice="Rest")
    assert "Nobody is waiting" in text_of(desk.client.get(last.headers["Location"]))


def test_done_pressed_twice_over_a_slow_link_goes_on_with_the_next_patient(desk: Desk) -> None:
    """The next patient's phone rings: no time to read that something could not be kept."""
    first = in_progress(desk)
    second = requested(desk.clinic, PatientFactory.create(name="Second"))
    sent: dict[str, Any] = {"in_page": False, "outcome": "advice", "advice": "Rest"}
    desk.write(first, "done_next", **sent)
    again = desk.write(first, "done_next", **sent)
    assert again.headers["Location"] == "/desk?finished-next=1"
    shown = text_of(desk.client.get(again.headers["Location"]))
    assert f"Calling {second.patient_name}" in shown
    # Anything else than what finished it is not kept, and says so.
    others = ("advice", "Rest and steam"), ("outcome", "emergency"), ("follow_up_days", "7")
    for other in (dict([one]) for one in (*others, ("height_cm", "9"))):
        late = desk.write(first, "done_next", **sent | other)
        assert late.status_code in (409, 422), other


def test_who_takes_a_break_during_a_consultation_is_given_nobody_afterwards(desk: Desk) -> None:
    first = in_progress(desk)
    second = requested(desk.clinic, PatientFactory.create())
    assert "Your break begins" not in text_of(desk.get())
    desk.post("duty", to="break")
    shown = text_of(desk.get())
    assert "Your break begins after this patient." in shown
    assert "Done, next patient" not in shown
    done = desk.write(first, "done_next", in_page=False, outcome="advice", advice="Rest")
    assert done.headers["Location"] == "/desk?finished=1"
    assert token_of(second).status == TokenStatus.WAITING


# Looking back


def test_the_day_has_what_was_done_said_and_asked(desk: Desk) -> None:
    case = in_progress(desk)
    desk.write(case, "done", in_page=False, outcome="advice", advice="Rest")
    actor = person(case.patient_account_id)
    give_feedback(
        actor,
        state_id=case.state_id,
        consultation_id=case.id,
        rating=4,
        comment="बहुत <b>अच्छा</b>",
    )
    send_message(
        actor,
        state_id=case.state_id,
        room_id=case.room_id,
        text="May she bathe?",
        client_key=uuid.uuid4(),
    )
    response = desk.get("today")
    shown = text_of(response)
    assert "4 of 5" in shown
    assert "&lt;b&gt;अच्छा" in response.content.decode()
    assert "Patients who ask something" in shown
    assert "Answer until" in shown
    assert "Less than a day left" not in shown
    almost = clock.now() + datetime.timedelta(days=2, hours=1)
    with clock.driven_by(lambda: almost):
        assert "Less than a day left" in text_of(desk.get("today"))
    over = clock.now() + datetime.timedelta(days=3, hours=1)
    with clock.driven_by(lambda: over):
        assert "Patients who ask something" not in text_of(desk.get("today"))
    record = desk.get("record", case.state_id, case.id)
    assert "May she bathe?" in text_of(record)
    # Taken off the line meanwhile, the doctor still owes the answer, and has the day's work.
    unassign(SYSTEM, practitioner=desk.practitioner, line=desk.clinic.line)
    assert "1 patient asks something" in text_of(desk.get())
    shown = text_of(desk.get("today"))
    assert "Patients who ask something" in shown
    assert "4 of 5" in shown
    empty = desk.post("reply", case.state_id, case.id, text=" ", client_key=str(uuid.uuid4()))
    assert empty.status_code == 422
    replied = desk.post("reply", case.state_id, case.id, text="Yes", client_key=str(uuid.uuid4()))
    assert replied.status_code == 303
    assert "Patients who ask something" not in text_of(desk.get("today"))
    later = clock.now() + datetime.timedelta(days=4)
    with clock.driven_by(lambda: later):
        assert "Message to the patient" not in text_of(desk.get("record", case.state_id, case.id))


def test_an_earlier_consultation_can_be_read(desk: Desk) -> None:
    earlier = in_progress(desk)
    desk.write(earlier, "done", in_page=False, outcome="advice", advice="Rest and fluids")
    patient = Patient.objects.get(state_id=earlier.patient_state_id, id=earlier.patient_id)
    requested(desk.clinic, patient)
    desk.post("next")
    address = reverse("doctor:record", args=[earlier.state_id, earlier.id])
    assert address in desk.get().content.decode()
    assert "Rest and fluids" in text_of(desk.client.get(address))


# Live


def test_fragments_are_sent_only_when_changed(desk: Desk) -> None:
    case = in_progress(desk)
    moment = clock.now() + datetime.timedelta(minutes=2)
    with clock.driven_by(lambda: moment):
        for name, args in (
            ("lines", ()),
            ("call", ()),
            ("messages", (case.state_id, case.id)),
        ):
            first = desk.get(name, *args)
            assert "<html" not in first.content.decode()
            again = desk.get(name, *args, **{"If-None-Match": first.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b""), name


def test_the_ticket_names_lines_desk_and_the_live_room(desk: Desk) -> None:
    case = called(desk)
    told = AuditEvent.objects.filter(state_id=case.state_id)
    before = told.count()
    answered = desk.get("ticket").json()
    assert told.count() == before, "nothing of the patient was read"
    claims = jwt.decode(answered["ticket"], OctKey.import_key(settings.LIVE_SECRET)).claims
    assert claims["topics"] == {
        f"line.{desk.clinic.line_id}": "",
        f"desk.{desk.practitioner.id}": "",
        f"consultation.{case.id}": "",
        f"room.{case.room_id}": "",
        f"chat.{case.room_id}": "",
        f"papers.{case.id}": "",
        f"asks.{case.id}": "",
    }
    assert answered["expires"] > 0


def test_a_desk_made_by_next_is_not_told_of_it(desk: Desk) -> None:
    requested(desk.clinic, PatientFactory.create())
    number_facts()
    assert desk.post("next").status_code == 303
    case = Consultation.objects.get(
        state_id=ANDHRA_PRADESH, practitioner_id=desk.practitioner.id, ended_at=None
    )
    hints = hints_for(number_facts())
    claims, seen = _ticket_in(desk.get().content.decode())
    heard = set(claims["topics"]) & set(hints)
    assert heard >= {f"line.{desk.clinic.line_id}", f"consultation.{case.id}"}
    assert all(seen.issuperset(hints[topic]["causes"]) for topic in heard)

    answer(person(case.patient_account_id), state_id=case.state_id, consultation_id=case.id)
    hints = hints_for(number_facts())
    assert not seen.issuperset(hints[f"consultation.{case.id}"]["causes"])
    # What others do is news to the browser's next page too, as far as can be known.
    _claims, seen = _ticket_in(desk.get().content.decode())
    assert not seen.issuperset(hints[f"consultation.{case.id}"]["causes"])


@pytest.mark.parametrize("kept", ["x", "é" * 32, ".", "0" * 31, ("0" * 32 + ".") * 99])
def test_a_made_up_memory_of_what_was_done_harms_nothing(desk: Desk, kept: str) -> None:
    desk.client.cookies["done"] = kept
    response = desk.get()
    assert response.status_code == 200
    assert len(_ticket_in(response.content.decode())[1]) <= 1


def _ticket_in(page: str) -> tuple[Any, set[str]]:
    ticket = re.search(r'data-live-ticket="([^"]+)"', page)
    assert ticket
    claims = jwt.decode(ticket.group(1), OctKey.import_key(settings.LIVE_SECRET)).claims
    return claims, set(claims["seen"])


def test_every_key_of_the_desk_does_one_thing(desk: Desk) -> None:
    case = called(desk)
    for _stage in ("called", "in progress"):
        keys = re.findall(r'data-key="(.)"', desk.get().content.decode())
        assert len(keys) > 9
        assert sorted(set(keys)) == sorted(keys)
        answer(person(case.patient_account_id), state_id=case.state_id, consultation_id=case.id)


def test_the_desk_costs_few_statements(desk: Desk, reference: None) -> None:
    case = in_progress(desk, complaints=["fever", "cough"])
    desk.write(case, "add_diagnosis:J06.9", history="H")
    desk.get()  # what seldom changes is kept from then on
    with CaptureQueriesContext(connection) as captured:
        assert desk.get().status_code == 200
    assert len(captured) <= STATEMENTS_OF_THE_DESK, statements(captured)
    desk.write(case, "add_line", line="pcm 650 1-0-1 5d")
    with CaptureQueriesContext(connection) as captured:
        assert desk.get().status_code == 200
    assert len(captured) <= STATEMENTS_OF_THE_DESK + STATEMENTS_OF_A_DRAFT, statements(captured)
    address = reverse("doctor:sign", args=[case.state_id, case.id])
    with CaptureQueriesContext(connection) as captured:
        assert desk.client.get(address).status_code == 200
    assert len(captured) <= STATEMENTS_BEFORE_SIGNING, statements(captured)
    with CaptureQueriesContext(connection) as captured:
        assert "done_next" in desk.client.get(f"{address}?follow_up_days=").content.decode()
    assert len(captured) <= STATEMENTS_BEFORE_SIGNING + 1, statements(captured)  # on duty?
    with CaptureQueriesContext(connection) as captured:
        assert desk.client.post(address).status_code == 303
    assert len(captured) <= STATEMENTS_OF_SIGNING, statements(captured)


def statements(captured: CaptureQueriesContext) -> str:
    return "\n".join(query["sql"][:120] for query in captured.captured_queries)


# Two windows


def was_on(page: Any) -> str:
    found = re.search(r'name="was" id="note-was" value="([^"]*)"', page.content.decode())
    assert found
    return found[1]


def test_a_second_window_wipes_nothing_out(desk: Desk) -> None:
    """The phone that lies beside the laptop still shows the empty note of an hour ago."""
    case = in_progress(desk)
    was = was_on(desk.get())
    kept = desk.write(
        case,
        "save",
        history="Fever for three days",
        weight_kg="54",
        last_menstrual_period_day="2",
        last_menstrual_period_month="1",
        last_menstrual_period_year="2021",
        was=was,
    )
    assert was_on(kept) != was
    parts = [f"last_menstrual_period_{part}" for part in ("day", "month", "year")]
    empty: dict[str, Any] = {"history": "", "weight_kg": "", "advice": "Rest", "was": was}
    empty |= dict.fromkeys(parts, "")
    answered = desk.write(case, "send", text="Hello", client_key=str(uuid.uuid4()), **empty)
    assert answered.status_code == 200
    note = note_of(case)
    assert (note.history, note.advice) == ("Fever for three days", "Rest")
    assert note.weight_kg == 54
    assert note.last_menstrual_period == datetime.date(2021, 1, 2)
    # What stands there now comes into the fields that were not touched.
    filled = dict(re.findall(r'<pre data-fill="(\w+)">\n(.*?)</pre>', answered.content.decode()))
    assert filled == {
        "history": "Fever for three days",
        "weight_kg": "54",
        "last_menstrual_period_day": "2",
        "last_menstrual_period_month": "1",
        "last_menstrual_period_year": "2021",
    }
    # Emptied on purpose, it is empty.
    assert desk.write(case, "save", history="", was=was_on(answered)).status_code == 200
    assert note_of(case).history == ""


@pytest.mark.parametrize("in_page", [True, False])
def test_what_two_windows_wrote_is_put_together_by_the_doctor(desk: Desk, in_page: bool) -> None:
    case = in_progress(desk)
    was = was_on(desk.get())
    desk.write(case, "save", advice="Rest", was=was)
    # The link lost the first answer: what goes on from it is no other window's.
    desk.write(case, "save", advice="Rest and drink", was=was)
    assert note_of(case).advice == "Rest and drink"
    refused = desk.write(case, "done", in_page=in_page, advice="Steam", outcome="advice", was=was)
    assert refused.status_code == 422
    assert "Meanwhile this was kept here: “Rest and drink”" in text_of(refused)
    assert note_of(case).advice == "Rest and drink"
    assert desk.write(case, "save", advice="Steam, rest", was=was_on(refused)).status_code == 200
    assert note_of(case).advice == "Steam, rest"


@pytest.mark.parametrize("was", ["", "x", "history", "history:", ":", "made:up history:up"])
def test_a_made_up_seal_harms_nothing(desk: Desk, was: str) -> None:
    case = in_progress(desk)
    assert desk.write(case, "save", history="Fever", was=was).status_code == 200
    assert note_of(case).history == "Fever"
