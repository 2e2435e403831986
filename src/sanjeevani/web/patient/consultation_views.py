"""One address for a consultation, from the token to the feedback: the server decides by status."""

import contextlib
import hashlib
import re
import uuid
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sanjeevani.calls.models import RoomStatus, Seat
from sanjeevani.calls.queries import messages_in
from sanjeevani.calls.services import MESSAGE_LENGTH, send_message
from sanjeevani.consultation.asks import advice_in
from sanjeevani.consultation.calling import is_held
from sanjeevani.consultation.endings import goes_first, why_not_held
from sanjeevani.consultation.errors import (
    AlreadyGiven,
    ClinicClosed,
    ConsentMissing,
    DangerSigns,
    DangerUnanswered,
)
from sanjeevani.consultation.follow_ups import put_follow_up_away
from sanjeevani.consultation.interruptions import doctor_is_lost, resume
from sanjeevani.consultation.letters import letter_of
from sanjeevani.consultation.models import (
    Consultation,
    ConsultationStatus,
    Diagnosis,
    Link,
)
from sanjeevani.consultation.permissions import is_patients_side
from sanjeevani.consultation.presence import is_unproven
from sanjeevani.consultation.queries import (
    feedback_of,
    followed_by,
    own_consultation,
    own_consultations,
    referred_to,
    successor_of,
    topics_of,
    went_unanswered,
    writing_of,
)
from sanjeevani.consultation.services import answer, cancel, give_feedback
from sanjeevani.consultation.telling import CalledMeanwhile, open_questions, tell_more
from sanjeevani.consultation.transfers import ask_again, move_on
from sanjeevani.directory.models import Clinic, Role
from sanjeevani.directory.queries import clinics_of_lines, hub_lines, is_role_present, lines_by_id
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, Invalid, NotFound, Stale
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import draft_of, draft_touched_at, intake_of, still_told
from sanjeevani.intake.services import save_draft
from sanjeevani.intake.triage import danger_in
from sanjeevani.patients.companions import valid_representatives
from sanjeevani.patients.models import Patient, Representative
from sanjeevani.patients.queries import own_record
from sanjeevani.prescription.counter import dispensed
from sanjeevani.prescription.letters import render_letter
from sanjeevani.prescription.models import Dispensing
from sanjeevani.prescription.queries import Issued, prescriptions_of
from sanjeevani.queueing.errors import AlreadyWaiting, CallExpired
from sanjeevani.queueing.models import PriorityClass
from sanjeevani.queueing.queries import place_of, wait_of
from sanjeevani.terminology.queries import diagnoses_coded
from sanjeevani.web.access import PortalRequest, carer, patient
from sanjeevani.web.calls.room import in_call, room_context
from sanjeevani.web.errors import respond
from sanjeevani.web.live import live_page, ticket_reply
from sanjeevani.web.names import hub_names, speciality_names
from sanjeevani.web.patient.day_plan import day_plan
from sanjeevani.web.patient.following import FollowingForm
from sanjeevani.web.patient.forms import FeedbackForm, MessageForm, TroubleForm, message_of
from sanjeevani.web.patient.measuring import MeasureForm
from sanjeevani.web.patient.papers import of_own_consultation
from sanjeevani.web.patient.pictures import pictures_of
from sanjeevani.web.patient.stages import AT_ONCE, Stage, stage_of
from sanjeevani.web.patient.views import (
    danger_before,
    is_unasked,
    language,
    live_consultations,
    name_of,
    see,
    symptoms_of,
    trouble_form,
)
from sanjeevani.web.spoke.turns import case_topics, render


def open_now(actor: Actor) -> list[tuple[Consultation, str]]:
    """Return what the actor's side has to go on with, each with its stage; what rings is first.

    What a spoke has asked is in the hands of its staff: the patient's account cannot open it.
    """
    found = [
        (one, stage_of(one)) for one in live_consultations(actor) if is_patients_side(actor, one)
    ]
    found.sort(key=lambda row: row[1] not in AT_ONCE)
    return [(one, stage.value) for one, stage in found]


