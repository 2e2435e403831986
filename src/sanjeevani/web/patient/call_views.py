"""The patient's side of a call: the check before it, the seat in it, photos, and the way out."""

import contextlib
import uuid

from django import forms
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from sanjeevani.calls.models import Seat
from sanjeevani.calls.services import CheckResult, note_check
from sanjeevani.consultation.calling import seat_in
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.foundation.errors import DomainError, Invalid
from sanjeevani.grievance.services import report_conduct
from sanjeevani.web.access import PortalRequest, carer
from sanjeevani.web.calls.room import act, room_context
from sanjeevani.web.errors import respond
from sanjeevani.web.fields import PlainForm
from sanjeevani.web.patient.consultation_views import (
    back_to,
    unless_known,
)
from sanjeevani.web.patient.views import language, see
from sanjeevani.web.spoke.turns import render


@carer
@require_GET
def seat(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> JsonResponse:
    """A ticket to the patient's seat, and the relays."""
    found = own_consultation(request.actor, state_id, consultation_id)
    return JsonResponse(seat_in(found, Seat.GUEST, request.actor.account_id))


@carer
@require_http_methods(["GET", "POST"])
def call(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponseBase:
    """The state of the call, which the page fetches again; and what the buttons do to it."""
    found = own_consultation(request.actor, state_id, consultation_id)
    headers: dict[str, str] = {}
    if request.method == "POST":
        try:
            headers = _do(request, found)
        except DomainError as error:
            return respond(request, error)
        if "X-Fragment" not in request.headers:
            return back_to(found)
        found = own_consultation(request.actor, state_id, consultation_id)
    part = render(request, "patient/parts/call_state.html", room_context(found, Seat.GUEST))
    for name, value in headers.items():
        part.headers[name] = value
    return part if headers else unless_known(request, part)


def _do(request: PortalRequest, found: Consultation) -> dict[str, str]:
    do = request.POST.get("do", "")
    word, _colon, doctor = do.partition(":")
    if word == "report":
        report_conduct(
            request.actor,
            state_id=found.state_id,
            consultation_id=found.id,
            language=language(),
            about=_id_of(doctor),
        )
        return {"X-Go": reverse("patient:consultation", args=[found.state_id, found.id])}
    headers = act(request.actor, request, found, do)
    if headers is None:
        raise Invalid
    return headers


def _id_of(doctor: str) -> uuid.UUID | None:
    """Return the doctor whom the page showed, None for a page that does not say."""
    try:
        return uuid.UUID(doctor) if doctor else None
    except ValueError:
        raise Invalid from None


class CheckForm(PlainForm):
    """What the page's script found out; a page without scripts has nothing to say."""

    _STATES = [
        (word, word) for word in ("untried", "works", "unheard", "refused", "missing", "busy")
    ]
    microphone = forms.ChoiceField(choices=_STATES)
    camera = forms.ChoiceField(choices=_STATES)
    speaker = forms.ChoiceField(choices=_STATES)
    link = forms.ChoiceField(
        choices=[(word, word) for word in ("", "audio", "low", "medium", "full")], required=False
    )


@carer
@require_http_methods(["GET", "POST"])
def check(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """Try microphone, camera, speaker and line before the call; nobody has to."""
    found = own_consultation(request.actor, state_id, consultation_id)
    if request.method == "POST":
        form = CheckForm(request.POST)
        if form.is_valid():
            with contextlib.suppress(DomainError):
                note_check(
                    request.actor,
                    state_id=state_id,
                    room_id=found.room_id,
                    result=CheckResult(**form.cleaned_data),
                )
        return see(reverse("patient:consultation", args=[state_id, consultation_id]))
    return render(request, "patient/check.html", {"consultation": found})
