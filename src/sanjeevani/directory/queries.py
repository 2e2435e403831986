"""Reads of the directory."""

import datetime
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from sanjeevani.directory.models import (
    Clinic,
    ClinicHours,
    Facility,
    FacilityKind,
    Holiday,
    HubLink,
    Line,
    LineKind,
    Post,
    Practitioner,
    Role,
    ServedState,
    State,
)
from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import given, given_any
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.sharding import NATIONAL, across_states
from sanjeevani.foundation.steady import Steady
from sanjeevani.identity.queries import accounts_by_id, signed_in_among

_states = Steady(lambda: State.objects.exclude(lgd_code=0).order_by("name"))


def states() -> list[State]:
    """Return all states and union territories by name, without the tenant National."""
    return _states.all()


_acting_post = Steady(
    lambda: Post.objects.select_related("practitioner", "facility").filter(
        state_id=given("state_id"), id=given("post_id"), ended_at__isnull=True
    )
)


def acting_post(state_id: int, post_id: uuid.UUID) -> Post:
    """Return a post that has not ended, with its practitioner and facility. Raises NotFound."""
    post = _acting_post.first(state_id=state_id, post_id=post_id)
    if post is None:
        raise NotFound
    return post


def posts_of(account_id: uuid.UUID) -> list[Post]:
    """Return an account's posts that have not ended, in all states: asked once, at sign-in."""
    with across_states():
        return list(
            Post.objects.select_related("facility")
            .filter(account_id=account_id, ended_at__isnull=True)
            .order_by("state_id", "started_at", "id")
        )


def entries_of(account_id: uuid.UUID) -> list[Practitioner]:
    """Return an account's entries in the lists of doctors, of all states."""
    return list(Practitioner.objects.filter(state_id__in=everywhere(), account_id=account_id))


