"""A consultation from request to feedback: who may, when, and what each refusal is called."""

import datetime
import uuid
from typing import Any

import pytest
from django.utils import timezone

from sanjeevani.calls.models import RoomStatus
from sanjeevani.calls.queries import messages_in
from sanjeevani.calls.services import send_message
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.errors import (
    AlreadyGiven,
    ClinicClosed,
    ConsentMissing,
    NotInProgress,
    NotOnDuty,
)
from sanjeevani.consultation.interruptions import interrupt, not_reachable
from sanjeevani.consultation.models import Consultation, ConsultationStatus, Outcome
from sanjeevani.consultation.queries import (
    feedback_of,
    for_practitioner,
    own_consultation,
    own_consultations,
    questions_waiting,
)
from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.models import AuditEvent, OutboxFact
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import draft_of, intake_of
from sanjeevani.intake.services import save_draft
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import may_read
from sanjeevani.queueing.errors import AlreadyWaiting, CallExpired, NobodyWaiting
from sanjeevani.queueing.models import Token
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import assign, change_duty
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    ClinicFactory,
    ConsentFactory,
    PatientFactory,
    doctor,
    on_duty,
    person,
    requested,
    told,
)

pytestmark = pytest.mark.django_db

NINE_TO_ONE = ((datetime.time(9), datetime.time(13)),)


def at(hour: int, minute: int = 0, second: int = 0) -> datetime.datetime:
    """A time of a Monday in India."""
    return datetime.datetime(
        2026, 11, 23, hour, minute, second, tzinfo=timezone.get_default_timezone()
    )


def ask(clinic: Clinic, patient: Patient, **more: Any) -> Consultation:
    """Request as a screen does."""
    arguments: dict[str, Any] = {
        "patient": patient,
        "clinic": clinic_serving(
            patient.state_id, clinic_state_id=clinic.state_id, clinic_id=clinic.id
        ),
        "content": told(patient, text="Fever for three days"),
        "language": "en",
        "request_key": uuid.uuid4(),
    }
    return consultation.request(person(patient.account_id), **(arguments | more))


def key(held: Consultation) -> dict[str, Any]:
    """A consultation's key as arguments."""
    return {"state_id": held.state_id, "consultation_id": held.id}


def guest(held: Consultation) -> Any:
    """The patient's account."""
    return person(held.patient_account_id, held.patient_state_id)


def call(practitioner: Practitioner) -> Consultation:
    """Press Next."""
    return consultation.call_next(doctor(practitioner), practitioner=practitioner)


def hold(clinic: Clinic, practitioner: Practitioner) -> Consultation:
    """A consultation in progress."""
    held = requested(clinic, PatientFactory())
    call(practitioner)
    return consultation.answer(guest(held), **key(held))


def write(held: Consultation, practitioner: Practitioner, **content: Any) -> None:
    """Write the note."""
    consultation.write_note(
        doctor(practitioner),
        practitioner=practitioner,
        content=consultation.NoteContent(**content),
        diagnoses=[],
        **key(held),
    )


def complete(held: Consultation, practitioner: Practitioner) -> Consultation:
    """Finish with advice."""
    return consultation.complete(
        doctor(practitioner), practitioner=practitioner, outcome=Outcome.ADVICE, **key(held)
    )


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(8, 59, 59), False),
        (at(9), True),
        (at(12, 59, 59), True),
        (at(13), False),
    ],
)
def test_a_clinic_takes_requests_in_its_hours(moment: datetime.datetime, is_open: bool) -> None:
    clinic, patient = ClinicFactory(hours=NINE_TO_ONE), PatientFactory()
    ConsentFactory(patient=patient)
    with clock.driven_by(lambda: moment):
        if is_open:
            assert ask(clinic, patient).status == ConsultationStatus.REQUESTED
        else:
            with pytest.raises(ClinicClosed):
                ask(clinic, patient)


def test_no_consultation_without_consent() -> None:
    with pytest.raises(ConsentMissing):
        ask(ClinicFactory(), PatientFactory())


