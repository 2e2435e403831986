"""What a doctor types at the desk."""

import hashlib
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.conf import settings
from django.db.models import TextField
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.services import MESSAGE_LENGTH
from sanjeevani.consultation.letters import OUTCOMES_WITH_LETTER, LetterContent
from sanjeevani.consultation.models import Note, NoteTemplate, Outcome, Urgency
from sanjeevani.consultation.note_templates import TemplateContent
from sanjeevani.consultation.services import REASON_LENGTH, NoteContent
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import DomainError
from sanjeevani.prescription.shorthand import parse
from sanjeevani.terminology import dosage
from sanjeevani.terminology.queries import diagnoses_coded
from sanjeevani.web.fields import DateParts, DatePartsField, PlainForm, PlainTextField

TEXTS = ("history", "findings", "investigations", "advice", "come_back")
LINE_LENGTH = 200
MEASURES = ("height_cm", "weight_kg", "last_menstrual_period")


def _text(name: str, label: Any, rows: int, help_text: Any = "") -> PlainTextField:
    column = cast("TextField[str, str]", Note._meta.get_field(name))
    return PlainTextField(
        label=label,
        help_text=help_text,
        required=False,
        max_length=column.max_length,
        error_messages={"max_length": _("Shorten this: %(limit_value)d characters fit here.")},
        widget=forms.Textarea(attrs={"rows": rows, "autocomplete": "off"}),
    )


class NoteForm(PlainForm):
    """The note. Every field may stay empty: what is there is kept while it is written."""

    history = _text("history", _("History"), 3)
    allergies = _text("allergies", _("Allergies not told before"), 1)
    medicines = _text("medicines", _("Takes now, not told before"), 1)
    findings = _text("findings", _("Findings"), 2)
    height_cm = forms.DecimalField(
        label=_("Height"),
        required=False,
        min_value=20,
        max_value=250,
        max_digits=4,
        decimal_places=1,
        error_messages={
            "invalid": _("Write the height as a number, like 162"),
            "min_value": _("Write the height in centimetres, from 20 to 250"),
            "max_value": _("Write the height in centimetres, from 20 to 250"),
        },
    )
    weight_kg = forms.DecimalField(
        label=_("Weight"),
        required=False,
        min_value=0.3,
        max_value=400,
        max_digits=4,
        decimal_places=1,
        error_messages={
            "invalid": _("Write the weight as a number, like 54.5"),
            "min_value": _("Write the weight in kilograms, from 0.3 to 400"),
            "max_value": _("Write the weight in kilograms, from 0.3 to 400"),
        },
    )
    last_menstrual_period = DatePartsField(label=_("Last menstrual period"), required=False)
    investigations = _text("investigations", _("Tests to do"), 2)
    advice = _text("advice", _("Advice"), 3)
    come_back = _text("come_back", _("When to come back"), 2)

    def clean_last_menstrual_period(self) -> Any:
        """Refuse a day that has not come."""
        day = self.cleaned_data["last_menstrual_period"]
        if day and day > clock.today():
            raise forms.ValidationError(_("This day has not come yet."))
        return day

    @classmethod
    def of(cls, note: Note | None) -> "NoteForm":
        """Show a stored note."""
        return cls(initial=vars(content_of(note)))

    def respect(self, stored: Note | None) -> dict[str, str]:
        """Let stand what another window, or a phone, has kept since this page was made.

        A field that nobody has touched here takes it over: what inputs then show is returned.
        Where both have written, the field is refused, with what stands there; the page has both
        then, and its next change counts. What goes on from the stored words replaces them.
        """
        self.is_valid()
        was = _seals_in(self.data.get(WAS, ""))
        there = vars(content_of(stored))
        newer = {}
        for name in was.keys() & self.cleaned_data.keys() & set(self.sent()):
            here, other = _shown(self.cleaned_data[name]), _shown(there[name])
            if here == other or was[name] == _seal(other):
                continue
            if was[name] == _seal(here):
                newer[name] = there[name]
            elif other not in here:
                self.add_error(
                    name,
                    _(
                        "Meanwhile this was kept here: “%(text)s”. Put together what holds: your"
                        " next change is kept."
                    )
                    % {"text": other},
                )
        return self.fill(newer)

    def fill(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Let fields of a sent note hold other values; return what its inputs then show."""
        inputs: dict[str, str] = {}
        for name, value in values.items():
            self.cleaned_data[name] = value
            widget = self.fields[name].widget
            if isinstance(widget, DateParts):
                parts = zip(widget.labels, widget.decompress(value), strict=True)
                inputs |= {f"{name}_{part}": _shown(number) for part, number in parts}
            else:
                inputs[name] = _shown(value)
        self.data = dict(self.data.items()) | inputs
        return inputs

    def content(self, stored: Note | None) -> NoteContent:
        """Return what can be kept: a field that was refused, or not sent, stays as stored."""
        self.is_valid()
        sent = {name: self.cleaned_data[name] for name in self.sent() if name in self.cleaned_data}
        return NoteContent(**vars(content_of(stored)) | sent)

    def sent(self) -> list[str]:
        """Name the fields that stood on the page."""
        return [
            name
            for name, field in self.fields.items()
            if not field.widget.value_omitted_from_data(self.data, {}, name)
        ]


def content_of(stored: Note | None) -> NoteContent:
    """Return what a note holds; one that nobody has written yet is empty."""
    names = NoteContent.__dataclass_fields__
    return NoteContent(**{name: getattr(stored, name) for name in names} if stored else {})


WAS = "was"
"""The field of the page that seals what stood in the note when it was made."""


def seals_of(content: NoteContent) -> str:
    """Return what a page keeps of a note as it is stored, to tell by what others write."""
    return " ".join(f"{name}:{_seal(_shown(value))}" for name, value in vars(content).items())


def _seals_in(sealed: str) -> dict[str, str]:
    return {name: seal for name, _colon, seal in (one.partition(":") for one in sealed.split())}


def _seal(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()


def _shown(value: Any) -> str:
    """Write a value of the note as it stands in its field."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)


class ChatForm(PlainForm):
    """A message to the patient; the verb has the last word on its length."""

    text = PlainTextField(
        label=_("Message to the patient"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "enterkeyhint": "send"}),
        max_length=MESSAGE_LENGTH,
        error_messages={"required": _("Write something first.")},
    )
    client_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class DiagnosisForm(PlainForm):
    """The search field for a coded diagnosis."""

    diagnosis = PlainTextField(
        label=_("Diagnosis"),
        help_text=_("Words or an ICD-10 code"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "enterkeyhint": "search"}),
        error_messages={"required": _("Write a word or a code to search for.")},
    )


