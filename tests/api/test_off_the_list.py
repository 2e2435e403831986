"""Who was taken off the list, or joined with another: their consultations stand, and go on."""

from typing import Any

import pytest

from tests.api.caller import Caller, asked, asking, doctor_caller, new_key, patient_caller
from tests.api.test_other_people import ready_again
from tests.factories import ClinicFactory

pytestmark = pytest.mark.usefixtures("reference")


class Returned:
    """A request that the doctor has returned, of somebody who has a double on the list."""

    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.patient: Caller = patient_caller()
        asked(self.patient, self.clinic)
        self.kept = self.patient.get("/profiles")["items"][0]["id"]
        self.path = asked(self.patient, self.clinic)
        self.profile: str = self.patient.get(self.path)["patient_id"]
        assert self.profile != self.kept
        doctor, _practitioner = doctor_caller(self.clinic)
        for path in self.patient.get("/consultations")["items"][::-1]:
            doctor.make("/staff/next")
            one = f"/staff/consultations/{path['state_id']}/{path['id']}"
            doctor.post(f"{one}/return", {"reason": "Since when?"})

    def off(self, how: str) -> None:
        """Let the person leave the list, twice: the answer was lost."""
        one = f"/profiles/{self.profile}"
        for _time in range(2):
            if how == "left":
                assert self.patient.send("DELETE", one).status_code == 204
            else:
                self.patient.post(f"{one}/same-as", {"kept_id": self.kept})

    def refused(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.patient.send(method, path, body, Idempotency_Key=new_key())
        assert answer.status_code == 404, answer.content
        problem: dict[str, Any] = answer.json()
        return problem


@pytest.mark.parametrize("how", ["left", "joined"])
def test_what_the_doctor_asked_for_is_answered_all_the_same(how: str) -> None:
    held = Returned()
    held.off(how)
    listed = [one["id"] for one in held.patient.get("/consultations")["items"]]
    assert held.path.rpartition("/")[2] in listed
    assert held.patient.get(held.path)["missing"] == "Since when?"
    ready_again(held.patient, held.profile)
    assert held.patient.get(f"/profiles/{held.profile}/intake")["text"] == "Again"
    assert held.patient.get(f"/profiles/{held.profile}/danger-questions")["items"]
    assert held.patient.post(f"{held.path}/again")["status"] == "requested"


@pytest.mark.parametrize("how", ["left", "joined"])
def test_whatever_else_says_where_to_go_on(how: str) -> None:
    held = Returned()
    before = held.patient.send("GET", f"/profiles/{held.profile}")
    assert (before.json()["left_at"], before.json()["kept_id"]) == (None, None)
    held.off(how)
    one = f"/profiles/{held.profile}"
    after = held.patient.send("GET", one, If_None_Match=before.headers["ETag"]).json()
    assert (after["left_at"] is not None, after["kept_id"]) == (
        how == "left",
        held.kept if how == "joined" else None,
    )
    for method, path, body in (
        ("GET", f"{one}/clinics", None),
        ("POST", f"{one}/consultations", asking(held.clinic)),
        ("PUT", f"{one}/consent", None),
    ):
        problem = held.refused(method, path, body)
        kind = {"left": "OffTheList", "joined": "KeptElsewhere"}[how]
        assert problem["type"] == f"urn:sanjeevani:problem:{kind}"
        assert problem.get("patient_id") == (held.kept if how == "joined" else None)
    held.patient.post(f"{one}/back")
    assert held.patient.get(f"{one}/clinics")["items"]
    stranger = patient_caller().send("GET", f"{one}/clinics")
    assert stranger.json()["type"].endswith(":NotFound")


def test_joined_with_one_and_then_with_another_is_no_retry() -> None:
    held = Returned()
    held.off("joined")
    asked(held.patient, ClinicFactory())
    other = held.patient.get("/profiles")["items"][-1]["id"]
    problem = held.refused("POST", f"/profiles/{held.profile}/same-as", {"kept_id": other})
    assert problem["patient_id"] == held.kept