def test_nobody_asks_for_another_family() -> None:
    patient = PatientFactory()
    ConsentFactory(patient=patient)
    other = PatientFactory()
    with pytest.raises(NotPermitted):
        consultation.request(
            person(other.account_id),
            patient=patient,
            clinic=clinic_serving(
                ANDHRA_PRADESH,
                clinic_state_id=ANDHRA_PRADESH,
                clinic_id=ClinicFactory().id,
            ),
            content=IntakeContent(text="Fever"),
            language="en",
            request_key=uuid.uuid4(),
        )


def test_a_clinic_that_does_not_serve_the_state_is_not_found() -> None:
    clinic = ClinicFactory(line__facility__state_id=TAMIL_NADU)
    with pytest.raises(NotFound):
        ask(clinic, PatientFactory())


def test_a_refused_request_stores_nothing_by_half() -> None:
    clinic, patient = ClinicFactory(), PatientFactory()
    ConsentFactory(patient=patient)
    save_draft(person(patient.account_id), patient=patient, content=IntakeContent(history="Asthma"))
    with pytest.raises(Invalid):
        ask(clinic, patient, content=told(patient, text="  "))
    assert not Consultation.objects.filter(state_id=clinic.state_id).exists()
    assert not Token.objects.filter(state_id=clinic.state_id).exists()
    assert draft_of(patient).history == "Asthma"


def test_a_request_freezes_the_intake_and_clears_the_draft() -> None:
    clinic, patient = ClinicFactory(), PatientFactory()
    ConsentFactory(patient=patient)
    content = told(patient, text="Cough", history="Asthma")
    save_draft(person(patient.account_id), patient=patient, content=content)
    held = ask(clinic, patient, content=content)
    assert intake_of(held.state_id, held.id) == content
    assert draft_of(patient) == IntakeContent()


def test_the_same_request_again_is_the_first() -> None:
    clinic, patient, request_key = ClinicFactory(), PatientFactory(), uuid.uuid4()
    ConsentFactory(patient=patient)
    first = ask(clinic, patient, request_key=request_key)
    assert ask(clinic, patient, request_key=request_key).id == first.id
    with pytest.raises(AlreadyWaiting):
        ask(clinic, patient)


def test_the_host_state_keeps_it_and_the_home_state_finds_it() -> None:
    """A national OPD: the consultation lives with the host, the patient elsewhere."""
    clinic = ClinicFactory(line__facility__state_id=TAMIL_NADU, serves=[ANDHRA_PRADESH])
    patient = PatientFactory()
    held = requested(clinic, patient)
    assert (held.state_id, held.patient_state_id) == (TAMIL_NADU, ANDHRA_PRADESH)
    assert own_consultations(person(patient.account_id)) == [held]


def test_one_doctor_serves_lines_of_two_states() -> None:
    clinics = [
        ClinicFactory(line__facility__state_id=state_id, serves=[ANDHRA_PRADESH])
        for state_id in (ANDHRA_PRADESH, TAMIL_NADU)
    ]
    practitioner = on_duty(clinics[0])
    change_duty(doctor(practitioner), practitioner=practitioner, to=DutyStatus.OFF)
    assign(SYSTEM, practitioner=practitioner, line=clinics[1].line)
    change_duty(doctor(practitioner), practitioner=practitioner, to=DutyStatus.ON)
    held = requested(clinics[1], PatientFactory())
    assert call(practitioner).id == held.id


def test_next_needs_duty() -> None:
    practitioner = on_duty(ClinicFactory())
    change_duty(doctor(practitioner), practitioner=practitioner, to=DutyStatus.BREAK)
    with pytest.raises(NotOnDuty):
        call(practitioner)


def test_nobody_calls_in_anothers_name() -> None:
    clinic = ClinicFactory()
    practitioner, other = on_duty(clinic), on_duty(clinic)
    with pytest.raises(NotPermitted):
        consultation.call_next(doctor(other), practitioner=practitioner)


def test_an_empty_next_leaves_the_doctor_free() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    with pytest.raises(NobodyWaiting):
        call(practitioner)
    held = requested(clinic, PatientFactory())
    assert call(practitioner).id == held.id


