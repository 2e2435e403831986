"""A facility's roster of a week, by line: who is planned, on leave, or takes over."""

import datetime
import uuid
from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from sanjeevani.directory.models import Facility, Line, Practitioner
from sanjeevani.directory.permissions import runs_facility
from sanjeevani.directory.queries import clinics_at, hub_lines_at, lines_by_id, practitioner
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import NotFound, NotPermitted
from sanjeevani.roster.leave import cancel_leave, take_leave
from sanjeevani.roster.models import ShiftOffer
from sanjeevani.roster.queries import known_of, leave_from, offers_in, plans_of, serving
from sanjeevani.roster.services import plan_week
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.pages import (
    ADMINISTERING,
    DecisionForm,
    errors_beside,
    facility_run_by,
    get_or_post,
    page,
    see,
    sent,
)
from sanjeevani.web.administration.weeks import WeekForm, changed
from sanjeevani.web.names import speciality_names
from sanjeevani.web.patient.views import name_of
from sanjeevani.web.rosters import (
    DoctorLeaveForm,
    ShownShift,
    Week,
    date_parts,
    people_in,
    shown,
    undone_leave,
    week_asked,
)


@dataclass(frozen=True)
class NamedLine:
    """A line of a facility that doctors serve, as its administrator calls it."""

    line: Line
    name: str


def lines_at(facility: Facility) -> list[NamedLine]:
    """Return the OPDs of a facility, then its specialities as a hub."""
    names = speciality_names()
    at = (facility.state_id, facility.id)
    return [
        *(NamedLine(one.line, name_of(one.clinic)) for one in clinics_at(*at)),
        *(
            NamedLine(
                line,
                _("%(speciality)s, for spokes")
                % {"speciality": names.get(line.speciality_code, line.speciality_code)},
            )
            for line in hub_lines_at(*at)
        ),
    ]


@dataclass(frozen=True)
class LineWeek:
    """A line in a week: its holidays, and its doctors with their shifts by day."""

    line: Line
    name: str
    holidays: dict[datetime.date, str]
    doctors: list[Practitioner]
    shifts: dict[tuple[uuid.UUID, datetime.date], list[ShownShift]]

    @property
    def is_planned(self) -> bool:
        """Whether anybody is planned."""
        return bool(self.shifts)


@dataclass(frozen=True)
class FacilityRoster:
    """All lines of a facility in a week, with everybody who is named there."""

    lines: list[LineWeek]
    offers: list[ShiftOffer]
    people: dict[uuid.UUID, Practitioner]
    serving: list[Practitioner]


def roster_of(facility: Facility, week: Week) -> FacilityRoster:
    """Read a facility's roster."""
    named = lines_at(facility)
    ids = [one.line.id for one in named]
    keys = serving(ids)
    offers = offers_in(facility.state_id, ids)
    known = known_of(facility.state_id, ids, week.first, week.last)
    swapped = [one for line in known.values() for one in line.taken_over]
    everybody = {key for line_keys in keys.values() for key in line_keys}
    people = people_in(everybody, [*offers, *swapped])
    by_name = sorted(people.values(), key=lambda one: one.name)
    return FacilityRoster(
        [
            LineWeek(
                one.line,
                one.name,
                {
                    day: why
                    for day, why in known[one.line.id].closed.items()
                    if week.first <= day <= week.last
                },
                [who for who in by_name if who.id in known[one.line.id].serving],
                shown(known[one.line.id], week.first, week.last, offers, people),
            )
            for one in named
        ],
        offers,
        people,
        [one for one in by_name if (one.state_id, one.id) in everybody],
    )


