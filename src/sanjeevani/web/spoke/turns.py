"""Whose turn it is: the strip on every page of a spoke's staff, which rings for each of its cases.

Not on the two pages that a tablet keeps for when there is no link: no patient's name is kept there.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import shortcuts
from django.http import HttpResponse

from sanjeevani.calls.queries import is_ringing
from sanjeevani.consultation.calling import is_held
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import live_at_spoke
from sanjeevani.foundation import clock
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.live import live_page
from sanjeevani.web.patient.stages import AT_ONCE, Stage, stage_of

PART = "/parts/"
"""In the name of a template: a part of a page, fetched again by itself."""


@dataclass(frozen=True)
class Turns:
    """The cases of a spoke that a doctor calls, speaks with, or will call; the first one first.

    `besides` is the case whose own page this is: it rings there.
    """

    calling: list[Consultation]
    again: list[Consultation]
    others: list[tuple[Consultation, str]]
    now: datetime
    besides: uuid.UUID | None

    @property
    def awaited(self) -> bool:
        """Tell whether one of them rings, or will."""
        stages = {stage for _one, stage in self.others}
        return bool(self.calling or self.again or stages & {Stage.WAITING, Stage.INTERRUPTED})

    @property
    def topics(self) -> list[str]:
        """What there is to hear of them."""
        return [
            _topic(one)
            for one in [*self.calling, *self.again, *(one for one, _stage in self.others)]
        ]

    def seconds_left(self, one: Consultation) -> int:
        """Return for how long a doctor waits to be answered."""
        deadline = one.token.deadline_at
        return max(0, int((deadline - self.now).total_seconds())) if deadline else 0


def _topic(one: Consultation) -> str:
    return f"consultation.{one.id}"


def cases_at(request: PortalRequest) -> list[Consultation]:
    """Return the spoke's live cases, read once for a request; none for who is at no spoke."""
    if not hasattr(request, "cases"):
        request.cases = live_at_spoke(request.actor)
    return request.cases


def turns_of(request: PortalRequest, besides: uuid.UUID | None = None) -> Turns:
    """Return the strip's content. What is answered in writing or was sent back rings nowhere."""
    calling: list[Consultation] = []
    again: list[Consultation] = []
    others: list[tuple[Consultation, str]] = []
    for one in cases_at(request):
        stage = stage_of(one)
        if one.id == besides:
            continue
        if stage is Stage.CALLED:
            calling.append(one)
        elif one.due_at is not None:
            continue
        elif stage in AT_ONCE and is_held(one) and is_ringing(one.room):
            again.append(one)
        elif stage in AT_ONCE or stage is Stage.WAITING:
            others.append((one, stage.value))
    calling.sort(key=lambda one: one.token.deadline_at)
    others.sort(key=lambda row: (row[1] not in AT_ONCE, row[0].requested_at))
    return Turns(calling, again, others, clock.now(), besides)


def case_topics(request: PortalRequest) -> dict[str, str]:
    """Return what the strip hears: that the spoke has asked anew, and what becomes of each case."""
    if request.actor.spoke_id is None:
        return {}
    own = {_topic(one): "" for one in cases_at(request)}
    return {f"spoke.{request.actor.spoke_id}": "", **own}


def render(
    request: PortalRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int | None = None,
) -> HttpResponse:
    """Render a page of patients, at a spoke with the strip; one more statement there."""
    full = dict(context or {})
    if request.actor.spoke_id is not None and PART not in template:
        full["turns"] = turns_of(request, full.get("own_case"))
        if "live_ticket" not in full:
            full |= live_page(request, case_topics(request))
    return shortcuts.render(request, template, full, status=status)
