"""Who works at a facility: posts given, invitations sent again, posts ended."""

import uuid

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sanjeevani.consultation.closing import end_post
from sanjeevani.directory.models import CLINICAL_ROLES, Post, Role
from sanjeevani.directory.permissions import may_give
from sanjeevani.directory.queries import (
    acting_post,
    clinical_posts_of,
    clinics_of_lines,
    hub_lines,
    lines_by_id,
    posts_at,
    posts_of,
    practitioners_named,
)
from sanjeevani.directory.services import give_post
from sanjeevani.directory.staff import (
    answers_for,
    appoint,
    appoint_known,
    close_account,
    invite_again,
    reopen_account,
)
from sanjeevani.foundation.errors import NotFound, NotPermitted
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.identity.queries import accounts_by_id, find_account
from sanjeevani.queueing.queries import live_token_of
from sanjeevani.roster.queries import assigned_lines
from sanjeevani.roster.services import unassign
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.forms import (
    AppointForm,
    DoctorPostForm,
    InviteForm,
    KnownForm,
)
from sanjeevani.web.administration.pages import (
    ADMINISTERING,
    PART,
    DecisionForm,
    Question,
    ask,
    errors_beside,
    facility_run_by,
    get_or_post,
    page,
    part_of,
    see,
    sent,
)
from sanjeevani.web.names import hub_names
from sanjeevani.web.patient.views import name_of


