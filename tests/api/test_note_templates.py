"""What a doctor writes often, by JSON."""

from typing import Any

import pytest

from tests.api.caller import Caller, doctor_caller, new_key
from tests.factories import ClinicFactory

pytestmark = pytest.mark.usefixtures("reference")

COLD = {"shorthand": "URI", "advice": "Steam", "diagnosis_codes": ["J06.9"], "lines": ["pcm 650"]}


@pytest.fixture
def doctor() -> Caller:
    return doctor_caller(ClinicFactory())[0]


def listed(caller: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get("/staff/templates")["items"]
    return found


def test_kept_changed_and_deleted(doctor: Caller) -> None:
    key = new_key()
    kept = doctor.make("/staff/templates", COLD, key)
    assert doctor.make("/staff/templates", COLD, key) == kept
    [one] = listed(doctor)
    assert (one["shorthand"], one["lines"]) == ("uri", ["pcm 650"])
    doctor.put(f"/staff/templates/{kept['id']}", COLD | {"favourite": True, "advice": "Rest"})
    [one] = listed(doctor)
    assert (one["favourite"], one["advice"]) == (True, "Rest")
    assert doctor.send("DELETE", f"/staff/templates/{kept['id']}").status_code == 204
    assert listed(doctor) == []


def test_one_word_brings_back_one(doctor: Caller) -> None:
    doctor.make("/staff/templates", COLD)
    again = doctor.send("POST", "/staff/templates", COLD, Idempotency_Key=new_key())
    assert (again.status_code, again.json()["field"]) == (409, "shorthand")
    empty = doctor.send("POST", "/staff/templates", {"shorthand": "bp"}, Idempotency_Key=new_key())
    assert (empty.status_code, empty.json()["field"]) == (422, "shorthand")


def test_another_doctors_is_not_there(doctor: Caller) -> None:
    kept = doctor.make("/staff/templates", COLD)
    other, _practitioner = doctor_caller(ClinicFactory())
    one = f"/staff/templates/{kept['id']}"
    assert other.send("PUT", one, COLD | {"advice": "None"}).status_code == 404
    assert other.send("DELETE", one).status_code == 404
    assert listed(other) == []
    assert [found["advice"] for found in listed(doctor)] == ["Steam"]
