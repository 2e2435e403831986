"""A spoke's desk: today's cases and what is to be done, find, register, measure, ask a hub.

What the trouble is, danger signs, consent, the waiting room and the call are the patient's own
pages: `web.access.carer` lets the staff of a spoke open them for whom they sit beside.
"""

import dataclasses
import datetime
import uuid
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sanjeevani.consultation.errors import ConsentMissing, DangerUnanswered
from sanjeevani.consultation.models import LIVE, Consultation, ConsultationStatus, ToDoKind
from sanjeevani.consultation.presence import (
    presence_of,
    proofs_for,
    send_presence_code,
    show_by_code,
    show_by_photo,
)
from sanjeevani.consultation.queries import own_consultation, own_consultations
from sanjeevani.consultation.spokes import (
    HubOffer,
    NotEnough,
    ask_hub,
    hub_offer,
    hub_offers,
    languages_at,
    readiness,
)
from sanjeevani.consultation.to_do import MOST_SHOWN as TO_DOS
from sanjeevani.consultation.to_do import tick
from sanjeevani.directory.models import Practitioner
from sanjeevani.directory.queries import hub_lines
from sanjeevani.foundation import clock
from sanjeevani.foundation.access import takes_files
from sanjeevani.foundation.errors import DomainError, Invalid
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import draft_of, entered_later
from sanjeevani.intake.services import save_draft
from sanjeevani.intake.triage import alarms_in, danger_in
from sanjeevani.intake.visits import MOST_SHOWN as VISITS
from sanjeevani.intake.visits import visits_to_continue
from sanjeevani.patients.companions import companions_of, needs_companion
from sanjeevani.patients.errors import AlreadyRegistered
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import age_in_months, own_patient, valid_consent
from sanjeevani.patients.spokes import (
    find_patients,
    recent_patients,
    register_at_spoke,
    spoke_of,
    take_in,
    told_mobiles,
)
from sanjeevani.prescription.to_do import ToDo, to_dos_at
from sanjeevani.terminology.vitals import readings
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.live import ticket_reply
from sanjeevani.web.names import hub_names, speciality_names
from sanjeevani.web.patient.consultation_views import unless_known
from sanjeevani.web.patient.family_forms import companion_choices
from sanjeevani.web.patient.following import FollowingForm
from sanjeevani.web.patient.measuring import MeasureForm
from sanjeevani.web.patient.stages import AT_ONCE, stage_of
from sanjeevani.web.patient.views import errors_on, following_for, form_page, language, see
from sanjeevani.web.sent_once import entered_at, require_still_here, sent_once
from sanjeevani.web.spoke.access import at_spoke, require_spoke
from sanjeevani.web.spoke.forms import (
    LATER,
    FindForm,
    HubForm,
    PresenceForm,
    RegisterForm,
    TickForm,
)
from sanjeevani.web.spoke.turns import case_topics, cases_at, render, turns_of

SHOWN = 60


@dataclasses.dataclass(frozen=True)
class Cases:
    """What a spoke has asked, by what there is to do."""

    now: list[tuple[Consultation, str, str]]
    to_complete: list[tuple[Consultation, str, str]]
    answered: list[tuple[Consultation, str, str]]
    earlier: list[tuple[Consultation, str, str]]
    to_call: list[ToDo]
    follow_ups: list[ToDo]
    done: list[ToDo]
    today: datetime.date
    older: uuid.UUID | None
    more_to_do: bool


def _everything(request: PortalRequest) -> bool:
    return "all" in request.GET


def _desk(request: PortalRequest) -> dict[str, Any]:
    everything = _everything(request)
    visits = visits_to_continue(request.actor, None if everything else VISITS + 1)
    return {
        "cases": _cases(request),
        "to_continue": visits if everything else visits[:VISITS],
        "more_to_continue": not everything and len(visits) > VISITS,
        "everything": everything,
    }


