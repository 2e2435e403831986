"""Whatever is sent, the answer is a problem with a stable type, and nothing is stored by half."""

import datetime
import json
from typing import Any

import pytest
from django.utils import timezone

from sanjeevani.foundation import clock
from sanjeevani.identity.models import Account, Session
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.patients.models import Patient
from tests.api.caller import (
    PROFILE,
    Caller,
    asking,
    doctor_caller,
    fresh_id,
    new_key,
    patient_caller,
    ready_profile,
)
from tests.factories import ANDHRA_PRADESH, ClinicFactory

pytestmark = pytest.mark.usefixtures("reference")


def sent(patient: Caller, body: bytes, **headers: str) -> Any:
    """Send raw bytes where a profile is made."""
    headers.setdefault("Idempotency_Key", new_key())
    return patient.send("POST", "/profiles", body, **headers)


def refused(response: Any, status: int, name: str) -> dict[str, Any]:
    """Check that a response is the problem expected."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["type"] == f"urn:sanjeevani:problem:{name}"
    assert problem["status"] == status
    assert problem["title"]
    return problem


WHOLE = json.dumps(PROFILE)
UNREADABLE = {
    "cut off": WHOLE[:40].encode(),
    "no JSON": b"relation=child&name=Meena",
    "two values": f"{WHOLE}{WHOLE}".encode(),
    "an array": f"[{WHOLE}]".encode(),
    "a string": b'"child"',
    "duplicate name": (WHOLE[:-1] + ', "name": "Somebody Else"}').encode(),
    "duplicate name, written otherwise": (WHOLE[:-1] + r', "na\u006de": "X"}').encode(),
    "duplicate name, deep inside": (WHOLE[:-1] + ', "more": [{"a": 1, "a": 2}]}').encode(),
    "invalid UTF-8": WHOLE.encode().replace(b"Meena", b"Me\xff\xfena"),
    "UTF-16": WHOLE.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + WHOLE.encode(),
    "NaN": WHOLE.replace('"1989-03-04"', "NaN").encode(),
    "infinity": WHOLE.replace('"1989-03-04"', "-Infinity").encode(),
    "NUL": WHOLE.replace("Meena", "Me\\u0000na").encode(),
    "raw NUL": WHOLE.replace("Meena", "Me\x00na").encode(),
    "lone surrogate": WHOLE.replace("Meena", "Me\\ud800na").encode(),
    "deep nesting": b'{"a":' * 500 + b"1" + b"}" * 500,
    "very deep nesting": b"[" * 60_000,
    "endless number": b'{"name": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_body_that_cannot_be_read(name: str) -> None:
    patient = patient_caller()
    refused(sent(patient, UNREADABLE[name]), 400, "UnreadableBody")
    assert not Patient.objects.filter(state_id=ANDHRA_PRADESH).exists()


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"],
)
def test_body_of_another_type(content_type: str) -> None:
    patient = patient_caller()
    response = patient.client.post(
        "/api/v1/profiles",
        data=WHOLE.encode(),
        content_type=content_type,
        headers={"Authorization": f"Bearer {patient.token}", "Idempotency-Key": new_key()},
    )
    refused(response, 415, "WrongContentType")


@pytest.mark.parametrize("size", [70_000, 2_000_000])
def test_body_that_is_too_large(size: int) -> None:
    body = WHOLE.replace("Meena", "M" * size).encode()
    refused(sent(patient_caller(), body), 413, "TooLarge")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \u200e\n"}, "name"),
        ({"name": "M" * 101}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"gender": "unknown"}, "gender"),
        ({"birth_date": "2019-02-30"}, "birth_date"),
        ({"birth_date": 1551657600}, "birth_date"),
        ({"birth_date": "2019-03-04T00:00:00"}, "birth_date"),
        ({"birth_date_is_estimated": "yes"}, "birth_date_is_estimated"),
        ({"district": "\x07"}, "district"),
        ({"is_admin": True}, "is_admin"),
    ],
)
def test_value_that_cannot_be_right(change: dict[str, Any], field: str) -> None:
    """The problem names the field, and never repeats the value."""
    problem = refused(sent(patient_caller(), json.dumps(PROFILE | change).encode()), 422, "Invalid")
    assert any(field in error["field"] for error in problem["errors"])
    assert "Temple Street" not in json.dumps(problem)


def test_value_that_the_verb_refuses() -> None:
    future = PROFILE | {"birth_date": "2999-01-01"}
    problem = refused(sent(patient_caller(), json.dumps(future).encode()), 422, "Invalid")
    assert problem["field"] == "birth_date"


@pytest.mark.parametrize("key", ["", "short", "a" * 65, "with space", "naïve-key"])
def test_key_that_is_none(key: str) -> None:
    refused(sent(patient_caller(), WHOLE.encode(), Idempotency_Key=key), 422, "Invalid")


@pytest.mark.parametrize(
    "path",
    [
        "/consultations/99999999999999999999/0190a6b5-7c1e-7000-8000-000000000000",
        "/consultations/28/not-a-uuid",
        "/consultations/-1/0190a6b5-7c1e-7000-8000-000000000000",
        "/consultations?limit=0",
        "/consultations?limit=ten",
        "/consultations?cursor=%00",
        "/profiles/%00",
        "/nowhere",
        "",
    ],
)
def test_address_that_cannot_be(path: str) -> None:
    response = patient_caller().send("GET", path)
    assert response.status_code in (404, 422)
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("q", ["", "%00", "%FF", "a" * 101, "%E2%80%8F"])
def test_search_for_nonsense(q: str) -> None:
    doctor, _practitioner = doctor_caller(ClinicFactory())
    for what in ("diagnoses", "medicines", "shorthand"):
        assert doctor.send("GET", f"/staff/{what}?q={q}").status_code in (200, 422)


def test_wrong_method_names_the_right_ones() -> None:
    response = patient_caller().send("PATCH", "/profiles")
    refused(response, 405, "WrongMethod")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "POST"}


def test_text_is_kept_as_people_write_it() -> None:
    """Indic scripts keep their joiners; controls and direction changes go."""
    patient = patient_caller()
    sent_name = "  श्\u200dरीमती \u202e Me\u0301ena\tDevi "
    made = patient.make("/profiles", PROFILE | {"name": sent_name})
    assert made["name"] == "श्\u200dरीमती Méena Devi"


def test_language_that_the_clinic_does_not_speak() -> None:
    clinic = ClinicFactory(languages=["hi"])
    patient = patient_caller()
    profile = ready_profile(patient)
    response = patient.send(
        "POST",
        f"/profiles/{profile['id']}/consultations",
        asking(clinic, "en"),
        Idempotency_Key=new_key(),
    )
    assert refused(response, 422, "Invalid")["field"] == "language"


def test_clinic_of_another_state() -> None:
    clinic = ClinicFactory(serves=[33])
    patient = patient_caller()
    profile = ready_profile(patient)
    response = patient.send(
        "POST",
        f"/profiles/{profile['id']}/consultations",
        asking(clinic),
        Idempotency_Key=new_key(),
    )
    refused(response, 404, "NotFound")


def test_code_that_is_wrong_or_was_used_or_is_old() -> None:
    mobile = "9876543210"

    def sign_in(code: str, challenge: str) -> Any:
        return Caller().send("POST", "/sessions", {"challenge": challenge, "code": code})

    challenge = Caller().send("POST", "/codes", {"mobile": mobile}).json()["challenge"]
    text = OutgoingMessage.objects.get(mobile=f"+91{mobile}").text
    code = next(word for word in text.split() if word.isdecimal() and len(word) == 6)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    refused(sign_in(wrong, challenge), 422, "WrongCode")
    refused(sign_in(code, fresh_id()), 422, "CodeDead")
    later = timezone.now() + datetime.timedelta(minutes=6)
    with clock.driven_by(lambda: later):
        refused(sign_in(code, challenge), 422, "CodeDead")
    first = sign_in(code, challenge)
    assert first.status_code == 201
    again = sign_in(code, challenge)  # the answer was lost on its way
    assert (again.status_code, again.json()) == (201, first.json())
    later = timezone.now() + datetime.timedelta(minutes=3)
    with clock.driven_by(lambda: later):
        refused(sign_in(code, challenge), 422, "CodeDead")
    assert Account.objects.filter(login=f"+91{mobile}").count() == 1


def test_session_of_staff_that_has_ended() -> None:
    doctor, practitioner = doctor_caller(ClinicFactory())
    assert doctor.send("GET", "/staff/desk").status_code == 200
    Session.objects.filter(account_id=practitioner.account_id).update(expires_at=timezone.now())
    refused(doctor.send("GET", "/staff/desk"), 401, "NotSignedIn")
    refused(doctor.send("POST", "/staff/next", Idempotency_Key=new_key()), 401, "NotSignedIn")


def test_key_that_another_operation_has_used() -> None:
    patient, key = patient_caller(), new_key()
    profile = patient.make("/profiles", PROFILE, key)
    again = patient.send(
        "POST",
        f"/profiles/{profile['id']}/representatives",
        {"name": "Ramesh", "bond": "relative", "may_collect": True, "may_speak": False},
        Idempotency_Key=key,
    )
    refused(again, 422, "KeyReused")
    assert patient.get(f"/profiles/{profile['id']}/representatives")["items"] == []
