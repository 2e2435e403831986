"""The photos and papers of a patient at the desk: each file read leaves an audit row."""

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import conditional_page, require_safe

from sanjeevani.consultation.papers import paper_for_practitioner, papers_of
from sanjeevani.consultation.queries import for_practitioner
from sanjeevani.directory.models import Practitioner, Role
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.papers import send, shown

doctors = staff(Role.DOCTOR, Role.SPECIALIST)


def _practitioner(request: PortalRequest) -> Practitioner:
    practitioner: Practitioner = request.post.practitioner
    return practitioner


@doctors
@require_safe
@conditional_page
def papers(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The list, to be fetched again: the patient adds photos also during the call."""
    found = for_practitioner(request.actor, _practitioner(request), state_id, consultation_id)
    context = {"papers": shown(papers_of(found), "doctor:paper", state_id, consultation_id)}
    return render(request, "doctor/parts/papers.html", context)


@doctors
@require_safe
def paper(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID, upload_id: uuid.UUID
) -> HttpResponse:
    """One file, or its small picture."""
    upload = paper_for_practitioner(
        request.actor,
        _practitioner(request),
        state_id=state_id,
        consultation_id=consultation_id,
        upload_id=upload_id,
    )
    return send(upload, small="small" in request.GET)
