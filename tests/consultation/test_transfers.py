"""Whoever is taken to another line, or home, keeps the time waited."""

import datetime
import uuid
from typing import Any

import pytest
from django.utils import timezone

from sanjeevani.consultation import transfers
from sanjeevani.consultation.conduct import report_conduct
from sanjeevani.consultation.errors import NotFollowUp
from sanjeevani.consultation.interruptions import interrupt, not_reachable
from sanjeevani.consultation.models import (
    Consultation,
    ConsultationReference,
    ConsultationStatus,
    EncounterKind,
    Link,
    Outcome,
)
from sanjeevani.consultation.services import (
    NoteContent,
    answer,
    call_next,
    complete,
    get,
    hand_back,
    request,
    token_of,
    write_note,
)
from sanjeevani.directory.models import Clinic, ClinicHours, LineKind, Practitioner
from sanjeevani.directory.queries import OpenClinic, clinic_serving, lines_by_id
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.intake.queries import intake_of
from sanjeevani.jobs.sweeper import MOVE_AFTER, sweep_lines
from sanjeevani.patients.models import Patient
from sanjeevani.queueing.errors import AlreadyWaiting, NobodyWaiting
from sanjeevani.queueing.models import PriorityClass, TokenStatus
from sanjeevani.queueing.queries import snapshot_lines, wait_of
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import assign, change_duty
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    AccountFactory,
    ClinicFactory,
    FacilityFactory,
    LineFactory,
    PatientFactory,
    StateFactory,
    doctor,
    on_duty,
    person,
    requested,
    told,
)

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


def open_clinic(clinic: Clinic, patient_state: int = ANDHRA_PRADESH) -> OpenClinic:
    """The clinic as a patient of a state is offered it."""
    return clinic_serving(patient_state, clinic_state_id=clinic.state_id, clinic_id=clinic.id)


def called_by(practitioner: Practitioner) -> Consultation:
    """Press Next and let the patient answer."""
    consultation = call_next(doctor(practitioner), practitioner=practitioner)
    return answer(
        person(consultation.patient_account_id, consultation.patient_state_id),
        state_id=consultation.state_id,
        consultation_id=consultation.id,
    )


def returned(consultation: Consultation, practitioner: Practitioner) -> dict[str, Any]:
    """Send the only one who waits back for more information; return where the request is."""
    call_next(doctor(practitioner), practitioner=practitioner)
    at: dict[str, Any] = {"state_id": consultation.state_id, "consultation_id": consultation.id}
    transfers.return_to_patient(
        doctor(practitioner), practitioner=practitioner, reason="Where does it hurt?", **at
    )
    return at


def held(practitioner: Practitioner) -> Consultation:
    """Hold a consultation from Next to Done."""
    consultation = called_by(practitioner)
    key: dict[str, Any] = {"state_id": consultation.state_id, "consultation_id": consultation.id}
    write_note(
        doctor(practitioner),
        practitioner=practitioner,
        content=NoteContent(advice="Rest"),
        diagnoses=[],
        **key,
    )
    return complete(doctor(practitioner), practitioner=practitioner, outcome=Outcome.ADVICE, **key)


def test_a_redirect_across_states_keeps_the_waiting_time_and_carries_the_intake() -> None:
    here = ClinicFactory()
    StateFactory(lgd_code=TAMIL_NADU)
    there = ClinicFactory(
        line=LineFactory(facility=FacilityFactory(state_id=TAMIL_NADU)),
        serves=[ANDHRA_PRADESH, TAMIL_NADU],
    )
    patient = PatientFactory()
    first = requested(here, patient, text="A rash since spring")
    practitioner = on_duty(here)
    consultation = called_by(practitioner)

    moved = transfers.redirect(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=consultation.state_id,
        consultation_id=consultation.id,
        clinic=open_clinic(there),
        reason="Skin",
    )

    assert (moved.state_id, moved.link, moved.follows_id) == (
        TAMIL_NADU,
        Link.REDIRECTED,
        first.id,
    )
    assert token_of(moved).waiting_since == token_of(first).waiting_since
    assert token_of(moved).status == TokenStatus.WAITING
    assert token_of(first).status == TokenStatus.REDIRECTED
    assert get(first.state_id, first.id).status == ConsultationStatus.REDIRECTED
    assert intake_of(moved.state_id, moved.id).text == "A rash since spring"
    reference = ConsultationReference.objects.get(state_id=patient.state_id, id=moved.id)
    assert (reference.consultation_state_id, reference.follows_id) == (TAMIL_NADU, first.id)
    # The doctor is free at once.
    requested(here, PatientFactory())
    assert call_next(doctor(practitioner), practitioner=practitioner)


