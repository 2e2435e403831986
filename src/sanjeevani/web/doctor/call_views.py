"""The doctor's side of a call: the seat, the buttons beside the picture."""

import uuid
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_http_methods, require_safe

from sanjeevani.calls.models import Seat
from sanjeevani.consultation.calling import call_again, phone_patient, seat_in
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.permissions import require_practitioner
from sanjeevani.consultation.queries import for_practitioner
from sanjeevani.foundation.errors import DomainError, Invalid
from sanjeevani.grievance.services import report_conduct
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.calls.room import act, room_context
from sanjeevani.web.doctor.views import doctors, practitioner_of
from sanjeevani.web.doctor.words import reader_language
from sanjeevani.web.errors import respond


def _own(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """Read a consultation that this doctor holds or held. Raises NotFound, NotPermitted."""
    practitioner = practitioner_of(request)
    found = for_practitioner(request.actor, practitioner, state_id, consultation_id)
    require_practitioner(request.actor, practitioner, found)
    return found


@doctors
@require_safe
def seat(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> JsonResponse:
    """A ticket to the doctor's seat, and the relays."""
    found = _own(request, state_id, consultation_id)
    return JsonResponse(seat_in(found, Seat.HOST, request.actor.account_id))


@doctors
@require_http_methods(["GET", "HEAD", "POST"])
@conditional_page
def room(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The state of the call, which the desk fetches again; and what the buttons do to it."""
    headers: dict[str, str] = {}
    if request.method == "POST":
        try:
            headers = _do(request, _own(request, state_id, consultation_id))
        except DomainError as error:
            return respond(request, error)
        if "X-Fragment" not in request.headers:
            return HttpResponseRedirect(reverse("doctor:desk"), status=303)
    found = for_practitioner(request.actor, practitioner_of(request), state_id, consultation_id)
    context = room_context(found, Seat.HOST)
    context["held"] = context["held"] and found.practitioner_id == practitioner_of(request).id
    part = render(request, "doctor/parts/call_state.html", context)
    for name, value in headers.items():
        part.headers[name] = value
    return part


def _do(request: PortalRequest, found: Consultation) -> dict[str, str]:
    practitioner = practitioner_of(request)
    do = request.POST.get("do", "")
    key: dict[str, Any] = {"state_id": found.state_id, "consultation_id": found.id}
    if do == "ring":
        call_again(request.actor, practitioner=practitioner, **key)
    elif do == "phone":
        phone_patient(request.actor, practitioner=practitioner, **key)
    elif do == "report":
        report_conduct(request.actor, practitioner=practitioner, language=reader_language(), **key)
        return {"X-Go": reverse("doctor:desk")}
    else:
        headers = act(request.actor, request, found, do)
        if headers is None:
            raise Invalid
        return headers
    return {}
