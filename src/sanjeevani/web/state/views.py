"""A state's facilities, OPDs and staff."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sanjeevani.directory.models import Facility, FacilityKind, Role
from sanjeevani.directory.queries import (
    clinic,
    clinics_named,
    counts_of,
    facilities_named,
    posts_in_role,
    practitioners_named,
    states,
    states_served_by,
)
from sanjeevani.directory.seals import facility_seal
from sanjeevani.directory.services import (
    change_facility,
    close_facility,
    open_clinic,
    open_facility,
    serve_states,
    set_presence_proof,
)
from sanjeevani.grievance.queries import waiting_for
from sanjeevani.identity.queries import accounts_by_id
from sanjeevani.roster.queries import doctors_on_duty
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.forms import ClinicForm, FacilityForm, PresenceForm, StatesForm
from sanjeevani.web.administration.pages import (
    GOVERNING,
    PART,
    DecisionForm,
    Question,
    ask,
    errors_beside,
    facility_run_by,
    get_or_post,
    page,
    pages,
    part_of,
    see,
    sent,
    start_of,
    state_run_by,
)
from sanjeevani.web.administration.weeks import WeekForm, changed
from sanjeevani.web.patient.views import name_of
from sanjeevani.web.public.timetable import state_name

TO_VERIFY_SHOWN = 5


@staff(Role.STATE_ADMIN, Role.NATIONAL_ADMIN)
@require_safe
def own(request: PortalRequest) -> HttpResponse:
    """Lead to the state of the post."""
    return see(reverse("state:home", args=[request.post.state_id]))


@staff(*GOVERNING)
@require_safe
def home(request: PortalRequest, state_id: int) -> HttpResponse:
    """What there is in the state, and what waits for its administrator."""
    found = state_run_by(request, state_id)
    context = {
        "place": "home",
        "state": found,
        "counts": counts_of(state_id),
        "waiting": waiting_for(request.post, state_id),
        "to_verify": practitioners_named(
            state_id, "", start=0, size=TO_VERIFY_SHOWN, verified=False
        ).rows,
    }
    return page(request, "state/home.html", context)


@staff(*GOVERNING)
@get_or_post
def presence(request: PortalRequest, state_id: int) -> HttpResponse:
    """How the state's spokes show that a patient really sits there."""
    found = state_run_by(request, state_id)
    form = PresenceForm(sent(request), initial={"presence_proof": found.presence_proof})
    back = reverse("state:home", args=[state_id])
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            set_presence_proof(
                request.actor, state_id=state_id, proof=form.cleaned_data["presence_proof"]
            )
            return see(back, done="saved")
    question = Question(title=_("Patients at spokes"), action=_("Save"), back=back)
    return ask(request, question, form, place="home")


@staff(*GOVERNING)
@require_safe
def facilities(request: PortalRequest, state_id: int) -> HttpResponse:
    """The state's facilities, by district."""
    found = state_run_by(request, state_id)
    number, words = part_of(request)
    part = facilities_named(state_id, words, start=start_of(number), size=PART)
    context = {
        "place": "facilities",
        "state": found,
        "pages": pages(part, number, words),
        "kinds": dict(FacilityKind.choices),
    }
    return page(request, "state/facilities.html", context)


@staff(*GOVERNING)
@get_or_post
def add_facility(request: PortalRequest, state_id: int) -> HttpResponse:
    """Register a facility."""
    state_run_by(request, state_id)
    form = FacilityForm(sent(request), initial={"hosts": ["is_opd_host"]})
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            made = open_facility(request.actor, state_id=state_id, details=form.details())
            return see(reverse("facility:board", args=[state_id, made.id]), done="facility_added")
    question = Question(
        title=_("Add a facility"),
        action=_("Add the facility"),
        back=reverse("state:facilities", args=[state_id]),
    )
    return ask(request, question, form, place="facilities")


