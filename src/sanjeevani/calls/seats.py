"""Tickets to a seat at the gateway, and the relays that the page there may use."""

import base64
import hashlib
import hmac
import secrets
import time
import uuid
from typing import Any

from django.conf import settings

from sanjeevani.calls.errors import NotInCall
from sanjeevani.calls.models import SPEAKING, Room, RoomStatus, Seat
from sanjeevani.foundation.live import TICKET_SECONDS, issue_ticket

GATEWAY_SEATS = {Seat.HOST: "a", Seat.GUEST: "b", Seat.THIRD: "c"}
"""The names at the gateway; the later of two gives way when both offer at once."""

RELAY_SECONDS = 6 * 3600
"""Longer than any call: a relay closes what its credentials have outlived."""

THIRD_SECONDS = 120
"""Short, because an invitation can be taken back."""

EVERYWHERE = "*"


def seat_ticket(room: Room, seat: Seat, subject: uuid.UUID | None) -> dict[str, Any]:
    """Return a ticket bound to person, room and minutes, with the relays. Raises NotInCall.

    The caller has checked whose seat it is.
    """
    if room.status != RoomStatus.OPEN or room.ceiling not in SPEAKING:
        raise NotInCall
    seconds = THIRD_SECONDS if seat == Seat.THIRD else TICKET_SECONDS
    ticket = issue_ticket(
        subject,
        {},
        seconds=seconds,
        room=str(room.id),
        seat=GATEWAY_SEATS[seat],
        state_id=room.state_id,
    )
    return {"ticket": ticket, "expires": seconds, "ice": ice_servers(room.state_id)}


def ice_servers(state_id: int) -> dict[str, Any]:
    """Return an RTCConfiguration with the relays of a state's region; empty without any.

    The name is new each time: a relay counts allocations by it, also those not yet timed out.
    """
    urls = relays_of(state_id)
    if not urls:
        return {}
    username = f"{int(time.time()) + RELAY_SECONDS}:{secrets.token_hex(8)}"
    digest = hmac.new(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1)
    server = {
        "urls": urls,
        "username": username,
        "credential": base64.b64encode(digest.digest()).decode(),
    }
    return {"iceServers": [server]}


def relays_of(state_id: int) -> list[str]:
    """Return the addresses of the relays of a state's region, from `settings.TURN_SERVERS`."""
    for states, urls in settings.TURN_SERVERS.items():
        if states != EVERYWHERE and str(state_id) in states.split(","):
            return list(urls)
    return list(settings.TURN_SERVERS.get(EVERYWHERE, []))
