"""The doctor's desk: one screen for the lines, the patient, the call and what is written."""

import contextlib
import datetime
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import (
    conditional_page,
    require_http_methods,
    require_POST,
    require_safe,
)

from sanjeevani.calls.models import Mode, Room, RoomStatus, Seat
from sanjeevani.calls.queries import closest_mode, messages_in, modes_used
from sanjeevani.calls.services import send_message
from sanjeevani.consultation.asks import advice_in
from sanjeevani.consultation.errors import AskOver
from sanjeevani.consultation.letters import letter_of
from sanjeevani.consultation.models import Ask, Consultation, ConsultationStatus, Outcome
from sanjeevani.consultation.note_templates import (
    TemplateContent,
    delete_template,
    keep_template,
    template_of,
    templates_of,
)
from sanjeevani.consultation.queries import (
    Held,
    for_practitioner,
    questions_waiting,
    recent_work_of,
    topics_of,
    writing_of,
    written_on_the_way,
)
from sanjeevani.consultation.services import call_next
from sanjeevani.consultation.spokes import desk_topics, inbox_of, take_written, topics_at_desk
from sanjeevani.directory.models import Practitioner, Role
from sanjeevani.directory.queries import clinics_of_lines
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import DomainError, NotFound
from sanjeevani.prescription.documents import medicines_in, render_pdf
from sanjeevani.prescription.errors import (
    DiagnosisMissing,
    MedicineRefused,
    NothingPrescribed,
    ReasonMissing,
)
from sanjeevani.prescription.letters import render_letter
from sanjeevani.prescription.permissions import may_cancel, may_replace
from sanjeevani.prescription.queries import (
    body_measures,
    draft_of,
    issued,
    prescriptions_of,
    seal_of,
    told_and_heard,
)
from sanjeevani.prescription.services import Missing, conclude, missing_for_signing
from sanjeevani.prescription.services import sign as sign_draft
from sanjeevani.queueing.errors import NobodyWaiting
from sanjeevani.queueing.services import CALLS_BEFORE_EXPIRY
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import assigned_lines, duty_of
from sanjeevani.roster.services import change_duty
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.calls.room import room_context
from sanjeevani.web.doctor import words
from sanjeevani.web.doctor.asking import asked_of, asking_of
from sanjeevani.web.doctor.desk import (
    Board,
    Case,
    LeftBehind,
    board_of,
    case_of,
    left_behind,
    live_consultation,
    minutes_of,
    told_of,
)
from sanjeevani.web.doctor.forms import (
    FOLLOW_UP,
    WAS,
    ChatForm,
    ItemForm,
    OutcomeForm,
    TemplateForm,
    refuse,
)
from sanjeevani.web.doctor.writing import REASON, Writing
from sanjeevani.web.live import live_page, ticket_reply
from sanjeevani.web.names import speciality_names
from sanjeevani.web.papers import limits

doctors = staff(Role.DOCTOR, Role.SPECIALIST)


@dataclass(frozen=True)
class Said:
    """A message at the top of the desk."""

    text: str | Promise
    kind: str = "info"


SAID = {
    "finished": Said(_("Finished. The patient has what you wrote."), "good"),
    "finished-next": Said(
        _("The last consultation is finished. Its patient has what you wrote."), "good"
    ),
    "finished-last": Said(
        _("Finished. The patient has what you wrote. Nobody is waiting in your lines."), "good"
    ),
    "unanswered": Said(
        _(
            "The patient did not answer and waits behind the next two, to be called once more."
            " Call the next one meanwhile."
        )
    ),
    "expired": Said(
        _(
            "The patient did not answer the last call either: this request has ended. The patient"
            " is told and can ask again. Call the next one."
        )
    ),
    "moved": Said(_("This consultation is not with you any more."), "warn"),
    "sent": Said(_("The patient waits in the other OPD now, with the time waited."), "good"),
    "returned": Said(
        _("The patient is asked to add it, and comes back with the time waited."), "good"
    ),
    "handed-back": Said(
        _("The patient is at the head of the line again, for another doctor."), "good"
    ),
    "declined": Said(_("The doctor who asked you in reads your word.")),
    "ask-over": Said(AskOver.message, "warn"),
    "given-up": Said(_("Closed as not reachable. The patient is told and can ask again.")),
}
"""What the desk says after something was done, by the word in its address."""


