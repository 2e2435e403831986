"""The doctor's roster: two weeks, what colleagues ask, shifts to give away, and leave."""

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sanjeevani.directory.models import Practitioner
from sanjeevani.directory.queries import clinics_of_lines, hub_lines, lines_by_id, practitioners
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted
from sanjeevani.roster.leave import LONGEST_DAYS, cancel_leave, take_leave
from sanjeevani.roster.models import ShiftOffer
from sanjeevani.roster.planning import ONE_DAY
from sanjeevani.roster.queries import assigned_lines, leave_from, offers_of, planned_for, serving
from sanjeevani.roster.swaps import accept_shift, decline_shift, offer_shift, withdraw_shift
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.doctor.views import doctors, practitioner_of
from sanjeevani.web.doctor.words import clinic_name
from sanjeevani.web.fields import PlainForm
from sanjeevani.web.names import hub_names
from sanjeevani.web.rosters import (
    LeaveForm,
    ShownShift,
    Week,
    date_parts,
    monday_of,
    people_in,
    shown,
    undone_leave,
    week_asked,
    week_written,
)


class OfferForm(PlainForm):
    """The colleague who is asked to take over."""

    taker = forms.ChoiceField(label=_("Colleague"))

    def __init__(self, colleagues: list[Practitioner], data: QueryDict | None) -> None:
        super().__init__(data)
        self.fields["taker"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose")),
            *((str(one.id), one.name) for one in colleagues),
        ]


class AnswerForm(PlainForm):
    """A button about an offer or a leave; what is refused stands above the page."""


@dataclass(frozen=True)
class MyShift:
    """One of the doctor's shifts, with the line's key and name."""

    state_id: int
    line_id: uuid.UUID
    name: str
    shown: ShownShift

    @property
    def begins(self) -> int:
        """When it begins, as addresses have it: seconds since 1970."""
        return int(self.shown.span.begins.timestamp())


@dataclass(frozen=True)
class MyDay:
    """A day of the doctor's: leave, holidays of the lines (name, reason), shifts."""

    day: datetime.date
    on_leave: bool
    holidays: list[tuple[str, str]]
    shifts: list[MyShift]


@dataclass(frozen=True)
class MyRoster:
    """Two weeks of a doctor's, with the swaps to come."""

    days: list[MyDay]
    offers: list[ShiftOffer]
    people: dict[uuid.UUID, Practitioner]
    lines: dict[uuid.UUID, str]


