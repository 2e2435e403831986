"""Vital signs, as the staff beside a patient type them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.mobiles import latin_digits
from sanjeevani.intake.services import SWAPPED, plausible
from sanjeevani.terminology.vitals import (
    CELSIUS,
    FAHRENHEIT,
    LOWER,
    UPPER,
    Vital,
    is_measured,
    is_swapped,
    vitals,
)
from sanjeevani.web.fields import PlainForm

HOT_CELSIUS = 50
"""A temperature above is one in Fahrenheit."""


def number_in(typed: str) -> str:
    """Return what was typed for a number, as Python reads it: any digits, a comma for the point."""
    return latin_digits(typed).strip().replace(",", ".")


def _choice_of(vital: Vital, language: str) -> forms.TypedChoiceField:
    """Return the field of what is looked at; its values are stored like measurements."""
    answers = [(float(place), one.name_in(language)) for place, one in enumerate(vital.choices)]
    return forms.TypedChoiceField(
        label=vital.name_in(language),
        choices=[("", _("Not looked at")), *answers],
        coerce=float,
        empty_value=None,
        required=False,
    )


class MeasureForm(PlainForm):
    """Vital signs; whatever was measured. `needed`: nothing at all is not enough."""

    def __init__(self, language: str, *args: Any, needed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needed = needed
        self.language = language
        self.measured = {code: vital for code, vital in vitals().items() if not vital.derived}
        for code, vital in self.measured.items():
            if vital.choices:
                self.fields[code] = _choice_of(vital, language)
                continue
            unit = "°C / °F" if vital.unit == CELSIUS else vital.unit_shown
            self.fields[code] = forms.CharField(
                label=f"{vital.name_in(language)} ({unit})",
                required=False,
                max_length=8,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.values: dict[str, float] = {}
        for code, vital in self.measured.items():
            if vital.choices:
                if cleaned.get(code) is not None:
                    self.values[code] = cleaned[code]
                continue
            typed = number_in(cleaned.get(code, ""))
            if typed:
                self._read(code, vital, typed)
        if is_swapped(self.values):
            self.add_error(UPPER, SWAPPED)
            # Which of the two is wrong, nobody can tell: neither is kept.
            del self.values[UPPER], self.values[LOWER]
        if self.needed and not is_measured(self.values) and not self.errors:
            self.add_error(
                None,
                _("Write at least one measurement, for example the temperature or the pulse."),
            )
        return cleaned

    def _read(self, code: str, vital: Vital, typed: str) -> None:
        try:
            value = float(typed)
            fahrenheit = vital.unit == CELSIUS and value > HOT_CELSIUS
            unit = FAHRENHEIT if fahrenheit else None
            self.values[code] = plausible(code, value, self.language, unit)
        except Invalid as error:
            self.add_error(code, str(error.message))
        except ValueError:
            # The summary lists messages without their fields.
            what = vital.name_in(self.language)
            self.add_error(code, _("%(what)s: write a number, like 37.5.") % {"what": what})
