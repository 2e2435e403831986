"""Complaints by JSON, and reporting who behaves badly; once, however often it is sent."""

import pytest

from sanjeevani.consultation.models import Block, Consultation
from sanjeevani.foundation import clock
from sanjeevani.grievance.models import Grievance
from sanjeevani.identity.models import Account
from tests.api.caller import Caller, asked, new_key, patient_caller
from tests.api.test_bad_input import refused
from tests.api.test_prescriptions import Meeting, meeting
from tests.factories import ClinicFactory, StateFactory

__all__ = ["meeting"]

pytestmark = pytest.mark.usefixtures("reference")

SAID = {"kind": "waiting", "text": "Nobody called\nfor two hours"}


def answered(number: str) -> None:
    """Let the state's administrator have answered."""
    Grievance.objects.filter(state_id=33, number=number).update(
        status="answered", answer="We are sorry.", answered_at=clock.now()
    )


def test_a_complaint_is_followed_up_by_its_number() -> None:
    caller = patient_caller()
    StateFactory.create(lgd_code=33)
    key = new_key()
    made = caller.make("/grievances", SAID | {"state_id": 33}, key)
    assert caller.make("/grievances", SAID | {"state_id": 33}, key) == made
    held = Grievance.objects.get(state_id=33)
    assert (held.number, held.state_id, held.text) == (made["number"], 33, SAID["text"])
    assert held.account_id
    assert held.mobile == Account.objects.get(id=held.account_id).mobile
    page = f"/grievances/{made['number']}"
    assert (made["kind"], made["kind_name"]) == ("waiting", "Waiting too long, or not called")
    assert caller.get(page)["status"] == "received"
    refused(caller.send("POST", f"{page}/reopen", {"reason": "Still"}), 409, "Stale")
    answered(made["number"])
    told = caller.get(page)
    assert (told["status"], told["answer"], told["can_reopen"]) == (
        "answered",
        "We are sorry.",
        True,
    )
    again = new_key()
    for _sent in range(2):
        disputed = caller.send("POST", f"{page}/reopen", {"reason": "No"}, Idempotency_Key=again)
        assert disputed.status_code == 204
    assert caller.get(page)["status"] == "reopened"
    answered(made["number"])
    assert caller.send("POST", f"{page}/close").status_code == 204
    refused(caller.send("GET", "/grievances/33-2222-2222-2222"), 404, "NumberUnknown")


def test_a_consultation_decides_where_a_complaint_goes() -> None:
    clinic, caller = ClinicFactory(), patient_caller()
    path = asked(caller, clinic)
    held = Consultation.objects.get(state_id=28, id=path.rpartition("/")[2])
    about = {"consultation": {"state_id": held.state_id, "id": str(held.id)}}
    caller.make("/grievances", SAID | about | {"answer_by_sms": False}, new_key())
    grievance = Grievance.objects.get(state_id=28)
    assert (grievance.consultation_id, grievance.facility_id) == (held.id, clinic.facility_id)
    assert grievance.mobile == ""
    stranger = patient_caller()
    key = {"Idempotency_Key": new_key()}
    refused(stranger.send("POST", "/grievances", SAID | about, **key), 404, "NotFound")


@pytest.mark.parametrize("side", ["doctor", "patient"])
def test_who_behaves_badly_is_reported_once(meeting: Meeting, side: str) -> None:
    callers: dict[str, tuple[Caller, str]] = {
        "doctor": (meeting.doctor, "/staff"),
        "patient": (meeting.patient, ""),
    }
    caller, door = callers[side]
    for _tap in range(2):
        assert caller.send("POST", f"{door}{meeting.path}/report").status_code == 204
    assert Block.objects.filter(state_id=28).count() == 1
    grievance = Grievance.objects.get(state_id=28)
    assert (grievance.kind, bool(grievance.name)) == ("safety", side == "doctor")


def test_nobody_reports_who_has_not_been_met() -> None:
    caller = patient_caller()
    path = asked(caller, ClinicFactory())
    refused(caller.send("POST", f"{path}/report"), 409, "NotInProgress")
    assert not Grievance.objects.filter(state_id=28).exists()
