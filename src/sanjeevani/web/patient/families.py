"""Who is in the care of an account: institutions, who left, doubles, and who acts for whom."""

import uuid

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sanjeevani.consultation.follow_ups import follow_ups_due
from sanjeevani.consultation.queries import own_consultations
from sanjeevani.consultation.record_accesses import accesses_to
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid
from sanjeevani.patients.companions import needs_companion, representatives_of
from sanjeevani.patients.consent import notice
from sanjeevani.patients.mobiles import mobile_of
from sanjeevani.patients.models import Institution, Patient
from sanjeevani.patients.queries import (
    age_in_months,
    age_in_years,
    decisions_of,
    family_of,
    institution_of,
    kept_record,
    left_care,
    may_withdraw,
    newest_decision,
    own_patient,
    own_record,
    patients_of,
    residents_of,
    valid_consent,
)
from sanjeevani.patients.services import (
    alike_in,
    change_institution,
    join,
    leave_care,
    name_representative,
    register_institution,
    register_residents,
    revoke_representative,
    take_back,
)
from sanjeevani.web.access import PortalRequest, carer, patient
from sanjeevani.web.patient.consultation_views import SHOWN, cursor, open_now
from sanjeevani.web.patient.family_forms import (
    CompanionForm,
    InstitutionForm,
    KeptForm,
    RepresentativeForm,
    ResidentsForm,
)
from sanjeevani.web.patient.stages import stage_of
from sanjeevani.web.patient.views import (
    at_home,
    errors_on,
    form_page,
    name_of,
    see,
)
from sanjeevani.web.spoke.turns import render

RESIDENTS_SHOWN = 40
LAST_SHOWN = 3


def residents_page(request: PortalRequest) -> dict[str, object]:
    """Return one page of the residents, of those whose name or room was searched for."""
    words = request.GET.get("q", "").replace("\x00", "")[:100].strip()
    pages = Paginator(residents_of(request.actor, words), RESIDENTS_SHOWN)
    page = pages.get_page(request.GET.get("page", "1"))
    today = clock.today()
    return {
        "words": words,
        "residents": [(one, age_in_months(one.birth_date, today)) for one in page.object_list],
        "page": page,
        "found": pages.count,
    }


@carer
@require_GET
@at_home
def people(request: PortalRequest) -> HttpResponse:
    """Who needs the doctor? With nobody ever registered, straight to the form.

    Whoever was taken off the list is put back from here, and may wait still.
    """
    if request.actor.spoke_id is not None:
        return redirect("spoke:desk")
    family = list(family_of(request.actor))
    held = institution_of(request.actor)
    if not family and held is None and not left_care(request.actor).exists():
        return redirect("patient:add")
    today = clock.today()
    added = request.GET.get("added", "")
    context = {
        "open_now": open_now(request.actor),
        "follow_ups": follow_ups_due(request.actor),
        "today": today,
        "people": [(person, age_in_months(person.birth_date, today)) for person in family],
        "institution": held,
        "added": int(added) if added.isdecimal() and len(added) < 5 else 0,
        **(residents_page(request) if held else {}),
    }
    return render(request, "patient/people.html", context)