@staff(*ADMINISTERING)
@get_or_post
def roster(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """The week of each line; note leave and cancel it."""
    found = facility_run_by(request, state_id, facility_id)
    week = Week(week_asked(request.GET.get("week", "")))
    read = roster_of(found, week)
    do, _colon, argument = request.POST.get("do", "").partition(":")
    here = reverse("facility:roster", args=[state_id, facility_id])
    form = DoctorLeaveForm(read.serving, sent(request) if do == "leave" else None)
    decision = DecisionForm(sent(request) if do == "cancel" else None)
    if form.is_bound and form.is_valid():
        first, last = form.days()
        who = _doctor(read, form.cleaned_data["doctor"].partition(".")[2])
        with errors_beside(form):
            take_leave(request.actor, practitioner=who, first=first, last=last)
            return see(here, week=week.written, done="leave")
    if decision.is_bound and decision.is_valid():
        doctor_id, _slash, leave_id = argument.partition("/")
        who = _doctor(read, doctor_id)
        with errors_beside(decision):
            first, last = cancel_leave(request.actor, practitioner=who, leave_id=_id_of(leave_id))
            return see(
                here,
                week=week.written,
                done="leave_cancelled",
                doctor=f"{who.state_id}.{who.id}",
                **date_parts("first", first),
                **date_parts("last", last),
            )
    leave = leave_from(min(week.first, clock.today()), [one.id for one in read.serving])
    context = {
        "place": "roster",
        "facility": found,
        "week": week,
        "today": clock.today(),
        "roster": read,
        "leave": leave,
        "form": form,
        "decision": decision,
        "undo": undone_leave(request.GET),
    }
    return page(request, "facility/roster.html", context, form, decision)


def _id_of(written: str) -> uuid.UUID:
    try:
        return uuid.UUID(written)
    except ValueError:
        raise NotFound from None


def _doctor(read: FacilityRoster, practitioner_id: str) -> Practitioner:
    """Return a doctor who serves the facility. Raises NotFound."""
    found = next((one for one in read.serving if str(one.id) == practitioner_id), None)
    if found is None:
        raise NotFound
    return found


@staff(*ADMINISTERING)
@get_or_post
def week(
    request: PortalRequest,
    state_id: int,
    line_id: uuid.UUID,
    home_id: int,
    practitioner_id: uuid.UUID,
) -> HttpResponse:
    """When a doctor is planned to serve a line, week by week."""
    line, facility = line_run_by(request, state_id, line_id)
    if (home_id, practitioner_id) not in serving([line_id])[line_id]:
        raise NotFound
    person = practitioner(home_id, practitioner_id)
    name = next(one.name for one in lines_at(facility) if one.line.id == line_id)
    plans = plans_of(state_id, [line_id])[line_id]
    mine = [
        Opening(weekday=plan.weekday, opens=plan.begins, closes=plan.ends)
        for plan in plans
        if plan.practitioner_id == practitioner_id
    ]
    do = request.POST.get("do", "")
    form = WeekForm(sent(request), openings=mine)
    back = reverse("facility:roster", args=[state_id, facility.id])
    if request.method == "POST" and do not in ("", "split", "save"):
        form = WeekForm.reopened(changed(request.POST, do))
    elif request.method == "POST" and form.is_valid():
        with errors_beside(form):
            plan_week(
                request.actor, practitioner_id=practitioner_id, line=line, shifts=form.openings()
            )
            return see(back, done="planned")
    context = {
        "place": "roster",
        "facility": facility,
        "form": form,
        "title": _("Week of %(name)s, %(line)s") % {"name": person.name, "line": name},
        "lead": _(
            "Who is expected when, from today on. A doctor serves by going on duty, also at other"
            " times."
        ),
        "back": back,
    }
    return page(request, "facility/week.html", context, form)


def line_run_by(request: PortalRequest, state_id: int, line_id: uuid.UUID) -> tuple[Line, Facility]:
    """Return an open line whose facility the post administers. Raises NotPermitted, NotFound."""
    # Who administers nothing in the state does not learn whether there is such a line.
    if not runs_facility(request.post, state_id):
        raise NotPermitted
    line = lines_by_id([(state_id, line_id)]).get(line_id)
    if line is None:
        raise NotFound
    facility = facility_run_by(request, state_id, line.facility_id)
    if line_id not in {one.line.id for one in lines_at(facility)}:
        raise NotFound
    return line, facility
