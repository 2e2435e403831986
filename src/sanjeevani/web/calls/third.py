"""The third seat: whoever holds the link says a name and sits in the call, and sees no record."""

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from sanjeevani.calls.errors import InvitationOver, NotInCall
from sanjeevani.calls.invitations import NAME_LENGTH, join_third
from sanjeevani.calls.models import Invitation, Seat
from sanjeevani.calls.queries import open_invitation
from sanjeevani.consultation.calling import is_held, seat_in
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import of_room
from sanjeevani.foundation.access import client_address
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.web.access import public
from sanjeevani.web.calls.room import room_context
from sanjeevani.web.fields import PlainForm, PlainTextField


class NameForm(PlainForm):
    """Who comes."""

    name = PlainTextField(
        label=_("Your name"),
        help_text=_("The doctor and the patient see it."),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


def _invited(state_id: int, secret: str) -> tuple[Invitation, Consultation]:
    invitation = open_invitation(state_id, secret)
    consultation = of_room(state_id, invitation.room_id) if invitation else None
    if invitation is None or consultation is None or not is_held(consultation):
        raise InvitationOver
    return invitation, consultation


@public
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, state_id: int, secret: str) -> HttpResponse:
    """Ask for the name, then lead to the call."""
    _invitation, consultation = _invited(state_id, secret)
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        stranger = Actor(ActorKind.ANONYMOUS, address=client_address(request))
        join_third(stranger, state_id=state_id, secret=secret, name=form.cleaned_data["name"])
        return HttpResponseRedirect(reverse("calls:third", args=[state_id, secret]), status=303)
    context = {"form": form, "consultation": consultation}
    return render(request, "calls/join.html", context, status=422 if form.errors else 200)


@public
@require_safe
def third(request: HttpRequest, state_id: int, secret: str) -> HttpResponse:
    """The call, from the third seat."""
    invitation, consultation = _invited(state_id, secret)
    if invitation.joined_at is None:
        return HttpResponseRedirect(reverse("calls:join", args=[state_id, secret]), status=303)
    context = room_context(consultation, Seat.THIRD) | {
        "secret": secret,
        "live": settings.GATEWAY_URL,
    }
    return render(request, "calls/third.html", context)


@public
@require_safe
def third_state(request: HttpRequest, state_id: int, secret: str) -> HttpResponse:
    """How much may be sent; looked up again by the page."""
    try:
        _invitation, consultation = _invited(state_id, secret)
    except InvitationOver:
        return render(request, "calls/third_state.html", {"allowed": "off"})
    return render(request, "calls/third_state.html", room_context(consultation, Seat.THIRD))


@public
@require_safe
def third_seat(request: HttpRequest, state_id: int, secret: str) -> JsonResponse:
    """A ticket to the third seat."""
    invitation, consultation = _invited(state_id, secret)
    if invitation.joined_at is None:
        raise NotInCall
    return JsonResponse(seat_in(consultation, Seat.THIRD, invitation.id))
