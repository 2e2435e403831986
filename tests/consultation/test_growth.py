"""What is looked at does not grow with all that was ever held."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from sanjeevani.calls.services import send_message
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.closing import outlook
from sanjeevani.consultation.models import Consultation, Outcome
from sanjeevani.consultation.queries import questions_waiting
from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.foundation.ids import uuid7
from tests.consultation.test_transfers import called_by
from tests.factories import ClinicFactory, PatientFactory, doctor, on_duty, person, requested
from tests.races.conftest import committed_rows

ROWS = 3000
MOST_LOOKED_AT = 100

FILL = """
INSERT INTO {table} SELECT copied.* FROM {table} AS one, generate_series(1, {rows}) AS n,
 LATERAL jsonb_populate_record(one, jsonb_build_object({changes})) AS copied
"""
CHANGES = {
    "calls_room": "'id', md5('room' || n)::uuid, 'questions_until', now() - n * interval '1 hour'",
    "queueing_token": "'id', md5('token' || n)::uuid, 'number', n + 10",
    "consultation_consultation": "'id', md5('case' || n)::uuid, 'room_id', md5('room' || n)::uuid,"
    " 'token_id', md5('token' || n)::uuid, 'request_key', md5('key' || n)::uuid",
}


def held_by(clinic: Clinic) -> tuple[Practitioner, Consultation]:
    """A consultation that is over, and its doctor."""
    requested(clinic, PatientFactory.create())
    practitioner = on_duty(clinic)
    case = called_by(practitioner)
    key: dict[str, Any] = {
        "practitioner": practitioner,
        "state_id": case.state_id,
        "consultation_id": case.id,
    }
    content = consultation.NoteContent(advice="Rest")
    consultation.write_note(doctor(practitioner), content=content, diagnoses=[], **key)
    consultation.complete(doctor(practitioner), outcome=Outcome.ADVICE, **key)
    return practitioner, case


@pytest.fixture
def years(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[Clinic, Practitioner, Consultation]]:
    """A doctor's last consultation, after thousands like it."""
    with committed_rows(django_db_blocker):
        clinic = ClinicFactory.create()
        practitioner, case = held_by(clinic)
        with connections["owner"].cursor() as cursor:
            for table, changes in CHANGES.items():
                cursor.execute(FILL.format(table=table, rows=ROWS, changes=changes))
            cursor.execute(f"ANALYZE {', '.join(CHANGES)}")
        yield clinic, practitioner, case


def looked_at(action: Callable[[], Any]) -> int:
    """Run an action; return how many rows the database has looked at for one step of it."""
    seen: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if str(sql).startswith("SELECT"):
            seen.append((str(sql), params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        action()
    most = 0
    with connection.cursor() as cursor:
        for sql, params in seen:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            answer = cursor.fetchone()[0]
            plan = json.loads(answer) if isinstance(answer, str) else answer
            steps = [plan[0]["Plan"]]
            for step in steps:
                steps += step.get("Plans", [])
                rows = step["Actual Rows"] + step.get("Rows Removed by Filter", 0)
                most = max(most, round(rows * step["Actual Loops"]))
    return most


def test_an_idle_desk_does_not_look_through_all_that_its_doctor_ever_held(
    years: tuple[Clinic, Practitioner, Consultation],
) -> None:
    _clinic, practitioner, case = years
    me = person(case.patient_account_id)
    send_message(
        me, state_id=case.state_id, room_id=case.room_id, text="Twice a day?", client_key=uuid7()
    )
    found: list[int] = []
    rows = looked_at(lambda: found.append(questions_waiting(practitioner, [case.state_id])))
    assert found == [1]
    assert rows <= MOST_LOOKED_AT


def test_what_closing_would_do_is_not_sought_among_all_consultations(
    years: tuple[Clinic, Practitioner, Consultation],
) -> None:
    clinic, practitioner, _case = years
    requested(clinic, PatientFactory.create())
    called_by(practitioner)
    requested(clinic, PatientFactory.create())
    found: list[Any] = []
    rows = looked_at(lambda: found.append(outlook(clinic)))
    assert (found[0].told, found[0].with_doctor) == (1, 1)
    assert rows <= MOST_LOOKED_AT
