"""Correcting and cancelling a signed prescription, during the consultation and after it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import for_practitioner, writing_of
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation.errors import DomainError, NotFound
from sanjeevani.prescription.documents import medicines_in
from sanjeevani.prescription.errors import MedicineRefused
from sanjeevani.prescription.models import Prescription
from sanjeevani.prescription.permissions import (
    require_cancellable,
    require_prescriber,
    require_replaceable,
)
from sanjeevani.prescription.queries import (
    draft_of,
    prescription_in_force,
    seal_of_draft,
)
from sanjeevani.prescription.rules import Finding
from sanjeevani.prescription.services import (
    REASON_LENGTH,
    SHORTEST_REASON,
    add_item,
    cancel,
    remove_item,
    supersede,
)
from sanjeevani.prescription.shorthand import ItemContent, parse
from sanjeevani.terminology.models import Medicine
from sanjeevani.terminology.queries import medicines_coded
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.doctor import words
from sanjeevani.web.doctor.forms import LineForm, refuse
from sanjeevani.web.doctor.views import doctors, practitioner_of
from sanjeevani.web.doctor.writing import REASON
from sanjeevani.web.fields import PlainForm, PlainTextField


class ReasonForm(PlainForm):
    """Why, for the patient to read."""

    reason = PlainTextField(
        label=gettext_lazy("Why? The patient reads this"),
        min_length=SHORTEST_REASON,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": gettext_lazy("Write why, in words that the patient understands."),
            "min_length": gettext_lazy("Write why, in words that the patient understands."),
            "max_length": gettext_lazy("Please shorten the reason to 300 characters."),
        },
    )


def _find(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID
) -> tuple[Practitioner, Consultation, Prescription]:
    """Return whose prescription is corrected. Raises NotFound, NotPermitted."""
    practitioner = practitioner_of(request)
    consultation = for_practitioner(request.actor, practitioner, state_id, consultation_id)
    require_prescriber(request.actor, practitioner, consultation)
    signed = prescription_in_force(consultation)
    if signed is None:
        raise NotFound(_("There is no prescription here that still holds."))
    return practitioner, consultation, signed


def _record(consultation: Consultation, done: str) -> HttpResponse:
    page = reverse("doctor:record", args=[consultation.state_id, consultation.id])
    return HttpResponseRedirect(f"{page}?{done}=1#signed-title", status=303)


@doctors
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_signed(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID
) -> HttpResponse:
    """Ask why, then cancel."""
    practitioner, consultation, signed = _find(request, state_id, consultation_id)
    require_cancellable(signed)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            cancel(
                request.actor,
                practitioner=practitioner,
                state_id=state_id,
                prescription_id=signed.id,
                reason=form.cleaned_data["reason"],
            )
        except DomainError as error:
            refuse(form, error)
        else:
            return _record(consultation, "cancelled")
    return render(
        request,
        "doctor/cancel_prescription.html",
        _context(practitioner, consultation, signed) | {"form": form},
        status=422 if form.errors else 200,
    )


def _context(
    practitioner: Practitioner, consultation: Consultation, signed: Prescription
) -> dict[str, Any]:
    return {
        "place": "",
        "practitioner": practitioner,
        "consultation": consultation,
        "signed": signed,
        "medicines": medicines_in(signed, words.reader_language()),
        **words.FUNCTIONS,
    }


@dataclass
class Correction:
    """What the doctor does to the draft of a replacement."""

    request: PortalRequest
    at: dict[str, Any]
    line: forms.Form = field(default_factory=LineForm)
    reason: forms.Form = field(default_factory=ReasonForm)
    choices: list[Medicine] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)

    def keep_reasons(self, consultation: Consultation, data: QueryDict) -> str:
        """Store the reasons typed beside medicines that ask for one.

        Returns the seal of what the doctor looked at, these reasons with it.
        """
        draft, written = draft_of(consultation), writing_of(consultation)
        seen = data.get("seen", "")
        unchanged = seen == seal_of_draft(draft, written)
        for line in draft:
            typed = data.get(f"{REASON}{line.item.id}", line.item.override_reason).strip()[:200]
            if typed != line.item.override_reason:
                line.item.override_reason = typed
                names = ItemContent.__dataclass_fields__
                self._add(ItemContent(**{name: getattr(line.item, name) for name in names}))
        return seal_of_draft(draft, written) if unchanged else seen

    def add(self, data: QueryDict, chosen_code: str) -> None:
        """Read a line as typed and put it into the draft, in place of the same medicine's."""
        self.line = LineForm(data)
        if not self.line.is_valid():
            return
        chosen = medicines_coded([chosen_code]).get(chosen_code)
        reading = parse(self.line.cleaned_data["line"], chosen)
        if reading.item is not None:
            if self._add(reading.item):
                self.line = LineForm()
            return
        if not reading.unread:  # it would not be read for the chosen one either
            self.choices = (reading.choices or reading.nearest)[:8]
        self.line.add_error("line", words.not_one(reading))

    def _add(self, item: ItemContent) -> bool:
        try:
            add_item(self.request.actor, **self.at, item=item)
        except MedicineRefused as error:
            self.refused = list(error.findings)
            self.line.add_error("line", _("Not added: see the reason below."))
            return False
        except DomainError as error:
            if error.status != 422:
                raise
            self.line.add_error("line", str(error.message))
            return False
        return True

    def remove(self, item_id: str) -> None:
        """Take a line out; pressed twice, or made up, it is gone as well."""
        try:
            remove_item(self.request.actor, **self.at, item_id=uuid.UUID(item_id))
        except (ValueError, NotFound):
            return

    @property
    def failed(self) -> bool:
        """Whether something could not be done."""
        return bool(self.line.errors or self.reason.errors)


