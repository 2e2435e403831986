"""The patient's papers: prescription, day plan, links for others, and the token slip."""

import contextlib
import uuid

from django import forms, shortcuts
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.documents.errors import LinkDead
from sanjeevani.foundation.errors import DomainError, NotFound
from sanjeevani.prescription import sharing
from sanjeevani.prescription.documents import render_pdf
from sanjeevani.prescription.queries import Issued, issued
from sanjeevani.web.access import PortalRequest, carer, patient
from sanjeevani.web.fields import PlainForm, PlainTextField
from sanjeevani.web.patient.day_plan import day_plan
from sanjeevani.web.patient.views import language, name_of, see
from sanjeevani.web.slips import slip_facts, slip_pdf
from sanjeevani.web.spoke.turns import render


class ShareForm(PlainForm):
    """A name by which the patient knows the link again."""

    made_for = PlainTextField(
        label=_("Who is the link for?"),
        help_text=_("For example: the pharmacy, or my son. Only you see this."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Write who the link is for, to know it again later.")},
    )


def _signed(consultation: Consultation, number: str = "") -> Issued:
    found = issued(consultation, number)
    if found is None:
        raise NotFound
    return found


@carer
@require_GET
def prescription_pdf(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID
) -> HttpResponse:
    """A prescription to keep and to print: the newest, or the one of a `number`."""
    found = own_consultation(request.actor, state_id, consultation_id)
    prescription = _signed(found, request.GET.get("number", "")).prescription
    wanted = request.GET.get("language", "")
    known = wanted if wanted in dict(settings.LANGUAGES) else language()
    return HttpResponse(
        render_pdf(prescription, known),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{prescription.number}-{known}.pdf"'},
    )


@carer
@require_GET
def plan(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The day plan on a sheet of its own, to print and hang up."""
    found = own_consultation(request.actor, state_id, consultation_id)
    signed = _signed(found)
    if signed.ending is not None:
        # A plan of medicines that should not be taken any more is not put on paper.
        return see(reverse("patient:consultation", args=[state_id, consultation_id]))
    context = {
        "consultation": found,
        "prescription": signed.prescription,
        "plan": day_plan(signed.prescription, language()),
    }
    return shortcuts.render(request, "patient/day_plan.html", context)


@patient
@never_cache
@require_http_methods(["GET", "POST"])
def share_prescription(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID
) -> HttpResponse:
    """Make a link for the family or the pharmacy; see which work, and end them."""
    found = own_consultation(request.actor, state_id, consultation_id)
    signed = _signed(found)
    form = ShareForm(request.POST or None)
    address = ""
    refusal: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            _link, token = sharing.share_prescription(
                request.actor,
                prescription=signed.prescription,
                made_for=form.cleaned_data["made_for"],
            )
        except DomainError as error:
            refusal = error
        else:
            address = settings.PUBLIC_URL + reverse("web:shared", args=[token])
            form = ShareForm()
    context = {
        "consultation": found,
        "prescription": signed.prescription,
        "ending": signed.ending,
        "form": form,
        "refusal": refusal,
        "address": address,
        "birth_year": signed.prescription.content["patient"]["birth_date"][:4],
        "links": sharing.links_of(found),
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "patient/share.html", context, status=status)


@patient
@require_POST
def end_link(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID, link_id: uuid.UUID
) -> HttpResponse:
    """End a link; one that has ended meanwhile is as good."""
    with contextlib.suppress(LinkDead):
        sharing.end_link(
            request.actor, state_id=state_id, consultation_id=consultation_id, link_id=link_id
        )
    page = reverse("patient:share", args=[state_id, consultation_id])
    return see(f"{page}#links")


@carer
@require_GET
def slip(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The token on a slip of paper, for the hand and the counter's printer."""
    found = _holding_a_token(request, state_id, consultation_id)
    context = {"consultation": found, "slip": slip_facts(found), "name_of": name_of}
    return shortcuts.render(request, "patient/slip.html", context)


@carer
@require_GET
def slip_as_pdf(request: PortalRequest, state_id: int, consultation_id: uuid.UUID) -> HttpResponse:
    """The same as a PDF of 80 mm."""
    return slip_pdf(_holding_a_token(request, state_id, consultation_id), language())


def _holding_a_token(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID
) -> Consultation:
    found = own_consultation(request.actor, state_id, consultation_id)
    if found.status != ConsultationStatus.REQUESTED:
        raise NotFound
    return found
