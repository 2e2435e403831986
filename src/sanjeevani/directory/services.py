"""The verbs of the directory, and the loading of the states."""

import csv
import datetime
import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.errors import (
    AlreadyClosed,
    AlreadyRegistered,
    AlreadyVerified,
    EntryChanged,
    HolidayPassed,
    LastAdministrator,
    NameTaken,
    NotVerified,
    PostHeld,
    StateNotOpen,
)
from sanjeevani.directory.models import (
    CLINICAL_ROLES,
    AwaitedPost,
    Clinic,
    ClinicHours,
    Facility,
    Holiday,
    Line,
    LineKind,
    Post,
    Practitioner,
    PresenceProof,
    Registration,
    Role,
    ServedState,
    State,
)
from sanjeevani.directory.permissions import (
    require_facility_admin,
    require_may_appoint,
    require_national_admin,
    require_state_admin,
)
from sanjeevani.directory.queries import everywhere, hours_of, hub_lines_at
from sanjeevani.directory.seals import (
    facility_seal,
    hours_seal,
    require_unchanged,
    rules_seal,
    seal_of,
)
from sanjeevani.directory.timetable import Opening, check
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.queries import accounts_by_id, find_account
from sanjeevani.identity.services import invite, sign_out_of_post
from sanjeevani.terminology.models import Speciality

STATES_FILE = Path(__file__).parent / "data" / "states.csv"


def load_states() -> None:
    """Bring the states of `data/states.csv` into the database; what is open stays open.

    No verb: reference data comes with the version of the product, not from an actor.
    """
    with STATES_FILE.open(encoding="utf-8", newline="") as rows:
        states = [
            State(
                lgd_code=int(row["lgd_code"]),
                iso_3166_2=row["iso_3166_2"],
                name=row["name"],
                name_hi=row["name_hi"],
                kind=row["kind"],
                languages=row["languages"].split("|"),
                population_2011=int(row["population_2011"]) if row["population_2011"] else None,
            )
            for row in csv.DictReader(rows)
        ]
    State.objects.bulk_create(
        states,
        update_conflicts=True,
        unique_fields=["lgd_code"],
        update_fields=[
            "iso_3166_2",
            "name",
            "name_hi",
            "kind",
            "languages",
            "population_2011",
        ],
    )


@verb("directory.open_state")
def open_state(actor: Actor, *, state_id: int) -> State:
    """Let a state, or the tenant National, take part. Opening it again changes nothing."""
    require_national_admin(actor)
    state = _state(state_id)
    if state.opened_at is None:
        state.opened_at = clock.now()
        state.save(update_fields=["opened_at"])
    concerns(state)
    return state


@verb("directory.set_presence_proof")
def set_presence_proof(actor: Actor, *, state_id: int, proof: str) -> State:
    """Set how spokes of a state show that a patient really sits there. Raises Invalid."""
    require_state_admin(actor, state_id)
    if proof not in PresenceProof.values:
        raise Invalid(field="presence_proof")
    state = _state(state_id)
    state.presence_proof = proof
    state.save(update_fields=["presence_proof"])
    concerns(state)
    return state


@dataclass(frozen=True, kw_only=True)
class FacilityDetails:
    """What a facility is registered with."""

    name: str
    kind: str
    address: str
    district: str
    name_hi: str = ""
    phone: str = ""
    is_opd_host: bool = False
    is_hub: bool = False
    is_spoke: bool = False


@verb("directory.open_facility")
def open_facility(actor: Actor, *, state_id: int, details: FacilityDetails) -> Facility:
    """Register a facility in an open state. Raises StateNotOpen, NameTaken."""
    require_state_admin(actor, state_id)
    if _state(state_id).opened_at is None:
        raise StateNotOpen
    try:
        facility = Facility.objects.create(state_id=state_id, id=uuid7(), **vars(details))
    except IntegrityError as error:
        raise _fact_of(error, {"facility_name_in_district": NameTaken()}) from None
    concerns(facility)
    return facility


