"""Lists that go on by cursor: complete while they grow, and no cursor of anybody else's."""

import datetime
from collections.abc import Iterator

import pytest

from sanjeevani.calls.models import Room
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import questions_waiting
from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.models import AuditEvent
from tests.api.caller import (
    PROFILE,
    Caller,
    asked,
    doctor_caller,
    fresh_id,
    patient_caller,
)
from tests.api.test_bad_input import refused
from tests.factories import ClinicFactory

pytestmark = pytest.mark.usefixtures("reference")


def pages(caller: Caller, path: str, limit: int = 2) -> Iterator[list[str]]:
    """Walk a list; yield the ids of each page before the next is asked for."""
    cursor = ""
    while True:
        page = caller.get(f"{path}?limit={limit}{cursor}")
        yield [item["id"] for item in page["items"]]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


def people(patient: Caller, count: int) -> list[str]:
    """Register so many people."""
    return [
        patient.make("/profiles", PROFILE | {"name": f"Child {number}", "is_another": True})["id"]
        for number in range(count)
    ]


def next_of(caller: Caller, path: str) -> str:
    """Return the cursor behind the first page of a list that has another."""
    cursor: str = caller.get(f"{path}?limit=1")["next"]
    assert cursor
    return cursor


def with_question(doctor: Caller, clinic: Clinic) -> str:
    """Hold a consultation after whose end the patient asks something; return its path."""
    patient = patient_caller()
    path = asked(patient, clinic)
    doctor.make("/staff/next")
    patient.post(f"{path}/answer")
    doctor.put(f"/staff{path}/note", {"advice": "Rest."})
    doctor.post(f"/staff{path}/conclude", {"outcome": "advice"})
    patient.make(f"{path}/messages", {"text": "How long do I rest?"})
    return path


def id_of(path: str) -> str:
    """Return the id at the end of a consultation's path."""
    return path.rpartition("/")[2]


def waiting_for(practitioner: Practitioner, clinic: Clinic) -> int:
    """Count as the desk does."""
    return questions_waiting(practitioner, [clinic.state_id])


def test_people_who_are_registered_between_two_pages() -> None:
    patient = patient_caller()
    expected = people(patient, 3)
    seen: list[str] = []
    for page in pages(patient, "/profiles"):
        if not seen:
            expected += people(patient, 2)
        seen += page
    assert seen == expected


def test_consultations_that_begin_between_two_pages() -> None:
    """Newest first: what is new stands before the first page, and moves nothing."""
    patient = patient_caller()
    expected = [id_of(asked(patient, ClinicFactory())) for _number in range(5)][::-1]
    seen: list[str] = []
    for page in pages(patient, "/consultations"):
        seen += page
        asked(patient, ClinicFactory())
    assert seen == expected


def test_questions_that_come_between_two_pages() -> None:
    clinic = ClinicFactory()
    doctor, practitioner = doctor_caller(clinic)
    expected = [id_of(with_question(doctor, clinic)) for _number in range(5)][::-1]
    seen: list[str] = []
    for page in pages(doctor, "/staff/questions"):
        seen += page
        with_question(doctor, clinic)
    assert seen == expected
    assert waiting_for(practitioner, clinic) == 8


def test_a_question_waits_however_much_was_done_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of the day looks at the newest work only, the list of questions at all."""
    monkeypatch.setattr("sanjeevani.consultation.queries.RECENT_WORK", 1)
    clinic = ClinicFactory()
    doctor, practitioner = doctor_caller(clinic)
    paths = [with_question(doctor, clinic) for _number in range(3)]
    listed = [item["id"] for item in doctor.get("/staff/questions")["items"]]
    assert listed == [id_of(path) for path in reversed(paths)]
    assert all(item["answer_by"] for item in doctor.get("/staff/questions")["items"])
    assert waiting_for(practitioner, clinic) == 3


def test_questions_listed_are_those_counted() -> None:
    """Neither what is answered nor what was asked too long ago, and of nobody else's patients."""
    clinic = ClinicFactory()
    doctor, practitioner = doctor_caller(clinic)
    answered, late, open_one = (with_question(doctor, clinic) for _number in range(3))
    doctor.make(f"/staff{answered}/messages", {"text": "Two days"})
    room_id = Consultation.objects.get(state_id=clinic.state_id, id=id_of(late)).room_id
    over = clock.now() - datetime.timedelta(minutes=1)
    Room.objects.filter(state_id=clinic.state_id, id=room_id).update(questions_until=over)
    colleague, other = doctor_caller(clinic)
    theirs = with_question(colleague, clinic)
    for caller, of, path in [(doctor, practitioner, open_one), (colleague, other, theirs)]:
        items = caller.get("/staff/questions")["items"]
        assert [item["id"] for item in items] == [id_of(path)]
        assert waiting_for(of, clinic) == 1


def test_reading_questions_is_on_the_audit_trail() -> None:
    doctor, practitioner = doctor_caller(ClinicFactory())
    read = AuditEvent.objects.filter(
        state_id=practitioner.state_id,
        verb="consultation.read_work",
        record_id=practitioner.id,
    )
    assert not read.exists()
    doctor.get("/staff/questions")
    assert read.count() == 1


def test_cursor_of_another_list_or_account() -> None:
    patient, stranger = patient_caller(), patient_caller()
    for caller in (patient, stranger):
        people(caller, 2)
    for _number in range(2):
        asked(patient, ClinicFactory())
    own = next_of(patient, "/profiles")
    assert patient.get(f"/profiles?cursor={own}")["items"]
    for caller, address in [
        (stranger, f"/profiles?cursor={own}"),
        (patient, f"/consultations?cursor={own}"),
        (patient, f"/profiles?cursor={next_of(patient, '/consultations')}"),
        (patient, f"/profiles?cursor={next_of(stranger, '/profiles')}"),
    ]:
        problem = refused(caller.send("GET", address), 422, "Invalid")
        assert problem["field"] == "cursor"


def test_cursor_that_was_made_up_or_changed() -> None:
    patient = patient_caller()
    first = people(patient, 2)[0]
    cursor = next_of(patient, "/profiles")
    place, _dot, signature = cursor.partition(".")
    for wrong in [
        "",
        "x",
        ".",
        first,
        fresh_id(),
        place,
        f"{place}.",
        f"{place}.{signature[::-1]}",
        f"{place[::-1]}.{signature}",
        f"{cursor}A",
        f"A{cursor}",
        f"{cursor}.{signature}",
        cursor * 20,
        f"{place}.%00",
        "%E0%A4%95.x",
    ]:
        for path in ("/profiles", "/consultations"):
            refused(patient.send("GET", f"{path}?cursor={wrong}"), 422, "Invalid")
    doctor, _practitioner = doctor_caller(ClinicFactory())
    refused(doctor.send("GET", f"/staff/questions?cursor={cursor}"), 422, "Invalid")


def test_cursor_shows_no_id() -> None:
    patient = patient_caller()
    first, _second = people(patient, 2)
    assert first not in next_of(patient, "/profiles")
    assert len(next_of(patient, "/profiles")) < 100
