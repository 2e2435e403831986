"""The board for a hall's television: numbers only, live, without a sign-in."""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from sanjeevani.directory.models import Facility
from sanjeevani.directory.queries import OpenClinic, clinics_at, facility
from sanjeevani.foundation import clock
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.queueing.queries import LineNumbers, expected_waits, numbers_of
from sanjeevani.roster.queries import doctors_on_duty
from sanjeevani.web.access import PortalRequest, public
from sanjeevani.web.live import ticket_reply
from sanjeevani.web.patient.views import name_of

KEPT_SECONDS = 2
MOST_LINES = 24
"""More do not fit on a screen, nor into a ticket with room to spare."""

KEY = "board"
"""A board's key in the topics of lines. No token has it, so no token's hint reaches a board."""


@dataclass(frozen=True)
class Row:
    """One OPD on the board."""

    offered: OpenClinic
    numbers: LineNumbers
    doctors: int
    wait: WaitInterval | None

    @property
    def has_news(self) -> bool:
        """Whether it is open, or has patients left from when it was."""
        numbers = self.numbers
        return self.offered.is_open or bool(numbers.waiting or numbers.called or numbers.serving)


@dataclass(frozen=True)
class Board:
    """A facility and its OPDs, those with doctors first."""

    facility: Facility
    rows: list[Row]


def board_of(state_id: int, facility_id: uuid.UUID) -> Board:
    """Return a facility's board, at most some seconds old. Raises NotFound."""
    key = f"board.{state_id}.{facility_id}"
    found: Board | None = cache.get(key)
    if found is None:
        found = _read(state_id, facility_id)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _read(state_id: int, facility_id: uuid.UUID) -> Board:
    clinics = clinics_at(state_id, facility_id)[:MOST_LINES]
    if not clinics:
        return Board(facility(state_id, facility_id), [])
    line_ids = [item.line.id for item in clinics]
    numbers = numbers_of(state_id, line_ids)
    waits = expected_waits(state_id, line_ids)
    doctors = doctors_on_duty(state_id, line_ids)
    rows = [
        Row(item, numbers[item.line.id], doctors[item.line.id], waits[item.line.id])
        for item in clinics
    ]
    return Board(
        clinics[0].facility,
        sorted(rows, key=lambda row: (not row.doctors, not row.numbers.waiting)),
    )


def _context(found: Board) -> dict[str, Any]:
    return {"board": found, "name_of": name_of, "at": clock.now()}


@public
@require_safe
def board(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """The whole screen. It keeps itself up to date, without scripts by loading again."""
    found = board_of(state_id, facility_id)
    return render(request, "public/board.html", {**_context(found), "live": settings.GATEWAY_URL})


@public
@require_safe
def lines(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponseBase:
    """The part that moves, or 304 while nothing has moved."""
    found = board_of(state_id, facility_id)
    response = render(request, "public/parts/board_lines.html", _context(found))
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@public
@require_safe
def ticket(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> JsonResponse:
    """A ticket to hear that a line has moved, for anybody: it tells nothing more."""
    topics = {f"line.{row.offered.line.id}": KEY for row in board_of(state_id, facility_id).rows}
    return ticket_reply(request, topics)