def _cases(request: PortalRequest) -> Cases:
    newest = own_consultations(request.actor, SHOWN + 1)
    rows = [
        *cases_at(request),
        *(one for one in newest[:SHOWN] if one.status not in LIVE),
    ]
    hubs = hub_names(hub_lines((one.state_id, one.line_id) for one in rows))
    today = clock.today()
    to_do, done = to_dos_at(
        request.post.state_id,
        request.post.facility_id,
        None if _everything(request) else TO_DOS,
    )
    # Of as many as fit there may be more.
    limited = [one for one in to_do if one.kind != ToDoKind.MEDICINE]
    more = not _everything(request) and len(limited) >= TO_DOS
    found = Cases(
        [],
        [],
        [],
        [],
        [one for one in to_do if one.kind != ToDoKind.FOLLOW_UP],
        [one for one in to_do if one.kind == ToDoKind.FOLLOW_UP],
        done,
        today,
        newest[SHOWN - 1].id if len(newest) > SHOWN else None,
        more,
    )
    for one in rows:
        row = (one, stage_of(one).value, hubs.get(one.line_id, ""))
        if one.status == ConsultationStatus.RETURNED:
            found.to_complete.append(row)
        elif one.status in LIVE:
            found.now.append(row)
        elif one.status == ConsultationStatus.COMPLETED and localdate(one.requested_at) == today:
            found.answered.append(row)
        else:
            found.earlier.append(row)
    found.now.sort(key=lambda row: row[1] not in AT_ONCE)
    return found


@at_spoke
@require_POST
def tick_off(request: PortalRequest) -> HttpResponse:
    """One thing is done for a patient, or not after all."""
    require_spoke(request)
    form = TickForm(request.POST)
    if not form.is_valid():
        raise Invalid
    tick(
        request.actor,
        consultation_id=form.cleaned_data["consultation"],
        kind=ToDoKind(form.cleaned_data["kind"]),
        done=form.cleaned_data["to"] == "done",
    )
    return see(reverse("spoke:desk"))


@at_spoke
@require_GET
def desk(request: PortalRequest) -> HttpResponse:
    """Today at the spoke."""
    require_spoke(request)
    context = {
        **_desk(request),
        "facility": request.post.facility,
        "recent": _with_ages(recent_patients(request.actor)),
    }
    return render(request, "spoke/desk.html", context)


@at_spoke
@require_GET
def cases(request: PortalRequest) -> HttpResponseBase:
    """The cases alone, fetched again by the page."""
    require_spoke(request)
    return unless_known(request, render(request, "spoke/parts/cases.html", _desk(request)))


@at_spoke
@require_GET
def turns(request: PortalRequest) -> HttpResponseBase:
    """Whose turn it is, fetched again by every page; on a case's own page the others."""
    require_spoke(request)
    found = turns_of(request, _besides(request))
    return unless_known(request, render(request, "spoke/parts/turns_now.html", {"turns": found}))


def _besides(request: PortalRequest) -> uuid.UUID | None:
    try:
        return _id(request.GET.get("besides", ""))
    except ValueError:
        return None


@at_spoke
@require_GET
def ticket(request: PortalRequest) -> JsonResponse:
    """A ticket for the gateway: the spoke and its live cases."""
    require_spoke(request)
    return ticket_reply(request, case_topics(request))


def _with_ages(people: list[Patient]) -> list[tuple[Patient, int]]:
    today = clock.today()
    return [(person, age_in_months(person.birth_date, today)) for person in people]


@at_spoke
@require_http_methods(["GET", "POST"])
def find(request: PortalRequest) -> HttpResponse:
    """Find a patient. By POST: what is searched for must not stand in addresses and logs."""
    require_spoke(request)
    form = FindForm(request.POST or None)
    found: list[Patient] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            found = find_patients(request.actor, form.read())
        except Invalid as error:
            form.add_error("sought", str(error.message))
    return form_page(
        request,
        "spoke/find.html",
        form,
        found=None if found is None else _with_ages(found),
    )


