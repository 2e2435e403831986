"""A hub closes a speciality, or its doors: nobody is left in a line that no doctor can serve."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from sanjeevani.consultation import spokes
from sanjeevani.consultation.closing import Settled, close_hub_speciality, end_post
from sanjeevani.consultation.interruptions import interrupt, not_reachable
from sanjeevani.consultation.models import (
    Consultation,
    ConsultationReference,
    ConsultationStatus,
    SpokeToDo,
    ToDoKind,
)
from sanjeevani.consultation.services import answer, call_next, get, token_of
from sanjeevani.directory import hubs
from sanjeevani.directory.models import Facility, Line, LineKind, PresenceProof, Role, State
from sanjeevani.directory.queries import hubs_for
from sanjeevani.directory.services import FacilityDetails, change_facility, close_facility
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted, Stale
from sanjeevani.jobs.sweeper import MOVE_AFTER, sweep_deadlines, sweep_lines
from sanjeevani.patients.models import Patient
from sanjeevani.patients.spokes import take_in
from sanjeevani.queueing.models import TokenStatus
from sanjeevani.queueing.queries import live_token_of
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import assigned_lines, duty_of
from sanjeevani.roster.services import change_duty
from tests.factories import (
    ANDHRA_PRADESH,
    ConsentFactory,
    FacilityFactory,
    HubLinkFactory,
    LineFactory,
    PatientFactory,
    PostFactory,
    StateFactory,
    doctor,
    serving_on,
    told,
    worker_at,
)

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


@dataclass
class Network:
    """A spoke, the hub that it asks, and the hub's speciality."""

    spoke: Facility
    hub: Facility
    line: Line

    @classmethod
    def linked(cls, hub_state: int = ANDHRA_PRADESH) -> "Network":
        """One spoke and one hub."""
        StateFactory.create()
        StateFactory.create(lgd_code=hub_state)
        hub = FacilityFactory.create(is_hub=True, state_id=hub_state)
        link = HubLinkFactory.create(hub=hub)
        spoke = Facility.objects.get(state_id=ANDHRA_PRADESH, id=link.spoke_id)
        return cls(spoke, hub, LineFactory.create(facility=hub, kind=LineKind.HUB))

    def another(self) -> Line:
        """The same speciality at a second hub of the spoke."""
        hub = FacilityFactory.create(is_hub=True)
        HubLinkFactory.create(spoke=self.spoke, hub=hub, position=2)
        line: Line = LineFactory.create(facility=hub, kind=LineKind.HUB)
        return line

    def asked(self, *, later: bool = False) -> Consultation:
        """Somebody for whom the spoke asks the hub."""
        patient = PatientFactory.create()
        ConsentFactory.create(patient=patient)
        return self.ask_for(patient, later=later)

    def ask_for(self, patient: Patient, *, later: bool = False) -> Consultation:
        """Ask the hub for a patient whom a worker of the spoke takes in."""
        worker = worker_at(self.spoke)
        assert worker.post_id
        take_in(worker, patient_id=patient.id)
        choice = next(
            one for one in hubs_for(ANDHRA_PRADESH, self.spoke.id) if one.line.id == self.line.id
        )
        return spokes.ask_hub(
            worker,
            patient=patient,
            choice=choice,
            content=told(
                patient,
                complaints=["fever"],
                text="High every evening for days",
                duration_days=3,
                vitals={"body_temperature": 38.5},
            ),
            language="en",
            request_key=uuid.uuid4(),
            later=later,
        )

    def close(self, actor: Actor = SYSTEM) -> Settled:
        """Close the speciality."""
        return close_hub_speciality(actor, state_id=ANDHRA_PRADESH, line_id=self.line.id)


@pytest.fixture
def network(reference: None) -> Network:
    """One spoke and one hub."""
    return Network.linked()


def went_on_from(case: Consultation) -> Consultation:
    """The consultation that goes on from one that was moved."""
    reference = ConsultationReference.objects.get(
        state_id=case.patient_state_id, follows_id=case.id
    )
    return get(reference.consultation_state_id, reference.id)


