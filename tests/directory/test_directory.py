"""Running the directory: who may open what, and what is refused kindly."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from sanjeevani.directory import services as directory
from sanjeevani.directory.errors import (
    AlreadyClosed,
    AlreadyRegistered,
    NameTaken,
    NotVerified,
    PostHeld,
    StateNotOpen,
)
from sanjeevani.directory.models import (
    ClinicHours,
    Facility,
    Line,
    Post,
    Practitioner,
    Role,
    ServedState,
    State,
)
from sanjeevani.directory.queries import acting_post, clinics_serving
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    ClinicFactory,
    FacilityFactory,
    PostFactory,
    PractitionerFactory,
    SpecialityFactory,
    StateFactory,
    person,
)

pytestmark = pytest.mark.django_db

MORNING = Opening(weekday=0, opens=datetime.time(9), closes=datetime.time(12))


def acting(role: Role, facility: Facility | None = None) -> Actor:
    """A member of staff who acts in a post."""
    facility = facility or FacilityFactory()
    post = PostFactory(
        role=role,
        facility=facility,
        practitioner=PractitionerFactory(state_id=facility.state_id),
    )
    return Actor(
        ActorKind.STAFF, account_id=post.account_id, post_id=post.id, state_id=post.state_id
    )


@pytest.fixture
def facility() -> Facility:
    """A hospital in an open state, with a speciality to name."""
    StateFactory(opened_at="2026-01-01T00:00:00Z")
    SpecialityFactory()
    found: Facility = FacilityFactory()
    return found


def clinic_details(**more: Any) -> directory.ClinicDetails:
    """A general OPD."""
    given: dict[str, Any] = {
        "name": "General OPD",
        "speciality_code": "general_medicine",
        "languages": ["te", "en"],
        "places_per_day": 100,
        "waiting_places": 40,
    }
    return directory.ClinicDetails(**(given | more))


def facility_details(name: str = "New Hospital") -> directory.FacilityDetails:
    """A hospital's details."""
    return directory.FacilityDetails(
        name=name, kind="district_hospital", address="Hospital Road", district="Guntur"
    )


def practitioner_details(number: str = "APMC 7") -> directory.PractitionerDetails:
    """A doctor's details."""
    return directory.PractitionerDetails(
        name="Dr Padma Reddy",
        gender="female",
        qualification="MBBS",
        council="Andhra Pradesh Medical Council",
        registration_number=number,
        speciality_code="general_medicine",
        languages=["te"],
        address="Hospital Road, Guntur",
        contact="padma@example.org",
    )


Act = Callable[[Actor, Facility], Any]
STATE_ACTS: dict[str, Act] = {
    "open_facility": lambda actor, facility: directory.open_facility(
        actor, state_id=facility.state_id, details=facility_details()
    ),
    "open_clinic": lambda actor, facility: directory.open_clinic(
        actor,
        state_id=facility.state_id,
        facility_id=facility.id,
        details=clinic_details(),
        hours=[MORNING],
    ),
    "verify_practitioner": lambda actor, _facility: directory.verify_practitioner(
        actor,
        state_id=ANDHRA_PRADESH,
        practitioner_id=PractitionerFactory(verified_at=None).id,
    ),
    "give_facility_admin": lambda actor, facility: directory.give_post(
        actor,
        state_id=facility.state_id,
        facility_id=facility.id,
        account_id=uuid7(),
        role=Role.FACILITY_ADMIN,
    ),
}
FACILITY_ACTS: dict[str, Act] = {
    "register_practitioner": lambda actor, facility: directory.register_practitioner(
        actor, state_id=facility.state_id, account_id=uuid7(), details=practitioner_details()
    ),
    "give_pharmacist": lambda actor, facility: directory.give_post(
        actor,
        state_id=facility.state_id,
        facility_id=facility.id,
        account_id=uuid7(),
        role=Role.PHARMACIST,
    ),
}
NATION_ACTS: dict[str, Act] = {
    "open_state": lambda actor, _facility: directory.open_state(actor, state_id=ANDHRA_PRADESH),
    "give_state_admin": lambda actor, facility: directory.give_post(
        actor,
        state_id=facility.state_id,
        facility_id=facility.id,
        account_id=uuid7(),
        role=Role.STATE_ADMIN,
    ),
}


@pytest.mark.parametrize(
    ("acts", "allowed"),
    [
        (NATION_ACTS, {Role.NATIONAL_ADMIN}),
        (STATE_ACTS, {Role.NATIONAL_ADMIN, Role.STATE_ADMIN}),
        (FACILITY_ACTS, {Role.NATIONAL_ADMIN, Role.STATE_ADMIN, Role.FACILITY_ADMIN}),
    ],
    ids=["nation", "state", "facility"],
)
@pytest.mark.parametrize("role", list(Role))
def test_every_role_does_its_own(
    facility: Facility, acts: dict[str, Act], allowed: set[Role], role: Role
) -> None:
    actor = acting(role, facility)
    for act in acts.values():
        if role in allowed:
            act(actor, facility)
        else:
            with pytest.raises(NotPermitted):
                act(actor, facility)


