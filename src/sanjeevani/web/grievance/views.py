"""Complaining, following it up, and answering."""

import hashlib
import json
import uuid
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.directory.models import Role
from sanjeevani.directory.queries import states
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import ActorKind
from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted, Stale
from sanjeevani.foundation.idempotency import Answer, once
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.grievance.errors import NumberUnknown, TooLateToReopen
from sanjeevani.grievance.models import GrievanceKind, GrievanceStatus
from sanjeevani.grievance.permissions import HANDLERS
from sanjeevani.grievance.queries import progress_of, read, to_handle
from sanjeevani.grievance.services import (
    Complaint,
    answer,
    close,
    due_days,
    reopen,
    submit,
    take_up,
)
from sanjeevani.identity.limits import count_attempt, network_of
from sanjeevani.identity.queries import find_account
from sanjeevani.web.access import PortalRequest, patient, public, staff
from sanjeevani.web.administration.pages import PART, pages, part_of, start_of
from sanjeevani.web.grievance.forms import AnswerForm, ComplaintForm, NumberForm, ReasonForm
from sanjeevani.web.patient.views import language, name_of


@public
@require_http_methods(["GET", "POST"])
def complain(request: PortalRequest) -> HttpResponse:
    """Complain or suggest something; or follow up by number what was sent before."""
    if "number" in request.GET:
        found = NumberForm(request.GET)
        if found.is_valid():
            return _see(reverse("grievance:progress", args=[found.cleaned_data["number"]]))
        return _form_page(request, _empty(request), found)
    if request.method == "GET":
        return _form_page(request, _empty(request), NumberForm())
    form = ComplaintForm(states(), request.POST)
    if not form.is_valid():
        return _form_page(request, form, NumberForm())
    return _take_in(request, form, NumberForm(), state_id=form.cleaned_data["state"])


