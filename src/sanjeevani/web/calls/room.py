"""What both sides see of a call and do to it: one address each, one button one word.

`do` is the pressed button's value: `mode:audio`, `no`, `invite`, `uninvite`, `object` and what only
one side has. The page's script sends it without leaving the page and looks again; without it the
page comes back.
"""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.invitations import invite_third, revoke_third
from sanjeevani.calls.ladder import change_mode, decline_mode
from sanjeevani.calls.models import (
    SPEAKING,
    Mode,
    ModeChange,
    Room,
    RoomStatus,
    Seat,
)
from sanjeevani.calls.phone import phone_bridge, phone_call_of
from sanjeevani.calls.queries import (
    invitation_to,
    is_ringing,
    mode_changes,
    presences,
)
from sanjeevani.calls.seats import relays_of
from sanjeevani.consultation.asks import open_ask
from sanjeevani.consultation.calling import is_held
from sanjeevani.consultation.colleagues import object_to_ask
from sanjeevani.consultation.models import Consultation
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid
from sanjeevani.web.names import speciality_names

BELOW = {
    Mode.VIDEO: Mode.AUDIO,
    Mode.LOW_VIDEO: Mode.AUDIO,
    Mode.AUDIO: Mode.PHONE,
    Mode.PHONE: Mode.CHAT,
    Mode.CHAT: Mode.PHONE,
}
"""Where "I cannot hear" leads: a picture takes what the voice needs; then the phone."""


def in_call(consultation: Consultation) -> dict[str, Any]:
    """Return what a page has to know at once: whether there is a call, and whether it rings."""
    room: Room = consultation.room
    held = is_held(consultation) and room.status == RoomStatus.OPEN
    return {
        "consultation": consultation,
        "room": room,
        "held": held,
        "allowed": room.ceiling if held else "off",
        "speaking": held and room.ceiling in SPEAKING,
        "relays": bool(relays_of(room.state_id)),
        "ringing": held and is_ringing(room),
    }


def room_context(consultation: Consultation, seat: Seat) -> dict[str, Any]:
    """Return what the part about the call needs, for one who sits at `seat`."""
    context = in_call(consultation)
    if not context["held"]:
        return context
    room: Room = consultation.room
    guest = presences(room.state_id, room.id).get(Seat.GUEST)
    asked = Mode(room.asked_mode) if room.asked_mode else None
    return context | {
        "now_mode": Mode(room.mode),
        "changes": _changes_with_host(room) if seat == Seat.HOST else [],
        "below": BELOW[Mode(room.mode if room.ceiling in SPEAKING else room.ceiling)],
        "asked": asked,
        "asked_by_me": asked is not None and room.asked_seat == seat,
        "guest_here": guest is not None and guest.left_at is None,
        "guest_was_here": guest is not None,
        "phone_call": phone_call_of(room),
        "has_phone": phone_bridge() is not None,
        "third": invitation_to(room.state_id, room.id),
        "check": room.check_result,
        **(_asked_in(consultation) if seat == Seat.GUEST else {}),
    }


def _changes_with_host(room: Room) -> list[ModeChange]:
    """Return how the present doctor and the patient have talked, as the rules count it."""
    return [
        change
        for change in mode_changes(room.state_id, room.id)
        if change.host_account_id in (None, room.host_account_id)
    ]


def _asked_in(consultation: Consultation) -> dict[str, Any]:
    """Return which colleague the doctor asks in, for the patient's side, which may object."""
    ask = open_ask(consultation)
    if ask is None:
        return {"ask": None}
    return {"ask": ask, "speciality": speciality_names().get(ask.speciality_code, "")}


def act(
    actor: Actor, request: HttpRequest, consultation: Consultation, do: str
) -> dict[str, str] | None:
    """Do what both sides may; return headers for the script, or None for an unknown word.

    Raises the errors of the verbs.
    """
    room: dict[str, Any] = {
        "state_id": consultation.state_id,
        "room_id": consultation.room_id,
    }
    word, _colon, value = do.partition(":")
    if word == "mode":
        if value not in Mode.values:
            raise Invalid(_("This way of talking does not exist."))
        change_mode(actor, mode=Mode(value), **room)
    elif word == "no":
        decline_mode(actor, **room)
    elif word == "invite":
        secret = invite_third(actor, **room)
        address = reverse("calls:join", args=[consultation.state_id, secret])
        return {"X-Link": request.build_absolute_uri(address)}
    elif word == "uninvite":
        revoke_third(actor, **room)
    elif word == "object":
        object_to_ask(actor, state_id=consultation.state_id, consultation_id=consultation.id)
    else:
        return None
    return {}