def assert_left_to_spoke(case: Consultation) -> None:
    """The consultation was not held, and the spoke is told to ask again."""
    assert get(case.state_id, case.id).status == ConsultationStatus.ABANDONED
    assert token_of(case).status == TokenStatus.EXPIRED
    assert SpokeToDo.objects.filter(
        state_id=case.patient_state_id, consultation_id=case.id, kind=ToDoKind.CALL_BACK
    ).exists()


def test_who_waits_goes_to_another_hub_with_the_time_waited(network: Network) -> None:
    case = network.asked()
    other = network.another()
    serving_on(other)
    settled = network.close()
    assert (settled.moved, settled.told) == (1, 0)
    moved = went_on_from(case)
    assert moved.line_id == other.id
    assert token_of(moved).waiting_since == token_of(case).waiting_since


def test_who_waits_is_left_to_the_spoke_where_no_other_hub_has_a_doctor(network: Network) -> None:
    case = network.asked()
    network.another()
    settled = network.close()
    assert (settled.moved, settled.told) == (0, 1)
    assert_left_to_spoke(case)


def test_whom_a_lost_line_cut_off_at_the_spoke_goes_first(network: Network) -> None:
    State.objects.update(presence_proof=PresenceProof.NONE)
    case = network.asked()
    practitioner = serving_on(network.line)
    call_next(doctor(practitioner), practitioner=practitioner)
    worker = worker_at(network.spoke)
    answer(worker, state_id=case.state_id, consultation_id=case.id)
    interrupt(SYSTEM, state_id=case.state_id, consultation_id=case.id)
    not_reachable(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=case.state_id,
        consultation_id=case.id,
    )
    patient = Patient.objects.get(state_id=case.patient_state_id, id=case.patient_id)
    assert token_of(network.ask_for(patient)).waiting_since == token_of(case).waiting_since


def test_a_written_request_that_a_doctor_took_and_left_is_answered_by_another(
    network: Network,
) -> None:
    """Nobody else could, and the spoke could not take it back, until that doctor came again."""
    case = network.asked(later=True)
    first, second = serving_on(network.line), serving_on(network.line)
    spokes.take_written(doctor(first), practitioner=first)

    def swept(**later: int) -> None:
        moment = clock.now() + datetime.timedelta(**later)
        with clock.driven_by(lambda: moment):
            sweep_deadlines()
            sweep_lines()

    swept(hours=11)
    assert token_of(case).status == TokenStatus.SERVING
    swept(hours=12, minutes=1)
    swept(hours=12, minutes=4)
    assert token_of(case).status == TokenStatus.WAITING
    assert live_token_of(first.id) is None
    taken = spokes.take_written(doctor(second), practitioner=second)
    assert (taken.id, taken.status) == (case.id, ConsultationStatus.IN_PROGRESS)


def test_a_written_request_goes_to_another_hub_and_stays_due(network: Network) -> None:
    case = network.asked(later=True)
    other = network.another()
    settled = network.close()
    assert (settled.moved, settled.told) == (1, 0)
    moved = went_on_from(case)
    line = Line.objects.get(state_id=moved.state_id, id=moved.line_id)
    assert (line.kind, line.parent_id, moved.due_at) == (LineKind.WRITTEN, other.id, case.due_at)


def test_a_written_request_that_nobody_can_answer_is_left_to_the_spoke(network: Network) -> None:
    case = network.asked(later=True)
    settled = network.close()
    assert (settled.moved, settled.told) == (0, 1)
    assert_left_to_spoke(case)


def test_doctors_serve_it_no_longer(network: Network) -> None:
    practitioner = serving_on(network.line)
    network.close()
    assert assigned_lines(practitioner.id) == []
    assert duty_of(practitioner.id) == DutyStatus.OFF