@patient
@require_http_methods(["GET", "POST"])
def about(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Complain about a consultation of one's own."""
    held = own_consultation(request.actor, state_id, consultation_id)
    if request.method == "GET":
        return _form_page(request, _empty(request, about_consultation=True), consultation=held)
    form = ComplaintForm([], request.POST, about_consultation=True)
    if not form.is_valid():
        return _form_page(request, form, consultation=held)
    return _take_in(request, form, consultation=held)


def _empty(request: PortalRequest, *, about_consultation: bool = False) -> ComplaintForm:
    initial: dict[str, Any] = {
        "state": request.actor.state_id,
        "kind": request.GET.get("kind"),
        "sent": uuid.uuid4(),
    }
    if request.actor.kind == ActorKind.PERSON and request.actor.account_id:
        account = find_account(request.actor.account_id)
        initial["mobile"] = account.mobile if account else ""
    known = [] if about_consultation else states()
    return ComplaintForm(known, initial=initial, about_consultation=about_consultation)


def _form_page(
    request: PortalRequest,
    form: ComplaintForm,
    number_form: NumberForm | None = None,
    *,
    status: int = 0,
    **more: Any,
) -> HttpResponse:
    failed = form.errors or (number_form is not None and number_form.errors)
    context = {
        "form": form,
        "number_form": number_form,
        "failed": bool(failed),
        "days": {kind: due_days(kind) for kind in GrievanceKind.values},
        **more,
    }
    return render(
        request, "grievance/form.html", context, status=status or (422 if failed else 200)
    )


def _take_in(
    request: PortalRequest,
    form: ComplaintForm,
    number_form: NumberForm | None = None,
    consultation: Consultation | None = None,
    **where: Any,
) -> HttpResponse:
    said = form.cleaned_data
    about = {"consultation": consultation} if consultation else {}

    def act() -> Answer:
        taken = submit(
            request.actor,
            complaint=Complaint(
                kind=said["kind"],
                text=said["text"],
                language=language(),
                name=said["name"],
                mobile=said["mobile"],
            ),
            consultation=(consultation.state_id, consultation.id) if consultation else None,
            **where,
        )
        return Answer(303, taken.number)

    # Sent again on a poor link it is one complaint, and its author gets its number after all. The
    # words are the key: corrected and sent from the same page, it is another one.
    words = json.dumps([request.path, *(str(said[name]) for name in said if name != "sent")])
    digest = hashlib.sha256(words.encode()).hexdigest()
    owner = uuid.uuid5(said["sent"], "grievance")
    try:
        count_attempt(*_counted(request))
        answer, _replayed = once(account_id=owner, key=digest, digest=digest, act=act)
    except (NotFound, NotPermitted):
        raise
    except DomainError as refused:
        form.add_error(
            refused.field if refused.field in form.fields else None, str(refused.message)
        )
        return _form_page(request, form, number_form, status=refused.status, **about)
    return _see(f"{reverse('grievance:progress', args=[answer.body])}?new=1")


def _counted(request: PortalRequest) -> tuple[str, str]:
    """Return by whom complaints are counted: many strangers share one network."""
    if request.actor.account_id is not None:
        return "grievances_per_account", str(request.actor.account_id)
    return "grievances_per_address", network_of(request.actor.address)


@public
@require_http_methods(["GET", "POST"])
def progress(request: PortalRequest, number: str) -> HttpResponse:
    """How far a complaint has come; its author can accept or dispute the answer."""
    count_attempt("grievance_numbers_per_address", network_of(request.actor.address))
    try:
        found = progress_of(number)
    except NumberUnknown as unknown:
        form = NumberForm({"number": number[:40]})
        form.add_error("number", str(unknown.message))
        context = {"form": form, "failed": True}
        return render(request, "grievance/unknown.html", context, status=404)
    form_of_reason = ReasonForm()
    refusal = None
    if request.method == "POST":
        here = _see(reverse("grievance:progress", args=[found.number]))
        try:
            if request.POST.get("act") == "close":
                close(request.actor, number=found.number)
                return here
            form_of_reason = ReasonForm(request.POST)
            if form_of_reason.is_valid():
                reason = form_of_reason.cleaned_data["reason"]
                reopen(request.actor, number=found.number, reason=reason)
                return here
        except (Stale, TooLateToReopen) as error:
            found = progress_of(number)
            if request.POST.get("act") == "close" and found.status == GrievanceStatus.CLOSED:
                return here
            # What was typed stands, to be copied; and what has become of it is shown.
            refusal = error
    context = {
        "found": found,
        "form": form_of_reason,
        "refusal": refusal,
        "is_new": "new" in request.GET and found.status == "received",
    }
    status = refusal.status if refusal else 422 if form_of_reason.errors else 200
    return render(request, "grievance/progress.html", context, status=status)


@staff(*HANDLERS)
@require_http_methods(["GET"])
def to_answer(request: PortalRequest) -> HttpResponse:
    """What waits for this administrator's answer, the first due first; or what is settled."""
    known = {state.lgd_code: state for state in states()}
    state_id = request.post.state_id
    if request.post.role == Role.NATIONAL_ADMIN:
        chosen = request.GET.get("state", "")
        state_id = int(chosen) if chosen.isdecimal() and int(chosen) in known else NATIONAL
    settled = "settled" in request.GET
    number, words = part_of(request)
    part = to_handle(request.post, state_id, start=start_of(number), size=PART, settled=settled)
    if part.count and not part.rows:
        # The last one of the page was answered in the meantime.
        number = pages(part, number, words).last
        part = to_handle(request.post, state_id, start=start_of(number), size=PART, settled=settled)
    context = {
        "pages": pages(part, number, words),
        "settled": settled,
        "state_id": state_id,
        "states": known.values() if request.post.role == Role.NATIONAL_ADMIN else [],
        "name_of": name_of,
        "now": clock.now(),
        "post": request.post,
    }
    return render(request, "grievance/list.html", context)


@staff(*HANDLERS)
@require_http_methods(["GET", "POST"])
def one(request: PortalRequest, state_id: int, grievance_id: uuid.UUID) -> HttpResponse:
    """Read one, look into it, answer it."""
    reading = read(request.actor, state_id, grievance_id)
    form: forms.Form = AnswerForm()
    refusal = None
    key: dict[str, Any] = {"state_id": state_id, "grievance_id": grievance_id}
    if request.method == "POST":
        here = _see(reverse("grievance:one", args=[state_id, grievance_id]))
        try:
            if request.POST.get("act") == "take_up":
                take_up(request.actor, **key)
                return here
            form = AnswerForm(request.POST)
            if form.is_valid():
                answer(request.actor, **key, text=form.cleaned_data["answer"])
                return here
        except Stale as error:
            # What was typed stands; a colleague has moved it in the meantime.
            refusal = error
    context = {
        "grievance": reading.grievance,
        "steps": reading.steps,
        "doctors": reading.doctors,
        "reported": reading.reported,
        "form": form,
        "refusal": refusal,
        "name_of": name_of,
        "now": clock.now(),
        "post": request.post,
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "grievance/one.html", context, status=status)


def _see(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=303)