class LineForm(PlainForm):
    """A prescription line as doctors type it."""

    line = PlainTextField(
        label=_("Add a medicine"),
        max_length=LINE_LENGTH,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
        error_messages={"required": _("Write a medicine, like pcm 650 1-0-1 5d after food")},
    )


class MedicineForm(PlainForm):
    """The search field for a medicine, for those who do not type whole lines."""

    medicine = PlainTextField(
        label=_("Medicine"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "enterkeyhint": "search"}),
        error_messages={"required": _("Write the beginning of a medicine's name.")},
    )


def _frequencies() -> list[tuple[str, str]]:
    language = get_language() or settings.LANGUAGE_CODE
    return [("", "")] + [
        (code, f"{frequency.name_in(language)} ({frequency.pattern or code})")
        for code, frequency in dosage.frequencies().items()
    ]


def _instructions() -> list[tuple[str, str]]:
    language = get_language() or settings.LANGUAGE_CODE
    return [("", "")] + [
        (code, phrase.name_in(language)) for code, phrase in dosage.instructions().items()
    ]


class ItemForm(PlainForm):
    """One medicine, field by field."""

    medicine_code = forms.CharField(widget=forms.HiddenInput, max_length=120)
    dose = forms.DecimalField(
        label=_("Dose"),
        max_digits=6,
        decimal_places=2,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Write how much is taken at a time, like 1 or 0.5"),
            "invalid": _("Write how much is taken at a time as a number, like 1 or 0.5"),
        },
    )
    frequency = forms.ChoiceField(
        label=_("How often"),
        choices=_frequencies,
        error_messages={"required": _("Choose how often it is taken.")},
    )
    duration_days = forms.IntegerField(
        label=_("Days"),
        error_messages={
            "required": _("Write for how many days."),
            "invalid": _("Write the days as a number, like 5"),
        },
    )
    instruction_code = forms.ChoiceField(
        label=_("How to take it"), choices=_instructions, required=False
    )
    instructions = PlainTextField(
        label=_("In your own words"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


FOLLOW_UP = "follow_up_days"


class OutcomeForm(PlainForm):
    """How the consultation ended, and the letter where it sends the patient to somebody."""

    outcome = forms.ChoiceField(
        label=_("Outcome"),
        choices=[
            (outcome.value, outcome.label)
            for outcome in (
                Outcome.ADVICE,
                Outcome.PRESCRIPTION,
                Outcome.REFERRED_UP,
                Outcome.IN_PERSON,
                Outcome.EMERGENCY,
            )
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what this consultation led to.")},
    )
    refer_to = PlainTextField(
        label=_("Where to"),
        help_text=_("Like District Hospital Guntur, chest clinic"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    urgency = forms.ChoiceField(
        label=_("How soon"), choices=Urgency.choices, required=False, initial=Urgency.WITHIN_A_WEEK
    )
    letter_reason = PlainTextField(
        label=_("Why, for the colleague who sees the patient"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
    )

    follow_up_days = forms.TypedChoiceField(
        label=_("See the patient again"),
        choices=[
            ("", _("No follow-up")),
            (3, _("In 3 days")),
            (7, _("In a week")),
            (14, _("In 2 weeks")),
            (30, _("In a month")),
            (90, _("In 3 months")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
    )

    def ending(self) -> dict[str, Any]:
        """Return what ends the consultation, as `conclude` takes it."""
        return {
            "outcome": Outcome(self.cleaned_data["outcome"]),
            "letter": self.letter(),
            "follow_up_days": self.cleaned_data[FOLLOW_UP],
        }

    def letter(self) -> LetterContent | None:
        """Return the letter to take along, if the outcome has one."""
        outcome = Outcome(self.cleaned_data["outcome"])
        if outcome not in OUTCOMES_WITH_LETTER:
            return None
        chosen = Urgency(self.cleaned_data["urgency"] or Urgency.WITHIN_A_WEEK)
        return LetterContent(
            self.cleaned_data["refer_to"],
            Urgency.EMERGENCY if outcome == Outcome.EMERGENCY else chosen,
            self.cleaned_data["letter_reason"],
        )


def _reason(label: Any, help_text: Any, missing: Any) -> PlainTextField:
    return PlainTextField(
        label=label,
        help_text=help_text,
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": missing,
            "max_length": _("Shorten this: %(limit_value)d characters fit here."),
        },
    )


class RedirectForm(PlainForm):
    """Where a patient is sent on to, and why."""

    clinic = forms.ChoiceField(
        label=_("OPD"),
        error_messages={
            "required": _("Choose an OPD."),
            "invalid_choice": _("This OPD cannot be asked any more. Choose another one."),
        },
    )
    redirect_reason = _reason(
        _("Why"),
        _("The patient and the next doctor read this."),
        _("Say why you send the patient there."),
    )

    def __init__(self, clinics: list[tuple[str, str]], *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["clinic"].choices = [("", ""), *clinics]  # type: ignore[attr-defined]


class ReturnForm(PlainForm):
    """What the patient should add."""

    missing = _reason(
        _("What is missing"),
        _("The patient reads this, like: Since when is it swollen? Send a photo."),
        _("Say what is missing."),
    )


class HandBackForm(PlainForm):
    """Why another doctor should take the call."""

    hand_back_reason = _reason(
        _("Why"), _("The next doctor reads this."), _("Say why you hand this patient back.")
    )


class UseTemplateForm(PlainForm):
    """The shorthand of a template to put in."""

    template = PlainTextField(
        label=_("Template"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
        error_messages={"required": _("Write the shorthand of a template.")},
    )


def _shorthand() -> PlainTextField:
    return PlainTextField(
        label=_("Shorthand"),
        help_text=_("One short word that brings it back, like uri"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
        error_messages={
            "required": _("Write one short word of letters and digits, like uri or bp2."),
            "max_length": _("Shorten this: %(limit_value)d characters fit here."),
        },
    )


class KeepTemplateForm(PlainForm):
    """The name under which what stands on the desk is kept."""

    shorthand = _shorthand()


class TemplateForm(PlainForm):
    """A template, part by part."""

    shorthand = _shorthand()
    favourite = forms.BooleanField(
        label=_("Favourite: a button on the desk"), required=False, initial=True
    )
    history = _text("history", _("History"), 2)
    findings = _text("findings", _("Findings"), 2)
    diagnosis_codes = PlainTextField(
        label=_("Diagnoses"),
        help_text=_("Codes of ICD-10, like J06.9, R50.9"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    lines = PlainTextField(
        label=_("Prescription lines"),
        help_text=_("One in each line, like pcm 650 1-0-1 5d after food"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    advice = _text("advice", _("Advice"), 3)
    investigations = _text("investigations", _("Tests to do"), 2)
    come_back = _text("come_back", _("When to come back"), 2)

    @classmethod
    def of(cls, template: NoteTemplate) -> "TemplateForm":
        """Show a kept template."""
        values = {name: getattr(template, name) for name in TemplateContent.__dataclass_fields__}
        values["diagnosis_codes"] = ", ".join(template.diagnosis_codes)
        values["lines"] = "\n".join(template.lines)
        return cls(initial=values)

    def clean_diagnosis_codes(self) -> list[str]:
        """Return the codes; one that is in no list is refused by its name."""
        codes = self.cleaned_data["diagnosis_codes"].upper().replace(",", " ").split()
        known = diagnoses_coded(codes)
        for code in codes:
            if code not in known:
                raise forms.ValidationError(
                    _("%(code)s is no code of ICD-10 that we know."), params={"code": code}
                )
        return list(dict.fromkeys(codes))

    def clean_lines(self) -> list[str]:
        """Return the lines; one whose medicine is not known, or is several, is refused."""
        lines = [" ".join(line.split()) for line in self.cleaned_data["lines"].splitlines()]
        for line in filter(None, lines):
            if len(line) > LINE_LENGTH or parse(line).item is None:
                raise forms.ValidationError(
                    _("Write this line with one medicine, its strength and form: %(line)s"),
                    params={"line": line[:LINE_LENGTH]},
                )
        return [line for line in lines if line]


def refuse(form: forms.Form, error: DomainError) -> None:
    """Put a verb's refusal beside the field that it names, or above the form."""
    form.is_valid()
    field = error.field if error.field in form.fields else None
    form.add_error(field, str(error.message))