def test_a_returned_request_is_asked_again_with_the_time_waited() -> None:
    clinic = ClinicFactory()
    patient = PatientFactory()
    consultation = requested(clinic, patient, text="pain")
    since = token_of(consultation).waiting_since
    practitioner = on_duty(clinic)
    call_next(doctor(practitioner), practitioner=practitioner)
    key: dict[str, Any] = {"state_id": consultation.state_id, "consultation_id": consultation.id}

    transfers.return_to_patient(
        doctor(practitioner), practitioner=practitioner, reason="Where does it hurt?", **key
    )
    returned = get(**key)
    assert (returned.status, returned.reason) == (
        ConsultationStatus.RETURNED,
        "Where does it hurt?",
    )
    again = transfers.ask_again(
        person(patient.account_id),
        patient=patient,
        content=told(patient, text="Pain in the left knee"),
        **key,
    )

    assert again.status == ConsultationStatus.REQUESTED
    assert since <= token_of(again).waiting_since <= since + datetime.timedelta(seconds=5)
    assert intake_of(consultation.state_id, consultation.id).text == "Pain in the left knee"


@pytest.mark.parametrize(("answered_after", "is_first"), [(5, True), (60, False)])
def test_who_answers_late_does_not_stand_before_those_who_waited(
    answered_after: int, is_first: bool
) -> None:
    """Sent back at once, the next one came ten minutes later; whoever has waited longer is next."""
    minutes = datetime.timedelta(minutes=1)
    begun, clinic, patient = clock.now(), ClinicFactory.create(), PatientFactory.create()
    practitioner = on_duty(clinic)
    at = returned(requested(clinic, patient), practitioner)
    with clock.driven_by(lambda: begun + 10 * minutes):
        requested(clinic, PatientFactory.create())
    with clock.driven_by(lambda: begun + answered_after * minutes):
        transfers.ask_again(
            person(patient.account_id),
            patient=patient,
            content=told(patient, text="For a week"),
            **at,
        )
    with clock.driven_by(lambda: begun + 61 * minutes):
        called = call_next(doctor(practitioner), practitioner=practitioner)
    assert (called.id == at["consultation_id"]) is is_first


def test_a_follow_up_waits_in_the_lane_of_the_same_doctor() -> None:
    clinic = ClinicFactory()
    patient = PatientFactory()
    requested(clinic, patient)
    practitioner, other = on_duty(clinic), on_duty(clinic)
    earlier = held(practitioner)

    asked = follow_up(clinic, patient, earlier)

    lane = lines_by_id([(asked.state_id, asked.line_id)])[asked.line_id]
    assert (lane.kind, lane.practitioner_id) == (LineKind.FOLLOW_UP, practitioner.id)
    with pytest.raises(Exception, match="NobodyWaiting"):
        call_next(doctor(other), practitioner=other)
    taken = call_next(doctor(practitioner), practitioner=practitioner)
    assert (taken.id, taken.encounter_kind) == (asked.id, EncounterKind.FOLLOW_UP)


def follow_up(clinic: Clinic, patient: Patient, earlier: Consultation) -> Consultation:
    return transfers.request_follow_up(
        person(patient.account_id),
        patient=patient,
        clinic=open_clinic(clinic),
        earlier=earlier,
        content=told(patient, text="Better, but not well"),
        language="en",
        request_key=uuid.uuid4(),
    )


