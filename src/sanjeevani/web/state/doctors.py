"""A state's practitioners: enrolled, checked with the council, verified, given posts."""

import uuid

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sanjeevani.consultation.closing import withdraw_verification
from sanjeevani.directory.models import Practitioner, Role
from sanjeevani.directory.permissions import runs_facility, runs_state
from sanjeevani.directory.queries import (
    clinical_posts_of,
    facilities_named,
    practitioner,
    practitioners_named,
)
from sanjeevani.directory.queries import state as state_by_code
from sanjeevani.directory.seals import seal_of
from sanjeevani.directory.services import (
    change_practitioner,
    give_post,
    verify_practitioner,
)
from sanjeevani.directory.staff import enrol_practitioner
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.identity.queries import find_account
from sanjeevani.terminology.queries import specialities
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.forms import DoctorPostForm, EnrolForm, PractitionerForm
from sanjeevani.web.administration.pages import (
    ADMINISTERING,
    GOVERNING,
    PART,
    DecisionForm,
    Question,
    ask,
    errors_beside,
    get_or_post,
    page,
    pages,
    part_of,
    see,
    sent,
    start_of,
    state_run_by,
)
from sanjeevani.web.names import place_of
from sanjeevani.web.patient.views import language

SHOWN = {"to_verify": False, "verified": True}


@staff(*GOVERNING)
@require_safe
def practitioners(request: PortalRequest, state_id: int) -> HttpResponse:
    """The state's doctors: those to be verified, the verified, or all."""
    found = state_run_by(request, state_id)
    number, words = part_of(request)
    shown = request.GET.get("show", "")
    part = practitioners_named(
        state_id, words, start=start_of(number), size=PART, verified=SHOWN.get(shown)
    )
    context = {
        "place": "doctors",
        "state": found,
        "shown": shown if shown in SHOWN else "",
        "pages": pages(part, number, words),
        "specialities": _speciality_names(),
    }
    return page(request, "state/doctors.html", context)


def _speciality_names() -> dict[str, str]:
    return {one.code: one.name_in(language()) for one in specialities()}


@staff(*ADMINISTERING)
@get_or_post
def enrol(request: PortalRequest, state_id: int) -> HttpResponse:
    """Put a doctor on the state's list, to be verified. Facility administrators may, too."""
    if not runs_facility(request.post, state_id):
        raise NotPermitted
    found = state_by_code(state_id)
    governs = runs_state(request.post, state_id)
    initial = {"languages": found.languages, "language": "en"}
    form = EnrolForm(sent(request), initial=initial)
    if governs:
        back = reverse("state:doctors", args=[state_id])
    else:
        back = reverse("facility:staff", args=[state_id, request.post.facility_id])
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            made = enrol_practitioner(
                request.actor, state_id=state_id, person=form.person(), details=form.details()
            )
            if governs:
                here = reverse("state:doctor", args=[state_id, made.id])
                return see(here, done="enrolled")
            return see(back, done="enrolled")
    question = Question(
        title=_("Enrol a doctor"),
        lead=_(
            "Copy the entry of the council's register. The state's administrator checks it before"
            " the doctor can serve."
        ),
        action=_("Enrol"),
        back=back,
    )
    return ask(request, question, form, place="doctors")


@staff(*GOVERNING)
@get_or_post
def one(request: PortalRequest, state_id: int, practitioner_id: uuid.UUID) -> HttpResponse:
    """A doctor's entry; here it is checked with the council's register, and verified."""
    found_state = state_run_by(request, state_id)
    form = DecisionForm(sent(request))
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            verify_practitioner(
                request.actor,
                state_id=state_id,
                practitioner_id=practitioner_id,
                seen=request.POST.get("seen", ""),
            )
            return see(reverse("state:doctor", args=[state_id, practitioner_id]), done="verified")
    # Read only now: a colleague may have corrected it, and it is shown to be checked again.
    found = practitioner(state_id, practitioner_id)
    context = {
        "place": "doctors",
        "state": found_state,
        "doctor": found,
        "seal": seal_of(found),
        "form": form,
        "is_self": found.account_id == request.actor.account_id,
        "account": find_account(found.account_id),
        "posts": clinical_posts_of(state_id, practitioner_id),
        "speciality": _speciality_names().get(found.speciality_code, ""),
    }
    return page(request, "state/doctor.html", context, form)


