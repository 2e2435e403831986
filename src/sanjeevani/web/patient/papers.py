"""Photos and papers: added before the request and in the waiting room, removed until it begins."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sanjeevani.consultation import papers as of_consultation
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.papers import (
    may_be_added,
    may_be_removed,
    papers_of,
    place_of,
)
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.foundation.access import takes_files
from sanjeevani.intake.papers import (
    Place,
    add_draft_paper,
    paper_in,
    papers_in,
    remove_draft_paper,
)
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import own_patient
from sanjeevani.web.access import PortalRequest, carer
from sanjeevani.web.papers import limits, send, shown, take
from sanjeevani.web.patient.views import at_home, see
from sanjeevani.web.spoke.turns import render


def of_draft(person: Patient, problems: list[str] | None = None) -> dict[str, Any]:
    """Return what the list of a draft's papers shows."""
    return {
        **limits(problems or []),
        "papers": shown(papers_in(Place.draft_of(person)), "patient:paper", person.id),
        "may_add": True,
        "may_remove": True,
        "add_url": reverse("patient:papers", args=[person.id]),
    }


def of_own_consultation(found: Consultation, problems: list[str] | None = None) -> dict[str, Any]:
    """Return what the list of a consultation's papers shows."""
    address = (found.state_id, found.id)
    return {
        **limits(problems or []),
        "papers": shown(
            papers_of(found), "patient:consultation-paper", *address, consultation=found
        ),
        "may_add": may_be_added(found),
        "may_remove": may_be_removed(found),
        "add_url": reverse("patient:consultation-papers", args=address),
    }


def _answer(request: PortalRequest, context: dict[str, Any], **more: Any) -> HttpResponse:
    """Return the list alone to a script, the page to a browser without."""
    status = 422 if context["problems"] else 200
    part = "X-Fragment" in request.headers
    template = "patient/parts/papers.html" if part else "patient/papers.html"
    return render(request, template, {**context, **more}, status=status)


@takes_files
@carer
@require_http_methods(["GET", "POST"])
@at_home
def papers(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Add to the draft, before an OPD is asked."""
    found = own_patient(request.actor, patient_id)
    problems: list[str] = []
    if request.method == "POST":
        problems = take(
            request,
            lambda file: add_draft_paper(
                request.actor, patient=found, file=file, name=file.name or ""
            ),
        )
        if not problems and "X-Fragment" not in request.headers:
            return see(reverse("patient:papers", args=[found.id]))
    return _answer(request, of_draft(found, problems), person=found)


@carer
@require_GET
@at_home
def paper(request: PortalRequest, patient_id: uuid.UUID, upload_id: uuid.UUID) -> HttpResponse:
    """One file of the draft."""
    found = own_patient(request.actor, patient_id)
    return send(paper_in(Place.draft_of(found), upload_id), small="small" in request.GET)


@carer
@require_POST
@at_home
def remove(request: PortalRequest, patient_id: uuid.UUID, upload_id: uuid.UUID) -> HttpResponse:
    """Take a file out of the draft."""
    found = own_patient(request.actor, patient_id)
    remove_draft_paper(request.actor, patient=found, upload_id=upload_id)
    if "X-Fragment" in request.headers:
        return _answer(request, of_draft(found))
    return see(reverse("patient:papers", args=[found.id]))


@takes_files
@carer
@require_http_methods(["GET", "POST"])
def consultation_papers(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID
) -> HttpResponse:
    """Add to a consultation, from the waiting room on."""
    found = own_consultation(request.actor, state_id, consultation_id)
    problems: list[str] = []
    if request.method == "POST":
        problems = take(
            request,
            lambda file: of_consultation.add_paper(
                request.actor,
                state_id=state_id,
                consultation_id=consultation_id,
                file=file,
                name=file.name or "",
            ),
        )
        if not problems and "X-Fragment" not in request.headers:
            return see(reverse("patient:consultation-papers", args=[state_id, consultation_id]))
    return _answer(request, of_own_consultation(found, problems), consultation=found)


@carer
@require_GET
def consultation_paper(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID, upload_id: uuid.UUID
) -> HttpResponse:
    """One file of a consultation."""
    found = own_consultation(request.actor, state_id, consultation_id)
    return send(paper_in(place_of(found), upload_id), small="small" in request.GET)


@carer
@require_POST
def remove_from_consultation(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID, upload_id: uuid.UUID
) -> HttpResponse:
    """Take a file away while nobody has begun to work with it."""
    found = own_consultation(request.actor, state_id, consultation_id)
    problems = []
    try:
        of_consultation.remove_paper(
            request.actor, state_id=state_id, consultation_id=consultation_id, upload_id=upload_id
        )
    except of_consultation.PaperKept as error:
        problems = [str(error.message)]
    if problems or "X-Fragment" in request.headers:
        return _answer(request, of_own_consultation(found, problems), consultation=found)
    return see(reverse("patient:consultation-papers", args=[state_id, consultation_id]))
