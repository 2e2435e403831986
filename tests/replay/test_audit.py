"""What the audit counts by the database alone: nothing of a sound day, and every fault in one."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from replay.audit import COUNTED, FULL_LINES, IN_FLIGHT
from sanjeevani.calls.services import send_message
from sanjeevani.consultation import transfers
from sanjeevani.consultation.interruptions import ring_again
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.services import answer, call_next, cancel, give_feedback
from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.ids import uuid7
from sanjeevani.patients.models import Patient
from sanjeevani.prescription.models import Prescription
from tests.consultation.test_transfers import (
    follow_up,
    held,
    open_clinic,
    returned,
)
from tests.factories import ClinicFactory, PatientFactory, doctor, on_duty, person, requested, told
from tests.races.conftest import committed_rows


@pytest.fixture
def sound_day(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A day on which patients were held, sent back, sent on, and gave their token back."""
    with committed_rows(django_db_blocker):
        here, there = ClinicFactory(), ClinicFactory()
        practitioner = on_duty(here)

        asks_again(here, practitioner)
        seen = held(practitioner)
        assert seen.practitioner_id
        at: dict[str, Any] = {"state_id": seen.state_id, "consultation_id": seen.id}
        send_message(
            person(seen.patient_account_id),
            state_id=seen.state_id,
            room_id=seen.room_id,
            text="Thank you",
            client_key=uuid7(),
        )
        give_feedback(person(seen.patient_account_id), **at, rating=5, comment="")
        Prescription.objects.create(
            **at,
            id=uuid7(),
            number="0000-0000-0000",
            content={},
            signature="",
            practitioner_id=seen.practitioner_id,
            signed_at=clock.now(),
        )

        given_back = asks_again(here, practitioner)
        cancel(
            person(given_back.patient_account_id),
            state_id=given_back.state_id,
            consultation_id=given_back.id,
        )
        returned(requested(here, PatientFactory()), practitioner)

        moved = requested(here, PatientFactory())
        requested(there, PatientFactory())
        held(on_duty(there))
        rung_longer(moved, practitioner)
        transfers.redirect(
            doctor(practitioner),
            practitioner=practitioner,
            state_id=moved.state_id,
            consultation_id=moved.id,
            clinic=open_clinic(there),
            reason="Skin",
        )

        patient = Patient.objects.get(state_id=seen.patient_state_id, id=seen.patient_id)
        waits = follow_up(here, patient, seen)
        transfers.to_pool(SYSTEM, state_id=waits.state_id, token_id=waits.token_id)
        held(on_duty(here))
        requested(here, PatientFactory())
        yield


def rung_longer(consultation: Consultation, practitioner: Practitioner) -> None:
    """Call the only one who waits, and let it ring for longer before it is answered."""
    at: dict[str, Any] = {"state_id": consultation.state_id, "consultation_id": consultation.id}
    call_next(doctor(practitioner), practitioner=practitioner)
    ring_again(doctor(practitioner), practitioner=practitioner, **at)
    answer(person(consultation.patient_account_id), **at)


def asks_again(clinic: Clinic, practitioner: Practitioner) -> Consultation:
    """Let a patient ask, be sent back for more information, and ask again."""
    patient = PatientFactory()
    at = returned(requested(clinic, patient, text="Pain"), practitioner)
    return transfers.ask_again(
        person(patient.account_id), patient=patient, content=told(patient, text="Left knee"), **at
    )


def counted(name: str, in_flight: str = IN_FLIGHT) -> int:
    """What the audit finds of a violation, as the database's owner."""
    facts: dict[str, Any] = {
        "since": clock.now() - datetime.timedelta(hours=1),
        "day": clock.today(),
        "in_flight": in_flight,
    }
    found = 0
    with connections["owner"].cursor() as cursor:
        for query in COUNTED[name]:
            cursor.execute(query, facts)
            found += cursor.fetchone()[0]
    return found


@pytest.mark.usefixtures("sound_day")
def test_a_sound_day_violates_nothing() -> None:
    # Everything here happens within a second.
    found = {name: counted(name, in_flight="0 seconds") for name in COUNTED}
    assert found == dict.fromkeys(COUNTED, 0)