@verb("directory.change_facility")
def change_facility(
    actor: Actor,
    *,
    state_id: int,
    facility_id: uuid.UUID,
    details: FacilityDetails,
    seen: str | None = None,
) -> None:
    """Correct what a facility is registered with. `seen`: the seal of what was shown.

    Raises AlreadyClosed, ChangedMeanwhile, NameTaken, Invalid.
    """
    require_state_admin(actor, state_id)
    facility = open_facility_held(state_id, facility_id)
    require_unchanged(seen, facility_seal(facility))
    clinics = Clinic.objects.filter(
        state_id=state_id, facility_id=facility_id, closed_at__isnull=True
    )
    if not details.is_opd_host and clinics.exists():
        raise Invalid(_("Online OPDs are open here. Close them first."), field="hosts")
    if not details.is_hub and hub_lines_at(state_id, facility_id):
        raise Invalid(_("Specialities for spokes are open here. Close them first."), field="hosts")
    if facility.is_spoke and not details.is_spoke and _has_health_workers(facility):
        raise Invalid(_("Health workers have posts here. End their posts first."), field="hosts")
    try:
        Facility.objects.filter(state_id=state_id, id=facility_id).update(**vars(details))
    except IntegrityError as error:
        raise _fact_of(error, {"facility_name_in_district": NameTaken()}) from None
    concerns(facility)


def _has_health_workers(facility: Facility) -> bool:
    return Post.objects.filter(
        state_id=facility.state_id,
        facility_id=facility.id,
        role=Role.HEALTH_WORKER,
        ended_at__isnull=True,
    ).exists()


@verb("directory.close_facility")
def close_facility(actor: Actor, *, state_id: int, facility_id: uuid.UUID) -> None:
    """Close a facility for good, once nothing is open there and nobody works there.

    Raises AlreadyClosed, Invalid.
    """
    require_state_admin(actor, state_id)
    facility = open_facility_held(state_id, facility_id)
    here = {"state_id": state_id, "facility_id": facility_id}
    if Clinic.objects.filter(**here, closed_at__isnull=True).exists():
        raise Invalid(_("Online OPDs are open here. Close them first."))
    if hub_lines_at(state_id, facility_id):
        raise Invalid(_("Specialities for spokes are open here. Close them first."))
    if Post.objects.filter(**here, ended_at__isnull=True).exists():
        raise Invalid(_("People still have posts here. End their posts first."))
    Facility.objects.filter(state_id=state_id, id=facility_id).update(closed_at=clock.now())
    concerns(facility)


@dataclass(frozen=True, kw_only=True)
class PractitionerDetails:
    """What a practitioner is registered with. `address` and `contact` are professional ones."""

    name: str
    gender: str
    qualification: str
    council: str
    registration_number: str
    speciality_code: str
    languages: Sequence[str]
    address: str
    contact: str


@verb("directory.register_practitioner")
def register_practitioner(
    actor: Actor, *, state_id: int, account_id: uuid.UUID, details: PractitionerDetails
) -> Practitioner:
    """Put a practitioner on the state's list, to be verified by a state administrator.

    Raises AlreadyRegistered, also for a registration on another state's list; Invalid.
    """
    require_facility_admin(actor, state_id)
    _require_speciality(details.speciality_code)
    _require_languages(details.languages)
    practitioner_id = uuid7()
    _take_registration(state_id, practitioner_id, details)
    try:
        practitioner = Practitioner.objects.create(
            state_id=state_id,
            id=practitioner_id,
            account_id=account_id,
            **{**vars(details), "languages": list(details.languages)},
        )
    except IntegrityError as error:
        raise _fact_of(
            error,
            {
                "practitioner_registration": AlreadyRegistered(field="registration_number"),
                "practitioner_account": AlreadyRegistered(),
            },
        ) from None
    concerns(practitioner)
    return practitioner


