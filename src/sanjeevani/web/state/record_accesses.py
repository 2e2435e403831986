"""Who has looked at the record of one patient, for the administrators of the patient's state."""

import uuid

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from sanjeevani.consultation.record_accesses import (
    accesses_to,
    people_in_consultation,
    people_with_mobile,
    record_in_state,
)
from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.mobiles import latin_digits, parse_mobile
from sanjeevani.patients.models import Patient
from sanjeevani.prescription.queries import by_number
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.pages import (
    GOVERNING,
    PART,
    get_or_post,
    page,
    see,
    sent,
    state_run_by,
)
from sanjeevani.web.fields import PlainForm, PlainTextField
from sanjeevani.web.patient.consultation_views import cursor


class FindForm(PlainForm):
    """One exact number: nobody is found by a name."""

    number = PlainTextField(
        label=_("Mobile number, or the number of a prescription or a consultation"),
        help_text=_("The whole number. A consultation’s is the long one in its address."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Write the number.")},
    )


@staff(*GOVERNING)
@get_or_post
def find(request: PortalRequest, state_id: int) -> HttpResponse:
    """Find a patient. By POST: what is searched for must not stand in addresses and logs."""
    found = state_run_by(request, state_id)
    form = FindForm(sent(request))
    people: list[Patient] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            people = _people(request, state_id, form.cleaned_data["number"])
        except Invalid as error:
            form.add_error("number", str(error.message))
        if people is not None and len(people) == 1:
            return see(reverse("state:accesses", args=[state_id, people[0].id]))
    context = {"place": "home", "state": found, "form": form, "people": people}
    return page(request, "state/find_accesses.html", context, form)


def _people(request: PortalRequest, state_id: int, typed: str) -> list[Patient]:
    """Return whose number it is, of those registered in the state. Raises Invalid."""
    typed = latin_digits(typed).strip()
    consultation_id: uuid.UUID | None = None
    prescription = by_number(typed)
    if prescription is not None:
        consultation_id = prescription.consultation_id
    elif len(typed.replace("-", "")) == 32:
        try:
            consultation_id = uuid.UUID(typed)
        except ValueError:
            raise Invalid(_("There is no such number.")) from None
    if consultation_id is not None:
        return people_in_consultation(request.actor, state_id, consultation_id)
    return people_with_mobile(request.actor, state_id, parse_mobile(typed))


@staff(*GOVERNING)
@require_safe
def accesses(request: PortalRequest, state_id: int, patient_id: uuid.UUID) -> HttpResponse:
    """Who has looked at a patient's record. This look is written down as well, and shown."""
    found = state_run_by(request, state_id)
    person = record_in_state(request.actor, state_id, patient_id)
    rows = accesses_to(person, PART + 1, before=cursor(request))
    context = {
        "place": "home",
        "state": found,
        "person": person,
        "accesses": rows[:PART],
        "older": rows[PART - 1].id if len(rows) > PART else None,
    }
    return page(request, "state/accesses.html", context)