@doctors
@require_http_methods(["GET", "HEAD", "POST"])
def replace_signed(
    request: PortalRequest, state_id: int, consultation_id: uuid.UUID
) -> HttpResponse:
    """Correct the lines, say why, and sign in place of the one that holds."""
    practitioner, consultation, signed = _find(request, state_id, consultation_id)
    require_replaceable(consultation)
    at = {
        "practitioner": practitioner,
        "state_id": state_id,
        "consultation_id": consultation_id,
    }
    correction = Correction(request, at)
    if request.method == "POST":
        action, _colon, argument = request.POST.get("do", "add").partition(":")
        seen = correction.keep_reasons(consultation, request.POST)
        correction.reason = ReasonForm(initial={"reason": request.POST.get("reason", "")})
        if action == "remove":
            correction.remove(argument)
        elif action == "sign":
            replaced = _replace(correction, practitioner, signed, seen)
            if replaced:
                return _record(consultation, "replaced")
        elif action == "add":
            correction.add(request.POST, argument)
    draft = draft_of(consultation)
    return render(
        request,
        "doctor/replace_prescription.html",
        _context(practitioner, consultation, signed)
        | {
            "form": correction.reason if correction.reason.errors else correction.line,
            "correction": correction,
            "draft": draft,
            "seen": seal_of_draft(draft, writing_of(consultation)),
            "failed": correction.failed,
        },
        status=422 if correction.failed else 200,
    )


def _replace(
    correction: Correction, practitioner: Practitioner, signed: Prescription, seen: str
) -> bool:
    data = correction.request.POST
    correction.reason = ReasonForm(data)
    if data.get("line", "").strip():
        # A line that was typed but not added would be missing on the prescription.
        correction.line = LineForm(data)
        correction.line.add_error("line", _("This line is not added yet. Add it, or clear it."))
    if not correction.reason.is_valid() or correction.line.errors:
        return False
    try:
        supersede(
            correction.request.actor,
            practitioner=practitioner,
            state_id=signed.state_id,
            prescription_id=signed.id,
            reason=correction.reason.cleaned_data["reason"],
            seen=seen,
        )
    except DomainError as error:
        refuse(correction.reason, error)
        return False
    return True
