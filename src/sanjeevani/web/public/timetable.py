"""When which OPD is open, who is on duty and how long the wait is: by state and speciality."""

import datetime
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from sanjeevani.consultation.offers import OnDuty, on_duty_in
from sanjeevani.directory.models import ClinicHours, State
from sanjeevani.directory.queries import (
    OpenClinic,
    clinics_serving,
    states,
    weekly_hours,
)
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation import clock
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.queueing.queries import expected_waits, places_taken
from sanjeevani.terminology.queries import specialities
from sanjeevani.web.access import PortalRequest, public
from sanjeevani.web.fields import PlainForm
from sanjeevani.web.patient.views import language, name_of

KEPT_SECONDS = 10
"""A page that thousands look at asks the tables of the queue six times a minute."""

Openings = tuple[tuple[datetime.time, datetime.time], ...]


@dataclass(frozen=True)
class Days:
    """Weekdays in a row (0 is Monday) with the same openings."""

    first: int
    last: int
    openings: Openings

    @property
    def words(self) -> str:
        """Monday, or Monday to Saturday, or Every day."""
        if (self.first, self.last) == (0, 6):
            return str(_("Every day"))
        if self.first == self.last:
            return str(WEEKDAYS[self.first])
        return str(_("%(first)s to %(last)s")) % {
            "first": WEEKDAYS[self.first],
            "last": WEEKDAYS[self.last],
        }

    @property
    def is_round_the_clock(self) -> bool:
        """Whether it never closes on these days."""
        return any(
            opens == datetime.time.min and closes >= datetime.time(23, 59)
            for opens, closes in self.openings
        )


def week_of(hours: Mapping[int, Sequence[ClinicHours | Opening]]) -> list[Days]:
    """Return a week, days in a row with the same openings or shifts as one, empty ones left out."""
    week: list[tuple[int, Openings]] = [
        (weekday, tuple((row.opens, row.closes) for row in hours.get(weekday, ())))
        for weekday in range(7)
    ]
    days = []
    for openings, group in groupby(week, key=lambda item: item[1]):
        weekdays = [weekday for weekday, _openings in group]
        if openings:
            days.append(Days(weekdays[0], weekdays[-1], openings))
    return days


@dataclass(frozen=True)
class Opd:
    """A line of the timetable. `wait` is None when no doctor is on duty."""

    offered: OpenClinic
    week: list[Days]
    on_duty: OnDuty
    wait: WaitInterval | None
    is_full: bool


def opds_of(state_id: int) -> list[Opd]:
    """Return the OPDs that serve a state's patients, the shortest wait first; seconds old."""
    found: list[Opd] | None = cache.get_or_set(
        f"timetable.{state_id}", lambda: _read(state_id), KEPT_SECONDS
    )
    return found or []


def _read(state_id: int) -> list[Opd]:
    clinics = clinics_serving(state_id)
    hours = weekly_hours((item.clinic.state_id, item.clinic.id) for item in clinics)
    by_tenant: dict[int, list[uuid.UUID]] = {}
    for item in clinics:
        by_tenant.setdefault(item.line.state_id, []).append(item.line.id)
    waits: dict[uuid.UUID, WaitInterval | None] = {}
    taken: dict[uuid.UUID, int] = {}
    for tenant, line_ids in by_tenant.items():
        waits |= expected_waits(tenant, line_ids)
        taken |= places_taken(tenant, line_ids, clock.today())
    on_duty = on_duty_in(by_tenant)
    found = [
        Opd(
            item,
            week_of(hours.get(item.clinic.id, {})),
            on_duty[item.line.id],
            waits[item.line.id],
            taken[item.line.id] >= item.line.places_per_day,
        )
        for item in clinics
    ]
    return sorted(found, key=lambda opd: (opd.is_full, opd.wait.high if opd.wait else math.inf))


class SearchForm(PlainForm):
    """Which state, and which speciality if one is meant."""

    state = forms.TypedChoiceField(label=_("State or union territory"), coerce=int)
    speciality = forms.ChoiceField(label=_("Speciality"), required=False)

    def __init__(self, found: Sequence[State], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose")),
            *((state.lgd_code, state_name(state)) for state in found),
        ]
        self.fields["speciality"].choices = [  # type: ignore[attr-defined]
            ("", _("All")),
            *((one.code, one.name_in(language())) for one in specialities()),
        ]


def state_name(state: State) -> str:
    """Return the name of a state in the reader's language."""
    return state.name_hi if language() == "hi" else state.name


@public
@require_safe
def timetable(request: PortalRequest) -> HttpResponse:
    """The OPDs of a state; without one, the form that asks which."""
    known = states()
    asked = "state" in request.GET
    form = SearchForm(known, request.GET if asked else None, initial={"state": _home(request)})
    context: dict[str, Any] = {"form": form, "name_of": name_of, "state": None}
    if asked and form.is_valid():
        state_id, code = form.cleaned_data["state"], form.cleaned_data["speciality"]
        context |= {
            "state": next(state_name(state) for state in known if state.lgd_code == state_id),
            "opds": [
                opd
                for opd in opds_of(state_id)
                if not code or opd.offered.clinic.speciality_code == code
            ],
            "at": clock.now(),
        }
    return render(request, "public/timetable.html", context, status=422 if form.errors else 200)


def _home(request: PortalRequest) -> int | None:
    session = request.session_info
    return session.home_state_id if session else None
