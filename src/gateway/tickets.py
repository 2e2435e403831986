"""Tickets: short-lived JWT, signed with HS256 by the web process, naming what to hear."""

import re
import time
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

TOPIC = re.compile(r"[a-z]+\.[0-9a-f-]{1,64}")
ROOM = re.compile(r"[0-9a-f-]{1,64}")
MOST_TOPICS = 64
MOST_SEEN = 16
LONGEST_TICKET = 8_192
LONGEST_KEY = 128
SEATS = ("a", "b", "c")


class TicketRefused(Exception):
    """Forged, expired, or not a ticket at all; the caller learns only that it is refused."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the bearer may hear, and until when (Unix time)."""

    subject: str
    expires: float
    topics: dict[str, str]
    """Topic to the bearer's key in it, which may be empty."""
    room: str = ""
    seat: str = ""
    issued: float | None = None
    """Since when the bearer's page may lack what happened (Unix time)."""
    seen: frozenset[str] = frozenset()
    """Causes of hints that the bearer's page knows already."""
    state_id: int | None = None
    """Passed back in the reports of calls; means nothing here."""


class TicketReader:
    """Verifies tickets against the one shared secret."""

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(secret)

    def read(self, value: str) -> Ticket:
        """Verify a ticket. Raises `TicketRefused`."""
        if not value or len(value) > LONGEST_TICKET or not value.isascii():
            raise TicketRefused
        try:
            claims = jwt.decode(value, self._key, algorithms=["HS256"]).claims
        except (JoseError, ValueError, TypeError) as error:
            raise TicketRefused from error
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires <= time.time():
            raise TicketRefused
        return Ticket(
            subject=_text(claims.get("sub", "")),
            expires=float(expires),
            topics=_topics(claims.get("topics", {})),
            issued=_time(claims.get("iat")),
            seen=_seen(claims.get("seen", [])),
            **_place(claims),
        )


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_KEY:
        raise TicketRefused
    return value


def _time(value: Any) -> float | None:
    if not isinstance(value, int | float | None):
        raise TicketRefused
    return value


def _seen(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_SEEN:
        raise TicketRefused
    return frozenset(_text(cause) for cause in value)


def _topics(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_TOPICS:
        raise TicketRefused
    if not all(TOPIC.fullmatch(topic) for topic in value):
        raise TicketRefused
    return {topic: _text(key) for topic, key in value.items()}


def _place(claims: dict[str, Any]) -> dict[str, Any]:
    if "room" not in claims:
        return {}
    room, seat = _text(claims["room"]), _text(claims.get("seat"))
    if not ROOM.fullmatch(room) or seat not in SEATS:
        raise TicketRefused
    state_id = claims.get("state_id")
    if not isinstance(state_id, int | None):
        raise TicketRefused
    return {"room": room, "seat": seat, "state_id": state_id}