def test_whom_their_doctor_calls_just_then_does_not_go_to_the_pool() -> None:
    """The sweeper acts on what it saw: the patient may talk by then."""
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    requested(clinic, patient)
    practitioner, other = on_duty(clinic), on_duty(clinic)
    follow_up(clinic, patient, held(practitioner))
    talking = called_by(practitioner)
    with pytest.raises(Stale):
        transfers.to_pool(SYSTEM, state_id=talking.state_id, token_id=talking.token_id)
    with pytest.raises(NobodyWaiting):
        call_next(doctor(other), practitioner=other)
    assert token_of(talking).status == TokenStatus.SERVING


def test_who_answers_a_returned_request_is_kept_from_whom_they_reported() -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    requested(clinic, patient)
    reported, other = on_duty(clinic), on_duty(clinic)
    done = held(reported)
    me = person(patient.account_id)
    report_conduct(me, state_id=done.state_id, consultation_id=done.id)
    at = returned(requested(clinic, patient), other)
    transfers.ask_again(me, patient=patient, content=told(patient, text="For a week"), **at)
    with pytest.raises(NobodyWaiting):
        call_next(doctor(reported), practitioner=reported)


def test_what_was_measured_stays_when_a_returned_request_is_asked_again() -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    case = requested(clinic, patient, text="Fever", vitals={"body_temperature": 38.5})
    at = returned(case, on_duty(clinic))
    me = person(patient.account_id)
    transfers.ask_again(me, patient=patient, content=told(patient, text="For a week"), **at)
    assert intake_of(case.state_id, case.id).vitals == {"body_temperature": 38.5}


def test_who_says_only_when_asked_again_that_she_is_pregnant_goes_first_from_then_on() -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    case = requested(clinic, patient)
    at = returned(case, on_duty(clinic))
    content = told(patient, text="For a week", answers={"pregnant": True})
    asked = transfers.ask_again(person(patient.account_id), patient=patient, content=content, **at)
    token = token_of(asked)
    assert (token.priority_class, token.order_class) == (PriorityClass.PRIORITY,) * 2


def test_a_line_that_nobody_serves_is_seen_after_midnight_too() -> None:
    """Nobody has asked there today."""
    clinic = ClinicFactory.create()
    on_duty(ClinicFactory.create())
    late = timezone.localtime().replace(hour=23, minute=57)

    def swept(minutes: int) -> None:
        with clock.driven_by(lambda: late + datetime.timedelta(minutes=minutes)):
            sweep_lines()

    with clock.driven_by(lambda: late):
        case = requested(clinic, PatientFactory.create())
    swept(0)
    swept(4)
    assert get(case.state_id, case.id).status == ConsultationStatus.REQUESTED
    swept(10)
    assert get(case.state_id, case.id).status == ConsultationStatus.REDIRECTED


def test_who_cannot_be_taken_elsewhere_leaves_no_trace_at_every_look() -> None:
    """Every twenty seconds, for everybody who waits: the audit trail is of what was done."""
    case = requested(ClinicFactory.create(), PatientFactory.create())
    sweep_lines()
    later = clock.now() + MOVE_AFTER
    with clock.driven_by(lambda: later):
        before = AuditEvent.objects.filter(state_id=case.state_id).count()
        sweep_lines()
        sweep_lines()
        assert AuditEvent.objects.filter(state_id=case.state_id).count() == before
    assert token_of(case).status == TokenStatus.WAITING


def test_a_follow_up_falls_back_to_the_pool_and_is_then_a_first_consultation() -> None:
    clinic = ClinicFactory()
    patient = PatientFactory()
    requested(clinic, patient)
    practitioner, other = on_duty(clinic), on_duty(clinic)
    asked = follow_up(clinic, patient, held(practitioner))
    since = token_of(asked).waiting_since

    change_duty(doctor(practitioner), practitioner=practitioner, to=DutyStatus.OFF)
    sweep_lines()

    taken = call_next(doctor(other), practitioner=other)
    assert (taken.id, taken.line_id) == (asked.id, clinic.line_id)
    assert taken.encounter_kind == EncounterKind.FIRST
    assert token_of(taken).waiting_since == since