def copied(table: str, where: str = "true", **changes: str) -> str:
    """The statement that doubles a row, as a request would that took effect twice."""
    values = "".join(f", '{column}', '{value}'" for column, value in changes.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(kept,"  # noqa: S608 - our own names
        f" jsonb_build_object('id', gen_random_uuid(){values}))).*"
        f" FROM {table} AS kept WHERE {where} LIMIT 1"
    )


TWO_DOCTORS = """
UPDATE queueing_token AS former
SET practitioner_id = '00000000-0000-4000-8000-000000000000', called_at = newer.called_at,
  ended_at = newer.ended_at
FROM queueing_token AS newer
WHERE newer.consultation_id = former.consultation_id AND newer.id > former.id
  AND former.status = 'redirected'
"""
ANOTHER_DOCTOR = """
UPDATE consultation_consultation SET practitioner_id = '00000000-0000-4000-8000-000000000000'
WHERE status = 'completed'
"""
CALLED_AND_GIVEN_BACK = """
kind = 'queueing.TokenCalled' AND EXISTS (
  SELECT 1 FROM foundation_outboxfact AS later
  WHERE later.kind = 'queueing.TokenRequeued' AND later.recorded_at > kept.recorded_at
    AND later.payload->>'token_id' = kept.payload->>'token_id'
)
"""
PASSED_AND_WAITS = """
UPDATE queueing_token SET called_at = now() + interval '1 minute',
  ended_at = now() + interval '2 minutes' WHERE status = 'served' AND calls = 1;
UPDATE queueing_token SET order_class = 0 WHERE status = 'waiting'
"""
PASSED_AND_GAVE_UP = """
UPDATE queueing_token SET called_at = now() + interval '1 minute',
  ended_at = now() + interval '2 minutes' WHERE status = 'served' AND calls = 1
  AND line_id IN (SELECT line_id FROM queueing_token WHERE status = 'cancelled');
UPDATE queueing_token SET order_class = 0, ended_at = now() + interval '3 minutes'
WHERE status = 'cancelled' AND called_at IS NULL
"""
CROWDED = """
UPDATE directory_line SET waiting_places = 1;
UPDATE queueing_token SET calls = 1, called_at = now() + interval '1 minute'
"""
ASKED_TWICE = """
ALTER TABLE consultation_consultation DROP CONSTRAINT consultation_request_once;
UPDATE consultation_consultation SET request_key = '00000000-0000-4000-8000-000000000000'
"""
NO_TOKENS = """
DELETE FROM queueing_token
WHERE line_id = (SELECT line_id FROM queueing_lineday ORDER BY issued, id LIMIT 1)
"""
MORE_AND_FEWER = """
UPDATE queueing_lineday SET issued = issued + CASE
  WHEN id = (SELECT id FROM queueing_lineday ORDER BY issued, id LIMIT 1) THEN -1
  WHEN id = (SELECT id FROM queueing_lineday ORDER BY issued DESC, id LIMIT 1) THEN 1
  ELSE 0 END
"""
FAULTS = {
    "two doctors by two tokens": ("double_claims", [TWO_DOCTORS]),
    "held by another than the token says": ("double_claims", [ANOTHER_DOCTOR]),
    "called twice, and given back once": (
        "double_claims",
        [copied("foundation_outboxfact", where=CALLED_AND_GIVEN_BACK)],
    ),
    "more places given than there are": (
        "oversold",
        ["UPDATE directory_line SET places_per_day = 2 WHERE places_per_day > 2"],
    ),
    "a counter that counts too few": (
        "oversold",
        ["UPDATE queueing_lineday SET taken = taken - 1 WHERE taken > 1"],
    ),
    "places given that the counter does not know": (
        "oversold",
        ["UPDATE queueing_token SET holds_place = true WHERE NOT holds_place"],
    ),
    "places given in a line without a counter": ("oversold", ["DELETE FROM queueing_lineday"]),
    "more let in to wait than may": ("oversold", [CROWDED]),
    "passed by another, and gave up": ("out_of_order", [PASSED_AND_GAVE_UP]),
    "passed by another, and waits": ("out_of_order", [PASSED_AND_WAITS]),
    "all tokens of a line": ("lost", [NO_TOKENS]),
    "a number given to nobody": (
        "lost",
        ["UPDATE queueing_token SET number = number + 1 WHERE status = 'waiting'"],
    ),
    "a number, while another line has more tokens than it counts": (
        "lost",
        [MORE_AND_FEWER],
    ),
    "a request that took effect twice": ("duplicate_numbers", [ASKED_TWICE]),
    "two notes": (
        "duplicate_numbers",
        ["ALTER TABLE consultation_note DROP CONSTRAINT note_once", copied("consultation_note")],
    ),
    "two feedbacks": (
        "duplicate_numbers",
        [
            "ALTER TABLE consultation_feedback DROP CONSTRAINT feedback_once",
            copied("consultation_feedback"),
        ],
    ),
    "a message sent twice": (
        "duplicate_numbers",
        ["ALTER TABLE calls_message DROP CONSTRAINT message_once", copied("calls_message")],
    ),
    "a patient registered twice": (
        "duplicate_numbers",
        [
            "UPDATE patients_patient SET registration_key = id",
            "ALTER TABLE patients_patient DROP CONSTRAINT patient_registered_once",
            copied("patients_patient"),
        ],
    ),
    "two prescriptions in force": (
        "duplicate_numbers",
        [copied("prescription_prescription", number="0000-0000-0001")],
    ),
}


@pytest.mark.usefixtures("sound_day")
def test_a_line_that_was_full_until_a_place_was_given_back_may_have_refused() -> None:
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        cursor.execute(
            "UPDATE directory_line SET places_per_day = taken + 1 FROM queueing_lineday AS line_day"
            " WHERE line_day.line_id = directory_line.id AND EXISTS (SELECT FROM queueing_token"
            "  WHERE queueing_token.line_id = line_day.line_id AND status = 'cancelled')"
        )
        cursor.execute(FULL_LINES, {"day": clock.today()})
        assert len(cursor.fetchall()) == 1
        transaction.set_rollback(True, "owner")


@pytest.mark.usefixtures("sound_day")
@pytest.mark.parametrize("fault", FAULTS)
def test_the_audit_sees(fault: str) -> None:
    name, statements = FAULTS[fault]
    with transaction.atomic("owner"):
        with connections["owner"].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        assert counted(name) > 0
        transaction.set_rollback(True, "owner")