def accounts_in_lists(account_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of some accounts that have an entry in a list of doctors, of any state."""
    return set(
        Practitioner.objects.filter(
            state_id__in=everywhere(), account_id__in=account_ids
        ).values_list("account_id", flat=True)
    )


def practitioner_names(practitioner_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of some practitioners, of whichever state."""
    return dict(
        Practitioner.objects.filter(state_id__in=everywhere(), id__in=practitioner_ids).values_list(
            "id", "name"
        )
    )


def everywhere() -> list[int]:
    """Return all tenants: National and the states."""
    return [NATIONAL, *(state.lgd_code for state in states())]


def accounts_with_posts(account_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of some accounts that hold a post, in whichever state."""
    with across_states():
        return set(
            Post.objects.filter(account_id__in=account_ids, ended_at__isnull=True).values_list(
                "account_id", flat=True
            )
        )


def practitioner(state_id: int, practitioner_id: uuid.UUID) -> Practitioner:
    """Return a practitioner. Raises NotFound."""
    found = Practitioner.objects.filter(state_id=state_id, id=practitioner_id).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class OpenClinic:
    """A clinic that serves a state, with its line, host and whether it is open now.

    On a holiday `hours_today` is empty and `holiday` says why.
    """

    clinic: Clinic
    line: Line
    facility: Facility
    hours_today: list[ClinicHours]
    is_open: bool
    holiday: str = ""


_served = Steady(
    lambda: ServedState.objects.filter(served_state_id=given("served_state_id")).values_list(
        "clinic_state_id", "clinic_id"
    )
)
_serves = Steady(
    lambda: ServedState.objects.filter(
        served_state_id=given("served_state_id"),
        clinic_state_id=given("clinic_state_id"),
        clinic_id=given("clinic_id"),
    ).values_list("clinic_id")
)
_open_clinics = Steady(
    lambda: Clinic.objects.select_related("line", "facility").filter(
        state_id=given("state_id"), id=given_any("ids"), closed_at__isnull=True
    )
)


def clinics_serving(served_state_id: int) -> list[OpenClinic]:
    """Return the clinics of all tenants that serve a state's patients, by name."""
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for clinic_state_id, clinic_id in _served.all(served_state_id=served_state_id):
        ids_by_state.setdefault(clinic_state_id, []).append(clinic_id)
    found = [
        clinic
        for state_id, ids in ids_by_state.items()
        for clinic in _open_clinics.all(state_id=state_id, ids=ids)
    ]
    return sorted(_with_hours(found), key=_by_name)


def _by_name(item: OpenClinic) -> tuple[str, int, uuid.UUID]:
    return item.clinic.name, item.clinic.state_id, item.clinic.id


def clinic_serving(
    served_state_id: int, *, clinic_state_id: int, clinic_id: uuid.UUID
) -> OpenClinic:
    """Return a clinic if it serves the state. Raises NotFound."""
    serves = _serves.all(
        served_state_id=served_state_id, clinic_state_id=clinic_state_id, clinic_id=clinic_id
    )
    clinic = _open_clinics.first(state_id=clinic_state_id, ids=[clinic_id])
    if not serves or clinic is None:
        raise NotFound
    return _with_hours([clinic])[0]


_hours = Steady(
    lambda: ClinicHours.objects.filter(
        state_id=given("state_id"), clinic_id=given_any("clinic_ids"), weekday=given("weekday")
    ).order_by("opens")
)


def _with_hours(clinics: Iterable[Clinic]) -> list[OpenClinic]:
    now = timezone.localtime(clock.now())
    hours: dict[uuid.UUID, list[ClinicHours]] = {}
    holidays: dict[uuid.UUID, str] = {}
    clinics = list(clinics)
    for state_id in sorted({clinic.state_id for clinic in clinics}):
        here = [clinic for clinic in clinics if clinic.state_id == state_id]
        for row in _hours.all(
            state_id=state_id,
            clinic_ids=[clinic.id for clinic in here],
            weekday=now.weekday(),
        ):
            hours.setdefault(row.clinic_id, []).append(row)
        holidays |= holiday_reasons(state_id, here, now.date())
    found = []
    for clinic in clinics:
        holiday = holidays.get(clinic.id)
        today = hours.get(clinic.id, []) if holiday is None else []
        found.append(
            OpenClinic(
                clinic,
                clinic.line,
                clinic.facility,
                today,
                clinic.closed_at is None and is_open_at(today, now.time()),
                holiday or "",
            )
        )
    return found


_holidays = Steady(
    lambda: Holiday.objects.filter(
        state_id=given("state_id"), facility_id=given_any("facility_ids"), date=given("day")
    ).values_list("facility_id", "clinic_id", "reason")
)


def holiday_reasons(
    state_id: int, clinics: Sequence[Clinic], day: datetime.date
) -> dict[uuid.UUID, str]:
    """Return why clinics of one state are closed on a day, for those that are."""
    rows = _holidays.all(
        state_id=state_id,
        facility_ids=list({clinic.facility_id for clinic in clinics}),
        day=day,
    )
    of_facility = {facility: reason for facility, clinic, reason in rows if clinic is None}
    of_clinic = {clinic: reason for _facility, clinic, reason in rows if clinic is not None}
    return {
        clinic.id: of_clinic.get(clinic.id) or of_facility[clinic.facility_id]
        for clinic in clinics
        if clinic.id in of_clinic or clinic.facility_id in of_facility
    }


def is_open_at(hours: Iterable[ClinicHours], time: datetime.time) -> bool:
    """Tell whether one of the openings holds the time."""
    return any(row.opens <= time < row.closes for row in hours)


_lines = Steady(lambda: Line.objects.filter(state_id=given("state_id"), id=given_any("line_ids")))


def lines_by_id(lines: Iterable[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, Line]:
    """Return the lines `(state_id, line_id)` by id, one statement per state."""
    by_state: dict[int, list[uuid.UUID]] = {}
    # A day's list names one line many times: each once, and what is kept of it is found again.
    for state_id, line_id in dict.fromkeys(lines):
        by_state.setdefault(state_id, []).append(line_id)
    return {
        line.id: line
        for state_id, ids in by_state.items()
        for line in _lines.all(state_id=state_id, line_ids=ids)
    }


_clinics_of_lines = Steady(
    lambda: Clinic.objects.select_related("facility").filter(
        state_id=given("state_id"), line_id=given_any("line_ids")
    )
)


def clinics_of_lines(lines: Iterable[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, Clinic]:
    """Return the clinics of lines `(state_id, line_id)`, by line id."""
    by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, line_id in lines:
        by_state.setdefault(state_id, []).append(line_id)
    return {
        clinic.line_id: clinic
        for state_id, ids in by_state.items()
        for clinic in _clinics_of_lines.all(state_id=state_id, line_ids=ids)
    }


def clinic_of_line(state_id: int, line_id: uuid.UUID) -> OpenClinic | None:
    """Return the clinic that a line belongs to, with its hours today; None for other lines."""
    clinic = (
        Clinic.objects.select_related("line", "facility")
        .filter(state_id=state_id, line_id=line_id)
        .first()
    )
    return _with_hours([clinic])[0] if clinic else None


def clinics_at(state_id: int, facility_id: uuid.UUID) -> list[OpenClinic]:
    """Return the clinics that a facility hosts, by name."""
    found = Clinic.objects.select_related("line", "facility").filter(
        state_id=state_id, facility_id=facility_id, closed_at__isnull=True
    )
    return sorted(_with_hours(found), key=_by_name)


def weekly_hours(
    clinics: Iterable[tuple[int, uuid.UUID]],
) -> dict[uuid.UUID, dict[int, list[ClinicHours]]]:
    """Return the openings of clinics `(state_id, clinic_id)` by clinic and weekday, Monday 0."""
    by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, clinic_id in clinics:
        by_state.setdefault(state_id, []).append(clinic_id)
    found: dict[uuid.UUID, dict[int, list[ClinicHours]]] = {}
    for state_id, ids in by_state.items():
        for row in ClinicHours.objects.filter(state_id=state_id, clinic_id__in=ids).order_by(
            "weekday", "opens"
        ):
            found.setdefault(row.clinic_id, {}).setdefault(row.weekday, []).append(row)
    return found


def practitioners(keys: Iterable[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, Practitioner]:
    """Return the practitioners `(state_id, practitioner_id)` by id, one statement per state."""
    by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, practitioner_id in keys:
        by_state.setdefault(state_id, []).append(practitioner_id)
    return {
        row.id: row
        for state_id, ids in by_state.items()
        for row in Practitioner.objects.filter(state_id=state_id, id__in=ids)
    }


def facility(state_id: int, facility_id: uuid.UUID) -> Facility:
    """Return a facility that is open. Raises NotFound."""
    found = Facility.objects.filter(
        state_id=state_id, id=facility_id, closed_at__isnull=True
    ).first()
    if found is None:
        raise NotFound
    return found


Row = TypeVar("Row")


@dataclass(frozen=True)
class Part(Generic[Row]):
    """Some rows of a list that is too long for one page, and how many there are in all."""

    rows: Sequence[Row]
    count: int


# Hubs and spokes ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class HubChoice:
    """A hub that answers a spoke in a speciality, with the line where the spoke's patients wait."""

    link: HubLink
    hub: Facility
    line: Line


_hub_lines = Steady(
    lambda: Line.objects.select_related("facility").filter(
        state_id=given("state_id"), id=given_any("line_ids"), kind=LineKind.HUB
    )
)


def hub_lines(lines: Iterable[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, Line]:
    """Return those of lines `(state_id, line_id)` that are hubs' or lanes in these, by the id
    asked for: each time the hub's line, with its facility."""
    asked = lines_by_id(lines)
    hubs = {
        line.id: line
        for state_id in sorted({line.state_id for line in asked.values()})
        for line in _hub_lines.all(
            state_id=state_id,
            line_ids=[
                one.parent_id or one.id for one in asked.values() if one.state_id == state_id
            ],
        )
    }
    return {
        line.id: hubs[line.parent_id or line.id]
        for line in asked.values()
        if (line.parent_id or line.id) in hubs
    }


_written = Steady(
    lambda: Line.objects.filter(
        state_id=given("state_id"), parent_id=given_any("parent_ids"), kind=LineKind.WRITTEN
    ).values_list("state_id", "id")
)


def written_lines(lines: Iterable[tuple[int, uuid.UUID]]) -> list[tuple[int, uuid.UUID]]:
    """Return the lines of written requests beside hubs' lines `(state_id, line_id)`."""
    by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, line_id in lines:
        by_state.setdefault(state_id, []).append(line_id)
    return [
        row
        for state_id, ids in by_state.items()
        for row in _written.all(state_id=state_id, parent_ids=ids)
    ]


_links_of_spoke = Steady(
    lambda: HubLink.objects.filter(state_id=given("state_id"), spoke_id=given("spoke_id")).order_by(
        "position", "id"
    )
)
_open_lines_of_hubs = Steady(
    lambda: (
        Line.objects.select_related("facility")
        .filter(
            state_id=given("state_id"),
            facility_id=given_any("hub_ids"),
            kind=LineKind.HUB,
            closed_at__isnull=True,
        )
        .order_by("speciality_code")
    )
)
_facilities = Steady(
    lambda: Facility.objects.filter(state_id=given("state_id"), id=given_any("facility_ids"))
)


def hubs_for(
    state_id: int, spoke_id: uuid.UUID, speciality_code: str | None = None
) -> list[HubChoice]:
    """Return the hub lines open to a spoke, in the order in which to ask; of one speciality, or
    of all, by speciality. A hub that is closed, or has closed the speciality, is left out."""
    links = _links_of_spoke.all(state_id=state_id, spoke_id=spoke_id)
    hubs = _linked_hubs(links)
    lines: dict[tuple[int, uuid.UUID], dict[str, Line]] = {}
    for hub_state_id in sorted({link.hub_state_id for link in links}):
        hub_ids = [link.hub_id for link in links if link.hub_state_id == hub_state_id]
        for line in _open_lines_of_hubs.all(state_id=hub_state_id, hub_ids=hub_ids):
            if speciality_code in (None, line.speciality_code):
                lines.setdefault((hub_state_id, line.facility_id), {})[line.speciality_code] = line
    found: dict[uuid.UUID, HubChoice] = {}
    for link in links:
        hub = hubs.get((link.hub_state_id, link.hub_id))
        if hub is None or hub.closed_at is not None:
            continue
        for code, line in lines.get((link.hub_state_id, link.hub_id), {}).items():
            if link.speciality_code in ("", code):
                found.setdefault(line.id, HubChoice(link, hub, line))
    return sorted(
        found.values(),
        key=lambda choice: (choice.line.speciality_code, choice.link.position, choice.link.id),
    )


def hub_links_of(state_id: int, spoke_id: uuid.UUID) -> list[tuple[HubLink, Facility]]:
    """Return a spoke's links with their hubs, closed ones too, by speciality and position."""
    links = list(
        HubLink.objects.filter(state_id=state_id, spoke_id=spoke_id).order_by(
            "speciality_code", "position", "id"
        )
    )
    hubs = _linked_hubs(links)
    return [(link, hubs[link.hub_state_id, link.hub_id]) for link in links]


def _linked_hubs(links: Sequence[HubLink]) -> dict[tuple[int, uuid.UUID], Facility]:
    return {
        (hub.state_id, hub.id): hub
        for state_id in sorted({link.hub_state_id for link in links})
        for hub in _facilities.all(
            state_id=state_id,
            facility_ids=list({link.hub_id for link in links if link.hub_state_id == state_id}),
        )
    }


def spokes_of(
    state_id: int, hub_state_id: int, hub_id: uuid.UUID, *, start: int, size: int
) -> Part[Facility]:
    """Return the open spokes of one state that a hub answers, by district and name."""
    linked = HubLink.objects.filter(
        state_id=state_id, hub_state_id=hub_state_id, hub_id=hub_id
    ).values("spoke_id")
    rows = Facility.objects.filter(
        state_id=state_id, id__in=linked, closed_at__isnull=True
    ).order_by("district", "name")
    return Part(list(rows[start : start + size]), rows.count())


def spokes_without_hub(state_id: int, *, start: int, size: int) -> Part[Facility]:
    """Return the open spokes that no hub answers, by district and name."""
    linked = HubLink.objects.filter(state_id=state_id, spoke_id=OuterRef("id"))
    rows = Facility.objects.filter(
        ~Exists(linked), state_id=state_id, is_spoke=True, closed_at__isnull=True
    ).order_by("district", "name")
    return Part(list(rows[start : start + size]), rows.count())


def hub_lines_at(state_id: int, facility_id: uuid.UUID) -> list[Line]:
    """Return the specialities that a hub has opened, as their lines."""
    return list(
        Line.objects.select_related("facility")
        .filter(
            state_id=state_id,
            facility_id=facility_id,
            kind=LineKind.HUB,
            closed_at__isnull=True,
        )
        .order_by("speciality_code")
    )


def hubs_in(state_id: int) -> list[Facility]:
    """Return the open hubs of a state, by district and name."""
    return list(
        Facility.objects.filter(state_id=state_id, is_hub=True, closed_at__isnull=True).order_by(
            "district", "name"
        )
    )


# For those who run it ----------------------------------------------------------------------------


def state(state_id: int) -> State:
    """Return a state or the tenant National. Raises NotFound."""
    found = State.objects.filter(lgd_code=state_id).first()
    if found is None:
        raise NotFound
    return found


def states_named(words: str) -> list[State]:
    """Return the states whose name has the words, by name; all without words."""
    return [
        state
        for state in states()
        if words.casefold() in state.name.casefold() or words in state.name_hi
    ]


def registered_facility(state_id: int, facility_id: uuid.UUID) -> Facility:
    """Return a facility, open or closed for good. Raises NotFound."""
    found = Facility.objects.filter(state_id=state_id, id=facility_id).first()
    if found is None:
        raise NotFound
    return found


def clinic(state_id: int, clinic_id: uuid.UUID) -> Clinic:
    """Return a clinic, open or closed for good, with its line and facility. Raises NotFound."""
    found = (
        Clinic.objects.select_related("line", "facility")
        .filter(state_id=state_id, id=clinic_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def clinic_today(clinic: Clinic) -> OpenClinic:
    """Return a clinic read with its line and facility, with what today is like."""
    return _with_hours([clinic])[0]


def facilities_named(state_id: int, words: str, *, start: int, size: int) -> Part[Facility]:
    """Return facilities of a state whose name or district has the words, by district and name."""
    rows = Facility.objects.filter(
        Q(name__icontains=words) | Q(name_hi__icontains=words) | Q(district__icontains=words),
        state_id=state_id,
    ).order_by("district", "name")
    return Part(list(rows[start : start + size]), rows.count())


def clinics_named(
    state_id: int,
    words: str,
    *,
    start: int,
    size: int,
    facility_id: uuid.UUID | None = None,
) -> Part[OpenClinic]:
    """Return open clinics of a state, or of one facility, with what today is like, by name."""
    rows = Clinic.objects.select_related("line", "facility").filter(
        Q(name__icontains=words)
        | Q(name_hi__icontains=words)
        | Q(facility__name__icontains=words)
        | Q(facility__district__icontains=words),
        state_id=state_id,
        closed_at__isnull=True,
    )
    if facility_id is not None:
        rows = rows.filter(facility_id=facility_id)
    ordered = rows.order_by("facility__district", "facility__name", "name", "id")
    return Part(_with_hours(ordered[start : start + size]), rows.count())


def practitioners_named(
    state_id: int, words: str, *, start: int, size: int, verified: bool | None = None
) -> Part[Practitioner]:
    """Return practitioners of a state by name or registration number, those to verify first."""
    rows = Practitioner.objects.filter(
        Q(name__icontains=words) | Q(registration_number__icontains=words), state_id=state_id
    )
    if verified is not None:
        rows = rows.filter(verified_at__isnull=not verified)
    ordered = rows.order_by("name", "id")
    return Part(list(ordered[start : start + size]), rows.count())


def practitioner_of_account(state_id: int, account_id: uuid.UUID) -> Practitioner | None:
    """Return the practitioner of an account in the state where the account is at home."""
    return Practitioner.objects.filter(state_id=state_id, account_id=account_id).first()


def posts_at(state_id: int, facility_id: uuid.UUID) -> list[Post]:
    """Return the posts at a facility that have not ended, with their practitioners."""
    return list(
        Post.objects.select_related("practitioner")
        .filter(state_id=state_id, facility_id=facility_id, ended_at__isnull=True)
        .order_by("role", "started_at", "id")
    )


def is_role_present(state_id: int, facility_id: uuid.UUID, role: Role) -> bool:
    """Tell whether somebody who holds a post in a role at a facility is signed in there now."""
    holders = dict(
        Post.objects.filter(
            state_id=state_id, facility_id=facility_id, role=role, ended_at__isnull=True
        ).values_list("account_id", "id")
    )
    present = signed_in_among(holders) if holders else {}
    return any(post_id in present.get(account_id, ()) for account_id, post_id in holders.items())


def names_by_post(state_id: int, post_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return who holds or held some posts of a state, by the posts' ids."""
    accounts = dict(
        Post.objects.filter(state_id=state_id, id__in=set(post_ids)).values_list("id", "account_id")
    )
    people = accounts_by_id(accounts.values()) if accounts else {}
    return {
        post_id: people[account_id].display_name
        for post_id, account_id in accounts.items()
        if account_id in people
    }


def posts_in_role(state_id: int, role: Role) -> list[Post]:
    """Return a state's posts in a role that have not ended, with their facilities."""
    return list(
        Post.objects.select_related("facility")
        .filter(state_id=state_id, role=role, ended_at__isnull=True)
        .order_by("started_at", "id")
    )


def administrators() -> list[Post]:
    """Return the posts of national and state administrators of all states: the nation's list."""
    with across_states():
        return list(
            Post.objects.select_related("facility")
            .filter(role__in=[Role.NATIONAL_ADMIN, Role.STATE_ADMIN], ended_at__isnull=True)
            .order_by("state_id", "started_at", "id")
        )


def offices(state_id: int) -> list[Facility]:
    """Return the open facilities of a state from which it is administered."""
    return list(
        Facility.objects.filter(
            state_id=state_id, kind=FacilityKind.DIRECTORATE, closed_at__isnull=True
        ).order_by("name", "id")
    )


def spoken_languages() -> list[str]:
    """Return the codes of the languages that some state speaks, by code."""
    return sorted({code for state in State.objects.all() for code in state.languages})


def lanes_of(state_id: int, line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Return the follow-up lanes that belong to lines."""
    ids = list(line_ids)
    found: dict[uuid.UUID, list[uuid.UUID]] = {line_id: [] for line_id in ids}
    for parent_id, lane_id in Line.objects.filter(state_id=state_id, parent_id__in=ids).values_list(
        "parent_id", "id"
    ):
        if parent_id is not None:
            found[parent_id].append(lane_id)
    return found


def clinical_posts_of(state_id: int, practitioner_id: uuid.UUID) -> list[Post]:
    """Return where a practitioner works as a doctor or specialist."""
    return list(
        Post.objects.select_related("facility")
        .filter(state_id=state_id, practitioner_id=practitioner_id, ended_at__isnull=True)
        .order_by("started_at", "id")
    )


def hours_of(clinic: Clinic) -> list[ClinicHours]:
    """Return a clinic's timetable in the order of the week."""
    return list(
        ClinicHours.objects.filter(state_id=clinic.state_id, clinic_id=clinic.id).order_by(
            "weekday", "opens"
        )
    )


def holidays_of(
    state_id: int, facility_id: uuid.UUID, clinic_id: uuid.UUID | None = None
) -> list[Holiday]:
    """Return the holidays to come of a facility, or those that a clinic keeps."""
    rows = Holiday.objects.filter(
        state_id=state_id, facility_id=facility_id, date__gte=clock.today()
    )
    own = Q(clinic_id__isnull=True)
    if clinic_id is not None:
        own |= Q(clinic_id=clinic_id)
    return list(rows.filter(own).order_by("date", "clinic_id"))


def holidays_at(state_id: int, facility_id: uuid.UUID) -> list[Holiday]:
    """Return the holidays to come of a facility, those of single clinics included."""
    return list(
        Holiday.objects.filter(
            state_id=state_id, facility_id=facility_id, date__gte=clock.today()
        ).order_by("date", "clinic_id")
    )


def holidays_of_lines(
    state_id: int, line_ids: Sequence[uuid.UUID], first: datetime.date, last: datetime.date
) -> dict[uuid.UUID, dict[datetime.date, str]]:
    """Return, for lines of clinics, the holidays that the clinics keep in some days: date, why."""
    clinics = list(
        Clinic.objects.filter(state_id=state_id, line_id__in=line_ids).values_list(
            "line_id", "id", "facility_id"
        )
    )
    holidays = list(
        Holiday.objects.filter(
            state_id=state_id,
            facility_id__in={facility_id for _line, _clinic, facility_id in clinics},
            date__range=(first, last),
        )
    )
    return {
        line_id: {
            holiday.date: holiday.reason
            for holiday in holidays
            if holiday.facility_id == facility_id and holiday.clinic_id in (None, clinic_id)
        }
        for line_id, clinic_id, facility_id in clinics
    }


def states_served_by(clinic: Clinic) -> dict[int, datetime.datetime]:
    """Return the states whose patients a clinic serves, each with since when."""
    return dict(
        ServedState.objects.filter(clinic_id=clinic.id, clinic_state_id=clinic.state_id)
        .order_by("served_state_id")
        .values_list("served_state_id", "since")
    )


@dataclass(frozen=True)
class StateCounts:
    """How much a state has, and what waits for its administrator."""

    facilities: int
    clinics: int
    verified: int
    to_verify: int


def counts_of(state_id: int) -> StateCounts:
    """Count what a state has."""
    practitioners = Practitioner.objects.filter(state_id=state_id)
    return StateCounts(
        Facility.objects.filter(state_id=state_id, closed_at__isnull=True).count(),
        Clinic.objects.filter(state_id=state_id, closed_at__isnull=True).count(),
        practitioners.filter(verified_at__isnull=False).count(),
        practitioners.filter(verified_at__isnull=True).count(),
    )