def _status(consultation: Consultation) -> dict[str, Any]:
    """Return what the upper part of the page shows."""
    stage = stage_of(consultation)
    token = consultation.token
    context: dict[str, Any] = {
        "consultation": consultation,
        "token": token,
        "stage": stage.value,
        "emergency": token.priority_class == PriorityClass.EMERGENCY,
        "clinic": _clinic(consultation),
        "name_of": name_of,
    }
    if stage in (Stage.WAITING, Stage.CALLED):
        context["unproven"] = is_unproven(consultation)
    if context["clinic"] is None:
        context["hub"] = _hub(consultation)
    if stage in (Stage.TALKING, Stage.INTERRUPTED):
        context |= in_call(consultation)
    if stage is Stage.INTERRUPTED:
        context["doctor_lost"] = doctor_is_lost(consultation)
    if stage is Stage.WAITING:
        place = place_of(token)
        context |= {
            "place": place,
            "wait": wait_of(token, place),
            "missed": token.calls > 0,
            # A token is kept from some doctors before anybody has called it, too.
            "handed_back": token.called_at is not None and bool(token.not_for),
            "dropped": consultation.status == ConsultationStatus.INTERRUPTED,
            "sent_on_from": followed_by(consultation)
            if consultation.link == Link.REDIRECTED
            else None,
        }
    elif stage is Stage.CALLED:
        now = clock.now()
        context |= {"now": now, "seconds_left": int((token.deadline_at - now).total_seconds())}
    elif stage is Stage.DONE:
        signed = prescriptions_of(consultation)
        holds = bool(signed) and signed[0].ending is None
        writing = writing_of(consultation)
        context |= {
            "signed": signed,
            "collectors": _collectors(consultation) if holds else [],
            "plan": day_plan(signed[0].prescription, language()) if holds else None,
            "ask_until": consultation.room.questions_until if _may_write(consultation) else None,
            "unanswered": went_unanswered(consultation),
            "note": writing.note,
            "advised": advice_in(consultation),
            "specialities": speciality_names(),
            "diagnoses": _plain_names(writing.diagnoses),
            "letter": letter_of(consultation),
            "goes_on_at": _goes_on_at(consultation),
            "handed": _handed(consultation, signed),
            "pharmacist": consultation.spoke_id is not None
            and is_role_present(
                consultation.patient_state_id, consultation.spoke_id, Role.PHARMACIST
            ),
            "now": clock.now(),
            "feedback": feedback_of(consultation),
            "feedback_form": FeedbackForm(),
        }
    elif stage is Stage.OVER:
        context["moved_to"] = _moved_to(consultation)
        context["not_held"] = why_not_held(consultation)
        context["goes_first"] = goes_first(consultation)
    return context


def _collectors(consultation: Consultation) -> list[Representative]:
    """Return who may collect the medicines for the patient, as of today."""
    named = valid_representatives(consultation.patient_state_id, consultation.patient_id)
    return [one for one in named if one.may_collect]


def _moved_to(consultation: Consultation) -> str | None:
    """Return where a redirected patient waits now."""
    if consultation.status != ConsultationStatus.REDIRECTED:
        return None
    successor = successor_of(consultation)
    return reverse("patient:consultation", args=successor) if successor else None


def _handed(consultation: Consultation, signed: list[Issued]) -> list[tuple[str, Dispensing]]:
    """Return what a spoke has handed out of the newest prescription, by the medicines' names."""
    if consultation.spoke_id is None or not signed:
        return []
    got = dispensed(signed[0].prescription)
    lines = signed[0].prescription.content["medicines"]
    return [
        (f"{line['generic_name']} {line['strength']}", got[line["code"]])
        for line in lines
        if line["code"] in got
    ]


def _goes_on_at(consultation: Consultation) -> str | None:
    """Return where a patient who was referred up at a spoke waits for the specialist."""
    successor = referred_to(consultation)
    return reverse("patient:consultation", args=successor) if successor else None


def _plain_names(diagnoses: list[Diagnosis]) -> list[str]:
    coded = diagnoses_coded(diagnosis.code for diagnosis in diagnoses)
    return [
        coded[one.code].name_in(language()) if one.code in coded else one.title for one in diagnoses
    ]


def _clinic(consultation: Consultation) -> Clinic | None:
    state_id, line_id = consultation.state_id, consultation.line_id
    if consultation.follow_up_with_id is not None:
        # A doctor's own lane belongs to the line of a clinic.
        line_id = lines_by_id([(state_id, line_id)])[line_id].parent_id or line_id
    return clinics_of_lines([(state_id, line_id)]).get(line_id)