@at_spoke
@require_http_methods(["GET", "POST"])
@sent_once
def register(request: PortalRequest) -> HttpResponse:
    """Register somebody; who may be registered already is offered."""
    require_spoke(request)
    facility = request.post.facility
    form = RegisterForm(
        request.POST or None, initial={"relation": "self", "district": facility.district}
    )
    alike = None
    if request.method == "POST" and form.is_valid():
        try:
            with errors_on(form):
                person = register_at_spoke(
                    request.actor,
                    profile=form.profile(),
                    language=form.cleaned_data["language"],
                    key=form.cleaned_data["key"] or uuid.uuid4(),
                    mobile=form.cleaned_data["mobile"],
                    abha_number=form.cleaned_data["abha_number"],
                    is_another="another" in request.POST,
                )
                told = told_mobiles(person.state_id, spoke_of(request.actor), [person.id])
                return see(reverse("spoke:mobile" if told else "patient:consent", args=[person.id]))
        except AlreadyRegistered as error:
            alike = error.alike
    status = AlreadyRegistered.status if alike else 422 if form.is_bound and form.errors else 200
    return render(request, "spoke/register.html", {"form": form, "alike": alike}, status=status)


@at_spoke
@require_POST
@sent_once
def receive(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """The patient who was found sits here: go on with consent."""
    require_spoke(request)
    person = take_in(request.actor, patient_id=patient_id)
    return see(reverse("patient:consent", args=[person.id]))


@at_spoke
@require_http_methods(["GET", "POST"])
@sent_once
def measure(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Vital signs. What was right is kept, also beside what was wrong."""
    require_spoke(request)
    person = own_patient(request.actor, patient_id)
    draft = draft_of(person)
    posted = request.POST if request.method == "POST" else None
    told = dataclasses.replace(draft, vitals={})
    # In an emergency a doctor is asked without any.
    needed = not danger_in(told, birth_date=person.birth_date, gender=person.gender)
    form = MeasureForm(language(), posted, needed=needed, initial=draft.vitals)
    questions = following_for(person, draft)
    following = FollowingForm(questions, language(), posted, told=draft.told)
    if request.method == "POST":
        valid = all([form.is_valid(), following.is_valid()])
        moment = entered_at(request)
        content = entered_later(
            person,
            said=IntakeContent(vitals=form.values, told=following.told),
            whole=dataclasses.replace(draft, vitals=form.values, told=following.told),
            entered_at=moment,
        )
        save_draft(request.actor, patient=person, content=content, entered_at=moment)
        if valid:
            if danger_in(content, birth_date=person.birth_date, gender=person.gender):
                return see(reverse("patient:emergency", args=[person.id]))
            if form.values and not content.vitals:
                return see(f"{reverse('spoke:measure', args=[person.id])}?late")
            return see(reverse("spoke:hubs", args=[person.id]))
    context = {
        "form": form,
        "following": following,
        "person": person,
        "late": "late" in request.GET,
    }
    status = 422 if form.errors or following.errors else 200
    return render(request, "spoke/measure.html", context, status=status)


@at_spoke
@require_GET
def hubs(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """The hubs that answer this spoke: who is on duty, and the wait, before asking."""
    require_spoke(request)
    person = own_patient(request.actor, patient_id)
    if valid_consent(person) is None:
        return see(reverse("patient:consent", args=[person.id]))
    draft = draft_of(person)
    offers = hub_offers(request.actor, person, draft)
    context = {
        "person": person,
        "fitting": [offer for offer in offers if offer.is_recommended],
        "others": [offer for offer in offers if not offer.is_recommended],
        "specialities": speciality_names(),
        **_readiness(person, draft),
    }
    return render(request, "spoke/hubs.html", context)


def _readiness(person: Patient, draft: IntakeContent) -> dict[str, Any]:
    ready = readiness(person, draft)
    alarming = alarms_in(draft, birth_date=person.birth_date, gender=person.gender).vitals
    return {
        "alarming": readings(draft.vitals, language(), only=alarming),
        "missing": list(ready.missing.values()),
        "red": ready.emergency,
        "alone": ready.alone,
    }


@at_spoke
@require_http_methods(["GET", "POST"])
@sent_once
def ask(
    request: PortalRequest, patient_id: uuid.UUID, state_id: int, line_id: uuid.UUID
) -> HttpResponse:
    """The last page before a hub is asked; sending it twice has one effect."""
    require_spoke(request)
    person = own_patient(request.actor, patient_id)
    draft = draft_of(person)
    offer = hub_offer(request.actor, person, draft, state_id=state_id, line_id=line_id)
    choice = offer.choice
    companions = companions_of(person) if needs_companion(person) else []
    ready = _readiness(person, draft)
    form = HubForm(
        [(str(one.id), one.name) for one in offer.doctors],
        _languages(request),
        companion_choices(companions),
        request.POST or None,
        emergency=ready["red"],
    )
    refusal: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        later = form.cleaned_data["doctor"] == LATER
        try:
            if not later:
                require_still_here(request)
            opened = ask_hub(
                request.actor,
                patient=person,
                choice=choice,
                content=draft,
                language=form.cleaned_data["language"],
                request_key=form.cleaned_data["request_key"],
                gender_preference=form.cleaned_data.get("gender_preference", ""),
                practitioner=_named(offer, form.cleaned_data["doctor"]),
                later=later,
                companion_id=_id(form.cleaned_data.get("companion", "")),
            )
            # Where nothing is asked, that page leads on by itself.
            return see(reverse("spoke:presence", args=[opened.state_id, opened.id]))
        except ConsentMissing:
            return redirect("patient:consent", person.id)
        except DangerUnanswered:
            return redirect("patient:danger", person.id)
        except NotEnough:
            return redirect("spoke:hubs", person.id)
        except DomainError as error:
            refusal = error
    context = {
        "person": person,
        "offer": offer,
        "form": form,
        "refusal": refusal,
        "companions": companions,
        "hub": hub_names({choice.line.id: choice.line})[choice.line.id],
        **ready,
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "spoke/ask.html", context, status=status)


def _named(offer: HubOffer, chosen: str) -> Practitioner | None:
    return next((one for one in offer.doctors if str(one.id) == chosen), None)


def _id(text: str) -> uuid.UUID | None:
    return uuid.UUID(text) if text else None


def _languages(request: PortalRequest) -> list[str]:
    """Return the languages of the spoke's state, the reader's first."""
    return sorted(languages_at(request.actor.state_id), key=lambda code: code != language())


@takes_files
@at_spoke
@require_http_methods(["GET", "POST"])
def presence(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Show that the patient is here, by a photo or by the code that the patient tells."""
    # Only a photo is kept and sent again. What is not taken under a key is undone, and neither a
    # wrong try at a code may be undone nor a code that is on its way.
    show = _presence_sent_once if request.POST.get("do") == "photo" else _presence
    return show(request, state_id, consultation_id, request.FILES.get("photo"))


def _presence(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID, photo: object
) -> HttpResponse:
    require_spoke(request)
    found = own_consultation(request.actor, state_id, consultation_id)
    key: dict[str, Any] = {"state_id": state_id, "consultation_id": consultation_id}
    done = see(reverse("patient:consultation", args=[state_id, consultation_id]))
    if not proofs_for(found) or presence_of(found) is not None:
        return done
    form = PresenceForm(request.POST or None)
    do = request.POST.get("do", "")
    problem: DomainError | None = None
    try:
        if do == "photo":
            if isinstance(photo, UploadedFile):
                show_by_photo(request.actor, **key, file=photo)
                return done
            problem = Invalid(_("Take a photo first."), field="photo")
        elif do == "send":
            challenge = send_presence_code(request.actor, **key)
            form = PresenceForm(initial={"challenge": challenge})
        elif do == "code" and form.is_valid():
            show_by_code(request.actor, **key, **form.cleaned_data)
            return done
    except DomainError as error:
        problem = error
    context = {
        "consultation": found,
        "tried": {"code": "id_code"}.get(do, do),
        "proofs": proofs_for(found),
        "form": form,
        "problem": problem,
        "failed": problem is not None,
        "sent": bool(form["challenge"].value()),
    }
    status = problem.status if problem else 422 if form.errors else 200
    return render(request, "spoke/presence.html", context, status=status)


_presence_sent_once = sent_once(_presence)
