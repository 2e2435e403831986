"""The counter of a spoke: what waits to be handed out, what is shown there, and the stock."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import shortcuts
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.timezone import localdate
from django.views.decorators.http import require_GET, require_http_methods

from sanjeevani.directory.models import AT_THE_COUNTER
from sanjeevani.directory.queries import names_by_post
from sanjeevani.documents.qr import qr_svg
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.prescription.counter import (
    AtCounter,
    GivenBefore,
    ToHandOut,
    at_counter,
    given_before,
    missing_at_counter,
    out_of_stock,
    said_of_stock,
    to_hand_out,
    waiting_at_counter,
)
from sanjeevani.prescription.dispensing import dispense, look_up, say_stock
from sanjeevani.prescription.documents import verification_address
from sanjeevani.prescription.models import Handing, OutOfStock
from sanjeevani.prescription.permissions import may_dispense
from sanjeevani.prescription.queries import Validity, Verification, rule_tables
from sanjeevani.terminology import dosage
from sanjeevani.terminology.models import Medicine
from sanjeevani.terminology.queries import search_medicines
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.patient.consultation_views import unless_known
from sanjeevani.web.patient.views import form_page, language, see
from sanjeevani.web.sent_once import sent_once
from sanjeevani.web.spoke.forms import GIVEN, HandingForm, ShownForm, StockForm
from sanjeevani.web.spoke.turns import render

at_the_counter = staff(*AT_THE_COUNTER)

STOCK_SHOWN = 50
MOST_FOUND = 1000
"""More medicines than the list has."""


@at_the_counter
@require_http_methods(["GET", "POST"])
def counter(request: PortalRequest) -> HttpResponse:
    """What waits; and by POST, what somebody shows. Who does not hand out sees the stock."""
    if (
        request.method == "GET"
        and request.post.facility.is_spoke
        and not may_dispense(request.post)
    ):
        return shortcuts.redirect("spoke:stock")
    form = ShownForm(request.POST or None)
    answer: Verification | None = None
    if request.method == "POST" and form.is_valid():
        shown = look_up(request.actor, **form.cleaned_data["shown"])
        answer = shown.verification
        found = shown.prescription
        if found is not None and answer.validity == Validity.VALID:
            return see(reverse("spoke:hand-out", args=[found.state_id, found.id]))
        form = ShownForm()
    return form_page(
        request,
        "spoke/counter.html",
        form,
        answer=answer,
        facility=request.post.facility,
        **_waiting(request),
    )


@at_the_counter
@require_GET
def counter_list(request: PortalRequest) -> HttpResponseBase:
    """The list alone, fetched again by the page."""
    return unless_known(request, render(request, "spoke/parts/counter.html", _waiting(request)))


def _waiting(request: PortalRequest) -> dict[str, Any]:
    waiting = waiting_at_counter(request.actor)
    today = clock.today()
    return {
        "today": [one for one in waiting if localdate(one.row.since) == today],
        "earlier": [one for one in waiting if localdate(one.row.since) != today],
        "missing": missing_at_counter(request.actor),
    }


@at_the_counter
@require_http_methods(["GET", "POST"])
@sent_once
def hand_out(request: PortalRequest, state_id: int, prescription_id: uuid.UUID) -> HttpResponse:
    """What the patient gets of each medicine, if the prescription holds."""
    found = at_counter(request.actor, state_id, prescription_id)
    medicines = to_hand_out(found.prescription, language())
    open_ones = [one for one in medicines if one.code not in found.elsewhere]
    holds = found.verification.validity == Validity.VALID
    before = given_before(found.prescription, language())
    form = HandingForm(
        open_ones, request.POST or None, initial=_initial(request, found, open_ones, before)
    )
    if request.method == "POST" and form.is_valid():
        try:
            dispense(
                request.actor,
                state_id=state_id,
                prescription_id=prescription_id,
                handed=form.handed(),
            )
            return see(f"{reverse('spoke:hand-out', args=[state_id, prescription_id])}?saved")
        except Invalid as error:
            field = f"{error.field}{GIVEN}"
            form.add_error(field if field in form.fields else None, str(error.message))
    return form_page(
        request,
        "spoke/hand_out.html",
        form,
        at=found,
        holds=holds,
        elsewhere=[one for one in medicines if one.code in found.elsewhere],
        before=before,
        saved="saved" in request.GET,
        consultation_at=reverse(
            "patient:consultation", args=[state_id, found.prescription.consultation_id]
        )
        if request.actor.spoke_id and found.row.shown_to_post_id is None
        else "",
    )


def _initial(
    request: PortalRequest,
    found: AtCounter,
    medicines: list[ToHandOut],
    before: list[GivenBefore],
) -> dict[str, Any]:
    """Return what was given so far; else all of it, unless the spoke has none.

    What the patient has from before is asked for: it may be enough.
    """
    out = out_of_stock(request.post.state_id, request.post.facility_id)
    held = {one.code for one in before}
    initial: dict[str, Any] = {}
    for one in medicines:
        given = found.given.get(one.code)
        if given is not None:
            initial |= {one.code: given.handing, one.code + GIVEN: given.given}
        elif one.code not in held:
            initial[one.code] = Handing.NONE if one.code in out else Handing.FULL
    return initial


@at_the_counter
@require_GET
def slip(request: PortalRequest, state_id: int, prescription_id: uuid.UUID) -> HttpResponse:
    """What the patient has to get elsewhere, on paper."""
    found = at_counter(request.actor, state_id, prescription_id)
    if found.verification.validity != Validity.VALID:
        raise NotFound
    given = found.given
    context = {
        "at": found,
        "missing": [
            (one, given[one.code].given if one.code in given else None)
            for one in to_hand_out(found.prescription, language())
            if one.code in found.row.missing
        ],
        "facility": request.post.facility,
        "qr": qr_svg(verification_address(found.prescription)),
        "now": clock.now(),
    }
    return shortcuts.render(request, "spoke/missing_slip.html", context)


@dataclass(frozen=True)
class Stocked:
    """A medicine of the list, and what was said last of it at the spoke, by whom."""

    medicine: Medicine
    form: str
    said: OutOfStock | None
    by: str

    @property
    def is_out(self) -> bool:
        """Whether the spoke has none."""
        return self.said is not None and self.said.back_at is None


@at_the_counter
@require_http_methods(["GET", "POST"])
def stock(request: PortalRequest) -> HttpResponse:
    """All medicines of the list: which of them the spoke has none of. By POST one is changed."""
    words = request.GET.get("q", "").replace("\x00", "")[:100].strip()
    only = "out" if request.GET.get("only") == "out" else ""
    if request.method == "POST":
        return _say(request, words, only)
    post = request.post
    said = said_of_stock(post.state_id, post.facility_id)
    listed = rule_tables().medicines
    if words:
        found = search_medicines(words, MOST_FOUND)
    else:
        found = sorted(listed.values(), key=lambda one: (one.generic_name, one.form, one.amounts))
    rows = [one for one in found if not only or _is_out(said.get(one.code))]
    pages = Paginator(rows, STOCK_SHOWN)
    page = pages.get_page(request.GET.get("page", "1"))
    shown = [said[one.code] for one in page.object_list if one.code in said]
    names = names_by_post(post.state_id, [one.by_post_id for one in shown if one.by_post_id])
    context = {
        "rows": [_stocked(one, said.get(one.code), names) for one in page.object_list],
        "page": page,
        "words": words,
        "only": only,
        "found": pages.count,
        "out": sum(_is_out(one) for one in said.values()),
        "changed": listed.get(request.GET.get("changed", "")),
        "changed_to": request.GET.get("to", ""),
        "hands_out": may_dispense(post),
        "facility": post.facility,
    }
    return render(request, "spoke/stock.html", context)


def _is_out(said: OutOfStock | None) -> bool:
    return said is not None and said.back_at is None


def _stocked(medicine: Medicine, said: OutOfStock | None, names: dict[uuid.UUID, str]) -> Stocked:
    by = names.get(said.by_post_id, "") if said and said.by_post_id else ""
    return Stocked(medicine, dosage.forms()[medicine.form].name_in(language()), said, by)


def _say(request: PortalRequest, words: str, only: str) -> HttpResponse:
    form = StockForm(request.POST)
    if not form.is_valid():
        raise Invalid
    code, to = form.cleaned_data["medicine"], form.cleaned_data["to"]
    say_stock(request.actor, medicine_code=code, in_stock=to == "in")
    kept = {
        "q": words,
        "only": only,
        "page": request.GET.get("page", ""),
        "changed": code,
        "to": to,
    }
    query = urlencode({name: value for name, value in kept.items() if value})
    return see(f"{reverse('spoke:stock')}?{query}")