def test_it_closes_once_and_only_by_who_may(network: Network) -> None:
    with pytest.raises(NotPermitted):
        network.close(worker_at(FacilityFactory.create(), Role.FACILITY_ADMIN))
    with pytest.raises(NotFound):
        close_hub_speciality(
            SYSTEM, state_id=ANDHRA_PRADESH, line_id=LineFactory.create(facility=network.hub).id
        )
    network.close()
    with pytest.raises(Stale):
        network.close()


@pytest.mark.parametrize("later", [False, True])
def test_who_asked_while_it_closed_is_not_forgotten(network: Network, later: bool) -> None:
    """The page was read before; or the patient was lost by the last doctor, and waits again."""
    case = network.asked(later=later)
    hubs.close_hub_speciality(SYSTEM, state_id=ANDHRA_PRADESH, line_id=network.line.id)
    sweep_lines()
    assert_left_to_spoke(case)


def details(one: Facility, *, is_hub: bool = False, is_spoke: bool = False) -> FacilityDetails:
    """The entry of a facility as it stands, but for its marks."""
    return FacilityDetails(
        name=one.name,
        kind=one.kind,
        address=one.address,
        district=one.district,
        is_hub=is_hub,
        is_spoke=is_spoke,
    )


def test_a_hub_stays_one_while_its_specialities_are_open(network: Network) -> None:
    key: dict[str, Any] = {"state_id": ANDHRA_PRADESH, "facility_id": network.hub.id}
    with pytest.raises(Invalid):
        close_facility(SYSTEM, **key)
    with pytest.raises(Invalid):
        change_facility(SYSTEM, **key, details=details(network.hub, is_hub=False))
    network.close()
    change_facility(SYSTEM, **key, details=details(network.hub, is_hub=False))
    close_facility(SYSTEM, **key)


def test_a_spoke_stays_one_while_health_workers_sit_there(network: Network) -> None:
    spoke = FacilityFactory.create(is_spoke=True)
    key: dict[str, Any] = {"state_id": ANDHRA_PRADESH, "facility_id": spoke.id}
    post = PostFactory.create(facility=spoke, role=Role.HEALTH_WORKER, practitioner_id=None)
    change_facility(SYSTEM, **key, details=details(spoke, is_spoke=True))
    with pytest.raises(Invalid):
        change_facility(SYSTEM, **key, details=details(spoke))
    end_post(SYSTEM, state_id=post.state_id, post_id=post.id)
    change_facility(SYSTEM, **key, details=details(spoke))


def sweep_at(moment: datetime.datetime) -> None:
    """Look at the lines, and once more after the time in which another doctor may come."""
    for now in (moment, moment + MOVE_AFTER):
        with clock.driven_by(now.astimezone):
            sweep_lines()


def test_whom_nobody_called_before_the_night_is_left_to_the_spoke_in_the_morning(
    network: Network,
) -> None:
    """A hub has no hours: the first hour of its doctors went to patients who had long gone home."""
    evening = timezone.localtime().replace(hour=16, minute=30)
    with clock.driven_by(lambda: evening):
        case, written = network.asked(), network.asked(later=True)
        there = serving_on(network.line)
        change_duty(doctor(there), practitioner=there, to=DutyStatus.OFF)
    for hours in (4, 10):
        sweep_at(evening + datetime.timedelta(hours=hours))
        assert get(case.state_id, case.id).status == ConsultationStatus.REQUESTED
    sweep_at(evening + datetime.timedelta(hours=14))
    assert_left_to_spoke(case)
    assert get(case.state_id, case.id).carries_wait
    assert get(written.state_id, written.id).status == ConsultationStatus.REQUESTED


def test_who_waits_for_doctors_on_duty_keeps_waiting_in_the_morning(network: Network) -> None:
    evening = timezone.localtime().replace(hour=23, minute=50)
    with clock.driven_by(lambda: evening):
        case = network.asked()
        serving_on(network.line)
    sweep_at(evening + datetime.timedelta(hours=7))
    assert get(case.state_id, case.id).status == ConsultationStatus.REQUESTED
