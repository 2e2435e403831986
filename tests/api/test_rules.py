"""What no program gets around: the rules stand in the verbs, not in the pages."""

import uuid
from typing import Any

import pytest
from django.test import RequestFactory

from sanjeevani.config.wsgi import application
from sanjeevani.consultation.errors import DangerUnanswered
from sanjeevani.consultation.services import get
from sanjeevani.consultation.transfers import request_follow_up, return_to_patient
from sanjeevani.directory.models import Clinic
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.foundation import clock
from sanjeevani.identity.models import Account
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import draft_of
from sanjeevani.intake.services import save_draft
from sanjeevani.patients.models import Patient
from tests.api.caller import (
    asked,
    asking,
    caller_of,
    doctor_caller,
    new_key,
    patient_caller,
    ready_profile,
)
from tests.factories import (
    AccountFactory,
    ClinicFactory,
    PatientFactory,
    StateFactory,
    doctor,
    person,
    requested,
)

pytestmark = pytest.mark.usefixtures("reference")


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["type"].rpartition(":")[2]


def intake_with(answers: dict[str, bool]) -> dict[str, Any]:
    return {"complaints": ["fever"], "text": "Worse now", "answers": answers}


def test_a_sign_of_danger_told_later_leads_to_no_place_in_a_line() -> None:
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    called, practitioner = doctor_caller(clinic)
    taken = called.make("/staff/next")
    return_to_patient(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=taken["state_id"],
        consultation_id=uuid.UUID(taken["id"]),
        reason="How long has it been?",
    )
    profile = f"/profiles/{patient.get(path)['patient_id']}"
    signs = [one["code"] for one in patient.get(f"{profile}/danger-questions")["items"]]
    patient.put(f"{profile}/intake", intake_with({code: code == signs[0] for code in signs}))
    assert problem(patient.send("POST", f"{path}/again")) == (409, "DangerSigns")
    assert patient.get(path)["status"] == "returned"
    patient.put(f"{profile}/intake", intake_with(dict.fromkeys(signs, False)))
    assert patient.post(f"{path}/again")["status"] == "requested"


def test_what_was_told_before_the_doctor_asked_for_more_is_still_told() -> None:
    """The first request took the draft away: the app adds what is missing to an empty one."""
    clinic = ClinicFactory()
    patient = PatientFactory()
    requested(
        clinic,
        patient,
        complaints=["fever"],
        text="Hot since Friday",
        allergies="penicillin",
        medicines="warfarin",
    )
    called, _practitioner = doctor_caller(clinic)
    taken = called.make("/staff/next")
    path = f"/consultations/{taken['state_id']}/{taken['id']}"
    called.post(f"/staff{path}/return", {"reason": "How high is it?"})
    own = caller_of_patient(patient)
    own.put(f"/profiles/{patient.id}/intake", {"text": "39 degrees"})
    own.post(f"{path}/again")
    called.make("/staff/next")
    told = called.get(f"/staff{path}")["intake"]
    assert told["complaints"] == [{"code": "fever", "name": "Fever"}]
    assert told["text"] == "39 degrees\nHot since Friday"
    assert (told["allergies"], told["medicines"]) == ("penicillin", "warfarin")


def test_asking_again_sent_again_is_once() -> None:
    clinic = ClinicFactory()
    patient = PatientFactory()
    requested(clinic, patient)
    called, _practitioner = doctor_caller(clinic)
    taken = called.make("/staff/next")
    path = f"/consultations/{taken['state_id']}/{taken['id']}"
    called.post(f"/staff{path}/return", {"reason": "How high is it?"})
    own = caller_of_patient(patient)
    own.put(f"/profiles/{patient.id}/intake", {"text": "39 degrees"})
    first = own.post(f"{path}/again")
    assert own.post(f"{path}/again") == first
    called.make("/staff/next")
    own.post(f"{path}/answer")
    assert problem(own.send("POST", f"{path}/again")) == (409, "Stale")


def test_nobody_asks_a_doctor_again_without_the_questions_about_danger() -> None:
    clinic = ClinicFactory()
    patient = PatientFactory()
    requested(clinic, patient)
    caller, _practitioner = doctor_caller(clinic)
    taken = caller.make("/staff/next")
    own = caller_of_patient(patient)
    path = f"/consultations/{taken['state_id']}/{taken['id']}"
    own.post(f"{path}/answer")
    caller.put(f"/staff{path}/note", {"advice": "Rest.", "diagnoses": []})
    caller.post(f"/staff{path}/conclude", {"outcome": "advice"})
    with pytest.raises(DangerUnanswered):
        request_follow_up(
            person(patient.account_id),
            patient=patient,
            clinic=clinic_serving(
                patient.state_id, clinic_state_id=clinic.state_id, clinic_id=clinic.id
            ),
            earlier=get(taken["state_id"], uuid.UUID(taken["id"])),
            content=IntakeContent(text="Not better"),
            language="en",
            request_key=uuid.uuid4(),
        )


def caller_of_patient(patient: Patient) -> Any:
    return caller_of(Account.objects.get(id=patient.account_id))


def test_what_a_spoke_has_measured_is_not_lost_by_the_patients_own_app() -> None:
    patient = PatientFactory()
    measured = IntakeContent(text="Cough", vitals={"oxygen_saturation": 82})
    save_draft(person(patient.account_id), patient=patient, content=measured)
    own = caller_of_patient(patient)
    own.put(f"/profiles/{patient.id}/intake", {"complaints": ["fever"], "text": "Cough, hot"})
    kept = draft_of(patient)
    assert (kept.text, kept.vitals) == ("Cough, hot", {"oxygen_saturation": 82})


def test_the_home_state_is_chosen_until_somebody_is_registered() -> None:
    own, other = StateFactory(), StateFactory(lgd_code=33)
    account = AccountFactory(home_state_id=None)
    patient = caller_of(account)
    patient.put("/me/home-state", {"state_id": other.lgd_code})
    patient.put("/me/home-state", {"state_id": own.lgd_code})
    PatientFactory(account_id=account.id)
    patient.put("/me/home-state", {"state_id": own.lgd_code})
    refused = patient.send("PUT", "/me/home-state", {"state_id": other.lgd_code})
    assert problem(refused) == (403, "NotPermitted")
    assert patient.get("/me")["home_state_id"] == own.lgd_code


@pytest.mark.parametrize("charset", ["rot13", "punycode", "idna", "no-such-charset"])
def test_a_charset_that_is_no_text_is_ignored(charset: str) -> None:
    environ = RequestFactory().get("/api/v1/consultations?limit=2&name=मीना").environ
    environ["CONTENT_TYPE"] = f"text/plain; charset={charset}"
    request = application.request_class(environ)
    assert request.GET.dict() == {"limit": "2", "name": "मीना"}


def test_a_request_sent_again_gets_its_first_answer_after_the_clinic_has_closed_for_good() -> None:
    clinic = ClinicFactory()
    patient, key = patient_caller(), new_key()
    path = f"/profiles/{ready_profile(patient)['id']}/consultations"
    first = patient.make(path, asking(clinic), key)
    Clinic.objects.filter(state_id=clinic.state_id, id=clinic.id).update(closed_at=clock.now())
    assert patient.make(path, asking(clinic), key) == first
    assert problem(patient.send("POST", path, asking(clinic), Idempotency_Key=new_key()))[0] == 404