@carer
@require_GET
@at_home
def person(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """What is registered about one person, and the ways to change it."""
    found = own_record(request.actor, patient_id)
    rows = own_consultations(request.actor, LAST_SHOWN + 1, patient=found)
    context = {
        "person": found,
        "age_months": age_in_months(found.birth_date, clock.today()),
        "consent": valid_consent(found),
        "decided": newest_decision(found),
        "may_withdraw": may_withdraw(found),
        "representatives": representatives_of(found),
        "needs_companion": needs_companion(found),
        "consultations": [(one, stage_of(one).value) for one in rows[:LAST_SHOWN]],
        "more": len(rows) > LAST_SHOWN,
        "kept": kept_record(found),
        "several": patients_of(request.actor).exclude(id=found.id).exists(),
        "mobile": mobile_of(request.actor, found) if request.actor.spoke_id else None,
    }
    return render(request, "patient/person.html", context)


@patient
@require_http_methods(["GET", "POST"])
@at_home
def institution(request: PortalRequest) -> HttpResponse:
    """Register the account's institution, or correct what is registered."""
    held = institution_of(request.actor)
    initial = InstitutionForm.values_of(held) if held else {}
    form = InstitutionForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            _keep_institution(request, held, form)
            return see(reverse("patient:people" if held else "patient:residents"))
    return form_page(request, "patient/institution.html", form, institution=held)


def _keep_institution(
    request: PortalRequest, held: Institution | None, form: InstitutionForm
) -> None:
    actor = request.actor
    if held is not None:
        change_institution(actor, state_id=actor.state_id, details=form.details())
        return
    assert actor.account_id is not None
    register_institution(
        actor, state_id=actor.state_id, account_id=actor.account_id, details=form.details()
    )


@patient
@require_http_methods(["GET", "POST"])
@at_home
def residents(request: PortalRequest) -> HttpResponse:
    """Register several residents in one sitting."""
    held = institution_of(request.actor)
    if held is None:
        return redirect("patient:institution")
    form = ResidentsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        profiles = form.profiles(held)
        _ask_about_doubles(form, held)
        if not form.errors:
            with errors_on(form):
                register_residents(
                    request.actor,
                    state_id=held.state_id,
                    account_id=held.account_id,
                    profiles=[(profile, another) for _row, profile, another in profiles],
                    key=form.cleaned_data["key"],
                )
                target = "residents" if request.POST.get("then") == "more" else "people"
                return see(f"{reverse(f'patient:{target}')}?added={len(profiles)}")
    added = request.GET.get("added", "")
    return form_page(
        request,
        "patient/residents.html",
        form,
        institution=held,
        added=int(added) if added.isdecimal() and len(added) < 5 else 0,
    )


def _ask_about_doubles(form: ResidentsForm, held: Institution) -> None:
    """Ask about every row that is like a resident on the list, or like an earlier row."""
    rows: set[tuple[str, ...]] = set()
    for place, (row, profile, another) in enumerate(form.profiles(held)):
        said = (profile.name.casefold(), profile.gender, str(profile.birth_date), profile.room)
        alike = alike_in(held.state_id, held.account_id, profile)
        sent_before = alike is not None and alike.registration_key == uuid.uuid5(
            form.cleaned_data["key"], str(place)
        )
        if not another and (said in rows or (alike is not None and not sent_before)):
            form.ask_about(row)
        rows.add(said)


@patient
@require_http_methods(["GET", "POST"])
@at_home
def leave(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Take a person off the list, after saying what that means."""
    found = own_patient(request.actor, patient_id)
    if request.method == "POST":
        leave_care(request.actor, patient_id=found.id)
        return see(reverse("patient:person", args=[found.id]))
    return render(request, "patient/leave.html", {"person": found})


@patient
@require_POST
@at_home
def bring_back(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Take a person back onto the list."""
    found = own_record(request.actor, patient_id)
    try:
        take_back(request.actor, patient_id=found.id)
    except Invalid as error:
        context = {"left": [found], "refusal": error}
        return render(request, "patient/left.html", context, status=error.status)
    return see(reverse("patient:person", args=[found.id]))


@patient
@require_GET
@at_home
def left(request: PortalRequest) -> HttpResponse:
    """Who is not on the list any more."""
    found = Paginator(left_care(request.actor), RESIDENTS_SHOWN)
    page = found.get_page(request.GET.get("page", "1"))
    return render(request, "patient/left.html", {"left": list(page.object_list), "page": page})


@patient
@require_http_methods(["GET", "POST"])
@at_home
def same(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Say that this person is registered twice, and which record is kept."""
    found = own_patient(request.actor, patient_id)
    others = [one for one in _candidates(request, found) if one.id != found.id]
    form = KeptForm([(str(one.id), _named(one)) for one in others], request.POST or None)
    if request.method == "POST" and form.is_valid():
        kept = join(request.actor, patient_id=found.id, kept_id=form.cleaned_data["kept"])
        return see(reverse("patient:person", args=[kept.id]))
    return form_page(request, "patient/same.html", form, person=found, others=others)


def _named(one: Patient) -> str:
    years = age_in_years(one.birth_date, clock.today())
    return f"{one.name}, {ngettext('%(num)s year', '%(num)s years', years) % {'num': years}}"


SAME_SHOWN = 30


def _candidates(request: PortalRequest, found: Patient) -> list[Patient]:
    """Return who could be the same person: of the same gender, the names most alike first."""
    first = found.name.casefold()[:2]
    others = patients_of(request.actor).filter(gender=found.gender)
    return sorted(others, key=lambda one: one.name.casefold()[:2] != first)[: SAME_SHOWN + 1]


@carer
@require_http_methods(["GET", "POST"])
@at_home
def representative(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Name somebody who may collect the medicines or speak for the patient."""
    found = own_patient(request.actor, patient_id)
    form = RepresentativeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            name_representative(request.actor, patient=found, authority=form.authority())
            return see(reverse("patient:person", args=[found.id]) + "#representatives")
    return form_page(request, "patient/representative.html", form, person=found)


@carer
@require_http_methods(["GET", "POST"])
@at_home
def revoke(
    request: PortalRequest, patient_id: uuid.UUID, representative_id: uuid.UUID
) -> HttpResponse:
    """End what a representative may do; a look at the address alone changes nothing."""
    found = own_patient(request.actor, patient_id)
    if request.method == "POST":
        revoke_representative(request.actor, patient=found, representative_id=representative_id)
    return see(reverse("patient:person", args=[found.id]) + "#representatives")


@carer
@require_http_methods(["GET", "POST"])
@at_home
def companion(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Say which adult is with a minor, or with an adult who cannot decide alone."""
    found = own_patient(request.actor, patient_id)
    if not needs_companion(found):
        return redirect("patient:opds", found.id)
    form = CompanionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            name_representative(request.actor, patient=found, authority=form.authority())
            return see(reverse("patient:opds", args=[found.id]))
    return form_page(request, "patient/companion.html", form, person=found)


@carer
@require_GET
@at_home
def consultations(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """The consultations of one person, newest first."""
    found = own_record(request.actor, patient_id)
    rows = own_consultations(request.actor, SHOWN + 1, before=cursor(request), patient=found)
    context = {
        "person": found,
        "consultations": [(one, stage_of(one).value) for one in rows[:SHOWN]],
        "older": rows[SHOWN - 1].id if len(rows) > SHOWN else None,
    }
    return render(request, "patient/history.html", context)


@carer
@require_GET
@at_home
def decisions(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """What was agreed to and withdrawn, when, and the words of each version."""
    found = own_record(request.actor, patient_id)
    rows = list(decisions_of(found)[:50])
    context = {
        "person": found,
        "decisions": rows,
        "versions": {row.notice_version: notice(row.notice_version) for row in rows},
    }
    return render(request, "patient/decisions.html", context)


@patient
@require_GET
@at_home
def accesses(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Who of the staff has looked at one person's record, the newest first."""
    found = own_record(request.actor, patient_id)
    rows = accesses_to(found, SHOWN + 1, before=cursor(request))
    context = {
        "person": found,
        "accesses": rows[:SHOWN],
        "older": rows[SHOWN - 1].id if len(rows) > SHOWN else None,
        "name_of": name_of,
    }
    return render(request, "patient/accesses.html", context)
