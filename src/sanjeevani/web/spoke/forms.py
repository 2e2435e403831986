"""The forms of a spoke's desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.mobiles import latin_digits, parse_mobile
from sanjeevani.patients.models import Relation
from sanjeevani.patients.services import OLDEST_YEARS
from sanjeevani.patients.spokes import ABHA_DIGITS, Sought, parse_abha
from sanjeevani.prescription.documents import MedicineReading
from sanjeevani.prescription.models import Handing
from sanjeevani.terminology.vitals import (
    CELSIUS,
    FAHRENHEIT,
    ImplausibleVital,
    Vital,
    accept_vital,
    vitals,
)
from sanjeevani.web.fields import PlainForm, PlainTextField
from sanjeevani.web.patient.forms import AskForm, ProfileForm
from sanjeevani.web.sign_in.forms import CodeField, MobileField

HOT_CELSIUS = 50
"""A temperature above is one in Fahrenheit."""


class FindForm(PlainForm):
    """One field for whatever the patient brings: a mobile, an ABHA number, or a name."""

    sought = PlainTextField(
        label=_("Mobile, ABHA number, or name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Write a mobile number, an ABHA number, or a name.")},
    )
    birth_year = forms.RegexField(
        r"^(19|20)[0-9]{2}$",
        label=_("Year of birth, with a name"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": _("Write the year in 4 digits, like 1984")},
    )

    def clean_birth_year(self) -> int | None:
        typed = self.cleaned_data["birth_year"]
        if not typed:
            return None
        year = int(typed)
        if not clock.today().year - OLDEST_YEARS <= year <= clock.today().year:
            raise forms.ValidationError(_("Please check the year of birth."))
        return year

    def read(self) -> Sought:
        """Return what was meant. Raises Invalid for a number that is neither."""
        text = self.cleaned_data["sought"]
        digits = "".join(one for one in latin_digits(text) if one.isdigit())
        if not any(one.isalpha() for one in text) and digits:
            if len(digits) == ABHA_DIGITS:
                return Sought(abha_number=parse_abha(digits))
            return Sought(mobile=parse_mobile(text))
        return Sought(name=text, birth_year=self.cleaned_data.get("birth_year"))


WHOSE_MOBILE = {
    Relation.SELF: _("The patient’s own"),
    Relation.CHILD: _("The mother’s or the father’s"),
    Relation.SPOUSE: _("The wife’s or the husband’s"),
    Relation.PARENT: _("A daughter’s or a son’s"),
    Relation.OTHER: _("Somebody else’s, or none"),
}


class RegisterForm(ProfileForm):
    """A patient who sits before the staff; a mobile is asked for and not needed."""

    mobile = MobileField(
        label=_("Mobile number, if there is one"),
        required=False,
        help_text=_("With it the patient reads the prescription at home."),
    )
    abha_number = forms.CharField(
        label=_("ABHA number, if there is one"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        relation = self.fields["relation"]
        relation.label = _("Whose mobile is it?")
        relation.choices = list(WHOSE_MOBILE.items())  # type: ignore[attr-defined]

    def clean_abha_number(self) -> str:
        typed = latin_digits(self.cleaned_data["abha_number"]).strip()
        try:
            return parse_abha(typed) if typed else ""
        except Invalid as error:
            raise forms.ValidationError(str(error.message)) from None


class MeasureForm(PlainForm):
    """Vital signs; whatever was measured."""

    def __init__(self, language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.measured = {code: vital for code, vital in vitals().items() if not vital.derived}
        for code, vital in self.measured.items():
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
            typed = latin_digits(cleaned.get(code, "")).strip().replace(",", ".")
            if typed:
                self._read(code, vital, typed)
        return cleaned

    def _read(self, code: str, vital: Vital, typed: str) -> None:
        try:
            value = float(typed)
            fahrenheit = vital.unit == CELSIUS and value > HOT_CELSIUS
            self.values[code] = accept_vital(code, value, FAHRENHEIT if fahrenheit else None)
        except ImplausibleVital:
            self.add_error(
                code,
                _("Please measure again: between %(low)g and %(high)g is possible.")
                % {"low": vital.minimum, "high": vital.maximum},
            )
        except ValueError:
            self.add_error(code, _("Write a number, like 37.5."))


class VisitForm(forms.Form):
    """What a visit carries beside patient, complaint and measurements.

    `entered_at` is the tablet's time, `same` the patient who is registered already.
    """

    entered_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)
    same = forms.UUIDField(widget=forms.HiddenInput, required=False)


LATER = "later"


class HubForm(AskForm):
    """The last page before a hub is asked."""

    doctor = forms.ChoiceField(
        label=_("Whom do you ask?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one."), "invalid_choice": _("Choose one of these.")},
    )

    def __init__(
        self,
        doctors: list[tuple[str, str]],
        languages: list[str],
        companions: list[tuple[str, str]],
        *args: Any,
    ) -> None:
        super().__init__(languages, languages[0], companions, *args, initial={"doctor": "pool"})
        del self.fields["after"], self.fields["gender_preference"]
        self.fields["language"].label = _("Which language does the patient speak?")
        self.fields["doctor"].choices = [  # type: ignore[attr-defined]
            ("pool", _("Whoever is free first")),
            *doctors,
            (LATER, _("Nobody now: answered in writing within a day, the patient need not wait")),
        ]


class HandingForm(PlainForm):
    """What the patient gets of each medicine: in full unless the spoke has none of it."""

    def __init__(
        self, medicines: list[tuple[str, MedicineReading]], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for code, reading in medicines:
            name = " ".join(filter(None, [reading.name, reading.strength, reading.form]))
            self.fields[code] = forms.ChoiceField(
                label=f"{name}: {reading.dose}, {reading.frequency}, {reading.duration}",
                choices=Handing.choices,
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("Say of each medicine what the patient got."),
                    "invalid_choice": _("Choose one of these."),
                },
            )


class PresenceForm(PlainForm):
    """The code that the patient tells."""

    challenge = forms.UUIDField(widget=forms.HiddenInput)
    code = CodeField(
        label=_("The code that the patient reads to you"),
        error_messages={"required": _("Enter the code.")},
    )
