"""A prescription replaced and cancelled by JSON, and seats in a call."""

import datetime
from dataclasses import dataclass

import pytest

from sanjeevani.consultation.models import Ask, AskStatus, Consultation
from sanjeevani.consultation.transfers import send_home
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.ids import uuid7
from tests.api.caller import Caller, asked, doctor_caller, new_key, patient_caller
from tests.factories import ClinicFactory, StateFactory

pytestmark = pytest.mark.usefixtures("reference")

REASON = "The dose was too low."


@dataclass(frozen=True)
class Meeting:
    """A consultation in progress."""

    patient: Caller
    doctor: Caller
    path: str

    def prescribe(self, frequency: str) -> None:
        """Put a line into the draft, or change it."""
        [medicine] = self.doctor.get("/staff/medicines?q=paracetamol+500&limit=1")["items"]
        self.doctor.post(
            f"/staff{self.path}/items",
            {
                "medicine_code": medicine["code"],
                "dose": "1",
                "frequency": frequency,
                "duration_days": 3,
            },
        )


@pytest.fixture
def meeting() -> Meeting:
    StateFactory()
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    doctor, _practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    patient.post(f"{path}/answer")
    return Meeting(patient, doctor, path)


def signed(meeting: Meeting) -> str:
    """Sign a line, end the consultation, and return the number."""
    found = meeting.doctor.get("/staff/diagnoses?q=fever")["items"][0]
    meeting.doctor.put(f"/staff{meeting.path}/note", {"diagnoses": [found["code"]]})
    meeting.prescribe("BD")
    number: str = meeting.doctor.make(f"/staff{meeting.path}/sign")["number"]
    meeting.doctor.post(f"/staff{meeting.path}/conclude", {"outcome": "prescription"})
    return number


def test_only_what_the_doctor_has_looked_at_is_signed(meeting: Meeting) -> None:
    """The desk in a browser beside the app: a line changes after the doctor has read it."""
    address = f"/staff{meeting.path}"
    empty = meeting.doctor.get(f"{address}/to-sign")
    assert {one["type"].rpartition(":")[2] for one in empty["missing"]} == {
        "NothingPrescribed",
        "DiagnosisMissing",
    }
    found = meeting.doctor.get("/staff/diagnoses?q=fever")["items"][0]
    meeting.doctor.put(f"{address}/note", {"diagnoses": [found["code"]]})
    meeting.prescribe("BD")
    looked_at = meeting.doctor.get(f"{address}/to-sign")
    assert (looked_at["missing"], looked_at["draft"][0]["frequency"]) == ([], "BD")
    meeting.prescribe("TDS")
    seen = {"seen": looked_at["seen"]}
    refused = meeting.doctor.send("POST", f"{address}/sign", seen, Idempotency_Key=new_key())
    assert (refused.status_code, refused.json()["type"][-17:]) == (409, ":ChangedMeanwhile")
    again = meeting.doctor.get(f"{address}/to-sign")
    signed_now = meeting.doctor.make(f"{address}/sign", {"seen": again["seen"]})
    assert signed_now["content"]["medicines"][0]["frequency"] == "TDS"


def test_what_the_doctor_hears_of_allergies_is_part_of_what_is_signed(meeting: Meeting) -> None:
    address = f"/staff{meeting.path}"
    found = meeting.doctor.get("/staff/diagnoses?q=fever")["items"][0]
    note = {"diagnoses": [found["code"]]}
    meeting.doctor.put(f"{address}/note", note)
    meeting.prescribe("BD")
    seen = meeting.doctor.get(f"{address}/to-sign")["seen"]
    meeting.doctor.put(f"{address}/note", note | {"allergies": "Dust", "medicines": "Vitamins"})
    again = meeting.doctor.get(f"{address}/to-sign")
    assert (again["allergies"], again["medicines"]) == ("Dust", "Vitamins")
    assert again["seen"] != seen
    content = meeting.doctor.make(f"{address}/sign", {"seen": again["seen"]})["content"]
    assert (content["allergies"], content["current_medicines"]) == ("Dust", "Vitamins")


