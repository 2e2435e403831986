"""From "who needs the doctor?" to the token, one thing per page."""

import contextlib
import dataclasses
import functools
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec

from django import forms, shortcuts
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sanjeevani.consultation.errors import ConsentMissing, DangerUnanswered
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.offers import Offer, offers_for
from sanjeevani.consultation.queries import (
    follow_ups_possible,
    live_at_spoke,
    own_consultation,
    own_consultations,
)
from sanjeevani.consultation.services import request as request_consultation
from sanjeevani.consultation.services import withdraw_consent
from sanjeevani.consultation.transfers import request_follow_up
from sanjeevani.directory.models import Clinic, Facility
from sanjeevani.directory.queries import OpenClinic, clinic_serving, lines_by_id, states
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, Invalid
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.following import questions_about
from sanjeevani.intake.papers import Place, papers_in
from sanjeevani.intake.queries import draft_of, entered_later
from sanjeevani.intake.services import save_draft
from sanjeevani.intake.triage import (
    danger_in,
    goes_first,
    measured_danger,
    questions_for,
    triage_facts,
)
from sanjeevani.patients.companions import companions_of, needs_companion
from sanjeevani.patients.consent import CURRENT_NOTICE, NOTICES
from sanjeevani.patients.errors import AlreadyRegistered, NoticeChanged, WithdrawnSince
from sanjeevani.patients.models import ConsentDecision, Patient, Relation
from sanjeevani.patients.queries import (
    age_in_months,
    has_registered,
    may_withdraw,
    newest_decision,
    own_patient,
    patients_of,
    records_of_person,
    valid_consent,
)
from sanjeevani.patients.services import change_profile, choose_home, decide_consent, register
from sanjeevani.queueing.errors import AlreadyWaiting
from sanjeevani.queueing.queries import expected_waits, places_taken
from sanjeevani.terminology.danger_signs import DangerSign, VitalRule
from sanjeevani.terminology.models import FollowOnQuestion, Symptom
from sanjeevani.terminology.queries import specialities, symptoms_for, symptoms_named
from sanjeevani.terminology.vitals import readings
from sanjeevani.web.access import PortalRequest, carer, patient
from sanjeevani.web.patient.family_forms import companion_choices
from sanjeevani.web.patient.forms import AskForm, ProfileForm, TroubleForm
from sanjeevani.web.patient.pictures import drawing, pictures_of
from sanjeevani.web.sent_once import entered_at, sent_once
from sanjeevani.web.spoke.turns import render

P = ParamSpec("P")
View = Callable[Concatenate[PortalRequest, P], HttpResponse]


def language() -> str:
    """Return the reader's language."""
    return get_language() or "en"


