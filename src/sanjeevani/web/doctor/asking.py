"""A colleague is asked in: what stands at the desk of who asks, and the page of who is asked."""

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import conditional_page, require_http_methods, require_safe

from sanjeevani.calls.errors import NotInCall
from sanjeevani.calls.models import Mode, Seat
from sanjeevani.calls.queries import holds_third
from sanjeevani.consultation.asks import ADVISING, ask_to, asks_in, asks_to
from sanjeevani.consultation.calling import is_held, seat_in
from sanjeevani.consultation.colleagues import (
    ADVICE_LENGTH,
    LATER_MINUTES,
    advise,
    come_in,
    come_later,
    decline_ask,
    leave_ask,
)
from sanjeevani.consultation.errors import AskOver, WithOwnPatient
from sanjeevani.consultation.models import Ask, AskStatus, Consultation
from sanjeevani.consultation.papers import paper_for_colleague, papers_of
from sanjeevani.consultation.permissions import require_practitioner
from sanjeevani.consultation.queries import for_practitioner, writing_of
from sanjeevani.consultation.services import REASON_LENGTH
from sanjeevani.directory.models import Practitioner
from sanjeevani.documents.prescription_document import age_text
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, Invalid
from sanjeevani.intake.queries import intake_of
from sanjeevani.prescription.documents import medicines_in
from sanjeevani.prescription.queries import draft_of, prescription_in_force
from sanjeevani.queueing.queries import live_token_of
from sanjeevani.terminology.queries import symptoms_named
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.calls.room import in_call
from sanjeevani.web.doctor import words
from sanjeevani.web.doctor.desk import case_of
from sanjeevani.web.doctor.papers import doctors
from sanjeevani.web.fields import PlainForm, PlainTextField
from sanjeevani.web.names import speciality_names
from sanjeevani.web.papers import Shown, send, shown


class DeclineForm(PlainForm):
    """Why a colleague does not come."""

    word = PlainTextField(
        label=_("Why you cannot come, in a word"),
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Say in a word why you cannot come.")},
    )


class AdviceForm(PlainForm):
    """What a colleague advises."""

    advice = PlainTextField(
        label=_("Your advice to the doctor"),
        help_text=_("It stands in the record under your name. The patient can read it too."),
        max_length=ADVICE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
        error_messages={
            "required": _("Write your advice first."),
            "max_length": _("Shorten this: %(limit_value)d characters fit here."),
        },
    )


# At the desk of who asks ------------------------------------------------------------------------


def asking_of(consultation: Consultation) -> dict[str, Any]:
    """Return what the part about colleagues needs at the treating doctor's desk."""
    asked = asks_in(consultation)
    return {
        "asks": asked,
        "may_ask": is_held(consultation),
        "specialities": speciality_names() if asked else {},
    }