def test_the_line_waiting_longest_against_its_target_is_served_first() -> None:
    slow, quick = (ClinicFactory(line__target_wait_minutes=minutes) for minutes in (60, 10))
    practitioner = on_duty(slow)
    assign(SYSTEM, practitioner=practitioner, line=quick.line)
    with clock.driven_by(lambda: at(9)):
        requested(slow, PatientFactory())
    with clock.driven_by(lambda: at(9, 20)):
        urgent = requested(quick, PatientFactory())
    with clock.driven_by(lambda: at(9, 30)):
        assert call(practitioner).id == urgent.id


def test_a_call_names_the_doctor_and_opens_the_record() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    stranger = on_duty(clinic)
    held = requested(clinic, PatientFactory())
    with pytest.raises(NotFound):
        for_practitioner(doctor(practitioner), practitioner, held.state_id, held.id)
    call(practitioner)
    read = for_practitioner(doctor(practitioner), practitioner, held.state_id, held.id)
    assert read.practitioner_name == practitioner.name
    assert practitioner.registration_number in read.practitioner_registration
    with pytest.raises(NotFound):
        for_practitioner(doctor(stranger), stranger, held.state_id, held.id)
    reads = AuditEvent.objects.filter(state_id=held.state_id, verb="consultation.read")
    assert [row.patient_id for row in reads] == [held.patient_id]


def test_answering_twice_is_once() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = hold(clinic, practitioner)
    assert consultation.answer(guest(held), **key(held)).started_at == held.started_at


def test_only_the_patient_answers() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory())
    call(practitioner)
    for actor in (doctor(practitioner), person(uuid.uuid4()), SYSTEM):
        with pytest.raises(NotPermitted):
            consultation.answer(actor, **key(held))


def test_an_answer_before_any_call_changes_nothing() -> None:
    held = requested(ClinicFactory(), PatientFactory())
    with pytest.raises(CallExpired):
        consultation.answer(guest(held), **key(held))
    held.refresh_from_db()
    assert held.status == ConsultationStatus.REQUESTED


def test_a_handed_back_call_goes_to_another_doctor() -> None:
    clinic = ClinicFactory()
    first, second = on_duty(clinic), on_duty(clinic)
    held = requested(clinic, PatientFactory())
    call(first)
    consultation.hand_back(doctor(first), practitioner=first, reason="Not my field", **key(held))
    held.refresh_from_db()
    assert (held.practitioner_id, held.room.host_account_id) == (None, None)
    with pytest.raises(NobodyWaiting):
        call(first)
    assert call(second).id == held.id


def test_who_only_called_reads_the_record_no_longer() -> None:
    """Neither after a missed call nor handed back; called once more, again. Who has talked may."""
    clinic, patient = ClinicFactory(), PatientFactory()
    first, second = on_duty(clinic), on_duty(clinic)
    held = requested(clinic, patient)
    record = {"patient_state_id": patient.state_id, "patient_id": patient.id}
    moment = clock.now()
    with clock.driven_by(lambda: moment):
        call(first)
        assert may_read(first.id, **record)
        moment += datetime.timedelta(seconds=121)
        consultation.not_answered(SYSTEM, state_id=held.state_id, token_id=held.token_id)
        assert not may_read(first.id, **record)
        call(first)
        assert may_read(first.id, **record)
        consultation.hand_back(doctor(first), practitioner=first, reason="Busy", **key(held))
        assert not may_read(first.id, **record)
        call(second)
        consultation.answer(guest(held), **key(held))
        interrupt(doctor(second), **key(held))
        not_reachable(doctor(second), practitioner=second, **key(held))
        assert may_read(second.id, **record)


def test_two_calls_missed_end_it() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory())
    moment = clock.now()
    with clock.driven_by(lambda: moment):
        for status in (ConsultationStatus.REQUESTED, ConsultationStatus.ABANDONED):
            call(practitioner)
            moment += datetime.timedelta(seconds=121)
            consultation.not_answered(SYSTEM, state_id=held.state_id, token_id=held.token_id)
            held.refresh_from_db()
            assert held.status == status
            assert held.practitioner_id is None
    assert held.room.status == RoomStatus.CLOSED


def test_nothing_is_written_before_the_patient_is_there() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory())
    call(practitioner)
    with pytest.raises(NotInProgress):
        write(held, practitioner, advice="Rest")