def practitioner_of(request: PortalRequest) -> Practitioner:
    """Return who acts in the post; posts of doctors and specialists always have one."""
    practitioner: Practitioner = request.post.practitioner
    return practitioner


@doctors
@require_safe
def desk(request: PortalRequest) -> HttpResponse:
    """Show the desk, with the live consultation if there is one."""
    said = [SAID[name] for name in request.GET if name in SAID]
    return _desk(request, said=said[0] if said else None)


def _desk(
    request: PortalRequest,
    *,
    said: Said | None = None,
    leaving: Sequence[LeftBehind] | None = None,
    writing: Writing | None = None,
    status: int = 200,
) -> HttpResponse:
    practitioner = practitioner_of(request)
    board = board_of(practitioner)
    consultation = (
        writing.consultation if writing else live_consultation(request.actor, practitioner)
    )
    asked = asked_of(request.actor, practitioner)
    context: dict[str, Any] = {
        "place": "desk",
        "practitioner": practitioner,
        "board": board,
        "said_inline": said,
        "leaving": leaving,
        "while_away": left_behind(board) if board.duty == DutyStatus.BREAK else [],
        "now": clock.now(),
        **asked,
        **live_page(
            request,
            _topics(
                practitioner, board.assigned, consultation, [one.ask for one in asked["asked_in"]]
            ),
        ),
    }
    if consultation is not None:
        writing = writing or Writing(request.actor, practitioner, consultation)
        case = case_of(practitioner, consultation)
        context["sent_on"] = written_on_the_way(request.actor, practitioner, consultation)
        context |= (
            limits([]) | _about(case, board) | {"writing": writing.read(), "failed": writing.failed}
        )
        context |= room_context(consultation, Seat.HOST) | asking_of(consultation)
    else:
        context["inbox"] = inbox_of(board.assigned)
        context["questions"] = questions_waiting(
            practitioner, [line.state_id for line in board.lines]
        )
    return render(request, "doctor/desk.html", context, status=status)


def _about(case: Case, board: Board) -> dict[str, Any]:
    """Return what the parts about a patient need."""
    consultation = case.consultation
    return {
        "case": case,
        **_call_of(consultation, board.minutes_of(consultation.line_id)),
        "write_url": reverse("doctor:write", args=[consultation.state_id, consultation.id]),
        **words.FUNCTIONS,
    }


def _call_of(consultation: Consultation, minutes: int) -> dict[str, Any]:
    """Return what the part about the call needs; the script watches `state`."""
    called = consultation.status == ConsultationStatus.REQUESTED
    return {
        "consultation": consultation,
        "state": "called" if called else consultation.status,
        "mode": Mode(consultation.room.mode).label,
        "minutes": minutes,
        "is_last_call": called and consultation.token.calls >= CALLS_BEFORE_EXPIRY,
    }


def may_be_written_in(room: Room) -> bool:
    """Tell whether the patient may still ask, and be answered, after the consultation."""
    until = room.questions_until
    return room.status == RoomStatus.QUESTIONS and (until is None or until > clock.now())


@doctors
@require_POST
def duty(request: PortalRequest) -> HttpResponse:
    """Go on duty, on a break, or off duty; off only once it is clear who then waits for whom."""
    practitioner = practitioner_of(request)
    to = request.POST.get("to", "")
    if to not in DutyStatus.values:
        return HttpResponseRedirect(reverse("doctor:desk"), status=303)
    if to == DutyStatus.OFF and "sure" not in request.POST:
        leaving = left_behind(board_of(practitioner))
        if leaving:
            return _desk(request, leaving=leaving)
    try:
        change_duty(request.actor, practitioner=practitioner, to=DutyStatus(to))
    except DomainError as error:
        return _desk(request, said=Said(error.message, "warn"), status=error.status)
    return HttpResponseRedirect(reverse("doctor:desk"), status=303)


@doctors
@require_POST
def next_patient(request: PortalRequest) -> HttpResponse:
    """Call the next patient."""
    try:
        call_next(request.actor, practitioner=practitioner_of(request))
    except DomainError as error:
        return _desk(request, said=Said(error.message), status=error.status)
    return HttpResponseRedirect(reverse("doctor:desk"), status=303)


