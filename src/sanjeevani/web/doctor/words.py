"""Codes in the reader's words, for the templates of the desk."""

from collections.abc import Callable, Iterable, Mapping

from django.conf import settings
from django.utils.timezone import localdate
from django.utils.translation import get_language, gettext

from sanjeevani.consultation.models import Consultation
from sanjeevani.directory.models import Clinic
from sanjeevani.documents.prescription_document import days_text
from sanjeevani.prescription.dosing import dosing
from sanjeevani.prescription.models import DraftItem
from sanjeevani.prescription.shorthand import Reading
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.terminology import dosage
from sanjeevani.web.jinja import clock, day


def reader_language() -> str:
    """Return the language of the page."""
    return get_language() or settings.LANGUAGE_CODE


def form_name(code: str) -> str:
    """Return the name of a dosage form."""
    return dosage.forms()[code].name_in(reader_language())


def route_name(code: str) -> str:
    """Return the name of a route of administration."""
    return dosage.routes()[code].name_in(reader_language())


def unit_name(form_code: str) -> str:
    """Return what one dose of a form is counted in."""
    return dosage.forms()[form_code].unit_in(reader_language())


def since(days: int) -> str:
    """Return how long a complaint has lasted."""
    return days_text(days, reader_language())


def in_words(item: DraftItem, form_code: str) -> str:
    """Say how a drafted medicine is taken: dose, how often, for how long, instructions."""
    language = reader_language()
    taken = dosing(item.frequency, item.dose)
    instruction = dosage.instructions().get(item.instruction_code)
    form = dosage.forms()[form_code]
    unit = form.unit_in(language, item.dose)
    parts = [
        *(taken.in_words(form, language) if taken else (f"{item.dose} {unit}", item.frequency)),
        days_text(item.duration_days, language),
        instruction.name_in(language) if instruction else "",
        item.instructions,
    ]
    return one_line(parts)


def one_line(parts: Iterable[str]) -> str:
    """Join phrases that begin with a capital into one line."""
    return ", ".join(part[0].lower() + part[1:] for part in parts if part)


def clinic_name(clinic: Clinic) -> str:
    """Return the name of a clinic with its district."""
    hindi = clinic.name_hi if reader_language() == "hi" else ""
    return f"{hindi or clinic.name}, {clinic.facility.district}"


def wait_text(wait: WaitInterval | None) -> str:
    """Say how long others wait there."""
    if wait is None:
        return gettext("no doctor on duty now")
    if wait.low < 1:
        return gettext("up to %(high)s minutes") % {"high": wait.high}
    return gettext("about %(low)s to %(high)s minutes") % {"low": wait.low, "high": wait.high}


MOST_NAMED = 6


def not_one(reading: Reading) -> str:
    """Say why a typed line names no one medicine, above the choices that it leaves."""
    if reading.unread:
        asked = gettext(
            "We could not read “%(words)s”. Write the strength as it is made, the dose with its"
            " unit, how often, for how many days, and your own words last."
        ) % {"words": reading.unread}
        made = "; ".join(
            f"{one.generic_name} {one.strength}, {form_name(one.form).lower()}"
            for one in reading.choices[:MOST_NAMED]
        )
        there = gettext("There is: %(medicines)s.") % {"medicines": made}
        return f"{asked} {there}"
    if reading.choices:
        return gettext("Several medicines fit. Choose one, or add the strength or the form.")
    if reading.nearest:
        return gettext("We know no medicine of this name. Did you mean one of these?")
    return gettext("We know no medicine of this name. Write its generic name.")


def consent_of(consultation: Consultation) -> str:
    """Say who obtained the patient's consent, and when; empty where that is not known."""
    at, by = consultation.consented_at, consultation.consent_by
    if at is None:
        return ""
    when = clock(at) if localdate(at) == localdate(consultation.requested_at) else day(at)
    if by:
        text = gettext("Consent obtained by the health worker %(name)s, %(when)s")
        return text % {"name": by, "when": when}
    return gettext("The patient agreed, %(when)s") % {"when": when}


FUNCTIONS: Mapping[str, Callable[..., str]] = {
    "consent_of": consent_of,
    "form_name": form_name,
    "in_words": in_words,
    "one_line": one_line,
    "route_name": route_name,
    "since": since,
    "unit_name": unit_name,
}
"""What the templates may call."""
