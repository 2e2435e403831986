"""Who serves an OPD: doctors added and taken off, and calling one in."""

import uuid

from django.http import HttpResponse
from django.urls import reverse

from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.directory.queries import (
    practitioner,
    practitioners,
    practitioners_named,
    state,
    states,
)
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation.errors import DomainError, NotFound
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.queueing.queries import waiting_counts
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import duty_in, planned_now, plans_of
from sanjeevani.roster.queries import serving as serving_lines
from sanjeevani.roster.services import ask_on_duty, assign, unassign
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.pages import (
    ADMINISTERING,
    PART,
    DecisionForm,
    errors_beside,
    get_or_post,
    page,
    part_of,
    see,
    sent,
)
from sanjeevani.web.facility.clinics import clinic_run_by
from sanjeevani.web.patient.views import name_of
from sanjeevani.web.public.timetable import state_name, week_of


def _serving(clinic: Clinic) -> list[Practitioner]:
    keys = serving_lines([clinic.line_id])[clinic.line_id]
    return sorted(practitioners(keys).values(), key=lambda row: row.name)


def _key_of(request: PortalRequest) -> tuple[int, uuid.UUID]:
    """Return the doctor that a button names, `<state>.<id>`. Raises NotFound."""
    home, _dot, practitioner_id = request.POST.get("doctor", "").partition(".")
    try:
        return int(home[:4]), uuid.UUID(practitioner_id)
    except ValueError:
        raise NotFound from None


@staff(*ADMINISTERING)
@get_or_post
def doctors(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """Who serves the OPD, with duty and week; take a doctor off, or back on."""
    found = clinic_run_by(request, state_id, clinic_id)
    form = DecisionForm(sent(request))
    here = reverse("facility:doctors", args=[state_id, clinic_id])
    if request.method == "POST" and form.is_valid():
        home, practitioner_id = _key_of(request)
        person = practitioner(home, practitioner_id)
        with errors_beside(form):
            if request.POST.get("do") == "assign":
                assign(request.actor, practitioner=person, line=found.line)
                return see(here, done="assigned")
            unassign(request.actor, practitioner=person, line=found.line)
            return see(here, done="unassigned", doctor=f"{home}.{practitioner_id}")
    plans = plans_of(state_id, [found.line_id])[found.line_id]
    weeks: dict[uuid.UUID, dict[int, list[Opening]]] = {}
    for plan in plans:
        days = weeks.setdefault(plan.practitioner_id, {})
        shift = Opening(weekday=plan.weekday, opens=plan.begins, closes=plan.ends)
        days.setdefault(plan.weekday, []).append(shift)
    context = {
        "place": "clinic",
        "facility": found.facility,
        "clinic": found,
        "form": form,
        "doctors": _serving(found),
        "duty": duty_in(state_id, [found.line_id])[found.line_id],
        "planned": planned_now(state_id, [found.line_id])[found.line_id],
        "weeks": {key: week_of(week) for key, week in weeks.items()},
        "undo": request.GET.get("doctor", "")[:60],
        "states": {row.lgd_code: row for row in [*states(), state(NATIONAL)]},
        "back": reverse("facility:clinic", args=[state_id, clinic_id]),
    }
    return page(request, "facility/doctors.html", context, form)


@staff(*ADMINISTERING)
@get_or_post
def add(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """Let a verified doctor serve the OPD: one of its own state, or of any other."""
    found = clinic_run_by(request, state_id, clinic_id)
    form = DecisionForm(sent(request))
    here = reverse("facility:add-doctor", args=[state_id, clinic_id])
    if request.method == "POST" and form.is_valid():
        home, practitioner_id = _key_of(request)
        with errors_beside(form):
            assign(request.actor, practitioner=practitioner(home, practitioner_id), line=found.line)
            return see(reverse("facility:doctors", args=[state_id, clinic_id]), done="assigned")
    known = {row.lgd_code: row for row in [*states(), state(NATIONAL)]}
    given = request.GET.get("state", "")
    home = int(given) if given.isdecimal() and int(given) in known else state_id
    _number, words = part_of(request)
    part = practitioners_named(home, words, start=0, size=PART, verified=True)
    serving = {row.id for row in _serving(found)}
    context = {
        "place": "clinic",
        "facility": found.facility,
        "clinic": found,
        "form": form,
        "doctors": part.rows,
        "count": part.count,
        "serving": serving,
        "words": words,
        "home": home,
        "states": sorted(known.values(), key=state_name),
        "here": here,
        "back": reverse("facility:doctors", args=[state_id, clinic_id]),
    }
    return page(request, "facility/add_doctor.html", context, form)


@staff(*ADMINISTERING)
@get_or_post
def ask_in(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """Ask a doctor who is not on duty to come, by a message."""
    found = clinic_run_by(request, state_id, clinic_id)
    form = DecisionForm(sent(request))
    here = reverse("facility:ask-on-duty", args=[state_id, clinic_id])
    if request.method == "POST" and form.is_valid():
        home, practitioner_id = _key_of(request)
        person = practitioner(home, practitioner_id)
        try:
            ask_on_duty(
                request.actor, practitioner=person, line=found.line, clinic_name=name_of(found)
            )
            return see(here, done="asked")
        except NotFound:
            raise
        except DomainError as error:
            form.add_error(None, f"{person.name}: {error.message}")
    duty = duty_in(state_id, [found.line_id])[found.line_id]
    planned = planned_now(state_id, [found.line_id])[found.line_id]
    away = [row for row in _serving(found) if duty.get(row.id) != DutyStatus.ON]
    context = {
        "place": "clinic",
        "facility": found.facility,
        "clinic": found,
        "form": form,
        "doctors": sorted(away, key=lambda row: row.id not in planned),
        "planned": planned,
        "duty": duty,
        "waiting": waiting_counts(state_id, [found.line_id])[found.line_id],
        "back": reverse("facility:board", args=[state_id, found.facility_id]),
    }
    return page(request, "facility/ask.html", context, form)