@doctors
@require_POST
def next_written(request: PortalRequest) -> HttpResponse:
    """Take the written request that has waited longest."""
    try:
        take_written(request.actor, practitioner=practitioner_of(request))
    except DomainError as error:
        return _desk(request, said=Said(error.message), status=error.status)
    return HttpResponseRedirect(reverse("doctor:desk"), status=303)


@doctors
@require_POST
def write(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Keep the note and do what the pressed button says: see `writing.py`."""
    practitioner = practitioner_of(request)
    in_place = "HX-Request" in request.headers
    try:
        consultation = for_practitioner(request.actor, practitioner, state_id, consultation_id)
        writing = Writing(request.actor, practitioner, consultation)
        if not in_place and (said := writing.said_already(request.POST)):
            return HttpResponseRedirect(f"{reverse('doctor:desk')}?{said}=1", status=303)
        writing.receive(request.POST)
    except NotFound:
        # Handed back, or lost, in another window: who only called may not even read it any more.
        gone = NotFound(_("This consultation is not with you any more."))
        return _unkept(request, gone, in_place=in_place)
    except DomainError as error:
        return _unkept(request, error, in_place=in_place)
    status = 422 if writing.failed else 200
    if in_place:
        return _parts(request, writing, status)
    leaves = writing.section in ("sign", "done") or writing.section in SAID
    unfinished = writing.failed or writing.has_results or writing.consent_before
    if unfinished or (writing.typed_on and not leaves):
        return _desk(request, writing=writing, status=status)
    if writing.section == "sign":
        address = reverse("doctor:sign", args=[state_id, consultation_id])
        if writing.ends_with_signing:
            address += f"?{urlencode({FOLLOW_UP: request.POST.get(FOLLOW_UP, '')})}"
    elif writing.section == "done":
        said = _go_on(request) if writing.goes_on else "finished"
        address = f"{reverse('doctor:desk')}?{said}=1"
    elif writing.section in SAID:
        address = f"{reverse('doctor:desk')}?{writing.section}=1"
    else:
        address = reverse("doctor:desk") + (f"#{writing.section}-title" if writing.section else "")
    return HttpResponseRedirect(address, status=303)


def _go_on(request: PortalRequest) -> str:
    """Call the next patient after one that is finished; return what the desk then says."""
    try:
        call_next(request.actor, practitioner=practitioner_of(request))
    except NobodyWaiting:
        return "finished-last"
    except DomainError:  # a break has begun meanwhile: the desk shows it
        return "finished"
    return "finished-next"


def _parts(request: PortalRequest, writing: Writing, status: int) -> HttpResponse:
    """Answer an action in the page with the parts that it changed."""
    consultation = writing.consultation
    context = {
        "writing": writing.read() if writing.section in ("prescription", "template") else writing,
        "consultation": consultation,
        "write_url": request.path,
        "now": clock.now(),
        "failed": bool(writing.note.errors),
        **words.FUNCTIONS,
    }
    if writing.section == "asking":
        context |= asking_of(consultation)
    if writing.section == "chat":
        context["messages"] = messages_in(consultation.state_id, consultation.room_id)
    response = render(request, "doctor/parts/written.html", context, status=status)
    # For the script: what is safe now, and which fields may be emptied.
    response.headers["X-Kept"] = "no" if writing.note.errors else "yes"
    response.headers["X-Taken"] = " ".join(writing.taken)
    return response


NOT_TYPED = frozenset(
    {"csrfmiddlewaretoken", "client_key", "do", "outcome", "clinic", "medicine_code", WAS}
)
"""What a form of the desk carries that says nothing to who copies it."""


def _in_words(name: str, value: str) -> str:
    """Return what was typed; of what was chosen, the words that stood there."""
    for form in (OutcomeForm, ItemForm):
        field = form.base_fields.get(name)
        if isinstance(field, forms.ChoiceField):
            return {str(code): str(label) for code, label in field.widget.choices}.get(value, value)
    return value


def _unkept(request: PortalRequest, error: DomainError, *, in_place: bool) -> HttpResponse:
    """Refuse without losing a word: the page keeps it, or shows it to be copied."""
    typed = [
        (name, _in_words(name, text))
        for name, text in request.POST.dict().items()
        if text.strip() and name not in NOT_TYPED
    ]
    context = {
        "problem": error.message,
        "typed": typed,
        "practitioner": practitioner_of(request),
        "now": clock.now(),
    }
    template = "doctor/parts/unkept.html" if in_place else "doctor/unkept.html"
    response = render(request, template, context, status=error.status)
    response.headers["X-Unkept"] = error.code
    return response


@doctors
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Show everything that will stand on the prescription, then sign it."""
    practitioner = practitioner_of(request)
    consultation = for_practitioner(request.actor, practitioner, state_id, consultation_id)
    ending = OutcomeForm(request.POST)
    if not consultation.is_open:
        # Pressed twice, or the link lost the first answer.
        ended = Writing(request.actor, practitioner, consultation).ended_as(ending)
        said = "finished-next" if ended else "moved"
        return HttpResponseRedirect(f"{reverse('doctor:desk')}?{said}=1", status=303)
    problem = None
    if request.method == "POST":
        try:
            sign_draft(
                request.actor,
                practitioner=practitioner,
                state_id=state_id,
                consultation_id=consultation_id,
                seen=request.POST.get("seen", ""),
            )
        except DomainError as error:
            problem = error
        else:
            return _signed(request, consultation, ending)
    told = told_of(consultation)
    writing = Writing(request.actor, practitioner, consultation)
    draft = draft_of(consultation, intake=told.intake, written=writing.before)
    missing = missing_for_signing(draft, writing.diagnoses)
    ending_offered = _offered_ending(request)
    context = {
        "place": "",
        "practitioner": practitioner,
        "told": told,
        "note": writing.stored,
        "history": told_and_heard("history", told.intake, writing.stored),
        "allergies": told_and_heard("allergies", told.intake, writing.stored),
        "medicines": told_and_heard("medicines", told.intake, writing.stored),
        "body": body_measures(writing.stored, told.intake),
        "diagnoses": writing.diagnosis_names,
        "draft": draft,
        "missing": [(one, _field_of(one)) for one in missing],
        "seen": seal_of(draft, writing.stored, writing.diagnoses),
        "problem": problem,
        "ending": ending_offered,
        "on_duty": bool(ending_offered) and duty_of(practitioner.id) == DutyStatus.ON,
        "today": clock.today(),
        # As it will stand on the prescription: the nearest to a meeting in person that there was.
        "mode": closest_mode(modes_used(state_id, consultation.room_id)).label,
        "failed": problem is not None,
        **words.FUNCTIONS,
    }
    return render(request, "doctor/sign.html", context, status=problem.status if problem else 200)


def _offered_ending(request: PortalRequest) -> OutcomeForm | None:
    """Return the end that may follow the signature at once; the desk says whether one may."""
    if FOLLOW_UP not in request.GET:
        return None
    chosen = request.POST.get(FOLLOW_UP, request.GET[FOLLOW_UP])
    return OutcomeForm(initial={"outcome": Outcome.PRESCRIPTION, FOLLOW_UP: chosen})


def _signed(
    request: PortalRequest, consultation: Consultation, ending: OutcomeForm
) -> HttpResponse:
    """Go back to the desk after signing; or end the consultation as well, if the button said so."""
    desk = reverse("doctor:desk")
    action = request.POST.get("do")
    if action not in ("done", "done_next") or not ending.is_valid():
        return HttpResponseRedirect(f"{desk}#finish", status=303)
    try:
        conclude(
            request.actor,
            practitioner=practitioner_of(request),
            state_id=consultation.state_id,
            consultation_id=consultation.id,
            **ending.ending(),
        )
    except DomainError as error:
        return _desk(request, said=Said(error.message, "warn"), status=error.status)
    said = _go_on(request) if action == "done_next" else "finished"
    return HttpResponseRedirect(f"{desk}?{said}=1", status=303)


_FIELDS: dict[type[DomainError], str] = {
    NothingPrescribed: "id_line",
    MedicineRefused: "prescription-title",
    DiagnosisMissing: "id_diagnosis",
}


def _field_of(missing: Missing) -> str:
    """Return where on the desk what is missing is written."""
    if isinstance(missing.error, ReasonMissing) and missing.line:
        return f"{REASON}{missing.line.item.id}"
    return _FIELDS[type(missing.error)]


@doctors
@require_safe
def record(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Show a consultation to read: an earlier one of the patient, or one of the doctor's own."""
    practitioner = practitioner_of(request)
    consultation = for_practitioner(request.actor, practitioner, state_id, consultation_id)
    return _record(request, practitioner, consultation)


def _record(
    request: PortalRequest,
    practitioner: Practitioner,
    consultation: Consultation,
    *,
    reply: ChatForm | None = None,
) -> HttpResponse:
    own = consultation.practitioner_id == practitioner.id
    papers = prescriptions_of(consultation)
    signed = papers[0].prescription if papers else None
    holds = own and bool(papers) and papers[0].ending is None
    context = {
        "place": "",
        "practitioner": practitioner,
        "case": case_of(practitioner, consultation),
        "mode": Mode(consultation.room.mode).label,
        "written": writing_of(consultation),
        "signed": signed,
        "papers": papers,
        "may_replace": holds and (consultation.is_open or may_replace(consultation)),
        "may_cancel": holds and signed is not None and may_cancel(signed),
        "letter": letter_of(consultation),
        "advised": advice_in(consultation),
        "specialities": speciality_names(),
        "medicines": medicines_in(signed, words.reader_language()) if signed else [],
        "form": (reply or ChatForm()) if own and may_be_written_in(consultation.room) else None,
        "now": clock.now(),
        "live": settings.GATEWAY_URL,
        **words.FUNCTIONS,
    }
    status = 422 if reply and reply.errors else 200
    return render(request, "doctor/record.html", context, status=status)


@doctors
@require_POST
def reply(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Answer a patient's question after the consultation."""
    practitioner = practitioner_of(request)
    consultation = for_practitioner(request.actor, practitioner, state_id, consultation_id)
    form = ChatForm(request.POST)
    if form.is_valid():
        try:
            send_message(
                request.actor,
                state_id=state_id,
                room_id=consultation.room_id,
                **form.cleaned_data,
            )
        except DomainError as error:
            refuse(form, error)
    if form.errors:
        return _record(request, practitioner, consultation, reply=form)
    page = reverse("doctor:record", args=[state_id, consultation_id])
    return HttpResponseRedirect(f"{page}#chat-title", status=303)


@doctors
@require_safe
def prescription(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Return the signed prescription as a PDF, in the language asked for or the patient's."""
    consultation = for_practitioner(
        request.actor, practitioner_of(request), state_id, consultation_id
    )
    found = issued(consultation, request.GET.get("number", ""))
    if found is None:
        raise NotFound
    signed = found.prescription
    language = request.GET.get("language", consultation.language)
    response = HttpResponse(render_pdf(signed, language), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{signed.number}.pdf"'
    return response


@doctors
@require_safe
def letter(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Return the letter of referral as a PDF, in the language asked for or English."""
    consultation = for_practitioner(
        request.actor, practitioner_of(request), state_id, consultation_id
    )
    written = letter_of(consultation)
    if written is None:
        raise NotFound
    content = render_letter(consultation, written, request.GET.get("language", "en"))
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{written.number}.pdf"'
    return response


@doctors
@require_http_methods(["GET", "HEAD", "POST"])
def templates(request: PortalRequest, template_id: uuid.UUID | None = None) -> HttpResponse:
    """Show the doctor's templates with a form for a new one, or for the one to be changed."""
    practitioner = practitioner_of(request)
    chosen = template_of(practitioner, template_id) if template_id else None
    form = TemplateForm.of(chosen) if chosen else TemplateForm()
    if request.method == "POST":
        form = TemplateForm(request.POST)
        if form.is_valid():
            try:
                keep_template(
                    request.actor,
                    practitioner=practitioner,
                    content=TemplateContent(**form.cleaned_data),
                    template_id=template_id,
                )
            except DomainError as error:
                refuse(form, error)
            else:
                return HttpResponseRedirect(f"{reverse('doctor:templates')}?kept=1", status=303)
    context = {
        "place": "templates",
        "practitioner": practitioner,
        "templates": templates_of(practitioner),
        "chosen": chosen,
        "form": form,
        "kept": "kept" in request.GET,
        "deleted": "deleted" in request.GET,
    }
    return render(request, "doctor/templates.html", context, status=422 if form.errors else 200)


@doctors
@require_POST
def forget_template(request: PortalRequest, template_id: uuid.UUID) -> HttpResponse:
    """Delete a template. Deleted twice, it is just gone."""
    with contextlib.suppress(NotFound):
        delete_template(
            request.actor, practitioner=practitioner_of(request), template_id=template_id
        )
    return HttpResponseRedirect(f"{reverse('doctor:templates')}?deleted=1", status=303)


@doctors
@require_safe
def today(request: PortalRequest) -> HttpResponse:
    """Show what was done today, what is open, and what patients said."""
    practitioner = practitioner_of(request)
    states = [state_id for state_id, _line_id in assigned_lines(practitioner.id)]
    work = recent_work_of(request.actor, practitioner, states)
    day = clock.today()
    ended = [held for held in work if _ended_on(held, day)]
    done = [held for held in ended if held.consultation.status == ConsultationStatus.COMPLETED]
    ratings = [held.feedback for held in done if held.feedback]
    soon = clock.now() + datetime.timedelta(days=1)
    context = {
        "place": "today",
        "practitioner": practitioner,
        "day": day,
        "done": done,
        "elsewhere": [held for held in ended if held not in done],
        "waiting": board_of(practitioner).waiting,
        "open": [held for held in work if held.consultation.ended_at is None],
        "questions": sorted(
            (held for held in work if held.answer_by), key=lambda held: held.answer_by or soon
        ),
        "soon": soon,
        "ratings": ratings,
        "average": sum(given.rating for given in ratings) / len(ratings) if ratings else None,
    }
    return render(request, "doctor/today.html", context)


def _ended_on(held: Held, day: datetime.date) -> bool:
    ended = held.consultation.ended_at
    return ended is not None and localdate(ended) == day


@doctors
@require_safe
@conditional_page
def lines(request: PortalRequest) -> HttpResponse:
    """The lines of the desk, to be fetched again."""
    practitioner = practitioner_of(request)
    context = {
        "board": board_of(practitioner),
        "now": clock.now(),
        **asked_of(request.actor, practitioner),
    }
    return render(request, "doctor/parts/lines.html", context)


@doctors
@require_safe
@conditional_page
def inbox(request: PortalRequest) -> HttpResponse:
    """The written requests that wait, to be fetched again."""
    context = {"inbox": inbox_of(assigned_lines(practitioner_of(request).id))}
    return render(request, "doctor/parts/inbox.html", context)


@doctors
@require_safe
@conditional_page
def call(request: PortalRequest) -> HttpResponse:
    """The state of the call, to be fetched again."""
    practitioner = practitioner_of(request)
    consultation = live_consultation(request.actor, practitioner)
    context = {"consultation": consultation, "now": clock.now(), "state": "none"}
    if consultation is not None:
        clinic = clinics_of_lines([(consultation.state_id, consultation.line_id)])
        context |= _call_of(consultation, minutes_of(clinic.get(consultation.line_id)))
    return render(request, "doctor/parts/call.html", context)


@doctors
@require_safe
@conditional_page
def messages(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The chat of a consultation, to be fetched again."""
    consultation = for_practitioner(
        request.actor, practitioner_of(request), state_id, consultation_id
    )
    context = {"messages": messages_in(consultation.state_id, consultation.room_id)}
    return render(request, "doctor/parts/messages.html", context)


@doctors
@require_safe
def ticket(request: PortalRequest) -> JsonResponse:
    """Let the desk listen to its lines, its doctor and the live consultation."""
    practitioner = practitioner_of(request)
    lines = assigned_lines(practitioner.id)
    return ticket_reply(request, topics_at_desk(practitioner, lines))


def _topics(
    practitioner: Practitioner,
    lines: list[tuple[int, uuid.UUID]],
    consultation: Consultation | None,
    asks: Iterable[Ask],
) -> dict[str, str]:
    heard = [one.consultation for one in asks] + ([consultation] if consultation else [])
    topics = desk_topics(practitioner, lines)
    for one in heard:
        topics |= topics_of(one)
    if consultation is not None:
        topics[f"asks.{consultation.id}"] = ""
    return topics
