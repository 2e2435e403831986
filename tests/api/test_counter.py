"""The counter of a spoke by JSON: verify, hand out, and the stock."""

from typing import Any

import pytest

from sanjeevani.directory.models import Role
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.prescription.models import Dispensing, OutOfStock, SpokePrescription
from tests.api.at_spoke import Spoke
from tests.api.caller import Caller, fresh_id, new_key, patient_caller
from tests.api.test_bad_input import refused
from tests.api.test_spoke import prescribe

pytestmark = pytest.mark.usefixtures("reference")

COUNTER = "/spoke/counter"


class Counter:
    """A spoke whose patient a doctor has prescribed ten tablets of paracetamol."""

    def __init__(self) -> None:
        self.spoke = Spoke()
        self.worker = self.spoke.worker
        self.path = self.spoke.asked()
        self.spoke.doctor.make("/staff/next")
        self.worker.post(f"{self.path}/answer")
        prescribe(self.spoke.doctor, self.path)
        [self.waits] = self.worker.get(COUNTER)["waiting"]
        self.address = f"{COUNTER}/{self.waits['state_id']}/{self.waits['id']}"
        [self.medicine] = self.worker.get(self.address)["medicines"]

    def hand(self, caller: Caller, key: str | None = None, **handing: Any) -> Any:
        """Hand out the one medicine; return Django's response."""
        medicine = {"medicine_code": self.medicine["code"]} | handing
        return caller.send(
            "POST",
            f"{self.address}/handed",
            {"medicines": [medicine]},
            Idempotency_Key=key or new_key(),
        )


@pytest.fixture
def counter() -> Counter:
    return Counter()


def test_in_part_then_the_rest(counter: Counter) -> None:
    assert counter.waits["patient"] == "Sita Devi"
    assert (counter.medicine["needed"], counter.medicine["in_stock"]) == (10, True)
    for wrong in (
        {"handing": "part"},
        {"handing": "part", "given": 10},
        {"handing": "full", "medicine_code": "no-such"},
    ):
        refused(counter.hand(counter.worker, **wrong), 422, "Invalid")
    key = new_key()
    first = counter.hand(counter.worker, key, handing="part", given=4)
    assert first.json()["medicines"][0]["handed"]["given"] == 4
    again = counter.hand(counter.worker, key, handing="part", given=4)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Dispensing.objects.filter(state_id=28).count() == 1
    assert [one["number"] for one in counter.worker.get(COUNTER)["missing"]] == [
        counter.waits["number"]
    ]
    [out] = counter.worker.get("/spoke/stock")["items"]
    assert (out["code"], out["in_stock"]) == (counter.medicine["code"], False)
    assert counter.hand(counter.worker, handing="full").status_code == 201
    assert counter.worker.get(COUNTER) == {"waiting": [], "missing": []}
    assert counter.worker.get("/spoke/stock")["items"] == []
    assert AuditEvent.objects.filter(state_id=28, verb="prescription.read_at_counter").exists()


def test_each_medicine_once_and_none_of_nothing(counter: Counter) -> None:
    one = {"medicine_code": counter.medicine["code"], "handing": "full"}
    for medicines in ([], [one, one]):
        answer = counter.worker.send(
            "POST",
            f"{counter.address}/handed",
            {"medicines": medicines},
            Idempotency_Key=new_key(),
        )
        refused(answer, 422, "Invalid")


