"""What clients poll: an ETag that tells whether anything changed, and caches that may keep what."""

from typing import Any

import pytest

from sanjeevani.directory import queries
from tests.api.caller import (
    Caller,
    asked,
    doctor_caller,
    patient_caller,
    ready_profile,
)
from tests.api.test_prescriptions import REASON, Meeting, meeting, signed
from tests.api.test_structure import documented
from tests.factories import ClinicFactory

__all__ = ["meeting"]

pytestmark = pytest.mark.usefixtures("reference")

NOT_POLLED = {
    "read_ticket",
    "read_desk_ticket",
    "take_seat",
    "take_doctors_seat",
    "take_colleagues_seat",
    "find_diagnoses",
    "find_medicines",
    "read_shorthand",
    "list_accesses",
}
"""Tickets, which are new each time, and what is asked for once."""


def known(caller: Caller, path: str) -> str:
    """Read what has an ETag; return it."""
    response = caller.send("GET", path)
    assert response.status_code == 200, response.content
    etag: str = response.headers["ETag"]
    return etag


def again(caller: Caller, path: str, etag: str) -> Any:
    """Ask whether an ETag still holds."""
    return caller.send("GET", path, If_None_Match=etag)


def tags(response: Any) -> set[str]:
    """Return what the answer varies with."""
    return set(response.headers["Vary"].split(", "))


def test_all_that_a_client_polls_has_an_etag() -> None:
    """An operation that reads JSON has one, unless it is listed here."""
    for path, method, operation in documented():
        success = operation["responses"].get(200, {})
        if method != "get" or "application/json" not in success.get("content", {}):
            continue
        polled = operation["operationId"] not in NOT_POLLED
        assert ("ETag" in success.get("headers", {})) is polled, path
        assert (304 in operation["responses"]) is polled, path


def test_nothing_is_sent_while_nothing_changed() -> None:
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    doctor, _practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    profile = f"/profiles/{patient.get('/profiles')['items'][0]['id']}"
    for caller, address in [
        (patient, "/me"),
        (patient, "/profiles"),
        (patient, profile),
        (patient, f"{profile}/intake"),
        (patient, f"{profile}/companions"),
        (patient, f"{profile}/representatives"),
        (patient, "/consultations"),
        (patient, path),
        (doctor, "/staff/posts"),
        (doctor, "/staff/questions"),
        (doctor, f"/staff{path}/destinations"),
        (Caller(), "/states"),
    ]:
        etag = known(caller, address)
        unchanged = again(caller, address, etag)
        assert (unchanged.status_code, unchanged.content) == (304, b""), address
        assert unchanged.headers["ETag"] == etag
        assert "Content-Type" not in unchanged.headers


def test_etag_changes_with_the_content(meeting: Meeting) -> None:
    number = signed(meeting)
    patient, path = meeting.patient, meeting.path
    profile = f"/profiles/{patient.get('/profiles')['items'][0]['id']}"
    before = {
        (caller, address): known(caller, address)
        for caller, address in [
            (patient, f"{path}/prescription"),
            (patient, "/consultations"),
            (patient, profile),
            (patient, f"{profile}/intake"),
            (meeting.doctor, "/staff/questions"),
        ]
    }
    meeting.doctor.post(f"/staff{path}/prescription/cancel", {"number": number, "reason": REASON})
    patient.make(f"{path}/messages", {"text": "May I still take it?"})
    patient.send("DELETE", f"{profile}/consent")
    patient.put(f"{profile}/intake", {"text": "Cough"})
    ready_profile(patient)
    asked(patient, ClinicFactory())
    for (caller, address), etag in before.items():
        assert again(caller, address, etag).status_code == 200, address


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_every_way_to_name_an_etag(form: str) -> None:
    patient = patient_caller()
    assert again(patient, "/me", form.format(known(patient, "/me"))).status_code == 304


@pytest.mark.parametrize("etag", ["", "nonsense", '"other"', "ETag"])
def test_etag_that_is_another(etag: str) -> None:
    assert again(patient_caller(), "/me", etag).status_code == 200


@pytest.mark.parametrize(
    "condition",
    [
        {"If_Match": '"x"'},
        {"If_Match": "*"},
        {"If_Unmodified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If_Modified_Since": "Thu, 01 Jan 2099 00:00:00 GMT"},
    ],
)
def test_conditions_for_changes_are_ignored(condition: dict[str, str]) -> None:
    patient = patient_caller()
    assert patient.send("GET", "/me", **condition).status_code == 200
    etag = known(patient, "/me")
    assert patient.send("GET", "/me", If_None_Match=etag, **condition).status_code == 304
    assert Caller().send("GET", "/states", **condition).status_code == 200


def test_what_is_of_one_person_stays_in_the_own_cache() -> None:
    patient = patient_caller()
    path = asked(patient, ClinicFactory())
    for address in ("/me", "/profiles", "/consultations", path):
        first = patient.send("GET", address)
        for response in (first, again(patient, address, first.headers["ETag"])):
            assert response.headers["Cache-Control"] == "private, no-cache", address
            assert {"Authorization", "Accept-Language"} <= tags(response)
    refused = Caller().send("GET", "/me")
    assert refused.headers["Cache-Control"] != "private, no-cache"
    assert "ETag" not in refused.headers


def test_only_what_needs_nobody_is_kept_for_everybody() -> None:
    """A browser that has chosen a language says so in a cookie, past Accept-Language."""
    for address in ("/states", "/specialities", "/notice", "/dosage"):
        first = Caller().send("GET", address)
        for response in (first, again(Caller(), address, first.headers["ETag"])):
            assert response.headers["Cache-Control"] == "public, max-age=60", address
            assert {"Accept-Language", "Cookie"} <= tags(response)
    hindi = Caller()
    hindi.client.cookies["language"] = "hi"
    assert known(hindi, "/specialities") != known(Caller(), "/specialities")


def test_clinics_of_one_name_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """In whichever order the database finds them."""
    clinics = [ClinicFactory(name="General OPD") for _number in range(3)]
    patient = patient_caller()
    path = f"/profiles/{ready_profile(patient)['id']}/clinics"
    etag = known(patient, path)
    found = queries._with_hours
    monkeypatch.setattr(queries, "_with_hours", lambda clinics: found(clinics)[::-1])
    assert again(patient, path, etag).status_code == 304
    listed = [item["id"] for item in patient.get(path)["items"]]
    assert listed == [str(clinic.id) for clinic in clinics]
