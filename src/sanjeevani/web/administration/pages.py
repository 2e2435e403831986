"""What the administrators' workplaces share: whom they admit, one form a page, lists in parts."""

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from sanjeevani.directory.models import Facility, Role, State
from sanjeevani.directory.permissions import runs_facility, runs_state
from sanjeevani.directory.queries import Part, registered_facility
from sanjeevani.directory.queries import state as state_by_code
from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.fields import PlainForm, PlainTextField
from sanjeevani.web.patient.views import name_of
from sanjeevani.web.public.timetable import state_name

GOVERNING = (Role.STATE_ADMIN, Role.NATIONAL_ADMIN)
ADMINISTERING = (Role.FACILITY_ADMIN, *GOVERNING)
PART = 25
"""Rows of a long list on one page."""

get_or_post = require_http_methods(["GET", "HEAD", "POST"])
Row = TypeVar("Row")


def state_run_by(request: PortalRequest, state_id: int) -> State:
    """Return a state that the post administers. Raises NotPermitted, before anything is read."""
    if not runs_state(request.post, state_id):
        raise NotPermitted
    return state_by_code(state_id)


def facility_run_by(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> Facility:
    """Return a facility that the post administers. Raises NotPermitted, NotFound."""
    if not runs_facility(request.post, state_id, facility_id):
        raise NotPermitted
    return registered_facility(state_id, facility_id)


def require_runs(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> None:
    """Let those pass who administer the facility. Raises NotPermitted."""
    if not runs_facility(request.post, state_id, facility_id):
        raise NotPermitted


def sent(request: PortalRequest) -> QueryDict | None:
    """Return what a form carried, None when the page is only opened."""
    return request.POST if request.method == "POST" else None


def see(address: str, **said: str | int) -> HttpResponse:
    """Go on to a page; `said` tells it what was done."""
    return HttpResponseRedirect(f"{address}?{urlencode(said)}" if said else address, status=303)


@contextlib.contextmanager
def errors_beside(form: forms.Form) -> Iterator[None]:
    """Put what a verb refuses beside the field that it names, or above the form."""
    try:
        yield
    except (NotFound, NotPermitted):
        raise
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error.message))


def page(
    request: PortalRequest,
    template: str,
    context: Mapping[str, Any],
    *said: forms.BaseForm,
    status: int = 200,
) -> HttpResponse:
    """Render a page; 422 when one of the forms on it was filled in wrong."""
    failed = any(form.is_bound and form.errors for form in said)
    shared = {
        "post": request.post,
        "name_of": name_of,
        "state_name": state_name,
        "done": request.GET.get("done", ""),
        "failed": failed,
        "failing": said,
    }
    return render(request, template, {**shared, **context}, status=422 if failed else status)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A page with one form, or one decision.

    `lead`: what to know before; `points`: what will happen. `danger`: it cannot be undone. `seen`:
    the seal of what the form is filled with.
    """

    title: str
    action: str
    back: str
    lead: str = ""
    points: Sequence[str] = ()
    danger: bool = False
    rows: Sequence[tuple[str, str]] = ()
    seen: str = ""


def ask(
    request: PortalRequest, question: Question, form: forms.Form, **context: Any
) -> HttpResponse:
    """Render a question."""
    template = "administration/question.html"
    return page(request, template, {"question": question, "form": form, **context}, form)


class DecisionForm(PlainForm):
    """Nothing to fill in: the button is the answer. What a verb refuses stands above it."""


class SearchForm(PlainForm):
    """Words that a list is searched for."""

    words = PlainTextField(required=False, max_length=60)

    @classmethod
    def of(cls, request: PortalRequest) -> str:
        """Return the words of the address, or none."""
        form = cls(request.GET)
        return form.cleaned_data["words"] if form.is_valid() else ""


@dataclass(frozen=True)
class Pages(Generic[Row]):
    """One page of a long list."""

    rows: Sequence[Row]
    count: int
    number: int
    words: str

    @property
    def last(self) -> int:
        """The number of the last page; 1 for an empty list."""
        return max(1, -(-self.count // PART))


def part_of(request: PortalRequest) -> tuple[int, str]:
    """Return the number of the page asked for, from 1, and the words searched for."""
    given = request.GET.get("page", "1")
    number = int(given) if given.isdecimal() and len(given) < 5 else 1
    return max(1, number), SearchForm.of(request)


def pages(part: Part[Row], number: int, words: str) -> Pages[Row]:
    """Return a part of a list as a page."""
    return Pages(part.rows, part.count, number, words)


def start_of(number: int) -> int:
    """Return how many rows stand before a page."""
    return (number - 1) * PART