def _take_registration(
    state_id: int, practitioner_id: uuid.UUID, details: PractitionerDetails
) -> None:
    key = registration_key(details.council, details.registration_number)
    row = Registration(key=key, practitioner_state_id=state_id, practitioner_id=practitioner_id)
    Registration.objects.bulk_create([row], ignore_conflicts=True)
    if Registration.objects.get(key=key).practitioner_id != practitioner_id:
        raise AlreadyRegistered(field="registration_number")


def registration_key(council: str, number: str) -> str:
    """Return a registration as one key, however it was typed: `APMC/FMR/1` is `apmcfmr1`."""
    return ":".join(re.sub(r"[\W_]+", "", part.casefold()) for part in (council, number))


@verb("directory.change_practitioner")
def change_practitioner(
    actor: Actor,
    *,
    state_id: int,
    practitioner_id: uuid.UUID,
    details: PractitionerDetails,
    seen: str | None = None,
) -> None:
    """Correct an entry. `seen`: the seal of what was shown.

    Raises AlreadyVerified, ChangedMeanwhile, AlreadyRegistered, Invalid.
    """
    require_state_admin(actor, state_id)
    _require_speciality(details.speciality_code)
    _require_languages(details.languages)
    practitioner = practitioner_held(state_id, practitioner_id)
    if practitioner.verified_at is not None:
        raise AlreadyVerified
    require_unchanged(seen, seal_of(practitioner))
    Registration.objects.filter(
        key=registration_key(practitioner.council, practitioner.registration_number),
        practitioner_id=practitioner_id,
    ).delete()
    _take_registration(state_id, practitioner_id, details)
    try:
        Practitioner.objects.filter(state_id=state_id, id=practitioner_id).update(
            **{**vars(details), "languages": list(details.languages)}
        )
    except IntegrityError as error:
        taken = AlreadyRegistered(field="registration_number")
        raise _fact_of(error, {"practitioner_registration": taken}) from None
    concerns(practitioner)


@verb("directory.verify_practitioner")
def verify_practitioner(
    actor: Actor, *, state_id: int, practitioner_id: uuid.UUID, seen: str | None = None
) -> Practitioner:
    """Confirm that the registration was checked with the council. Nobody verifies themselves.

    `seen`: the seal of the entry that was checked, see `seal_of`. The posts that waited for this
    begin. Raises EntryChanged.
    """
    require_state_admin(actor, state_id)
    practitioner = practitioner_held(state_id, practitioner_id)
    if seen is not None and seen != seal_of(practitioner):
        raise EntryChanged
    if practitioner.account_id == actor.account_id:
        raise NotPermitted(_("Somebody else has to verify you."))
    if practitioner.verified_at is None:
        practitioner.verified_at = clock.now()
        Practitioner.objects.filter(state_id=state_id, id=practitioner_id).update(
            verified_at=practitioner.verified_at
        )
        awaited = AwaitedPost.objects.filter(state_id=state_id, practitioner_id=practitioner_id)
        for post in awaited.select_related("facility").order_by("facility_id"):
            if post.facility.closed_at is None:
                give_post(
                    actor,
                    state_id=state_id,
                    facility_id=post.facility_id,
                    account_id=practitioner.account_id,
                    role=Role(post.role),
                    practitioner_id=practitioner_id,
                )
        awaited.delete()
    concerns(practitioner)
    return practitioner