@staff(*GOVERNING)
@get_or_post
def withdraw(request: PortalRequest, state_id: int, practitioner_id: uuid.UUID) -> HttpResponse:
    """Take a doctor's verification back: the registration ended, or the entry is wrong."""
    found_state = state_run_by(request, state_id)
    found = practitioner(state_id, practitioner_id)
    form = DecisionForm(sent(request))
    back = reverse("state:doctor", args=[state_id, practitioner_id])
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            is_done = withdraw_verification(
                request.actor, state_id=state_id, practitioner_id=practitioner_id
            )
            return see(back, done="withdrawn" if is_done else "withdrawn_after_patient")
    question = Question(
        title=_("Take back the verification of %(name)s?") % {"name": found.name},
        lead=_(
            "When the registration has ended or was struck off the council’s register, or the"
            " entry has to be corrected."
        ),
        points=[
            _("The doctor serves no OPD and no hub any more, and is signed out of all posts."),
            _("Who waits there keeps the place. Earlier consultations and prescriptions stay."),
            _(
                "When the doctor is verified again, the posts begin again. OPDs and hubs are"
                " assigned anew."
            ),
        ],
        action=_("Take the verification back"),
        back=back,
        danger=True,
    )
    return ask(request, question, form, place="doctors", state=found_state)


@staff(*GOVERNING)
@get_or_post
def change(request: PortalRequest, state_id: int, practitioner_id: uuid.UUID) -> HttpResponse:
    """Correct an entry that is not verified yet."""
    state_run_by(request, state_id)
    found = practitioner(state_id, practitioner_id)
    form = PractitionerForm(sent(request), initial=_entry(found))
    seen = request.POST.get("seen", seal_of(found))
    back = reverse("state:doctor", args=[state_id, practitioner_id])
    is_whole = request.method == "POST" and form.is_valid()
    if is_whole:
        with errors_beside(form):
            change_practitioner(
                request.actor,
                state_id=state_id,
                practitioner_id=practitioner_id,
                details=form.details(),
                seen=seen,
            )
            return see(back, done="saved")
    shown = seal_of(found) if is_whole else seen
    question = Question(title=found.name, action=_("Save"), back=back, seen=shown)
    return ask(request, question, form, place="doctors")


def _entry(found: Practitioner) -> dict[str, object]:
    entry = {name: getattr(found, name, None) for name in PractitionerForm.base_fields}
    return {**entry, "speciality": found.speciality_code}


@staff(*GOVERNING)
@get_or_post
def give(request: PortalRequest, state_id: int, practitioner_id: uuid.UUID) -> HttpResponse:
    """Give a verified doctor a post at one of the state's facilities."""
    state_run_by(request, state_id)
    found = practitioner(state_id, practitioner_id)
    _number, words = part_of(request)
    part = facilities_named(state_id, words, start=0, size=PART)
    choices = [(str(row.id), place_of(row)) for row in part.rows if row.closed_at is None]
    form = DoctorPostForm(_("Where"), choices, sent(request))
    back = reverse("state:doctor", args=[state_id, practitioner_id])
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            give_post(
                request.actor,
                state_id=state_id,
                facility_id=uuid.UUID(form.cleaned_data["chosen"]),
                account_id=found.account_id,
                role=Role(form.cleaned_data["role"]),
                practitioner_id=practitioner_id,
            )
            return see(back, done="posted")
    context = {
        "place": "doctors",
        "title": _("A post for %(name)s") % {"name": found.name},
        "action": _("Give the post"),
        "back": back,
        "form": form,
        "words": words,
        "count": part.count,
        "shown": len(choices),
    }
    return page(request, "administration/choose.html", context, form)