def test_replaced_after_the_consultation(meeting: Meeting) -> None:
    first = signed(meeting)
    address = f"/staff{meeting.path}/prescription/replace"
    body = {"number": first, "reason": REASON}
    same = meeting.doctor.send("POST", address, body, Idempotency_Key=new_key())
    assert (same.status_code, same.json()["type"][-15:]) == (422, ":NothingChanged")
    seen = meeting.doctor.get(f"/staff{meeting.path}/to-sign")["seen"]
    meeting.prescribe("TDS")
    changed = meeting.doctor.send("POST", address, body | {"seen": seen}, Idempotency_Key=new_key())
    assert (changed.status_code, changed.json()["type"][-17:]) == (409, ":ChangedMeanwhile")
    seen = meeting.doctor.get(f"/staff{meeting.path}/to-sign")["seen"]
    second = meeting.doctor.make(address, body | {"seen": seen})
    read = meeting.patient.get(f"{meeting.path}/prescription")
    assert (read["number"], read["ending"]) == (second["number"], None)
    again = meeting.doctor.send("POST", address, body, Idempotency_Key=new_key())
    assert (again.status_code, again.json()["type"][-13:]) == (409, ":AlreadyEnded")


def test_cancelled_prescription_says_so_to_the_patient(meeting: Meeting) -> None:
    number = signed(meeting)
    address = f"/staff{meeting.path}/prescription/cancel"
    other = meeting.doctor.send("POST", address, {"number": "0000-0000-0000", "reason": REASON})
    assert other.status_code == 404
    short = meeting.doctor.send("POST", address, {"number": number, "reason": "x"})
    assert short.status_code == 422
    meeting.doctor.post(address, {"number": number, "reason": REASON})
    ending = meeting.patient.get(f"{meeting.path}/prescription")["ending"]
    assert (ending["kind"], ending["reason"], ending["successor"]) == ("cancelled", REASON, "")
    twice = meeting.doctor.send("POST", address, {"number": number, "reason": REASON})
    assert (twice.status_code, twice.json()["type"][-13:]) == (409, ":AlreadyEnded")


def test_who_polls_the_consultation_learns_that_the_prescription_was_cancelled(
    meeting: Meeting,
) -> None:
    number = signed(meeting)
    before = meeting.patient.send("GET", meeting.path)
    assert before.json()["prescription_holds"] is True
    address = f"/staff{meeting.path}/prescription/cancel"
    meeting.doctor.post(address, {"number": number, "reason": REASON})
    after = meeting.patient.send("GET", meeting.path, If_None_Match=before.headers["ETag"])
    assert after.status_code == 200
    assert after.json()["prescription_holds"] is False


def test_the_patient_reads_all_that_was_written_for_them(meeting: Meeting) -> None:
    """Where to go and how soon, when to come back, and what a specialist said."""
    consultation = Consultation.objects.get(id=meeting.path.rpartition("/")[2], state_id=28)
    now = clock.now()
    Ask.objects.create(
        state_id=28,
        id=uuid7(),
        consultation_id=consultation.id,
        status=AskStatus.LEFT,
        speciality_code="cardiology",
        colleague_state_id=28,
        colleague_id=uuid7(),
        colleague_name="Dr Kavita Rao",
        asked_at=now,
        answer_by=now,
        read_until=now,
        advice="Have an ECG today.",
        advised_at=now,
    )
    meeting.doctor.put(f"/staff{meeting.path}/note", {"advice": "Rest."})
    letter = {"refer_to": "District Hospital", "urgency": "within_a_day", "reason": "An ECG"}
    meeting.doctor.post(
        f"/staff{meeting.path}/conclude",
        {"outcome": "in_person", "letter": letter, "follow_up_days": 7},
    )
    findings = meeting.patient.get(meeting.path)["findings"]
    assert findings["letter"] == letter
    assert findings["follow_up_on"] == str(clock.today() + datetime.timedelta(days=7))
    [colleague] = findings["colleagues"]
    assert (colleague["name"], colleague["advice"]) == ("Dr Kavita Rao", "Have an ECG today.")


