"""The public figures: from roll-ups only, with their moment, method and download.

What caches may keep is `machine`: no answer to a session, so that none carries a cookie.
"""

import csv
import datetime
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from sanjeevani.directory.models import State
from sanjeevani.directory.queries import states
from sanjeevani.foundation import clock
from sanjeevani.foundation.access import machine
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.reporting.models import Scope
from sanjeevani.reporting.published import Adoption, adoption, milestones
from sanjeevani.reporting.queries import (
    OnDuty,
    completed_by_home,
    daily,
    nation_ever,
    on_duty,
    states_by_day,
)
from sanjeevani.reporting.tallies import FEWEST, Tally, sum_of
from sanjeevani.web.access import PortalRequest, public

KEPT_SECONDS = 15
DOWNLOAD_SECONDS = 60
DAYS = 30

MEASURES: dict[str, Promise] = {
    "consultations_total": _("Consultations so far"),
    "online_opds": _("Online OPDs"),
    "patients_per_day": _("Patients a day"),
    "doctors_per_day": _("Doctors a day"),
    "states_and_union_territories": _("States and union territories"),
    "spokes": _("Health centres (spokes)"),
    "hubs": _("Hubs"),
    "spokes_target": _("Health centres to be reached"),
    "national_defence_opd_doctors": _("Doctors of the National Defence OPD"),
    "practitioners": _("Practitioners"),
    "patients_per_day_peak": _("Most patients in one day"),
    "patients_per_day_capacity": _("Patients a day, stated capacity"),
}


@dataclass(frozen=True)
class Figures:
    """What the page shows, as of a moment."""

    as_of: datetime.datetime
    ever: Tally
    days: dict[datetime.date, Tally]
    leading: list[tuple[int, int]]
    on_duty: OnDuty

    @property
    def today(self) -> Tally:
        """The last of the days."""
        return self.days[max(self.days)]

    @property
    def month(self) -> Tally:
        """All of the days together."""
        return sum_of(self.days.values())


def current() -> Figures:
    """Return the figures, as they were last counted."""
    found: Figures | None = cache.get("figures")
    if found is None:
        today, duty = clock.today(), on_duty()
        found = Figures(
            # Who counts duty, each minute, adds up the others too: where it stands still, all does.
            duty.as_of or clock.now(),
            nation_ever(),
            daily(Scope.NATION, NATIONAL, today - datetime.timedelta(days=DAYS - 1), today),
            completed_by_home(),
            duty,
        )
        cache.set("figures", found, KEPT_SECONDS)
    return found


def _known_states() -> dict[int, State]:
    found: dict[int, State] | None = cache.get_or_set(
        "states", lambda: {state.lgd_code: state for state in states()}, DOWNLOAD_SECONDS
    )
    return found or {}


@public
@require_safe
def figures(request: PortalRequest) -> HttpResponse:
    """Consultations so far and today, leading states, who is on duty, waits, method."""
    found = current()
    month = found.month
    context = {
        "figures": found,
        "today": found.today,
        "month": month,
        "median_today": found.today.median_wait,
        "median_month": month.median_wait,
        "long_month": month.long_wait,
        "medians": [
            (day, None if (wait := tally.median_wait) is None else wait / 60)
            for day, tally in found.days.items()
        ],
        "completed": [(day, tally.completed) for day, tally in found.days.items()],
        "states": _known_states(),
        "fewest": FEWEST,
    }
    return render(request, "public/figures.html", context)


@public
@require_safe
def earlier(request: PortalRequest) -> HttpResponse:
    """What was published before this service began: apart, and under its own label."""
    days: dict[datetime.date, list[Adoption]] = {}
    for row in adoption():
        days.setdefault(row.as_of, []).append(row)
    context = {
        "adoption": days,
        "milestones": milestones(),
        "measures": MEASURES,
        "states": _known_states(),
    }
    return render(request, "public/earlier.html", context)


def _line(tally: Tally) -> dict[str, Any]:
    """Return a tally as columns of a download."""
    median, longest = tally.median_wait, tally.long_wait
    return {
        "requested": tally.requested,
        "completed": tally.completed,
        "given_back": tally.cancelled,
        "not_answered": tally.not_answered,
        "opd_closed_before_turn": tally.sent_home,
        "connection_lost": tally.lost,
        "redirected": tally.redirected,
        "median_wait_seconds": None if median is None else round(median),
        "p90_wait_seconds": None if longest is None else round(longest),
        "rated": tally.rated,
    }


def _attachment(name: str, rows: Iterable[dict[str, Any]]) -> HttpResponse:
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(response, list(row))
            writer.writeheader()
        writer.writerow(row)
    return response


@machine
@cache_control(public=True, max_age=DOWNLOAD_SECONDS)
@require_safe
def daily_csv(request: HttpRequest) -> HttpResponse:
    """Every day and state of the last thirty days, with the nation's sum first."""
    name = "sanjeevani-daily.csv"
    content: bytes | None = cache.get(name)
    if content is None:
        content = _attachment(name, _daily_rows()).content
        cache.set(name, content, DOWNLOAD_SECONDS)
    response = _attachment(name, [])
    response.content = content
    return response


def _daily_rows() -> list[dict[str, Any]]:
    found, known = current(), _known_states()
    nation = [
        {"day": day, "lgd_code": "", "state": "India", **_line(tally)}
        for day, tally in found.days.items()
    ]
    return nation + [
        {
            "day": day,
            "lgd_code": state_id,
            "state": known[state_id].name if state_id in known else "",
            **_line(tally),
        }
        for day, state_id, tally in states_by_day(min(found.days), max(found.days))
    ]


@machine
@cache_control(public=True, max_age=KEPT_SECONDS)
@require_safe
def figures_json(request: HttpRequest) -> JsonResponse:
    """What the page shows, for programs."""
    found, known = current(), _known_states()
    duty = asdict(found.on_duty)
    return JsonResponse(
        {
            "as_of": found.as_of,
            "ever": _line(found.ever),
            "today": _line(found.today),
            "last_30_days": _line(found.month),
            "on_duty": duty,
            "states": [
                {
                    "lgd_code": state_id,
                    "state": known[state_id].name,
                    "completed": completed,
                }
                for state_id, completed in found.leading
                if state_id in known
            ],
            "daily": [{"day": day, **_line(tally)} for day, tally in found.days.items()],
        }
    )


@machine
@cache_control(public=True, max_age=86_400)
@require_safe
def earlier_csv(request: HttpRequest) -> HttpResponse:
    """What was published before, with its days and sources."""
    rows = [
        {
            "as_of": row.as_of,
            "measure": "consultations_total",
            "lgd_code": row.state_id,
            "state": row.state,
            "value": row.consultations,
            "note": "",
            "source": row.source,
        }
        for row in adoption()
    ]
    rows += [
        {
            "as_of": one.as_of,
            "measure": one.measure,
            "lgd_code": "",
            "state": "India",
            "value": one.value,
            "note": one.note,
            "source": one.source,
        }
        for one in milestones()
    ]
    return _attachment("sanjeevani-published-earlier.csv", rows)
