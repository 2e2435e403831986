"""Planned against served: each doctor in each line of a facility, in a week or a month."""

import csv
import datetime
import re
import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sanjeevani.directory.models import Facility
from sanjeevani.directory.queries import practitioners
from sanjeevani.foundation import clock
from sanjeevani.roster.actual import Comparison, compare
from sanjeevani.roster.planning import ONE_DAY, Span, planned, span_of
from sanjeevani.roster.queries import breaks_of, known_of, served_in, serving
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.pages import ADMINISTERING, facility_run_by, page
from sanjeevani.web.facility.roster import lines_at
from sanjeevani.web.rosters import Week, week_asked, week_written

A_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, kw_only=True)
class Period:
    """A week or a month, with the addresses of those beside it."""

    first: datetime.date
    last: datetime.date
    before: str
    after: str
    query: str

    @property
    def is_month(self) -> bool:
        """A month, not a week."""
        return self.query.startswith("month")

    @property
    def has_future(self) -> bool:
        """Whether some of it is still to come."""
        return self.last >= clock.today()

    @property
    def week(self) -> str:
        """The week that it begins in, or that today is in."""
        today = clock.today()
        return week_written(today if self.first <= today <= self.last else self.first)

    @property
    def month(self) -> str:
        """The month that it begins in."""
        return f"{self.first:%Y-%m}"


def period_asked(request: PortalRequest) -> Period:
    """Return the month asked for, or a week: the present one unless the address says which."""
    month = A_MONTH.fullmatch(request.GET.get("month", ""))
    if month:
        first = datetime.date(int(month[1]), int(month[2]), 1)
        after = (first + ONE_DAY * 31).replace(day=1)
        return Period(
            first=first,
            last=after - ONE_DAY,
            before=f"month={first - ONE_DAY:%Y-%m}",
            after=f"month={after:%Y-%m}",
            query=f"month={first:%Y-%m}",
        )
    week = Week(week_asked(request.GET.get("week", "")))
    return Period(
        first=week.first,
        last=week.last,
        before=f"week={week.before}",
        after=f"week={week.after}",
        query=f"week={week.written}",
    )


def minutes(length: datetime.timedelta) -> int:
    """Return a length of time in whole minutes."""
    return round(length / datetime.timedelta(minutes=1))


@dataclass(frozen=True, kw_only=True)
class Served:
    """A doctor in a line, in minutes. `serves`: still assigned; otherwise no plan counts."""

    name: str
    serves: bool
    comparison: Comparison

    @property
    def due(self) -> int:
        """Planned so far."""
        return minutes(self.comparison.due)

    @property
    def served(self) -> int:
        """On duty, without breaks."""
        return minutes(self.comparison.served)

    @property
    def difference(self) -> int:
        """Served beyond the plan so far; as the two stand on the page."""
        return self.served - self.due

    @property
    def to_come(self) -> int:
        """Planned, and ahead."""
        return minutes(self.comparison.to_come)


@dataclass(frozen=True)
class LineHours:
    """A line with its doctors."""

    id: uuid.UUID
    name: str
    doctors: list[Served]


def hours_in(facility: Facility, period: Period) -> list[LineHours]:
    """Compare plan and duty in all lines of a facility."""
    named = lines_at(facility)
    ids = [one.line.id for one in named]
    limits = span_of(period.first, period.last)
    # A night that begins in the period ends after it.
    reach = Span(limits.begins - ONE_DAY, limits.ends + ONE_DAY)
    known = known_of(facility.state_id, ids, period.first, period.last)
    spells = served_in(facility.state_id, ids, reach)
    keys = serving(ids)
    everybody = {key for line_keys in keys.values() for key in line_keys} | {
        (spell.practitioner_state_id, spell.practitioner_id)
        for line_spells in spells.values()
        for spell in line_spells
    }
    people = practitioners(everybody)
    breaks = breaks_of(list(people), reach)
    now = clock.now()
    found = []
    for one in named:
        line_id = one.line.id
        shifts = planned(known[line_id], period.first, period.last)
        rows = [
            Served(
                name=person.name,
                serves=person.id in known[line_id].serving,
                comparison=compare(
                    [shift for shift in shifts if shift.practitioner_id == person.id],
                    [spell for spell in spells[line_id] if spell.practitioner_id == person.id],
                    breaks[person.id],
                    period=limits,
                    now=now,
                ),
            )
            for person in people.values()
        ]
        kept = [row for row in rows if row.serves or row.served]
        found.append(LineHours(line_id, one.name, sorted(kept, key=lambda row: row.name)))
    return found


@staff(*ADMINISTERING)
@require_safe
def hours(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Show planned hours, hours served, the difference and days missed."""
    found = facility_run_by(request, state_id, facility_id)
    period = period_asked(request)
    context = {
        "place": "roster",
        "facility": found,
        "period": period,
        "lines": hours_in(found, period),
        "now": clock.now(),
        "in_hours": in_hours,
    }
    return page(request, "facility/hours.html", context)


def in_hours(count: int, *, signed: bool = False) -> str:
    """Return minutes as hours and minutes, 4 h 30 min; signed, with a plus or minus before it."""
    whole, rest = divmod(abs(count), 60)
    text = _("%(hours)s h %(minutes)s min") % {"hours": whole, "minutes": rest}
    sign = "−" if count < 0 else "+" if count > 0 and signed else ""
    return f"{sign}{text}"


@staff(*ADMINISTERING)
@require_safe
def hours_csv(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """The same as a file, in minutes, for a spreadsheet."""
    found = facility_run_by(request, state_id, facility_id)
    period = period_asked(request)
    name = f"hours-{period.first}-{period.last}.csv"
    response = HttpResponse(
        "\ufeff",
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    writer = csv.writer(response)
    writer.writerow(
        [
            "line",
            "doctor",
            "from",
            "to",
            "planned_so_far_minutes",
            "served_minutes",
            "difference_minutes",
            "days_missed",
            "planned_to_come_minutes",
            "on_duty_now",
            "serves_line_now",
        ]
    )
    for line in hours_in(found, period):
        for row in line.doctors:
            cells: list[Any] = [
                _plain(line.name),
                _plain(row.name),
                period.first,
                period.last,
                row.due,
                row.served,
                row.difference,
                " ".join(str(day) for day in row.comparison.missed),
                row.to_come,
                int(row.comparison.is_serving),
                int(row.serves),
            ]
            writer.writerow(cells)
    return response


def _plain(name: str) -> str:
    """Return a name so that no spreadsheet takes it for a formula."""
    return f"'{name}" if name[:1] in "=+-@\t" else name