def at_home(view: View[P]) -> View[P]:
    """Ask for the account's state first: everything of a patient lives there.

    The staff of a spoke act in its state.
    """

    @functools.wraps(view)
    def ask_first(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        session = request.session_info
        at_spoke = request.actor.spoke_id is not None
        if not at_spoke and (session is None or session.home_state_id is None):
            return see(reverse("patient:start"))
        return view(request, *args, **kwargs)

    return ask_first


def see(address: str) -> HttpResponse:
    """Lead on after a form was taken: 303, so that a reload does not send it again."""
    return HttpResponseRedirect(address, status=303)


@patient
@require_http_methods(["GET", "POST"])
def start(request: PortalRequest) -> HttpResponse:
    """The state, once for the account; whoever has one goes on, or corrects it (`?change`)."""
    session = request.session_info
    assert session is not None
    at_home, corrects = session.home_state_id, request.method == "POST" or "change" in request.GET
    if at_home is not None and (not corrects or has_registered(at_home, session.account_id)):
        return shortcuts.redirect("patient:people")
    found = states()
    error = None
    if request.method == "POST":
        chosen = request.POST.get("state", "")
        if any(chosen == str(state.lgd_code) for state in found):
            choose_home(request.actor, account_id=session.account_id, home_state_id=int(chosen))
            return see(reverse("patient:people"))
        error = Invalid(field="state")
    context = {"states": found, "error": error, "failed": error is not None}
    return render(request, "patient/start.html", context, status=422 if error else 200)


@patient
@require_http_methods(["GET", "POST"])
@at_home
def add(request: PortalRequest) -> HttpResponse:
    """Register a person in the account's care; who may be on the list already is asked about."""
    assert request.actor.account_id is not None
    first = not patients_of(request.actor).exists()
    initial = {"relation": "self"} if first else {}
    form = ProfileForm(request.POST or None, initial=initial)
    alike = None
    if request.method == "POST" and form.is_valid():
        try:
            with errors_on(form):
                person = register(
                    request.actor,
                    state_id=request.actor.state_id,
                    account_id=request.actor.account_id,
                    profile=form.profile(),
                    key=form.cleaned_data["key"],
                    is_another="another" in request.POST,
                )
                return see(reverse("patient:consent", args=[person.id]))
        except AlreadyRegistered as error:
            alike = error.alike
    context: dict[str, Any] = {"form": form, "first": first, "alike": alike}
    if first and not has_registered(request.actor.state_id, request.actor.account_id):
        context["home"] = next(
            (one for one in states() if one.lgd_code == request.actor.state_id), None
        )
    status = AlreadyRegistered.status if alike else 422 if form.is_bound and form.errors else 200
    return render(request, "patient/profile.html", context, status=status)


@carer
@require_http_methods(["GET", "POST"])
@at_home
def edit(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Correct a profile."""
    found = own_patient(request.actor, patient_id)
    resident = found.relation == Relation.RESIDENT
    form = ProfileForm(
        request.POST or None, initial=ProfileForm.values_of(found), resident=resident
    )
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            change_profile(
                request.actor,
                state_id=found.state_id,
                patient_id=found.id,
                profile=form.profile(before=found),
            )
            return see(reverse("patient:person", args=[found.id]))
    return form_page(request, "patient/profile.html", form, person=found)


@carer
@require_http_methods(["GET", "POST"])
@at_home
@sent_once
def consent(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """The notice; skipped by those who have agreed to it."""
    found = own_patient(request.actor, patient_id)
    if valid_consent(found) is not None:
        return see(reverse("patient:danger", args=[found.id]))
    refusal: NoticeChanged | WithdrawnSince | None = None
    if request.method == "POST":
        try:
            decide_consent(
                request.actor,
                patient=found,
                decision=ConsentDecision.GIVEN,
                language=language(),
                read=request.POST.get("notice", CURRENT_NOTICE),
                decided_at=entered_at(request) if request.actor.spoke_id else None,
            )
        except (NoticeChanged, WithdrawnSince) as error:
            refusal = error
        else:
            return see(reverse("patient:danger", args=[found.id]))
    before = newest_decision(found)
    context = {
        "person": found,
        "notice": NOTICES[CURRENT_NOTICE],
        "version": CURRENT_NOTICE,
        "refusal": refusal,
        # Who agreed to an earlier version is told why they are asked again.
        "agreed_before": before if before and before.decision == ConsentDecision.GIVEN else None,
    }
    status = refusal.status if refusal else 200
    return render(request, "patient/consent.html", context, status=status)


@carer
@require_http_methods(["GET", "POST"])
@at_home
def withdraw(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Withdraw consent, as easily as it was given."""
    found = own_patient(request.actor, patient_id)
    if request.method == "POST":
        if may_withdraw(found):
            withdraw_consent(request.actor, patient=found, language=language())
        return see(reverse("patient:person", args=[found.id]))
    records = records_of_person(found.state_id, found.id)
    waiting = [one for one in live_consultations(request.actor) if one.patient_id in records]
    return render(request, "patient/withdraw.html", {"person": found, "waiting": waiting})


def _signs(actor: Actor, found: Patient) -> list[DangerSign]:
    return questions_for(found.birth_date, found.gender, beside=actor.spoke_id is not None)


def is_unasked(actor: Actor, found: Patient, said: IntakeContent) -> bool:
    """Tell whether a danger sign has not been asked about, or not for a day."""
    return any(sign.code not in said.answers for sign in _signs(actor, found))


def _red(found: Patient, draft: IntakeContent) -> list[DangerSign | VitalRule]:
    return danger_in(draft, birth_date=found.birth_date, gender=found.gender)


def _unfit(
    actor: Actor, found: Patient, draft: IntakeContent, *, said: bool = True
) -> HttpResponse | None:
    """Return where to go first: the danger signs, the emergency page, or what the trouble is."""
    if _red(found, draft):
        return see(reverse("patient:emergency", args=[found.id]))
    if is_unasked(actor, found, draft):
        return see(reverse("patient:danger", args=[found.id]))
    if said and not draft.complaints and not draft.text.strip():
        return see(reverse("patient:trouble", args=[found.id]))
    if said and needs_companion(found) and not companions_of(found):
        return see(reverse("patient:companion", args=[found.id]))
    return None


@carer
@require_http_methods(["GET", "POST"])
@at_home
@sent_once
def danger(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """The danger signs, before anything else. One tap on a sign leads to the emergency page."""
    found = own_patient(request.actor, patient_id)
    if valid_consent(found) is None:
        return shortcuts.redirect("patient:consent", found.id)
    signs = _signs(request.actor, found)
    error = None
    if request.method == "POST":
        chosen = request.POST.get("sign", "")
        if chosen == "none" or any(sign.code == chosen for sign in signs):
            draft, moment = draft_of(found), entered_at(request)
            said = {sign.code: sign.code == chosen for sign in signs}
            content = entered_later(
                found,
                said=IntakeContent(answers=said),
                whole=dataclasses.replace(draft, answers=draft.answers | said),
                entered_at=moment,
            )
            save_draft(request.actor, patient=found, content=content, entered_at=moment)
            if _red(found, content):
                return see(reverse("patient:emergency", args=[found.id]))
            if any(sign.code not in content.answers for sign in signs):
                return see(f"{reverse('patient:danger', args=[found.id])}?late")
            return see(_after_danger(request, found))
        error = Invalid(field="sign")
    context = {
        "person": found,
        "signs": [(sign.code, drawing(sign.icon), sign.question_in(language())) for sign in signs],
        "error": error,
        "failed": error is not None,
        "late": "late" in request.GET,
    }
    return render(request, "patient/danger.html", context, status=422 if error else 200)


def danger_before(found: Patient, returned: Consultation) -> HttpResponse:
    """Ask for danger signs first, then lead back to the answer to a returned request."""
    page = reverse("patient:danger", args=[found.id])
    return see(f"{page}?again={returned.state_id}.{returned.id}")


def _after_danger(request: PortalRequest, found: Patient) -> str:
    """Return where to go on: what the trouble is, or the returned request that led here."""
    state_id, _dot, consultation_id = request.GET.get("again", "").partition(".")
    with contextlib.suppress(ValueError, NoReverseMatch):
        if state_id:
            return reverse("patient:again", args=[int(state_id), uuid.UUID(consultation_id)])
    return reverse("patient:trouble", args=[found.id])


@carer
@require_GET
@at_home
def emergency(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Ring 108: the number first, then what to do until help comes. No form."""
    found = own_patient(request.actor, patient_id)
    draft = draft_of(found)
    red = _red(found, draft)
    signs = [sign for sign in red if isinstance(sign, DangerSign)]
    exceeded = measured_danger(draft, birth_date=found.birth_date, gender=found.gender)
    context = {
        "person": found,
        "measured": readings(draft.vitals, language(), only=exceeded),
        "signs": [(sign.question_in(language()), sign.first_aid_in(language())) for sign in signs],
        "numbers": signs[0].call if signs else None,
    }
    return shortcuts.render(request, "public/emergency.html", context)


@carer
@require_http_methods(["GET", "POST"])
@at_home
@sent_once
def trouble(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """What the trouble is. Whatever is sent is kept, right or not."""
    found = own_patient(request.actor, patient_id)
    draft = draft_of(found)
    elsewhere = _unfit(request.actor, found, draft, said=False)
    if elsewhere is not None and request.method != "POST":
        return elsewhere
    symptoms = symptoms_of(found)
    at_spoke = request.actor.spoke_id is not None
    if request.method == "POST":
        form = trouble_form(found, symptoms, request.POST, at_spoke=at_spoke)
        valid = form.is_valid()
        moment = entered_at(request)
        content = entered_later(
            found,
            said=form.content({}),
            whole=_with_measured(found, form, draft),
            entered_at=moment,
        )
        save_draft(request.actor, patient=found, content=content, entered_at=moment)
        if elsewhere is not None:
            return elsewhere
        # From the papers a spoke goes on to measure, and does not come back here.
        if request.POST.get("then") == "papers" and (valid or not at_spoke):
            return see(reverse("patient:papers", args=[found.id]))
        if valid:
            return see(reverse("spoke:measure" if at_spoke else "patient:opds", args=[found.id]))
    else:
        values = TroubleForm.values_of(draft)
        form = trouble_form(found, symptoms, initial=values, at_spoke=at_spoke)
    return form_page(
        request,
        "patient/trouble.html",
        form,
        person=found,
        pictures=pictures_of(symptoms),
        papers=len(papers_in(Place.draft_of(found))),
    )


@carer
@require_POST
@at_home
def keep_draft(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Keep what was typed so far, sent by the page itself."""
    found = own_patient(request.actor, patient_id)
    form = trouble_form(found, symptoms_of(found), request.POST)
    form.full_clean()
    save_draft(request.actor, patient=found, content=_with_measured(found, form, draft_of(found)))
    return HttpResponse(status=204)


def _with_measured(found: Patient, form: TroubleForm, draft: IntakeContent) -> IntakeContent:
    """Return what the form says, with what has been measured and answered on another page."""
    content = form.content(draft.answers)
    asked = {question.code for question in following_for(found, content)}
    told = {code: answer for code, answer in draft.told.items() if code in asked}
    return dataclasses.replace(content, vitals=draft.vitals, told=told)


def following_for(found: Patient, content: IntakeContent) -> list[FollowOnQuestion]:
    """Return what is asked about the complaints of a patient."""
    return questions_about(content.complaints, birth_date=found.birth_date, gender=found.gender)


def trouble_form(found: Patient, symptoms: list[Symptom], *args: Any, **kwargs: Any) -> TroubleForm:
    return TroubleForm(
        symptoms,
        language(),
        *args,
        ask_pregnancy=triage_facts(found.birth_date, found.gender)["pregnant"],
        **kwargs,
    )


def symptoms_of(found: Patient) -> list[Symptom]:
    """Return the complaints that a person of this age and sex can have."""
    return symptoms_for(age_months=age_in_months(found.birth_date, clock.today()), sex=found.gender)


def name_of(record: Clinic | Facility) -> str:
    """Return the name of a clinic or a facility in the reader's language."""
    return record.name_hi if language() == "hi" and record.name_hi else record.name


def _reason(draft: IntakeContent, fitting: list[Offer]) -> tuple[str, str] | None:
    """Return the complaints and the speciality that they lead to, in the reader's words."""
    if not fitting:
        return None
    code = fitting[0].open_clinic.clinic.speciality_code
    named = symptoms_named(draft.complaints)
    complaints = [named[one].name_in(language()) for one in draft.complaints if one in named]
    speciality = next((one.name_in(language()) for one in specialities() if one.code == code), "")
    return ", ".join(complaints), speciality


@carer
@require_GET
@at_home
def opds(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """The OPDs that serve the patient's state, the one that fits the trouble first."""
    if request.actor.spoke_id is not None:
        return see(reverse("spoke:hubs", args=[patient_id]))
    found = own_patient(request.actor, patient_id)
    draft = draft_of(found)
    elsewhere = _unfit(request.actor, found, draft)
    if elsewhere is not None:
        return elsewhere
    offers = offers_for(found, draft)
    fitting = [offer for offer in offers if offer.is_recommended]
    context = {
        "person": found,
        "fitting": fitting,
        "others": [offer for offer in offers if not offer.is_recommended],
        "reason": _reason(draft, fitting),
        "name_of": name_of,
        "again": _again(found, offers),
    }
    return render(request, "patient/opds.html", context)


def _again(found: Patient, offers: list[Offer]) -> list[tuple[Consultation, Offer]]:
    """Return the doctors who can be asked again, each with the OPD of the earlier consultation.

    Those whose OPD is closed now too: whoever looks for them learns when it opens.
    """
    by_line = {offer.open_clinic.line.id: offer for offer in offers}
    earlier = follow_ups_possible(found)
    lines = lines_by_id((one.state_id, one.line_id) for one in earlier)
    return [
        (one, by_line[line_id])
        for one in earlier
        if (line_id := lines[one.line_id].parent_id or one.line_id) in by_line
    ]


@patient
@require_http_methods(["GET", "POST"])
@at_home
def ask(
    request: PortalRequest, patient_id: uuid.UUID, state_id: int, clinic_id: uuid.UUID
) -> HttpResponse:
    """The last page before the token; sending it twice has one effect."""
    found = own_patient(request.actor, patient_id)
    clinic = clinic_serving(found.state_id, clinic_state_id=state_id, clinic_id=clinic_id)
    draft = draft_of(found)
    companions = companions_of(found) if needs_companion(found) else []
    form = AskForm(
        clinic.clinic.languages,
        language(),
        companion_choices(companions),
        request.POST or None,
        initial={"after": request.GET.get("after", "")[:60]},
    )
    refusal: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return _ask(request, found, clinic, form.cleaned_data)
        except ConsentMissing:
            return see(reverse("patient:consent", args=[found.id]))
        except DomainError as error:
            refusal = error
    elif request.method == "GET":
        elsewhere = _unfit(request.actor, found, draft)
        if elsewhere is not None:
            return elsewhere
    taken = places_taken(clinic.line.state_id, [clinic.line.id], clock.today())
    context = {
        "person": found,
        "clinic": clinic,
        "name_of": name_of,
        "wait": expected_waits(clinic.line.state_id, [clinic.line.id])[clinic.line.id],
        "is_full": taken[clinic.line.id] >= clinic.line.places_per_day,
        "form": form,
        "refusal": refusal,
        "companions": companions,
        "goes_first": goes_first(draft, birth_date=found.birth_date),
        "papers": len(papers_in(Place.draft_of(found))),
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "patient/ask.html", context, status=status)


def _ask(
    request: PortalRequest, found: Patient, clinic: OpenClinic, answers: dict[str, Any]
) -> HttpResponse:
    draft = draft_of(found)
    elsewhere = _unfit(request.actor, found, draft)
    # Without a draft this form was sent before: the verb knows it by its key.
    if elsewhere is not None and draft != IntakeContent():
        return elsewhere
    try:
        consultation = _request(request, found, clinic, draft, answers)
    except AlreadyWaiting:
        waiting = _waiting_in(request, found, clinic)
        if waiting is None:
            raise
        consultation = waiting
        if elsewhere is None:
            # What was told now goes along with nothing: the page offers it as a message.
            page = reverse("patient:consultation", args=[consultation.state_id, consultation.id])
            return see(f"{page}?told")
    except (DangerUnanswered, Invalid):
        if elsewhere is None:
            raise
        return elsewhere
    return see(reverse("patient:consultation", args=[consultation.state_id, consultation.id]))


def _request(
    request: PortalRequest,
    found: Patient,
    clinic: OpenClinic,
    draft: IntakeContent,
    answers: dict[str, Any],
) -> Consultation:
    """Ask the same doctor again where an earlier consultation is named, else the OPD."""
    after = answers.pop("after")
    companion = answers.pop("companion", "")
    companion_id = uuid.UUID(companion) if companion else None
    if after is None:
        return request_consultation(
            request.actor,
            patient=found,
            clinic=clinic,
            content=draft,
            companion_id=companion_id,
            **answers,
        )
    return request_follow_up(
        request.actor,
        patient=found,
        clinic=clinic,
        earlier=own_consultation(request.actor, *after),
        content=draft,
        language=answers["language"],
        request_key=answers["request_key"],
        companion_id=companion_id,
    )


def _waiting_in(request: PortalRequest, found: Patient, clinic: OpenClinic) -> Consultation | None:
    """Return the consultation for which the patient waits in the clinic already: in its line, or
    in a doctor's own."""
    waiting = [one for one in live_consultations(request.actor) if one.patient_id == found.id]
    lines = lines_by_id((one.state_id, one.line_id) for one in waiting)
    for one in waiting:
        if clinic.line.id in (one.line_id, lines[one.line_id].parent_id):
            return one
    return None


LIVE_AMONG = 1000
"""Among so many of an account's newest consultations those that go on are looked for: an
institution asks for a hundred residents in a morning, and who asked first is called first."""


def live_consultations(actor: Actor) -> list[Consultation]:
    """Return the consultations of the account, or of the spoke, that are not over."""
    if actor.spoke_id is not None:
        return live_at_spoke(actor)
    return own_consultations(actor, LIVE_AMONG, live=True)


@contextlib.contextmanager
def errors_on(form: forms.Form) -> Iterator[None]:
    """Put what a verb refuses beside the field that it names."""
    try:
        yield
    except Invalid as error:
        form.add_error(error.field if error.field in form.fields else None, str(error.message))


def form_page(
    request: PortalRequest, template: str, form: forms.Form, **context: Any
) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)
