"""Figures of a state by OPD, and of the nation by state, over the days chosen."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from sanjeevani.directory.models import Role
from sanjeevani.directory.queries import clinics_of_lines, states
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.reporting.models import NATION, Scope
from sanjeevani.reporting.queries import by_line, by_state, daily, on_duty
from sanjeevani.reporting.tallies import FEWEST, sum_of
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.observer.measures import Row, measures_from, order_of
from sanjeevani.web.patient.views import name_of
from sanjeevani.web.public.timetable import state_name

OBSERVING = (Role.OBSERVER, Role.STATE_ADMIN, Role.NATIONAL_ADMIN)
PERIODS = (1, 7, 30, 90)
USUAL_PERIOD = 30


@dataclass(frozen=True)
class Period:
    """The last so many days, today included."""

    days: int

    @property
    def last(self) -> datetime.date:
        """Today."""
        return clock.today()

    @property
    def first(self) -> datetime.date:
        """The first of the days."""
        return self.last - datetime.timedelta(days=self.days - 1)


def _period(request: PortalRequest) -> Period:
    given = request.GET.get("days", "")
    days = int(given) if given.isdecimal() and len(given) < 4 else USUAL_PERIOD
    return Period(days if days in PERIODS else USUAL_PERIOD)


@staff(*OBSERVING)
@require_safe
def state(request: PortalRequest) -> HttpResponse:
    """The OPDs of the post's state; a national post looks at any of them."""
    period = _period(request)
    known = {one.lgd_code: one for one in states()}
    is_national = request.post.state_id == NATIONAL
    state_id = request.post.state_id
    if is_national:
        chosen = request.GET.get("state", "")
        state_id = int(chosen) if chosen.isdecimal() and int(chosen) in known else NATIONAL
    lines = by_line(state_id, period.first, period.last)
    clinics = clinics_of_lines((state_id, line_id) for line_id in lines)
    days = daily(Scope.HOST, state_id, period.first, period.last)
    rows = [
        Row(f"{name_of(clinics[line_id])}, {name_of(clinics[line_id].facility)}", "", tally)
        for line_id, tally in lines.items()
        if line_id in clinics
    ]
    # A line without an OPD is a hub's.
    hubs = [tally for line_id, tally in lines.items() if line_id not in clinics]
    if hubs:
        rows.append(Row(gettext("Through spokes"), "", sum_of(hubs)))
    context = {
        "title": state_name(known[state_id]) if state_id in known else None,
        "rows": rows,
        "total": sum_of(days.values()),
        "completed": [(day, tally.completed) for day, tally in days.items()],
        "on_duty": on_duty(state_id),
        "state_id": state_id,
    }
    return _page(request, period, "observer/state.html", is_national, context)


@staff(*OBSERVING)
@require_safe
def nation(request: PortalRequest) -> HttpResponse:
    """All states, by where care was given; for posts of the nation. Raises NotPermitted."""
    if request.post.state_id != NATIONAL:
        raise NotPermitted
    period = _period(request)
    known = {one.lgd_code: one for one in states()}
    found = by_state(Scope.HOST, period.first, period.last)
    days = daily(Scope.NATION, NATIONAL, period.first, period.last)
    context = {
        "title": None,
        "rows": [
            Row(state_name(known[code]) if code in known else gettext("National"), str(code), tally)
            for code, tally in found.items()
        ],
        "total": sum_of(days.values()),
        "completed": [(day, tally.completed) for day, tally in days.items()],
        "on_duty": on_duty(NATION),
        "state_id": None,
    }
    return _page(request, period, "observer/nation.html", True, context)


def _page(
    request: PortalRequest,
    period: Period,
    template: str,
    is_national: bool,
    context: Mapping[str, Any],
) -> HttpResponse:
    order = order_of(request.GET.get("sort", ""))
    chosen: dict[str, str | int] = {"days": period.days, "sort": order.key}
    if context["state_id"] is not None and is_national:
        chosen["state"] = context["state_id"]

    def here(**changed: str | int) -> str:
        """Return the query of this page with something else chosen."""
        return f"?{urlencode({**chosen, **changed})}"

    shared = {
        "post": request.post,
        "is_national": is_national,
        "period": period,
        "periods": PERIODS,
        # Who counts duty, each minute, adds up the others too: where it stands still, all does.
        "at": on_duty(NATION).as_of or clock.now(),
        "order": order,
        "fewest": FEWEST,
        "measures": measures_from(order),
        "here": here,
    }
    return render(request, template, {**context, **shared, "rows": order.rows(context["rows"])})