def test_a_patient_of_elsewhere_is_shown_by_initials_once_the_number_is_known(
    counter: Counter,
) -> None:
    stranger = Spoke().worker
    refused(stranger.send("GET", counter.address), 404, "NotFound")
    refused(counter.hand(stranger, handing="full"), 404, "NotFound")
    unknown = stranger.post(f"{COUNTER}/shown", {"number": "0000-0000-0000"})
    assert unknown == {"validity": "unknown", "prescription": None}
    forged = stranger.post(f"{COUNTER}/shown", {"statement": "a.b.c"})
    assert forged == {"validity": "forged", "prescription": None}
    shown = stranger.post(f"{COUNTER}/shown", {"number": counter.waits["number"]})
    assert shown["prescription"]["id"] == counter.waits["id"]
    signature = counter.worker.get(f"{counter.path}/prescription")["signature"]
    assert stranger.post(f"{COUNTER}/shown", {"statement": signature})["validity"] == "valid"
    read = stranger.get(counter.address)
    assert read["patient"] != "Sita Devi"
    assert counter.hand(stranger, handing="full").status_code == 201
    [medicine] = counter.worker.get(counter.address)["medicines"]
    assert medicine["elsewhere"]
    refused(counter.hand(counter.worker, handing="full"), 409, "AlreadyHandedOut")
    for body in ({}, {"number": "0000-0000-0000", "statement": "a.b.c"}, {"number": "7"}):
        refused(stranger.send("POST", f"{COUNTER}/shown", body), 422, "Invalid")


def test_what_was_given_before_the_correction_is_told(counter: Counter) -> None:
    assert counter.hand(counter.worker, handing="part", given=4).status_code == 201
    doctor = counter.spoke.doctor
    read = doctor.get("/staff/shorthand?q=pcm+650+0-0-1+3d")
    doctor.post(f"/staff{counter.path}/items", read["item"])
    correction = {"number": counter.waits["number"], "reason": "One a day is enough"}
    doctor.make(f"/staff{counter.path}/prescription/replace", correction)
    [waits] = counter.worker.get(COUNTER)["waiting"]
    shown = counter.worker.get(f"{COUNTER}/{waits['state_id']}/{waits['id']}")
    assert shown["medicines"][0]["handed"] is None
    [before] = shown["before"]
    assert (before["handed"]["given"], before["goes_on"]) == (4, True)


def test_nothing_is_given_on_what_was_cancelled(counter: Counter) -> None:
    doctor = counter.spoke.doctor
    ending = {"number": counter.waits["number"], "reason": "Allergic to it after all"}
    doctor.post(f"/staff{counter.path}/prescription/cancel", ending)
    assert counter.worker.get(counter.address)["validity"] == "cancelled"
    refused(counter.hand(counter.worker, handing="full"), 409, "NotValid")


def test_where_there_is_a_pharmacist_nobody_else_hands_out(counter: Counter) -> None:
    pharmacist = counter.spoke.colleague(Role.PHARMACIST)
    for address in (COUNTER, counter.address):
        refused(counter.worker.send("GET", address), 403, "PharmacistHandsOut")
    refused(counter.hand(counter.worker, handing="full"), 403, "PharmacistHandsOut")
    assert counter.hand(pharmacist, handing="full").status_code == 201
    refused(pharmacist.send("GET", counter.path), 403, "NotPermitted")


def test_the_stock_is_each_spokes_own(counter: Counter) -> None:
    found = counter.worker.get("/spoke/stock?q=pcm+650")["items"]
    assert counter.medicine["code"] in {one["code"] for one in found}
    body = {"medicine_code": counter.medicine["code"], "in_stock": False}
    for _time in range(2):
        counter.worker.put("/spoke/stock", body)
    assert OutOfStock.objects.filter(state_id=28).count() == 1
    assert Spoke().worker.get("/spoke/stock")["items"] == []
    unknown = counter.worker.send("PUT", "/spoke/stock", body | {"medicine_code": "no-such"})
    refused(unknown, 422, "Invalid")


def test_only_a_spoke_has_a_counter(counter: Counter) -> None:
    """Not the hub, nor a patient."""
    for caller in (counter.spoke.doctor, patient_caller()):
        for address in (COUNTER, counter.address, "/spoke/stock"):
            refused(caller.send("GET", address), 403, "NotPermitted")
    assert SpokePrescription.objects.filter(state_id=28).count() == 1
    away = f"{COUNTER}/28/{fresh_id()}"
    refused(counter.worker.send("GET", away), 404, "NotFound")