def test_whom_their_own_doctor_hands_back_goes_to_another_at_once() -> None:
    """Nobody else calls from the lane, and its doctor is not to have the patient again."""
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    requested(clinic, patient)
    practitioner, other = on_duty(clinic), on_duty(clinic)
    asked = follow_up(clinic, patient, held(practitioner))
    call_next(doctor(practitioner), practitioner=practitioner)
    hand_back(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=asked.state_id,
        consultation_id=asked.id,
        reason="I know the family",
    )
    sweep_lines()
    with pytest.raises(NobodyWaiting):
        call_next(doctor(practitioner), practitioner=practitioner)
    assert call_next(doctor(other), practitioner=other).id == asked.id


def test_whom_the_only_doctor_hands_back_goes_to_another_opd() -> None:
    """Nobody would call there, and the page promised two minutes."""
    clinic = ClinicFactory.create()
    case = requested(clinic, PatientFactory.create())
    practitioner = on_duty(clinic)
    same = ClinicFactory.create(name="AA")
    assign(SYSTEM, practitioner=practitioner, line=same.line)
    call_next(doctor(practitioner), practitioner=practitioner)
    hand_back(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=case.state_id,
        consultation_id=case.id,
        reason="I know the family",
    )
    assert wait_of(token_of(case), 1) is None
    told_now = snapshot_lines(case.state_id, [case.line_id])[case.line_id]["each"]
    assert told_now[str(case.token_id)]["wait_high"] is None
    sweep_lines()
    assert token_of(case).status == TokenStatus.WAITING

    other = on_duty(ClinicFactory.create(name="ZZ"))
    sweep_lines()
    moved = call_next(doctor(other), practitioner=other)
    assert (moved.follows_id, moved.link) == (case.id, Link.REDIRECTED)
    assert token_of(moved).waiting_since == token_of(case).waiting_since


def test_who_handed_a_patient_back_does_not_call_them_in_the_opd_that_they_were_taken_to() -> None:
    here, there = ClinicFactory.create(), ClinicFactory.create()
    case = requested(here, PatientFactory.create())
    practitioner, other = on_duty(here), on_duty(there)
    assign(SYSTEM, practitioner=practitioner, line=there.line)
    call_next(doctor(practitioner), practitioner=practitioner)
    hand_back(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=case.state_id,
        consultation_id=case.id,
        reason="Another speciality",
    )
    sweep_lines()
    with pytest.raises(NobodyWaiting):
        call_next(doctor(practitioner), practitioner=practitioner)
    assert called_by(other).line_id == there.line_id


def test_a_follow_up_asked_for_twice_is_one_place_in_the_line() -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    requested(clinic, patient)
    earlier = held(on_duty(clinic))
    follow_up(clinic, patient, earlier)
    with pytest.raises(AlreadyWaiting):
        follow_up(clinic, patient, earlier)


def test_a_follow_up_of_nothing_held_is_refused() -> None:
    clinic = ClinicFactory()
    patient = PatientFactory()
    with pytest.raises(NotFollowUp):
        follow_up(clinic, patient, requested(clinic, patient))


def test_when_the_last_doctor_left_the_waiting_go_where_one_is() -> None:
    left, attended = ClinicFactory(), ClinicFactory()
    consultation = requested(left, PatientFactory())
    since = token_of(consultation).waiting_since
    on_duty(attended)

    sweep_lines()
    assert token_of(consultation).status == TokenStatus.WAITING
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(minutes=6)):
        sweep_lines()

    assert get(consultation.state_id, consultation.id).status == ConsultationStatus.REDIRECTED
    moved = Consultation.objects.get(state_id=ANDHRA_PRADESH, follows_id=consultation.id)
    assert moved.line_id == attended.line_id
    assert token_of(moved).waiting_since == since