@verb("directory.withdraw_verification")
def withdraw_verification(actor: Actor, *, state_id: int, practitioner_id: uuid.UUID) -> None:
    """Take back what `verify_practitioner` confirmed: the registration ended, or was copied wrong.

    The clinical posts end, and wait to begin again with the next verification. Who still serves
    lines is not looked at here, see `consultation.closing`. Raises NotVerified.
    """
    require_state_admin(actor, state_id)
    practitioner = practitioner_held(state_id, practitioner_id)
    if practitioner.verified_at is None:
        raise NotVerified
    Practitioner.objects.filter(state_id=state_id, id=practitioner_id).update(verified_at=None)
    posts = clinical_posts_held(state_id, practitioner_id)
    AwaitedPost.objects.bulk_create(
        [
            AwaitedPost(
                state_id=state_id,
                id=uuid7(),
                practitioner_id=practitioner_id,
                facility_id=post.facility_id,
                role=post.role,
            )
            for post in posts
        ],
        ignore_conflicts=True,
    )
    for post in posts:
        end_post(SYSTEM, state_id=state_id, post_id=post.id)
    concerns(practitioner)


def practitioner_held(state_id: int, practitioner_id: uuid.UUID) -> Practitioner:
    """Return a practitioner, held for the verb: verifying, and all that asks for it, take turns.

    Raises NotFound.
    """
    found = (
        Practitioner.objects.select_for_update(no_key=True)
        .filter(state_id=state_id, id=practitioner_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def clinical_posts_held(state_id: int, practitioner_id: uuid.UUID) -> list[Post]:
    """Return the posts in which a practitioner works, held for the verb."""
    rows = Post.objects.filter(
        state_id=state_id, practitioner_id=practitioner_id, ended_at__isnull=True
    )
    return list(rows.select_for_update(no_key=True).order_by("id"))


@verb("directory.give_post")
def give_post(
    actor: Actor,
    *,
    state_id: int,
    facility_id: uuid.UUID,
    account_id: uuid.UUID,
    role: Role,
    practitioner_id: uuid.UUID | None = None,
) -> Post:
    """Let an account act in a role at a facility. Clinical roles need the verified practitioner.

    Whoever has no password yet is sent a link to choose one. Raises AlreadyClosed, NotVerified,
    PostHeld.
    """
    require_may_appoint(actor, role, state_id, facility_id)
    if role in CLINICAL_ROLES:
        if practitioner_id is None:
            raise Invalid(_("Choose the practitioner."), field="practitioner")
        # Before the facility, as `verify_practitioner` does: neither waits for the other.
        practitioner = practitioner_held(state_id, practitioner_id)
        if practitioner.account_id != account_id:
            raise Invalid(_("This account is not the practitioner's."), field="practitioner")
        if practitioner.verified_at is None:
            raise NotVerified
    open_facility_held(state_id, facility_id)
    try:
        post = Post.objects.create(
            state_id=state_id,
            id=uuid7(),
            account_id=account_id,
            facility_id=facility_id,
            role=role,
            practitioner_id=practitioner_id if role in CLINICAL_ROLES else None,
            started_at=clock.now(),
        )
    except IntegrityError as error:
        raise _fact_of(error, {"post_once_at_a_time": PostHeld()}) from None
    account = find_account(account_id)
    if account is not None and account.is_active and account.mobile and not account.password:
        invite(actor, account_id=account_id)
    concerns(post)
    return post


@verb("directory.end_post")
def end_post(actor: Actor, *, state_id: int, post_id: uuid.UUID) -> None:
    """Take a post away: whoever acts in it is signed out. Raises Stale, LastAdministrator."""
    post = Post.objects.filter(state_id=state_id, id=post_id).first()
    if post is None:
        raise NotFound
    require_may_appoint(actor, post.role, state_id, post.facility_id)
    if post.role == Role.NATIONAL_ADMIN:
        require_another_national_admin(post.account_id)
    ended = Post.objects.filter(state_id=state_id, id=post_id, ended_at__isnull=True).update(
        ended_at=clock.now()
    )
    if not ended:
        raise Stale
    sign_out_of_post(actor, account_id=post.account_id, post_state_id=state_id, post_id=post_id)
    concerns(post)


def require_another_national_admin(account_id: uuid.UUID) -> None:
    """Keep somebody besides who can appoint others. Raises LastAdministrator.

    Held, so that two do not end each other's posts.
    """
    held = Post.objects.select_for_update(no_key=True).filter(
        state_id__in=everywhere(), role=Role.NATIONAL_ADMIN, ended_at__isnull=True
    )
    others = {one.account_id for one in held.order_by("id")} - {account_id}
    if not any(one.is_active and one.password for one in accounts_by_id(others).values()):
        raise LastAdministrator


@dataclass(frozen=True, kw_only=True)
class ClinicDetails:
    """What a clinic is opened with. Times in minutes."""

    name: str
    speciality_code: str
    languages: Sequence[str]
    places_per_day: int
    waiting_places: int
    name_hi: str = ""
    time_limit_minutes: int = 10
    target_wait_minutes: int = 30


@verb("directory.open_clinic")
def open_clinic(
    actor: Actor,
    *,
    state_id: int,
    facility_id: uuid.UUID,
    details: ClinicDetails,
    hours: Sequence[Opening],
) -> Clinic:
    """Open an online OPD with its line; it serves its own state from the start.

    Raises AlreadyClosed, NameTaken, Invalid.
    """
    require_state_admin(actor, state_id)
    facility = open_facility_held(state_id, facility_id)
    if not facility.is_opd_host:
        raise Invalid(_("This facility does not host online OPDs."), field="facility")
    _require_speciality(details.speciality_code)
    _require_languages(details.languages)
    _require_positive(
        details,
        ("places_per_day", "waiting_places", "time_limit_minutes", "target_wait_minutes"),
    )
    line = Line.objects.create(
        state_id=state_id,
        id=uuid7(),
        kind=LineKind.CLINIC,
        facility_id=facility_id,
        speciality_code=details.speciality_code,
        places_per_day=details.places_per_day,
        waiting_places=details.waiting_places,
        target_wait_minutes=details.target_wait_minutes,
    )
    try:
        clinic = Clinic.objects.create(
            state_id=state_id,
            id=uuid7(),
            facility_id=facility_id,
            line_id=line.id,
            speciality_code=details.speciality_code,
            name=details.name,
            name_hi=details.name_hi,
            time_limit_minutes=details.time_limit_minutes,
            languages=list(details.languages),
        )
    except IntegrityError as error:
        raise _fact_of(error, {"clinic_name": NameTaken()}) from None
    _replace_hours(clinic, hours)
    if state_id != NATIONAL:
        _serve(clinic, [state_id])
    concerns(clinic)
    return clinic


@verb("directory.set_hours")
def set_hours(
    actor: Actor,
    *,
    state_id: int,
    clinic_id: uuid.UUID,
    hours: Sequence[Opening],
    seen: str | None = None,
) -> None:
    """Replace a timetable. `seen`: the seal of the one that was shown.

    Raises Invalid when openings overlap or end before they begin, ChangedMeanwhile.
    """
    clinic = _open_clinic_of(state_id, clinic_id)
    require_facility_admin(actor, state_id, clinic.facility_id)
    require_unchanged(seen, hours_seal(hours_of(clinic)))
    _replace_hours(clinic, hours)
    concerns(clinic)


@dataclass(frozen=True, kw_only=True)
class ClinicRules:
    """What of a clinic changes in daily use, besides its timetable and places. In minutes."""

    name: str
    name_hi: str
    languages: Sequence[str]
    time_limit_minutes: int
    target_wait_minutes: int


@verb("directory.change_clinic")
def change_clinic(
    actor: Actor,
    *,
    state_id: int,
    clinic_id: uuid.UUID,
    rules: ClinicRules,
    seen: str | None = None,
) -> None:
    """Change a clinic's name and rules, from now on. `seen`: the seal of those that were shown.

    Raises AlreadyClosed, ChangedMeanwhile, NameTaken, Invalid.
    """
    clinic = _open_clinic_of(state_id, clinic_id)
    require_facility_admin(actor, state_id, clinic.facility_id)
    require_unchanged(seen, rules_seal(clinic))
    _require_languages(rules.languages)
    _require_positive(rules, ("time_limit_minutes", "target_wait_minutes"))
    try:
        Clinic.objects.filter(state_id=state_id, id=clinic_id).update(
            name=rules.name,
            name_hi=rules.name_hi,
            languages=list(rules.languages),
            time_limit_minutes=rules.time_limit_minutes,
        )
    except IntegrityError as error:
        raise _fact_of(error, {"clinic_name": NameTaken()}) from None
    Line.objects.filter(state_id=state_id, id=clinic.line_id).update(
        target_wait_minutes=rules.target_wait_minutes
    )
    concerns(clinic)


LONGEST_HOLIDAY = datetime.timedelta(days=60)


@verb("directory.add_holidays")
def add_holidays(
    actor: Actor,
    *,
    state_id: int,
    facility_id: uuid.UUID,
    clinic_id: uuid.UUID | None = None,
    first: datetime.date,
    last: datetime.date,
    reason: str,
) -> int:
    """Close a facility's clinics, or one of them, on the days from `first` to `last`.

    Days that are holidays already stay as they are; returns how many are new. Whoever waits keeps
    the token: a holiday ends the asking, not the serving. Raises HolidayPassed, Invalid.
    """
    require_facility_admin(actor, state_id, facility_id)
    facility = open_facility_held(state_id, facility_id)
    if clinic_id is not None and _open_clinic_of(state_id, clinic_id).facility_id != facility_id:
        raise NotFound
    if first < clock.today():
        raise HolidayPassed
    if last < first:
        raise Invalid(_("The last day comes before the first one."), field="last")
    if last - first > LONGEST_HOLIDAY:
        raise Invalid(_("At most 60 days at a time."), field="last")
    known = Holiday.objects.filter(
        state_id=state_id,
        facility_id=facility_id,
        clinic_id=clinic_id,
        date__range=(first, last),
    ).values_list("date", flat=True)
    days = [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]
    new = sorted(set(days) - set(known))
    Holiday.objects.bulk_create(
        [
            Holiday(
                state_id=state_id,
                id=uuid7(),
                facility_id=facility_id,
                clinic_id=clinic_id,
                date=day,
                reason=reason,
            )
            for day in new
        ],
        ignore_conflicts=True,
    )
    concerns(facility)
    return len(new)


@verb("directory.remove_holiday")
def remove_holiday(actor: Actor, *, state_id: int, holiday_id: uuid.UUID) -> Holiday:
    """Open again on a day that was a holiday; return what it was, so that it can be restored."""
    holiday = Holiday.objects.filter(state_id=state_id, id=holiday_id).first()
    if holiday is None:
        raise NotFound
    require_facility_admin(actor, state_id, holiday.facility_id)
    Holiday.objects.filter(state_id=state_id, id=holiday_id).delete()
    concerns(holiday)
    return holiday


@verb("directory.serve_states")
def serve_states(
    actor: Actor, *, state_id: int, clinic_id: uuid.UUID, state_ids: Collection[int]
) -> None:
    """Open a clinic to the patients of further states, from now on. The set only grows."""
    require_state_admin(actor, state_id)
    clinic = _open_clinic_of(state_id, clinic_id)
    known = State.objects.filter(lgd_code__in=state_ids).exclude(lgd_code=NATIONAL).count()
    if known != len(set(state_ids)):
        raise Invalid(_("Choose states from the list."), field="states")
    _serve(clinic, state_ids)
    concerns(clinic)


@verb("directory.close_clinic")
def close_clinic(actor: Actor, *, state_id: int, clinic_id: uuid.UUID) -> None:
    """Close a clinic and its line for good; nobody can ask for a token there any more."""
    clinic = _open_clinic_of(state_id, clinic_id)
    require_facility_admin(actor, state_id, clinic.facility_id)
    now = clock.now()
    closed = Clinic.objects.filter(state_id=state_id, id=clinic_id, closed_at__isnull=True).update(
        closed_at=now
    )
    if not closed:
        raise Stale
    Line.objects.filter(state_id=state_id, id=clinic.line_id).update(closed_at=now)
    concerns(clinic)


def _state(state_id: int) -> State:
    state = State.objects.filter(lgd_code=state_id).first()
    if state is None:
        raise NotFound
    return state


def open_facility_held(state_id: int, facility_id: uuid.UUID) -> Facility:
    """Return an open facility, held for the verb: what begins there and what ends it take turns.

    Raises NotFound, AlreadyClosed.
    """
    facility = (
        Facility.objects.select_for_update(no_key=True)
        .filter(state_id=state_id, id=facility_id)
        .first()
    )
    if facility is None:
        raise NotFound
    if facility.closed_at is not None:
        raise AlreadyClosed
    return facility


def _open_clinic_of(state_id: int, clinic_id: uuid.UUID) -> Clinic:
    """Return an open clinic, held for the verb: two who change it at once take turns."""
    clinic = (
        Clinic.objects.select_for_update(no_key=True)
        .filter(state_id=state_id, id=clinic_id)
        .first()
    )
    if clinic is None:
        raise NotFound
    if clinic.closed_at is not None:
        raise AlreadyClosed
    return clinic


def _require_speciality(code: str) -> None:
    if not Speciality.objects.filter(code=code).exists():
        raise Invalid(_("Choose a speciality from the list."), field="speciality")


def _require_languages(languages: Sequence[str]) -> None:
    if not languages:
        raise Invalid(_("Choose at least one language."), field="languages")


def _require_positive(details: ClinicDetails | ClinicRules, fields: Sequence[str]) -> None:
    for field in fields:
        if getattr(details, field) < 1:
            raise Invalid(_("Enter a number above 0."), field=field)


def _replace_hours(clinic: Clinic, hours: Sequence[Opening]) -> None:
    ordered = check(hours)
    ClinicHours.objects.filter(state_id=clinic.state_id, clinic_id=clinic.id).delete()
    ClinicHours.objects.bulk_create(
        ClinicHours(state_id=clinic.state_id, id=uuid7(), clinic_id=clinic.id, **vars(opening))
        for opening in ordered
    )


def _serve(clinic: Clinic, state_ids: Collection[int]) -> None:
    ServedState.objects.bulk_create(
        [
            ServedState(
                served_state_id=served,
                clinic_state_id=clinic.state_id,
                clinic_id=clinic.id,
                since=clock.now(),
            )
            for served in sorted(set(state_ids))
        ],
        ignore_conflicts=True,
    )


def _fact_of(error: IntegrityError, facts: dict[str, Exception]) -> Exception:
    """Return the fact that a violated constraint means, or the error itself."""
    return next((fact for name, fact in facts.items() if name in str(error)), error)


@verb("directory.open_lane")
def open_lane(actor: Actor, *, parent: Line, practitioner_id: uuid.UUID, places: int) -> Line:
    """Return the follow-up lane of a practitioner in a line, opened at the first follow-up."""
    Line.objects.bulk_create(
        [
            Line(
                state_id=parent.state_id,
                id=uuid7(),
                kind=LineKind.FOLLOW_UP,
                facility_id=parent.facility_id,
                speciality_code=parent.speciality_code,
                places_per_day=places,
                waiting_places=places,
                target_wait_minutes=parent.target_wait_minutes,
                parent_id=parent.id,
                practitioner_id=practitioner_id,
            )
        ],
        ignore_conflicts=True,
    )
    lane = Line.objects.get(
        state_id=parent.state_id, parent_id=parent.id, practitioner_id=practitioner_id
    )
    concerns(lane)
    return lane