def _hub(consultation: Consultation) -> str:
    """Return the name of the hub that was asked; empty for other lines."""
    key = (consultation.state_id, consultation.line_id)
    return hub_names(hub_lines([key])).get(consultation.line_id, "")


def _may_write(consultation: Consultation) -> bool:
    room = consultation.room
    if room.status == RoomStatus.QUESTIONS:
        return room.questions_until is None or clock.now() <= room.questions_until
    return bool(room.status == RoomStatus.OPEN)


def _page(
    request: PortalRequest,
    consultation: Consultation,
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    full = {
        **of_own_consultation(consultation),
        **_status(consultation),
        **_said(consultation),
        **(room_context(consultation, Seat.GUEST) if is_held(consultation) else {}),
        "message_form": MessageForm(),
        "following": _following(consultation) if stage_of(consultation) is Stage.WAITING else None,
        "more_told": "more" in request.GET,
        "photo_key": uuid.uuid4(),
        **live_page(request, _topics(request, consultation)),
        "own_case": consultation.id,
        **context,
    }
    return render(request, "patient/consultation.html", full, status=status)


def _told_since(request: PortalRequest, found: Consultation) -> str:
    """Return what was told after the token was taken and has not been sent, as a message.

    Who asks again where they wait already gets no second token: the words are still a draft.
    """
    if "told" not in request.GET or not _may_write(found):
        return ""
    person = own_record(request.actor, found.patient_id)
    touched_at = draft_touched_at(person)
    written = [
        one.sent_at for one in messages_in(found.state_id, found.room_id) if one.seat == Seat.GUEST
    ]
    if touched_at is None or any(sent_at > touched_at for sent_at in written):
        return ""
    return message_of(draft_of(person), language())[:MESSAGE_LENGTH]


@carer
@require_GET
def consultation(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The one page of a consultation. Who was sent to another line goes on there."""
    found = own_consultation(request.actor, state_id, consultation_id)
    moved_to = _moved_to(found)
    if moved_to:
        return see(moved_to)
    told = _told_since(request, found)
    if not told:
        return _page(request, found)
    form = MessageForm(initial={"text": told})
    return _page(request, found, told=told, message_form=form)


@carer
@require_GET
def status(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponseBase:
    """The upper part of the page, which the page fetches again when something has happened."""
    found = own_consultation(request.actor, state_id, consultation_id)
    context = _status(found)
    if context["stage"] in (Stage.TALKING, Stage.INTERRUPTED):
        context |= of_own_consultation(found)
    return unless_known(request, render(request, "patient/parts/status.html", context))


@carer
@require_GET
def messages(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponseBase:
    """What was written, which the page fetches again when there is something new."""
    found = own_consultation(request.actor, state_id, consultation_id)
    return unless_known(request, render(request, "patient/parts/messages.html", _said(found)))


def _said(found: Consultation) -> dict[str, Any]:
    return {
        "consultation": found,
        "messages": messages_in(found.state_id, found.room_id),
        "may_write": _may_write(found),
    }


def messages_with_next_key(request: PortalRequest, found: Consultation) -> HttpResponse:
    """Answer a message sent by script with what was written, and the key of the next one."""
    response = render(request, "patient/parts/messages.html", _said(found), status=201)
    response.headers["X-Next-Key"] = str(uuid.uuid4())
    return response


_CSRF_INPUT = re.compile(rb'<input[^>]*name="csrfmiddlewaretoken"[^>]*>')


def unless_known(request: PortalRequest, response: HttpResponse) -> HttpResponseBase:
    """Answer 304 when the page already shows this. The form token differs each time: no news."""
    shown = _CSRF_INPUT.sub(b"", response.content)
    etag = f'"{hashlib.sha256(shown).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@carer
@require_GET
def ticket(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> JsonResponse:
    """A ticket for the gateway: the line, the consultation, the room, and a spoke's other cases."""
    found = own_consultation(request.actor, state_id, consultation_id)
    return ticket_reply(request, _topics(request, found))


def _topics(request: PortalRequest, found: Consultation) -> dict[str, str]:
    """Return what its page hears; at a spoke also of the other cases, whose turn may come."""
    own = {f"line.{found.line_id}": str(found.token_id), **topics_of(found)}
    return case_topics(request) | own


def back_to(found: Consultation) -> HttpResponse:
    """Return to the page of a consultation."""
    return see(reverse("patient:consultation", args=[found.state_id, found.id]))


@carer
@require_POST
def take_call(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """CALL NOW was pressed."""
    found = own_consultation(request.actor, state_id, consultation_id)
    try:
        answer(request.actor, state_id=state_id, consultation_id=consultation_id)
    except CallExpired as error:
        return _page(request, found, refusal=error, status=error.status)
    return back_to(found)


@carer
@require_http_methods(["GET", "POST"])
def more(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Answer what is asked about the complaints while waiting; a page where no script runs."""
    found = own_consultation(request.actor, state_id, consultation_id)
    form = _following(found, request.POST if request.method == "POST" else None)
    refusal: DomainError | None = None
    if form is None:
        return back_to(found)
    if request.method == "POST" and form.is_valid():
        try:
            tell_more(
                request.actor, state_id=state_id, consultation_id=consultation_id, told=form.told
            )
        except CalledMeanwhile as error:
            refusal = error
        else:
            return see(f"{reverse('patient:consultation', args=[state_id, consultation_id])}?more")
    context = {"consultation": found, "following": form, "refusal": refusal}
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "patient/more.html", context, status=status)


def _following(found: Consultation, posted: QueryDict | None = None) -> FollowingForm | None:
    """Return what is asked about the complaints of somebody who waits, None for nothing."""
    content = intake_of(found.state_id, found.id)
    questions = open_questions(found, content)
    return FollowingForm(questions, language(), posted, told=content.told) if questions else None


@carer
@require_http_methods(["GET", "POST"])
def give_back(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Give the token back, or up a returned request, after a question whether it is meant."""
    found = own_consultation(request.actor, state_id, consultation_id)
    if request.method == "GET":
        if stage_of(found) not in (Stage.WAITING, Stage.RETURNED):
            return back_to(found)
        context = {"consultation": found, "token": found.token}
        return render(request, "patient/cancel.html", context)
    try:
        cancel(request.actor, state_id=state_id, consultation_id=consultation_id)
    except DomainError as error:
        found = own_consultation(request.actor, state_id, consultation_id)
        return _page(request, found, refusal=error, status=error.status)
    return back_to(found)


@carer
@require_POST
def return_to_call(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID
) -> HttpResponse:
    """The patient is back after a break."""
    found = own_consultation(request.actor, state_id, consultation_id)
    with contextlib.suppress(Stale):
        resume(request.actor, state_id=state_id, consultation_id=consultation_id)
    return back_to(found)


@carer
@require_POST
def seek_doctor(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """No doctor is on duty: go to another OPD of the same kind where there is one."""
    found = own_consultation(request.actor, state_id, consultation_id)
    try:
        moved = move_on(request.actor, state_id=state_id, token_id=found.token_id)
    except DomainError as error:
        return _page(request, found, refusal=error, status=error.status)
    return back_to(moved)


@carer
@require_http_methods(["GET", "POST"])
def again(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The doctor needs to know more: add it and ask again, the waiting time kept."""
    found = own_consultation(request.actor, state_id, consultation_id)
    if found.status != ConsultationStatus.RETURNED:
        return back_to(found)
    person = own_record(request.actor, found.patient_id)
    # The page keeps what is typed here as the patient's draft.
    said = draft_of(person).with_earlier(still_told(state_id, consultation_id))
    if (
        request.method == "GET"
        and found.spoke_id is None
        and is_unasked(request.actor, person, said)
    ):
        return danger_before(person, found)
    symptoms = symptoms_of(person)
    measured = _measured_again(request, person, said)
    if request.method == "POST":
        form = trouble_form(person, symptoms, request.POST)
        if form.is_valid() and (measured is None or measured.is_valid()):
            values = said.vitals if measured is None else measured.values
            try:
                asked = ask_again(
                    request.actor,
                    patient=person,
                    state_id=state_id,
                    consultation_id=consultation_id,
                    content=replace(form.content(said.answers), vitals=values),
                )
            except DangerSigns:
                return redirect("patient:emergency", person.id)
            except DangerUnanswered:
                # The day ended over the form: what was written is there again afterwards.
                save_draft(request.actor, patient=person, content=form.content({}))
                return danger_before(person, found)
            except (AlreadyWaiting, ClinicClosed, ConsentMissing, Invalid) as error:
                # What was written stays, to be sent when nothing is in its way any more.
                form.add_error(None, str(error.message))
            except Stale:
                return back_to(found)
            else:
                return back_to(asked)
    else:
        form = trouble_form(person, symptoms, initial=TroubleForm.values_of(said))
    context = {
        "form": form,
        "person": person,
        "pictures": pictures_of(symptoms),
        "returned": found,
        "measured": measured,
    }
    return render(request, "patient/trouble.html", context, status=422 if form.is_bound else 200)


def _measured_again(
    request: PortalRequest, person: Patient, said: IntakeContent
) -> MeasureForm | None:
    """Return the fields for what a doctor wants to have measured; at home nobody measures."""
    if request.actor.spoke_id is None:
        return None
    told = replace(said, vitals={})
    # In an emergency a doctor is asked without any.
    needed = not danger_in(told, birth_date=person.birth_date, gender=person.gender)
    return MeasureForm(language(), request.POST or None, needed=needed, initial=said.vitals)


@carer
@require_http_methods(["GET", "POST"])
def write(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Write to the clinic or the doctor. A page of its own where no script keeps what is typed."""
    found = own_consultation(request.actor, state_id, consultation_id)
    # The page itself sends by script and shows what comes back, so that ringing is not interrupted.
    by_script = "X-Fragment" in request.headers and request.method == "POST"
    told = _told_since(request, found) if request.method == "GET" else ""
    form = MessageForm(request.POST or None, initial={"text": told})
    refusal: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            send_message(
                request.actor,
                state_id=found.state_id,
                room_id=found.room_id,
                text=form.cleaned_data["text"],
                client_key=form.cleaned_data["client_key"],
            )
        except DomainError as error:
            refusal = error
        else:
            if by_script:
                return messages_with_next_key(request, found)
            return back_to(found)
    if by_script:
        errors = [str(message) for listed in form.errors.values() for message in listed]
        return respond(request, refusal or Invalid(" ".join(errors), field="text"))
    context = {**_said(found), "form": form, "refusal": refusal}
    code = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "patient/write.html", context, status=code)


@patient
@require_POST
def feedback(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The patient's word."""
    found = own_consultation(request.actor, state_id, consultation_id)
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        return _page(request, found, feedback_form=form, form=form, status=422)
    with contextlib.suppress(AlreadyGiven):
        give_feedback(
            request.actor,
            state_id=state_id,
            consultation_id=consultation_id,
            rating=form.cleaned_data["rating"],
            comment=form.cleaned_data["comment"],
        )
    return back_to(found)


@patient
@require_POST
def put_away(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The family wants no word of a follow-up any more."""
    found = own_consultation(request.actor, state_id, consultation_id)
    put_follow_up_away(request.actor, state_id=found.state_id, consultation_id=found.id)
    return see(reverse("patient:people"))


SHOWN = 20
"""Consultations on one page."""


def cursor(request: PortalRequest) -> uuid.UUID | None:
    """Return the consultation after which a list goes on; what is no id begins anew."""
    try:
        return uuid.UUID(request.GET.get("before", ""))
    except ValueError:
        return None


@carer
@require_GET
def history(request: PortalRequest) -> HttpResponse:
    """All consultations of the account, newest first; at a spoke those older than its desk's."""
    before = cursor(request)
    if request.actor.spoke_id is not None and before is None:
        return redirect("spoke:desk")
    rows = own_consultations(request.actor, SHOWN + 1, before=before)
    context = {
        "consultations": [(one, stage_of(one).value) for one in rows[:SHOWN]],
        "older": rows[SHOWN - 1].id if len(rows) > SHOWN else None,
    }
    return render(request, "patient/history.html", context)


@carer
@require_GET
def letter_pdf(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The letter of referral, to take along and to print."""
    found = own_consultation(request.actor, state_id, consultation_id)
    letter = letter_of(found)
    if letter is None:
        raise NotFound
    wanted = request.GET.get("language", "")
    known = wanted if wanted in dict(settings.LANGUAGES) else language()
    return HttpResponse(
        render_letter(found, letter, known),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{letter.number}-{known}.pdf"'},
    )
