"""One online OPD: its timetable, places and rules, and its closing."""

import uuid

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sanjeevani.consultation.closing import close_clinic, outlook
from sanjeevani.directory.models import Clinic
from sanjeevani.directory.permissions import runs_facility, runs_state
from sanjeevani.directory.queries import clinic as clinic_by_id
from sanjeevani.directory.queries import clinic_today, hours_of, states_served_by, weekly_hours
from sanjeevani.directory.seals import hours_seal, rules_seal
from sanjeevani.directory.services import change_clinic, set_hours
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.terminology.queries import specialities
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.forms import RulesForm
from sanjeevani.web.administration.pages import (
    ADMINISTERING,
    DecisionForm,
    Question,
    ask,
    errors_beside,
    get_or_post,
    page,
    require_runs,
    see,
    sent,
)
from sanjeevani.web.administration.weeks import WeekForm, changed
from sanjeevani.web.facility.places import ask_places
from sanjeevani.web.facility.today import today_of
from sanjeevani.web.patient.views import language, name_of
from sanjeevani.web.public.timetable import week_of


def clinic_run_by(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> Clinic:
    """Return a clinic whose facility the post administers. Raises NotPermitted, NotFound."""
    # Who administers nothing in the state does not learn whether there is such a clinic.
    if not runs_facility(request.post, state_id):
        raise NotPermitted
    found = clinic_by_id(state_id, clinic_id)
    require_runs(request, state_id, found.facility_id)
    return found


@staff(*ADMINISTERING)
@require_safe
def one(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """An OPD with all its settings."""
    found = clinic_run_by(request, state_id, clinic_id)
    names = {row.code: row.name_in(language()) for row in specialities()}
    served = states_served_by(found)
    context = {
        "place": "clinic",
        "facility": found.facility,
        "clinic": found,
        "governs": runs_state(request.post, state_id),
        "speciality": names.get(found.speciality_code, ""),
        "week": week_of(weekly_hours([(state_id, clinic_id)]).get(clinic_id, {})),
        "today": today_of(state_id, [clinic_today(found)])[0],
        "served": len(served),
        "now": clock.now(),
    }
    return page(request, "facility/clinic.html", context)


@staff(*ADMINISTERING)
@get_or_post
def timetable(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """When the OPD is open."""
    found = clinic_run_by(request, state_id, clinic_id)
    do = request.POST.get("do", "")
    hours = hours_of(found)
    form = WeekForm(sent(request), openings=hours)
    seen = request.POST.get("seen", hours_seal(hours))
    is_whole = False
    if request.method == "POST" and do not in ("", "split", "save"):
        form = WeekForm.reopened(changed(request.POST, do))
    elif is_whole := request.method == "POST" and form.is_valid():
        with errors_beside(form):
            set_hours(
                request.actor,
                state_id=state_id,
                clinic_id=clinic_id,
                hours=form.openings(),
                seen=seen,
            )
            return see(reverse("facility:clinic", args=[state_id, clinic_id]), done="hours")
    context = {
        "place": "clinic",
        "facility": found.facility,
        "clinic": found,
        "form": form,
        "seen": hours_seal(hours) if is_whole else seen,
        "title": _("Timetable"),
        "lead": _(
            "When patients can take a token. Who has one when the time ends keeps it as long as a"
            " doctor is on duty."
        ),
        "back": reverse("facility:clinic", args=[state_id, clinic_id]),
    }
    return page(request, "facility/week.html", context, form)


@staff(*ADMINISTERING)
@get_or_post
def places(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """How many patients the OPD takes a day, and how many may wait at once."""
    found = clinic_run_by(request, state_id, clinic_id)
    return ask_places(
        request,
        found.line,
        name=name_of(found),
        back=reverse("facility:clinic", args=[state_id, clinic_id]),
        place="clinic",
        facility=found.facility,
        clinic=found,
    )


@staff(*ADMINISTERING)
@get_or_post
def rules(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """Name, languages, time limit and target wait."""
    found = clinic_run_by(request, state_id, clinic_id)
    initial = {
        "name": found.name,
        "name_hi": found.name_hi,
        "languages": found.languages,
        "time_limit_minutes": found.time_limit_minutes,
        "target_wait_minutes": found.line.target_wait_minutes,
    }
    form = RulesForm(sent(request), initial=initial)
    seen = request.POST.get("seen", rules_seal(found))
    back = reverse("facility:clinic", args=[state_id, clinic_id])
    is_whole = request.method == "POST" and form.is_valid()
    if is_whole:
        with errors_beside(form):
            change_clinic(
                request.actor,
                state_id=state_id,
                clinic_id=clinic_id,
                rules=form.rules(),
                seen=seen,
            )
            return see(back, done="saved")
    shown = rules_seal(found) if is_whole else seen
    question = Question(title=name_of(found), action=_("Save"), back=back, seen=shown)
    return ask(request, question, form, place="clinic", facility=found.facility, clinic=found)


@staff(*ADMINISTERING)
@get_or_post
def close(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """Close the OPD for good, knowing what happens to those who wait."""
    found = clinic_run_by(request, state_id, clinic_id)
    form = DecisionForm(sent(request))
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            settled = close_clinic(request.actor, state_id=state_id, clinic_id=clinic_id)
            back = reverse("facility:board", args=[state_id, found.facility_id])
            return see(back, done="clinic_closed", moved=settled.moved, told=settled.told)
    context = {
        "place": "clinic",
        "facility": found.facility,
        "clinic": found,
        "form": form,
        "outlook": outlook(found),
        "back": reverse("facility:clinic", args=[state_id, clinic_id]),
    }
    return page(request, "facility/close.html", context, form)
