"""The forms of a spoke's desk."""

from typing import Any
from urllib.parse import parse_qs

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.models import ToDoKind
from sanjeevani.documents.signing import LONGEST_STATEMENT
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.mobiles import latin_digits, parse_mobile
from sanjeevani.patients.models import Relation
from sanjeevani.patients.services import OLDEST_YEARS
from sanjeevani.patients.spokes import ABHA_DIGITS, Sought, parse_abha
from sanjeevani.prescription.counter import ToHandOut
from sanjeevani.prescription.dispensing import MOST_GIVEN, Given
from sanjeevani.prescription.models import Handing
from sanjeevani.web.fields import PlainForm, PlainTextField
from sanjeevani.web.jinja import language_name
from sanjeevani.web.patient.forms import AskForm, ProfileForm
from sanjeevani.web.sign_in.forms import CodeField, MobileField
from sanjeevani.web.verification.forms import read_number


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
    language = forms.ChoiceField(
        label=_("Language of the messages"),
        choices=[(code, language_name(code)) for code, _name in settings.LANGUAGES],
        required=False,
        initial=get_language,
        widget=forms.RadioSelect,
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

    def clean_language(self) -> str:
        """Return what was chosen; a visit that a tablet has kept since before has no choice."""
        return self.cleaned_data["language"] or str(get_language())

    def clean_abha_number(self) -> str:
        typed = latin_digits(self.cleaned_data["abha_number"]).strip()
        try:
            return parse_abha(typed) if typed else ""
        except Invalid as error:
            raise forms.ValidationError(str(error.message)) from None


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
        emergency: bool = False,
    ) -> None:
        super().__init__(languages, languages[0], companions, *args, initial={"doctor": "pool"})
        del self.fields["after"]
        wish = self.fields["gender_preference"]
        wish.label = _("Would the patient rather speak with a woman or a man?")
        wish.help_text = _("The wait may be longer. Not for a doctor whom you ask by name.")
        if emergency:
            # Whoever is free first sees this patient.
            del self.fields["gender_preference"]
        self.fields["language"].label = _("Which language does the patient speak?")
        self.fields["doctor"].choices = [  # type: ignore[attr-defined]
            ("pool", _("Whoever is free first")),
            *doctors,
            (LATER, _("Nobody now: answered in writing within a day, the patient need not wait")),
        ]


DOTS_OF_STATEMENT = 2
"""A signed statement has three parts; a number has no dot."""


class ShownForm(PlainForm):
    """What a patient shows at the counter: the number on the paper, or what its code holds."""

    shown = PlainTextField(
        label=_("Number of the prescription, or its scanned code"),
        help_text=_("The number stands below the QR code, for example 7K3M-9QPA-04TZ."),
        max_length=LONGEST_STATEMENT,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        error_messages={"required": _("Type the number, or scan the code.")},
    )

    def clean_shown(self) -> dict[str, str]:
        """Return `number` or `signed`, as `look_up` takes them."""
        typed = self.cleaned_data["shown"].strip()
        query = parse_qs(typed.partition("?")[2])
        if "s" in query:
            return {"signed": query["s"][0]}
        if typed.count(".") == DOTS_OF_STATEMENT:
            return {"signed": typed}
        return {"number": read_number(query.get("number", [typed])[0])}


GIVEN = ".given"
"""After a medicine's code: the field for how many of it."""


class HandingForm(PlainForm):
    """What the patient gets of each medicine: in full unless the spoke has none of it."""

    def __init__(self, medicines: list[ToHandOut], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.medicines = medicines
        for one in medicines:
            reading = one.reading
            self.fields[one.code] = forms.ChoiceField(
                label=f"{one.name}: {reading.dose}, {reading.frequency}, {reading.duration}",
                choices=Handing.choices,
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("Say of each medicine what the patient got."),
                    "invalid_choice": _("Choose one of these."),
                },
            )
            self.fields[one.code + GIVEN] = forms.IntegerField(
                label=_("If in part: how many in all (%(unit)s)") % {"unit": one.unit},
                help_text=_("The whole course is %(count)d.") % {"count": one.needed}
                if one.needed
                else "",
                required=False,
                min_value=1,
                max_value=MOST_GIVEN,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
                error_messages=dict.fromkeys(
                    ("invalid", "min_value", "max_value"),
                    _("Write how many the patient got, in figures."),
                ),
            )

    def handed(self) -> dict[str, Given]:
        """Return what was chosen, by the medicines' codes."""
        return {
            one.code: Given(
                Handing(self.cleaned_data[one.code]), self.cleaned_data[one.code + GIVEN]
            )
            for one in self.medicines
        }


class StockForm(PlainForm):
    """One medicine of the list: there is some, or none."""

    medicine = forms.CharField(max_length=120)
    to = forms.ChoiceField(choices=[("in", ""), ("out", "")])


class TickForm(PlainForm):
    """One thing to do for a patient: done, or not after all."""

    consultation = forms.UUIDField()
    kind = forms.ChoiceField(choices=ToDoKind.choices)
    to = forms.ChoiceField(choices=[("done", ""), ("open", "")])


class TheirMobileForm(PlainForm):
    """The mobile that a patient says is theirs."""

    mobile = MobileField(
        label=_("Mobile number"),
        help_text=_("Whoever has it reads the code to you."),
        error_messages={"required": _("Enter the mobile number.")},
    )


class PresenceForm(PlainForm):
    """The code that the patient tells."""

    challenge = forms.UUIDField(widget=forms.HiddenInput)
    code = CodeField(
        label=_("The code that the patient reads to you"),
        error_messages={"required": _("Enter the code.")},
    )