def names_of(lines: list[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, str]:
    """Return the names of OPDs and hubs' specialities, without follow-up lanes."""
    hubs = {key: line for key, line in hub_lines(lines).items() if key == line.id}
    clinics = clinics_of_lines(lines)
    return {key: clinic_name(clinic) for key, clinic in clinics.items()} | hub_names(hubs)


def roster_of(practitioner: Practitioner, week: Week) -> MyRoster:
    """Read a doctor's roster of a week and the one after it."""
    first, last = week.first, week.last + ONE_DAY * 7
    lines = planned_for(practitioner.id, first, last)
    names = names_of(list(lines))
    offers = offers_of(practitioner.id)
    swapped = [one for known, _shifts in lines.values() for one in known.taken_over]
    people = people_in([(practitioner.state_id, practitioner.id)], [*offers, *swapped])
    days = {
        day: MyDay(
            day,
            any(day in known.away.get(practitioner.id, ()) for known, _shifts in lines.values()),
            [
                (names[line_id], known.closed[day])
                for (_state, line_id), (known, _shifts) in lines.items()
                if day in known.closed and line_id in names
            ],
            [],
        )
        for day in (*week.days, *(day + ONE_DAY * 7 for day in week.days))
    }
    for (state_id, line_id), (known, _shifts) in lines.items():
        here = [one for one in offers if one.line_id == line_id]
        for (who, day), rows in shown(known, first, last, here, people).items():
            if who == practitioner.id:
                days[day].shifts.extend(
                    MyShift(state_id, line_id, names.get(line_id, ""), row) for row in rows
                )
    for one in days.values():
        one.shifts.sort(key=lambda shift: shift.shown.span)
    return MyRoster(list(days.values()), offers, people, names)


@doctors
@require_http_methods(["GET", "HEAD", "POST"])
def roster(request: PortalRequest) -> HttpResponse:
    """The doctor's own roster; answer, withdraw, note and cancel leave."""
    practitioner = practitioner_of(request)
    do, _colon, argument = request.POST.get("do", "").partition(":")
    sent = request.POST if request.method == "POST" else None
    form = LeaveForm(sent if do == "leave" else None)
    answer = AnswerForm(sent if do and do != "leave" else None)

    def note() -> dict[str, Any]:
        first, last = form.days()
        take_leave(request.actor, practitioner=practitioner, first=first, last=last)
        return {"done": "leave", **_week_with(first)}

    def cancel() -> dict[str, Any]:
        first, last = cancel_leave(
            request.actor, practitioner=practitioner, leave_id=_id_of(argument)
        )
        return {
            "done": "leave_cancelled",
            **date_parts("first", first),
            **date_parts("last", last),
        }

    def accept() -> dict[str, Any]:
        accept_shift(request.actor, taker=practitioner, **_offer_of(argument))
        return {"done": "accepted"}

    def decline() -> dict[str, Any]:
        decline_shift(request.actor, taker=practitioner, **_offer_of(argument))
        return {"done": "declined"}

    def withdraw() -> dict[str, Any]:
        withdraw_shift(request.actor, giver=practitioner, **_offer_of(argument))
        return {"done": "withdrawn"}

    acts: dict[str, tuple[forms.Form, Callable[[], dict[str, Any]]]] = {
        "leave": (form, note),
        "cancel": (answer, cancel),
        "accept": (answer, accept),
        "decline": (answer, decline),
        "withdraw": (answer, withdraw),
    }
    if do in acts:
        used, act = acts[do]
        if used.is_valid():
            try:
                return _see(reverse("doctor:roster"), **act())
            except (NotFound, NotPermitted):
                raise
            except DomainError as error:
                used.add_error(
                    error.field if error.field in used.fields else None, str(error.message)
                )
    week = Week(week_asked(request.GET.get("week", "")))
    context = {
        "roster": roster_of(practitioner, week),
        "week": week,
        "today": clock.today(),
        "this_week": monday_of(clock.today()),
        "leave": leave_from(clock.today(), [practitioner.id]),
        "form": form,
        "answer": answer,
        "done": request.GET.get("done", ""),
        "undo": undone_leave(request.GET),
    }
    return _page(request, "doctor/roster.html", context, form, answer)


@doctors
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: PortalRequest, state_id: int, line_id: uuid.UUID, begins: int) -> HttpResponse:
    """Choose the colleague who is asked to take over a shift."""
    practitioner = practitioner_of(request)
    if (state_id, line_id) not in assigned_lines(practitioner.id):
        raise NotFound
    shift = _shift_of(practitioner, line_id, begins)
    keys = [key for key in serving([line_id])[line_id] if key[1] != practitioner.id]
    colleagues = sorted(practitioners(keys).values(), key=lambda one: one.name)
    form = OfferForm(colleagues, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        taker = next(one for one in colleagues if str(one.id) == form.cleaned_data["taker"])
        try:
            offer_shift(
                request.actor,
                giver=practitioner,
                line=lines_by_id([(state_id, line_id)])[line_id],
                begins_at=shift.shown.span.begins,
                taker=taker,
            )
            return _see(
                reverse("doctor:roster"), done="offered", **_week_with(shift.shown.shift.day)
            )
        except (NotFound, NotPermitted):
            raise
        except DomainError as error:
            form.add_error("taker", str(error.message))
    context = {"shift": shift, "colleagues": colleagues, "form": form}
    return _page(request, "doctor/offer.html", context, form)


def _shift_of(practitioner: Practitioner, line_id: uuid.UUID, begins: int) -> MyShift:
    """Return a shift of the doctor's that begins then, in a year at most. Raises NotFound."""
    ahead = begins - int(clock.now().timestamp())
    if abs(ahead) > LONGEST_DAYS * 86_400:
        raise NotFound
    begins_on = localdate(clock.now() + datetime.timedelta(seconds=ahead))
    read = roster_of(practitioner, Week(monday_of(begins_on)))
    for day in read.days:
        for shift in day.shifts:
            if (shift.line_id, shift.begins) == (line_id, begins):
                return shift
    raise NotFound


def _week_with(day: datetime.date) -> dict[str, str]:
    """Return what an address says to show a day that is not in the two weeks it shows anyway."""
    weeks = (monday_of(day) - monday_of(clock.today())).days // 7
    return {} if weeks in (0, 1) else {"week": week_written(day)}


def _see(address: str, **said: Any) -> HttpResponse:
    return HttpResponseRedirect(f"{address}?{urlencode(said)}", status=303)


def _page(
    request: PortalRequest, template: str, context: dict[str, Any], *said: forms.Form
) -> HttpResponse:
    failed = any(form.is_bound and form.errors for form in said)
    shared = {
        "place": "roster",
        "practitioner": practitioner_of(request),
        "failed": failed,
        "failing": said,
    }
    return render(request, template, shared | context, status=422 if failed else 200)


def _id_of(written: str) -> uuid.UUID:
    try:
        return uuid.UUID(written)
    except ValueError:
        raise NotFound from None


def _offer_of(argument: str) -> dict[str, Any]:
    """Return the offer that a button names, `<state>.<id>`. Raises NotFound."""
    state_id, _dot, offer_id = argument.partition(".")
    if not state_id.isdecimal() or len(state_id) > 4:
        raise NotFound
    return {"state_id": int(state_id), "offer_id": _id_of(offer_id)}