@staff(*GOVERNING)
@get_or_post
def change_one(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Correct what a facility is registered with."""
    state_run_by(request, state_id)
    found = facility_run_by(request, state_id, facility_id)
    form = FacilityForm(sent(request), initial=_registered(found))
    seen = request.POST.get("seen", facility_seal(found))
    back = reverse("facility:board", args=[state_id, facility_id])
    is_whole = request.method == "POST" and form.is_valid()
    if is_whole:
        with errors_beside(form):
            change_facility(
                request.actor,
                state_id=state_id,
                facility_id=facility_id,
                details=form.details(),
                seen=seen,
            )
            return see(back, done="saved")
    shown = facility_seal(found) if is_whole else seen
    question = Question(title=name_of(found), action=_("Save"), back=back, seen=shown)
    return ask(request, question, form, place="facilities", facility=found)


def _registered(found: Facility) -> dict[str, Any]:
    roles = ("is_opd_host", "is_hub", "is_spoke")
    plain = ("name", "name_hi", "kind", "address", "district", "phone")
    return {
        **{name: getattr(found, name) for name in plain},
        "hosts": [role for role in roles if getattr(found, role)],
    }


@staff(*GOVERNING)
@get_or_post
def close_one(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Close a facility for good."""
    state_run_by(request, state_id)
    found = facility_run_by(request, state_id, facility_id)
    form = DecisionForm(sent(request))
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            close_facility(request.actor, state_id=state_id, facility_id=facility_id)
            return see(reverse("state:facilities", args=[state_id]), done="facility_closed")
    question = Question(
        title=_("Close %(name)s for good?") % {"name": name_of(found)},
        lead=_(
            "Its OPDs are closed and its posts are ended before. Its consultations and"
            " prescriptions stay."
        ),
        action=_("Close it for good"),
        back=reverse("facility:board", args=[state_id, facility_id]),
        danger=True,
    )
    return ask(request, question, form, place="facilities", facility=found)


@staff(*GOVERNING)
@require_safe
def clinics(request: PortalRequest, state_id: int) -> HttpResponse:
    """The state's OPDs with what today is like."""
    found = state_run_by(request, state_id)
    number, words = part_of(request)
    part = clinics_named(state_id, words, start=start_of(number), size=PART)
    context = {
        "place": "clinics",
        "state": found,
        "pages": pages(part, number, words),
        "doctors": doctors_on_duty(state_id, [row.line.id for row in part.rows]),
    }
    return page(request, "state/clinics.html", context)


@staff(*GOVERNING)
@get_or_post
def add_clinic(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Open an online OPD with its hours."""
    found = state_run_by(request, state_id)
    host = facility_run_by(request, state_id, facility_id)
    usual = {
        "places_per_day": 100,
        "waiting_places": 40,
        "time_limit_minutes": 10,
        "target_wait_minutes": 30,
        "languages": found.languages,
    }
    do = request.POST.get("do", "")
    form = ClinicForm(sent(request), initial=usual)
    week = WeekForm(sent(request))
    if request.method == "POST" and do not in ("", "split", "save"):
        form = ClinicForm(initial={**usual, **_typed(request)})
        week = WeekForm.reopened(changed(request.POST, do))
    # Both are checked, so that everything wrong is said at once.
    elif request.method == "POST" and all([form.is_valid(), week.is_valid()]):
        with errors_beside(form):
            made = open_clinic(
                request.actor,
                state_id=state_id,
                facility_id=facility_id,
                details=form.details(),
                hours=week.openings(),
            )
            return see(reverse("facility:clinic", args=[state_id, made.id]), done="clinic_opened")
    context = {"place": "clinics", "facility": host, "form": form, "week": week}
    return page(request, "state/add_clinic.html", context, form, week)


def _typed(request: PortalRequest) -> dict[str, Any]:
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in ClinicForm.base_fields}
    return {**typed, "languages": request.POST.getlist("languages")}


@staff(*GOVERNING)
@get_or_post
def states_served(request: PortalRequest, state_id: int, clinic_id: uuid.UUID) -> HttpResponse:
    """Open an OPD to the patients of further states, while it runs."""
    state_run_by(request, state_id)
    found = clinic(state_id, clinic_id)
    served = states_served_by(found)
    known = {state.lgd_code: state for state in states()}
    further = {code: state for code, state in known.items() if code not in served}
    choices = [(str(code), state_name(state)) for code, state in further.items()]
    form = StatesForm(choices, sent(request))
    chosen: list[str] = []
    if request.method == "POST":
        if request.POST.get("do") == "all":
            chosen = [code for code, _name in choices]
        elif form.is_valid():
            chosen = form.cleaned_data["states"]
    if chosen:
        with errors_beside(form):
            serve_states(
                request.actor,
                state_id=state_id,
                clinic_id=clinic_id,
                state_ids=[int(code) for code in chosen],
            )
            here = reverse("state:serve", args=[state_id, clinic_id])
            return see(here, done="served", count=len(chosen))
    context = {
        "place": "clinics",
        "facility": found.facility,
        "clinic": found,
        "form": form,
        "further": further,
        "not_open": [state for state in further.values() if state.opened_at is None],
        "served": [
            (state_name(known[code]), since) for code, since in served.items() if code in known
        ],
        "count": request.GET.get("count", "")[:3],
    }
    return page(request, "state/serve.html", context, form)


@staff(*GOVERNING)
@require_safe
def people(request: PortalRequest, state_id: int) -> HttpResponse:
    """Who administers the state and its facilities, and who watches."""
    found = state_run_by(request, state_id)
    roles = (Role.NATIONAL_ADMIN,) if state_id == 0 else ()
    groups = [
        (role.label, posts_in_role(state_id, role))
        for role in (*roles, Role.STATE_ADMIN, Role.FACILITY_ADMIN, Role.OBSERVER)
    ]
    posts = [held for _label, held_posts in groups for held in held_posts]
    context = {
        "place": "staff",
        "state": found,
        "groups": groups,
        "accounts": accounts_by_id(held.account_id for held in posts),
    }
    return page(request, "state/staff.html", context)