def test_when_the_hours_end_the_waiting_go_first_the_next_time() -> None:
    clinic = ClinicFactory()
    patient = PatientFactory()
    consultation = requested(clinic, patient)
    hours = ClinicHours.objects.filter(state_id=clinic.state_id, clinic_id=clinic.id)
    hours.delete()
    sweep_lines()

    ended = get(consultation.state_id, consultation.id)
    assert (ended.status, ended.carries_wait) == (ConsultationStatus.ABANDONED, True)

    for weekday in range(7):
        hours.create(
            state_id=clinic.state_id,
            clinic_id=clinic.id,
            weekday=weekday,
            opens=datetime.time.min,
            closes=datetime.time.max,
        )
    again = request(
        person(patient.account_id),
        patient=patient,
        clinic=open_clinic(clinic),
        content=told(patient, text="As before"),
        language="en",
        request_key=uuid.uuid4(),
    )
    assert token_of(again).waiting_since == token_of(consultation).waiting_since
    assert not get(ended.state_id, ended.id).carries_wait


def lost_for_good(practitioner: Practitioner) -> Consultation:
    """The next patient answers, is lost, and is given up."""
    case = called_by(practitioner)
    at: dict[str, Any] = {"state_id": case.state_id, "consultation_id": case.id}
    interrupt(SYSTEM, **at)
    not_reachable(doctor(practitioner), practitioner=practitioner, **at)
    return case


def test_whom_a_lost_line_cut_off_from_their_own_doctor_goes_first_in_the_opd() -> None:
    """As the message promises, whichever way the patient then takes."""
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    requested(clinic, patient)
    practitioner = on_duty(clinic)
    earlier = held(practitioner)
    follow_up(clinic, patient, earlier)
    since = token_of(lost_for_good(practitioner)).waiting_since
    assert token_of(requested(clinic, patient)).waiting_since == since

    since = token_of(lost_for_good(practitioner)).waiting_since
    change_duty(doctor(practitioner), practitioner=practitioner, to=DutyStatus.OFF)
    assert token_of(follow_up(clinic, patient, earlier)).waiting_since == since


def test_who_was_left_overnight_by_a_doctor_who_did_not_sign_off_is_told_in_the_morning() -> None:
    clinic = ClinicFactory.create(hours=((datetime.time(9), datetime.time(13)),))
    day = timezone.localtime().replace(hour=12, minute=0)

    def swept(day_after: int, hour: int) -> ConsultationStatus:
        moment = day.replace(hour=hour) + datetime.timedelta(days=day_after)
        with clock.driven_by(lambda: moment):
            sweep_lines()
        return ConsultationStatus(get(case.state_id, case.id).status)

    with clock.driven_by(lambda: day):
        on_duty(clinic)
        case = requested(clinic, PatientFactory.create())
    assert swept(0, 14) == ConsultationStatus.REQUESTED
    assert swept(1, 2) == ConsultationStatus.REQUESTED
    assert swept(1, 6) == ConsultationStatus.ABANDONED
    assert get(case.state_id, case.id).carries_wait


def test_pregnant_women_infants_and_old_people_go_first() -> None:
    clinic = ClinicFactory()
    infant = PatientFactory(birth_date=clock.today() - datetime.timedelta(days=100))
    old = PatientFactory(birth_date=datetime.date(1950, 1, 1))
    mother = PatientFactory(birth_date=datetime.date(1996, 1, 1), account=AccountFactory())
    for patient, content in (
        (infant, {"text": "Cough"}),
        (old, {"text": "Cough"}),
        (mother, {"text": "Cough", "answers": {"pregnant": True}}),
    ):
        token = token_of(requested(clinic, patient, **content))
        assert token.priority_class == PriorityClass.PRIORITY
    adult = token_of(requested(clinic, PatientFactory()))
    assert adult.priority_class == PriorityClass.ORDINARY
