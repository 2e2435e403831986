"""A facility today, and its holidays."""

import hashlib
import uuid

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_POST, require_safe

from sanjeevani.directory.models import Role
from sanjeevani.directory.permissions import runs_state
from sanjeevani.directory.queries import clinics_at, holidays_at
from sanjeevani.directory.queries import state as state_by_code
from sanjeevani.directory.services import add_holidays, remove_holiday
from sanjeevani.foundation import clock
from sanjeevani.grievance.queries import waiting_for
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.forms import HolidayForm
from sanjeevani.web.administration.pages import (
    ADMINISTERING,
    errors_beside,
    facility_run_by,
    get_or_post,
    page,
    require_runs,
    see,
    sent,
)
from sanjeevani.web.facility.today import opds_today
from sanjeevani.web.patient.views import name_of


@staff(Role.FACILITY_ADMIN)
@require_safe
def own(request: PortalRequest) -> HttpResponse:
    """Lead to the facility of the post."""
    post = request.post
    return see(reverse("facility:board", args=[post.state_id, post.facility_id]))


@staff(*ADMINISTERING)
@require_safe
def board(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Each OPD today: hours, who is on duty, who waits, and what to do next."""
    found = facility_run_by(request, state_id, facility_id)
    context = {
        "place": "board",
        "facility": found,
        "state": state_by_code(state_id),
        "governs": runs_state(request.post, state_id),
        "opds": opds_today(state_id, facility_id),
        "now": clock.now(),
        # Others have theirs on their own first page.
        "waiting": waiting_for(request.post, state_id)
        if request.post.role == Role.FACILITY_ADMIN
        else None,
        "live": settings.GATEWAY_URL,
        "moved": request.GET.get("moved", "")[:6],
        "told": request.GET.get("told", "")[:6],
    }
    return page(request, "facility/board.html", context)


@staff(*ADMINISTERING)
@require_safe
def rows(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponseBase:
    """The part of the board that moves, or 304 while nothing has moved."""
    require_runs(request, state_id, facility_id)
    context = {
        "opds": opds_today(state_id, facility_id),
        "name_of": name_of,
        "now": clock.now(),
        "post": request.post,
    }
    response = render(request, "facility/parts/rows.html", context)
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@staff(*ADMINISTERING)
@get_or_post
def holidays(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """The holidays to come; add some."""
    found = facility_run_by(request, state_id, facility_id)
    clinics = [item.clinic for item in clinics_at(state_id, facility_id)]
    choices = [(str(one.id), name_of(one)) for one in clinics]
    form = HolidayForm(choices, sent(request))
    if request.method == "POST" and form.is_valid():
        first, last = form.days()
        with errors_beside(form):
            count = add_holidays(
                request.actor,
                state_id=state_id,
                facility_id=facility_id,
                clinic_id=uuid.UUID(form.cleaned_data["clinic"])
                if form.cleaned_data["clinic"]
                else None,
                first=first,
                last=last,
                reason=form.cleaned_data["reason"],
            )
            here = reverse("facility:holidays", args=[state_id, facility_id])
            return see(here, done="holidays_added", count=count)
    context = {
        "place": "holidays",
        "facility": found,
        "form": form,
        "holidays": holidays_at(state_id, facility_id),
        "names": {one.id: name_of(one) for one in clinics},
        "count": request.GET.get("count", "")[:3],
        "undo": _undo(request, choices),
    }
    return page(request, "facility/holidays.html", context, form)


def _undo(request: PortalRequest, choices: list[tuple[str, str]]) -> HolidayForm | None:
    """Return the holiday that was just removed, to be added again by one press."""
    if request.GET.get("done") != "holiday_removed":
        return None
    form = HolidayForm(choices, request.GET)
    return form if form.is_valid() else None


@staff(*ADMINISTERING)
@require_POST
def remove(
    request: PortalRequest, state_id: int, facility_id: uuid.UUID, holiday_id: uuid.UUID
) -> HttpResponse:
    """Open again on a day. It can be undone on the page that follows."""
    require_runs(request, state_id, facility_id)
    gone = remove_holiday(request.actor, state_id=state_id, holiday_id=holiday_id)
    here = reverse("facility:holidays", args=[state_id, facility_id])
    return see(
        here,
        done="holiday_removed",
        reason=gone.reason,
        clinic=str(gone.clinic_id or ""),
        first_day=gone.date.day,
        first_month=gone.date.month,
        first_year=gone.date.year,
    )