@pytest.mark.parametrize(
    "act", (STATE_ACTS | FACILITY_ACTS).values(), ids=STATE_ACTS | FACILITY_ACTS
)
def test_nobody_runs_another_state(facility: Facility, act: Act) -> None:
    elsewhere = FacilityFactory(state_id=TAMIL_NADU)
    for role in (Role.STATE_ADMIN, Role.FACILITY_ADMIN):
        with pytest.raises(NotPermitted):
            act(acting(role, elsewhere), facility)


def test_nobody_runs_another_facility(facility: Facility) -> None:
    clinic = ClinicFactory(line__facility=facility)
    with pytest.raises(NotPermitted):
        directory.set_hours(
            acting(Role.FACILITY_ADMIN, FacilityFactory()),
            state_id=clinic.state_id,
            clinic_id=clinic.id,
            hours=[MORNING],
        )


@pytest.mark.parametrize(
    "actor",
    [
        Actor(ActorKind.ANONYMOUS),
        person(uuid7()),
        Actor(ActorKind.STAFF, account_id=uuid7()),
        Actor(ActorKind.STAFF, account_id=uuid7(), post_id=uuid7(), state_id=ANDHRA_PRADESH),
    ],
    ids=["anonymous", "patient", "without a post", "with a made-up post"],
)
def test_strangers_run_nothing(facility: Facility, actor: Actor) -> None:
    for act in (NATION_ACTS | STATE_ACTS | FACILITY_ACTS).values():
        with pytest.raises(NotPermitted):
            act(actor, facility)


def test_nobody_acts_in_anothers_post(facility: Facility) -> None:
    post = PostFactory(role=Role.NATIONAL_ADMIN, facility=facility)
    thief = Actor(ActorKind.STAFF, account_id=uuid7(), post_id=post.id, state_id=post.state_id)
    with pytest.raises(NotPermitted):
        directory.open_state(thief, state_id=ANDHRA_PRADESH)


def test_an_ended_post_runs_nothing(facility: Facility) -> None:
    actor = acting(Role.STATE_ADMIN, facility)
    assert actor.post_id is not None
    directory.end_post(SYSTEM, state_id=facility.state_id, post_id=actor.post_id)
    with pytest.raises(NotFound):
        acting_post(facility.state_id, actor.post_id)
    with pytest.raises(NotPermitted):
        directory.open_facility(actor, state_id=facility.state_id, details=facility_details())
    with pytest.raises(Stale):
        directory.end_post(SYSTEM, state_id=facility.state_id, post_id=actor.post_id)


def test_a_state_opens_once_and_then_takes_facilities() -> None:
    StateFactory()
    with pytest.raises(StateNotOpen):
        directory.open_facility(SYSTEM, state_id=ANDHRA_PRADESH, details=facility_details())
    first = directory.open_state(SYSTEM, state_id=ANDHRA_PRADESH).opened_at
    assert directory.open_state(SYSTEM, state_id=ANDHRA_PRADESH).opened_at == first
    directory.open_facility(SYSTEM, state_id=ANDHRA_PRADESH, details=facility_details())
    with pytest.raises(NotFound):
        directory.open_state(SYSTEM, state_id=99)


def test_a_name_is_taken_once_in_a_district(facility: Facility) -> None:
    with pytest.raises(NameTaken):
        directory.open_facility(
            SYSTEM, state_id=facility.state_id, details=facility_details(facility.name)
        )


def test_a_registration_belongs_to_one(facility: Facility) -> None:
    def register() -> Practitioner:
        return directory.register_practitioner(
            SYSTEM,
            state_id=facility.state_id,
            account_id=uuid7(),
            details=practitioner_details(),
        )

    assert register().verified_at is None
    with pytest.raises(AlreadyRegistered):
        register()


def test_nobody_verifies_themselves(facility: Facility) -> None:
    practitioner = PractitionerFactory(verified_at=None)
    post = PostFactory(role=Role.STATE_ADMIN, facility=facility, practitioner=practitioner)
    actor = Actor(
        ActorKind.STAFF,
        account_id=practitioner.account_id,
        post_id=post.id,
        state_id=post.state_id,
    )
    with pytest.raises(NotPermitted):
        directory.verify_practitioner(
            actor, state_id=practitioner.state_id, practitioner_id=practitioner.id
        )


def test_clinical_posts_need_the_verified_practitioner(facility: Facility) -> None:
    practitioner = PractitionerFactory(verified_at=None)

    def appoint(**more: Any) -> Post:
        return directory.give_post(
            SYSTEM,
            state_id=facility.state_id,
            facility_id=facility.id,
            role=Role.DOCTOR,
            **({"account_id": practitioner.account_id} | more),
        )

    with pytest.raises(Invalid):
        appoint()
    with pytest.raises(Invalid):
        appoint(account_id=uuid7(), practitioner_id=practitioner.id)
    with pytest.raises(NotVerified):
        appoint(practitioner_id=practitioner.id)
    directory.verify_practitioner(
        SYSTEM, state_id=practitioner.state_id, practitioner_id=practitioner.id
    )
    post = appoint(practitioner_id=practitioner.id)
    with pytest.raises(PostHeld):
        appoint(practitioner_id=practitioner.id)
    directory.end_post(SYSTEM, state_id=post.state_id, post_id=post.id)
    assert appoint(practitioner_id=practitioner.id).id != post.id