def test_only_the_holder_writes() -> None:
    clinic = ClinicFactory()
    practitioner, other = on_duty(clinic), on_duty(clinic)
    held = hold(clinic, practitioner)
    with pytest.raises(NotPermitted):
        write(held, other, advice="Rest")


def test_no_end_without_a_word() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = hold(clinic, practitioner)
    with pytest.raises(Invalid):
        complete(held, practitioner)
    write(held, practitioner, findings="Throat red", advice="   ")
    with pytest.raises(Invalid):
        complete(held, practitioner)
    write(held, practitioner, advice="Rest and drink")
    assert complete(held, practitioner).status == ConsultationStatus.COMPLETED


def test_an_end_frees_the_doctor_and_leaves_questions() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = hold(clinic, practitioner)
    write(held, practitioner, advice="Rest")
    complete(held, practitioner)
    held.refresh_from_db()
    assert held.room.status == RoomStatus.QUESTIONS
    assert held.room.questions_until is not None
    following = requested(clinic, PatientFactory())
    assert call(practitioner).id == following.id
    with pytest.raises(NotInProgress):
        write(held, practitioner, advice="Too late")


def test_feedback_once_and_of_the_patient() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = hold(clinic, practitioner)
    with pytest.raises(Invalid):
        consultation.give_feedback(guest(held), rating=5, comment="", **key(held))
    write(held, practitioner, advice="Rest")
    complete(held, practitioner)
    with pytest.raises(NotPermitted):
        consultation.give_feedback(doctor(practitioner), rating=5, comment="", **key(held))
    for rating in (0, 6):
        with pytest.raises(Invalid):
            consultation.give_feedback(guest(held), rating=rating, comment="", **key(held))
    consultation.give_feedback(guest(held), rating=4, comment="धन्यवाद", **key(held))
    with pytest.raises(AlreadyGiven):
        consultation.give_feedback(guest(held), rating=1, comment="", **key(held))
    given = feedback_of(held)
    assert given is not None
    assert (given.rating, given.comment) == (4, "धन्यवाद")


def test_other_peoples_consultations_are_not_found() -> None:
    held = requested(ClinicFactory(), PatientFactory())
    with pytest.raises(NotFound):
        own_consultation(person(uuid.uuid4()), held.state_id, held.id)
    assert own_consultation(guest(held), held.state_id, held.id) == held


def test_facts_carry_no_personal_data() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = hold(clinic, practitioner)
    write(held, practitioner, advice="Rest")
    complete(held, practitioner)
    facts = OutboxFact.objects.filter(state_id=held.state_id)
    assert facts.count() >= 5
    for fact in facts:
        written = f"{fact.payload}{fact.topics}"
        for private in (
            held.patient_name,
            held.patient_address,
            practitioner.name,
            "Fever",
            "Rest",
        ):
            assert private not in written


def test_changed_words_under_the_key_of_an_unheard_message_are_said_once() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = hold(clinic, practitioner)
    key = uuid.uuid4()
    for text in ("Fever", "Fever", "Fever and a rash", "Fever and a rash"):
        said = send_message(
            guest(held), state_id=held.state_id, room_id=held.room_id, text=text, client_key=key
        )
        assert said.text == text
    told = [message.text for message in messages_in(held.state_id, held.room_id)]
    assert told == ["Fever", "Fever and a rash"]


def test_a_question_waits_while_the_patients_word_after_the_end_is_the_last() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = hold(clinic, practitioner)

    def say(who: Any) -> int:
        send_message(
            who, state_id=held.state_id, room_id=held.room_id, text="…", client_key=uuid.uuid4()
        )
        return questions_waiting(practitioner, [held.state_id])

    assert say(guest(held)) == 0
    write(held, practitioner, advice="Rest")
    complete(held, practitioner)
    assert questions_waiting(practitioner, [held.state_id]) == 0
    assert [say(guest(held)), say(guest(held))] == [1, 1]
    assert say(doctor(practitioner)) == 0
    assert say(guest(held)) == 1
    assert questions_waiting(on_duty(clinic), [held.state_id]) == 0