def _roles(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> list[Role]:
    """Return the roles without a practitioner that this administrator may give here."""
    return [
        role
        for role in Role
        if role not in CLINICAL_ROLES
        and (role == Role.NATIONAL_ADMIN) <= (state_id == NATIONAL)
        and may_give(request.post, role, state_id, facility_id)
    ]


@staff(*ADMINISTERING)
@require_safe
def staff_list(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Who has a post here."""
    found = facility_run_by(request, state_id, facility_id)
    posts = posts_at(state_id, facility_id)
    context = {
        "place": "staff",
        "facility": found,
        "posts": posts,
        "accounts": accounts_by_id(held.account_id for held in posts),
        "given": {
            held.id for held in posts if may_give(request.post, held.role, state_id, facility_id)
        },
    }
    return page(request, "facility/staff.html", context)


@staff(*ADMINISTERING)
@get_or_post
def appoint_new(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Give somebody new an account and a post."""
    found = facility_run_by(request, state_id, facility_id)
    roles = _roles(request, state_id, facility_id)
    initial = {"language": "en", "role": request.GET.get("role")}
    form = AppointForm(roles, sent(request), initial=initial)
    back = reverse("facility:staff", args=[state_id, facility_id])
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            appoint(
                request.actor,
                state_id=state_id,
                facility_id=facility_id,
                role=Role(form.cleaned_data["role"]),
                person=form.person(),
            )
            return see(back, done="appointed")
    question = Question(
        title=_("Appoint somebody new"),
        action=_("Appoint and send the link"),
        lead=_("Doctors are enrolled and verified first, then given a post."),
        back=back,
    )
    return ask(request, question, form, place="staff", facility=found)


@staff(*ADMINISTERING)
@get_or_post
def appoint_by_login(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Give a post to somebody who signs in already."""
    found = facility_run_by(request, state_id, facility_id)
    form = KnownForm(_roles(request, state_id, facility_id), sent(request))
    back = reverse("facility:staff", args=[state_id, facility_id])
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            appoint_known(
                request.actor,
                state_id=state_id,
                facility_id=facility_id,
                role=Role(form.cleaned_data["role"]),
                login=form.cleaned_data["login"],
            )
            return see(back, done="posted")
    question = Question(
        title=_("Give a post to somebody who signs in already"),
        action=_("Give the post"),
        back=back,
    )
    return ask(request, question, form, place="staff", facility=found)


@staff(*ADMINISTERING)
@get_or_post
def give(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Give a verified doctor of the state a post here."""
    found = facility_run_by(request, state_id, facility_id)
    _number, words = part_of(request)
    part = practitioners_named(state_id, words, start=0, size=PART, verified=True)
    accounts = {str(row.id): row.account_id for row in part.rows}
    choices = [
        (str(row.id), f"{row.name}, {row.qualification}, {row.registration_number}")
        for row in part.rows
    ]
    form = DoctorPostForm(_("Doctor"), choices, sent(request))
    back = reverse("facility:staff", args=[state_id, facility_id])
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["chosen"]
        with errors_beside(form):
            give_post(
                request.actor,
                state_id=state_id,
                facility_id=facility_id,
                account_id=accounts[chosen],
                role=Role(form.cleaned_data["role"]),
                practitioner_id=uuid.UUID(chosen),
            )
            return see(back, done="posted")
    context = {
        "place": "staff",
        "facility": found,
        "title": _("Give a doctor a post"),
        "action": _("Give the post"),
        "back": back,
        "form": form,
        "words": words,
        "count": part.count,
        "shown": len(choices),
        "enrol": reverse("state:enrol", args=[state_id]),
    }
    return page(request, "administration/choose.html", context, form)


def _post_here(
    request: PortalRequest, state_id: int, facility_id: uuid.UUID, post_id: uuid.UUID
) -> Post:
    held = acting_post(state_id, post_id)
    if held.facility_id != facility_id:
        raise NotFound
    if not may_give(request.post, held.role, state_id, facility_id):
        raise NotPermitted
    return held


@staff(*ADMINISTERING)
@get_or_post
def invite(
    request: PortalRequest, state_id: int, facility_id: uuid.UUID, post_id: uuid.UUID
) -> HttpResponse:
    """Send the holder of a post a new link to choose a password."""
    found = facility_run_by(request, state_id, facility_id)
    held = _post_here(request, state_id, facility_id, post_id)
    account = find_account(held.account_id)
    if account is None:
        raise NotFound
    form = InviteForm(sent(request), initial={"mobile": account.mobile.removeprefix("+91")})
    back = reverse("facility:staff", args=[state_id, facility_id])
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            mobile = form.cleaned_data["mobile"]
            invite_again(request.actor, state_id=state_id, post_id=post_id, mobile=mobile)
            return see(back, done="invited")
    question = Question(
        title=_("Send %(name)s a new link") % {"name": account.display_name},
        lead=_("The link sent before stops working. The present password works until then."),
        action=_("Send the link"),
        back=back,
        rows=[(_("User name"), account.login), (_("Role"), held.get_role_display())],
    )
    return ask(request, question, form, place="staff", facility=found)


@staff(*ADMINISTERING)
@get_or_post
def account(
    request: PortalRequest, state_id: int, facility_id: uuid.UUID, post_id: uuid.UUID
) -> HttpResponse:
    """Close the account of who holds a post, or open it again."""
    found = facility_run_by(request, state_id, facility_id)
    held = _post_here(request, state_id, facility_id, post_id)
    holder = find_account(held.account_id)
    if holder is None:
        raise NotFound
    form = DecisionForm(sent(request))
    back = reverse("facility:staff", args=[state_id, facility_id])
    if request.method == "POST" and form.is_valid():
        closes = request.POST.get("do") != "open"
        with errors_beside(form):
            (close_account if closes else reopen_account)(
                request.actor, state_id=state_id, post_id=post_id
            )
            return see(back, done="account_closed" if closes else "account_opened")
    context = {
        "place": "staff",
        "facility": found,
        "form": form,
        "held": held,
        "holder": holder,
        "back": back,
        "may": answers_for(request.actor, holder.id),
        "posts": posts_of(holder.id),
        "with_patient": _is_with_patient(held),
    }
    return page(request, "facility/account.html", context, form)


@staff(*ADMINISTERING)
@get_or_post
def end(
    request: PortalRequest, state_id: int, facility_id: uuid.UUID, post_id: uuid.UUID
) -> HttpResponse:
    """End a post. A doctor who is with a patient is first taken off the OPDs."""
    found = facility_run_by(request, state_id, facility_id)
    held = _post_here(request, state_id, facility_id, post_id)
    account = find_account(held.account_id)
    name = account.display_name if account else ""
    form = DecisionForm(sent(request))
    back = reverse("facility:staff", args=[state_id, facility_id])
    if request.method == "POST" and form.is_valid():
        if request.POST.get("do") == "off":
            _take_off(request, held)
            here = reverse("facility:end-post", args=[state_id, facility_id, post_id])
            return see(here, done="taken_off")
        with errors_beside(form):
            end_post(request.actor, state_id=state_id, post_id=post_id)
            return see(back, done="ended")
    context = {
        "place": "staff",
        "facility": found,
        "form": form,
        "name": name,
        "held": held,
        "back": back,
        "is_last": held.account_id == request.actor.account_id,
        "served": _served(held),
        "with_patient": _is_with_patient(held),
    }
    return page(request, "facility/end_post.html", context, form)


def _is_with_patient(held: Post) -> bool:
    return held.practitioner_id is not None and live_token_of(held.practitioner_id) is not None


def _served(held: Post) -> list[str]:
    """Return what a doctor leaves with the post: the facility's lines, or all with the last."""
    if held.practitioner_id is None:
        return []
    stays = len(clinical_posts_of(held.state_id, held.practitioner_id)) > 1
    lines = assigned_lines(held.practitioner_id)
    left = {
        line.id
        for line in lines_by_id(lines).values()
        if line.parent_id is None and (not stays or line.facility_id == held.facility_id)
    }
    names = {id: name_of(clinic) for id, clinic in clinics_of_lines(lines).items()}
    names |= hub_names(hub_lines(lines))
    return [name for line_id, name in names.items() if line_id in left]


def _take_off(request: PortalRequest, held: Post) -> None:
    """Take a doctor off the facility's OPDs, so that nobody new is called."""
    if held.practitioner_id is None:
        return
    for line in lines_by_id(assigned_lines(held.practitioner_id)).values():
        if line.parent_id is None and line.facility_id == held.facility_id:
            unassign(request.actor, practitioner=held.practitioner, line=line)