def opening(start: int, end: int, weekday: int = 0) -> Opening:
    """An opening by its hours."""
    return Opening(weekday=weekday, opens=datetime.time(start), closes=datetime.time(end))


@pytest.mark.parametrize(
    "hours",
    [
        [opening(12, 9)],
        [opening(9, 9)],
        [opening(22, 2)],
        [opening(9, 12), opening(11, 14)],
        [opening(9, 17), opening(10, 11)],
        [opening(9, 12), opening(9, 12)],
        [opening(9, 12, weekday=7)],
    ],
    ids=["backwards", "empty", "over midnight", "overlapping", "nested", "twice", "eighth day"],
)
def test_an_impossible_timetable_is_refused_and_the_old_one_stands(
    facility: Facility, hours: list[Opening]
) -> None:
    clinic = ClinicFactory(line__facility=facility)
    before = ClinicHours.objects.filter(state_id=clinic.state_id).count()
    with pytest.raises(Invalid) as refused:
        directory.set_hours(SYSTEM, state_id=clinic.state_id, clinic_id=clinic.id, hours=hours)
    assert refused.value.field == "hours"
    assert ClinicHours.objects.filter(state_id=clinic.state_id).count() == before


def test_openings_may_touch_and_replace_the_old_ones(facility: Facility) -> None:
    clinic = ClinicFactory(line__facility=facility)
    directory.set_hours(
        SYSTEM,
        state_id=clinic.state_id,
        clinic_id=clinic.id,
        hours=[opening(12, 14), opening(9, 12), opening(9, 12, weekday=1)],
    )
    rows = ClinicHours.objects.filter(state_id=clinic.state_id, clinic_id=clinic.id)
    assert sorted(rows.values_list("weekday", "opens")) == [
        (0, datetime.time(9)),
        (0, datetime.time(12)),
        (1, datetime.time(9)),
    ]


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"places_per_day": 0}, "places_per_day"),
        ({"waiting_places": -1}, "waiting_places"),
        ({"time_limit_minutes": 0}, "time_limit_minutes"),
        ({"target_wait_minutes": 0}, "target_wait_minutes"),
        ({"speciality_code": "alchemy"}, "speciality"),
        ({"languages": []}, "languages"),
    ],
)
def test_a_clinic_makes_sense(facility: Facility, details: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        directory.open_clinic(
            SYSTEM,
            state_id=facility.state_id,
            facility_id=facility.id,
            details=clinic_details(**details),
            hours=[MORNING],
        )
    assert refused.value.field == field
    assert not Line.objects.filter(state_id=facility.state_id).exists()


def test_the_states_served_grow_at_run_time(facility: Facility) -> None:
    clinic = directory.open_clinic(
        SYSTEM,
        state_id=facility.state_id,
        facility_id=facility.id,
        details=clinic_details(),
        hours=[MORNING],
    )
    assert [each.clinic for each in clinics_serving(ANDHRA_PRADESH)] == [clinic]
    assert clinics_serving(TAMIL_NADU) == []
    StateFactory(lgd_code=TAMIL_NADU)
    for _ in range(2):
        directory.serve_states(
            SYSTEM, state_id=clinic.state_id, clinic_id=clinic.id, state_ids=[TAMIL_NADU]
        )
    assert [each.clinic for each in clinics_serving(TAMIL_NADU)] == [clinic]
    assert ServedState.objects.filter(clinic_id=clinic.id).count() == 2
    with pytest.raises(Invalid):
        directory.serve_states(
            SYSTEM, state_id=clinic.state_id, clinic_id=clinic.id, state_ids=[TAMIL_NADU, 99]
        )


def test_a_closed_clinic_is_closed_for_good(facility: Facility) -> None:
    clinic = ClinicFactory(line__facility=facility)
    key = {"state_id": clinic.state_id, "clinic_id": clinic.id}
    directory.close_clinic(SYSTEM, **key)
    assert clinics_serving(ANDHRA_PRADESH) == []
    with pytest.raises(AlreadyClosed):
        directory.close_clinic(SYSTEM, **key)
    with pytest.raises(AlreadyClosed):
        directory.set_hours(SYSTEM, hours=[MORNING], **key)


def test_loading_the_states_again_keeps_what_is_open() -> None:
    directory.load_states()
    directory.open_state(SYSTEM, state_id=ANDHRA_PRADESH)
    directory.load_states()
    assert State.objects.count() == 37
    assert State.objects.get(lgd_code=ANDHRA_PRADESH).opened_at is not None