def test_only_the_doctor_of_the_consultation_ends_it(meeting: Meeting) -> None:
    body = {"number": signed(meeting), "reason": REASON}
    stranger, _practitioner = doctor_caller(ClinicFactory())
    for verb in ("cancel", "replace"):
        address = f"/staff{meeting.path}/prescription/{verb}"
        refused = stranger.send("POST", address, body, Idempotency_Key=new_key())
        assert refused.status_code == 404
        assert meeting.patient.send("POST", address, body).status_code == 403


def test_each_takes_the_own_seat_while_the_call_lasts(meeting: Meeting) -> None:
    guest = meeting.patient.get(f"{meeting.path}/seat")
    host = meeting.doctor.get(f"/staff{meeting.path}/seat")
    assert guest["ticket"] != host["ticket"]
    assert guest["url"].startswith("ws")
    stranger, _practitioner = doctor_caller(ClinicFactory())
    assert stranger.send("GET", f"/staff{meeting.path}/seat").status_code == 404
    assert patient_caller().send("GET", f"{meeting.path}/seat").status_code == 404
    signed(meeting)
    assert meeting.patient.send("GET", f"{meeting.path}/seat").status_code == 410
    assert meeting.doctor.send("GET", f"/staff{meeting.path}/seat").status_code == 410


@pytest.mark.parametrize(
    "note",
    [
        {"weight_kg": "0"},
        {"weight_kg": "540"},
        {"height_cm": "16"},
        {"height_cm": "900"},
        {"last_menstrual_period": "2999-01-01"},
    ],
)
def test_measures_that_cannot_be_are_refused_as_on_the_pages(
    meeting: Meeting, note: dict[str, str]
) -> None:
    """A weight of 0 kg would have lifted every limit by weight."""
    refused = meeting.doctor.send("PUT", f"/staff{meeting.path}/note", note)
    assert refused.status_code == 422
    assert next(iter(note)) in refused.content.decode()
    possible = {"weight_kg": "0.9", "height_cm": "36", "last_menstrual_period": "2020-01-01"}
    meeting.doctor.put(f"/staff{meeting.path}/note", possible)


def test_why_it_did_not_take_place_and_who_goes_first_next(meeting: Meeting) -> None:
    before = meeting.patient.send("GET", meeting.path)
    assert (before.json()["not_held"], before.json()["goes_first"]) == (None, False)
    meeting.doctor.post(f"/staff{meeting.path}/interrupt")
    meeting.doctor.post(f"/staff{meeting.path}/not-reachable")
    lost = meeting.patient.send("GET", meeting.path, If_None_Match=before.headers["ETag"]).json()
    assert (lost["status"], lost["not_held"], lost["goes_first"]) == (
        "abandoned",
        "not_reachable",
        True,
    )
    clinic = ClinicFactory()
    path = asked(meeting.patient, clinic)
    token_id = Consultation.objects.get(state_id=28, id=path.rpartition("/")[2]).token_id
    send_home(SYSTEM, state_id=28, token_id=token_id)
    assert meeting.patient.get(path)["not_held"] == "clinic_closed"
    assert meeting.patient.get(path)["goes_first"]
    later = clock.now() + datetime.timedelta(days=3, seconds=1)
    with clock.driven_by(lambda: later):
        assert not meeting.patient.get(path)["goes_first"]
    path = asked(meeting.patient, clinic)
    doctor, _practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    meeting.patient.post(f"{path}/answer")
    doctor.post(f"/staff{path}/report")
    assert meeting.patient.get(path)["not_held"] == "ended_by_doctor"
