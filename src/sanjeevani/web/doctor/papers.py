"""The photos and papers of a patient at the desk: each file read leaves an audit row."""

import uuid

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_POST, require_safe

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.papers import paper_for_practitioner, papers_of, show_paper
from sanjeevani.consultation.queries import for_practitioner
from sanjeevani.directory.models import Practitioner, Role
from sanjeevani.foundation.access import takes_files
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.papers import Shown, limits, send, shown, take

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
    return render(request, "doctor/parts/papers.html", {"papers": at_desk(found)})


def at_desk(consultation: Consultation) -> list[Shown]:
    """Return the files of a consultation as its doctor's screens list them."""
    address = (consultation.state_id, consultation.id)
    return shown(papers_of(consultation), "doctor:paper", *address, consultation=consultation)


@takes_files
@doctors
@require_POST
def show(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Show the patient a photo or paper."""
    practitioner = _practitioner(request)
    found = for_practitioner(request.actor, practitioner, state_id, consultation_id)
    problems = take(
        request,
        lambda file: show_paper(
            request.actor,
            practitioner=practitioner,
            state_id=state_id,
            consultation_id=consultation_id,
            file=file,
            name=file.name or "",
        ),
    )
    if not problems and "X-Fragment" not in request.headers:
        return HttpResponseRedirect(reverse("doctor:desk"), status=303)
    context = {"consultation": found, **limits(problems)}
    return render(request, "doctor/parts/show_paper.html", context, status=422 if problems else 200)


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
    return send(upload, small="small" in request.GET, in_a_tab=True)