@doctors
@require_safe
@conditional_page
def asks(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Who is asked in, whether they come, and what they advise; to be fetched again."""
    practitioner = request.post.practitioner
    found = for_practitioner(request.actor, practitioner, state_id, consultation_id)
    require_practitioner(request.actor, practitioner, found)
    context = {
        "consultation": found,
        "write_url": reverse("doctor:write", args=[state_id, consultation_id]),
        **asking_of(found),
    }
    return render(request, "doctor/parts/asks.html", context)


# At the desk of who is asked --------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """An ask at the colleague's desk: as much of the patient as decides whether to come."""

    ask: Ask
    age: str
    trouble: str


def asked_of(actor: Actor, practitioner: Practitioner) -> dict[str, Any]:
    """Return what the part about asks needs at a colleague's desk; mostly there is none."""
    found = asks_to(actor, practitioner)
    if not found:
        return {"asked_in": []}
    return {
        "asked_in": [_asked(ask) for ask in found],
        "specialities": speciality_names(),
        "is_busy": live_token_of(practitioner.id) is not None,
        "later_minutes": LATER_MINUTES,
        "decline": DeclineForm(),
    }


def _asked(ask: Ask) -> Asked:
    consultation = ask.consultation
    intake = intake_of(consultation.state_id, consultation.id)
    language = words.reader_language()
    named = symptoms_named(intake.complaints)
    complaints = [named[code].name_in(language) for code in intake.complaints if code in named]
    age = age_text(consultation.patient_birth_date, clock.today(), language)
    return Asked(ask, age, ", ".join(complaints) or intake.text)


@doctors
@require_http_methods(["GET", "HEAD", "POST"])
def asked(request: PortalRequest, state_id: int, ask_id: uuid.UUID) -> HttpResponse:
    """The colleague's page: answer, read, sit in the call, advise."""
    problem: DomainError | None = None
    decline, advice = DeclineForm(), None
    try:
        if request.method == "POST":
            do = request.POST.get("do", "")
            if do == "decline":
                decline = DeclineForm(request.POST)
            elif do == "advise":
                advice = AdviceForm(request.POST)
            try:
                if not _refused(decline, advice):
                    return _answered(request, state_id, ask_id, do, decline, advice)
            except (WithOwnPatient, Invalid) as error:
                problem = error
        return _page(request, state_id, ask_id, problem, decline, advice)
    except AskOver as error:
        typed = [
            text for name in ("word", "advice") if (text := request.POST.get(name, "").strip())
        ]
        if typed:
            return _to_copy(request, error, typed)
        return HttpResponseRedirect(f"{reverse('doctor:desk')}?ask-over=1", status=303)


def _to_copy(request: PortalRequest, error: DomainError, typed: list[str]) -> HttpResponse:
    """Refuse without losing a word, for who may not read here any more."""
    context = {
        "problem": error.message,
        "typed": [("", text) for text in typed],
        "practitioner": request.post.practitioner,
        "now": clock.now(),
    }
    return render(request, "doctor/unkept.html", context, status=error.status)


def _refused(*sent: PlainForm | None) -> bool:
    return any(form is not None and form.is_bound and not form.is_valid() for form in sent)


def _answered(
    request: PortalRequest,
    state_id: int,
    ask_id: uuid.UUID,
    do: str,
    decline: DeclineForm,
    advice: AdviceForm | None,
) -> HttpResponse:
    """Do what the pressed button says; say where to go then. Raises Invalid for an unknown one."""
    key: dict[str, Any] = {
        "colleague": request.post.practitioner,
        "state_id": state_id,
        "ask_id": ask_id,
    }
    desk, page = reverse("doctor:desk"), reverse("doctor:asked", args=[state_id, ask_id])
    word, _colon, minutes = do.partition(":")
    if word == "come":
        come_in(request.actor, **key)
    elif word == "later":
        come_later(request.actor, **key, minutes=int(minutes) if minutes.isdecimal() else 0)
        return HttpResponseRedirect(desk, status=303)
    elif word == "decline":
        decline_ask(request.actor, **key, word=decline.cleaned_data["word"])
        return HttpResponseRedirect(f"{desk}?declined=1", status=303)
    elif word == "leave":
        leave_ask(request.actor, **key)
        if "X-Fragment" in request.headers:
            return HttpResponse(status=204)
    elif word == "advise" and advice is not None:
        advise(request.actor, **key, advice=advice.cleaned_data["advice"])
        page += "#advice-title"
    else:
        raise Invalid
    return HttpResponseRedirect(page, status=303)


def _page(
    request: PortalRequest,
    state_id: int,
    ask_id: uuid.UUID,
    problem: DomainError | None,
    decline: DeclineForm,
    advice: AdviceForm | None,
) -> HttpResponse:
    practitioner = request.post.practitioner
    ask = ask_to(request.actor, practitioner, state_id, ask_id)
    consultation = ask.consultation
    context = {
        "place": "",
        "practitioner": practitioner,
        "ask": ask,
        "case": case_of(practitioner, consultation),
        "papers": _papers_of(ask),
        "may_advise": ask.status in ADVISING,
        "is_busy": live_token_of(practitioner.id) is not None,
        "later_minutes": LATER_MINUTES,
        "specialities": speciality_names(),
        "problem": problem,
        "decline": decline,
        "advice": advice or AdviceForm(initial={"advice": ask.advice}),
        "live": settings.GATEWAY_URL,
        **_call_of(ask),
        **_notes_of(consultation),
        **words.FUNCTIONS,
    }
    failed = bool(context["decline"].errors or context["advice"].errors)
    status = problem.status if problem else 422 if failed else 200
    return render(request, "doctor/asked.html", context, status=status)


def _call_of(ask: Ask) -> dict[str, Any]:
    """Return what the part about the call needs; who only reads has none."""
    call = in_call(ask.consultation)
    present = ask.status == AskStatus.PRESENT and call["held"]
    call |= {"present": present, "mode": Mode(ask.consultation.room.mode).label}
    if not present:
        call |= {"allowed": "off", "speaking": False}
    return call


def _notes_of(consultation: Consultation) -> dict[str, Any]:
    signed = prescription_in_force(consultation)
    return {
        "written": writing_of(consultation),
        "draft": draft_of(consultation),
        "medicines": medicines_in(signed, words.reader_language()) if signed else [],
    }


@doctors
@require_safe
@conditional_page
def asked_notes(request: PortalRequest, state_id: int, ask_id: uuid.UUID) -> HttpResponse:
    """What the treating doctor has written so far, to be fetched again."""
    ask = ask_to(request.actor, request.post.practitioner, state_id, ask_id)
    context = {"consultation": ask.consultation, **_notes_of(ask.consultation), **words.FUNCTIONS}
    return render(request, "doctor/parts/asked_notes.html", context)


@doctors
@require_safe
@conditional_page
def asked_state(request: PortalRequest, state_id: int, ask_id: uuid.UUID) -> HttpResponse:
    """How much may be sent in the call; looked up again by the page."""
    try:
        context = _call_of(ask_to(request.actor, request.post.practitioner, state_id, ask_id))
    except AskOver:
        context = {"allowed": "off"}
    return render(request, "calls/third_state.html", context)


@doctors
@require_safe
def asked_seat(request: PortalRequest, state_id: int, ask_id: uuid.UUID) -> JsonResponse:
    """A ticket to the third seat, for who has come in."""
    ask = ask_to(request.actor, request.post.practitioner, state_id, ask_id)
    if not holds_third(ask.consultation.room, request.actor.account_id):
        raise NotInCall
    return JsonResponse(seat_in(ask.consultation, Seat.THIRD, request.actor.account_id))


def _papers_of(ask: Ask) -> list[Shown]:
    return shown(
        papers_of(ask.consultation),
        "doctor:asked-paper",
        ask.state_id,
        ask.id,
        consultation=ask.consultation,
    )


@doctors
@require_safe
@conditional_page
def asked_papers(request: PortalRequest, state_id: int, ask_id: uuid.UUID) -> HttpResponse:
    """The photos and papers, to be fetched again."""
    ask = ask_to(request.actor, request.post.practitioner, state_id, ask_id)
    return render(request, "doctor/parts/papers.html", {"papers": _papers_of(ask)})


@doctors
@require_safe
def asked_paper(
    request: PortalRequest, state_id: int, ask_id: uuid.UUID, upload_id: uuid.UUID
) -> HttpResponse:
    """One file of the patient, or its small picture."""
    upload = paper_for_colleague(
        request.actor,
        request.post.practitioner,
        state_id=state_id,
        ask_id=ask_id,
        upload_id=upload_id,
    )
    return send(upload, small="small" in request.GET, in_a_tab=True)
