"""The forms of patients: what may be typed, and what to say when it cannot be right."""

import datetime
import unicodedata
import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.services import MESSAGE_LENGTH
from sanjeevani.consultation.spokes import FEWEST_WORDS
from sanjeevani.directory.models import Gender
from sanjeevani.documents.prescription_document import days_text
from sanjeevani.foundation import clock
from sanjeevani.intake.content import TEXT_LENGTH, IntakeContent
from sanjeevani.intake.triage import DISABLED, PREGNANT
from sanjeevani.patients.models import Patient, Relation
from sanjeevani.patients.queries import age_in_months, age_in_years
from sanjeevani.patients.services import OLDEST_YEARS, Profile
from sanjeevani.terminology.models import Symptom
from sanjeevani.terminology.queries import symptoms_named
from sanjeevani.web.fields import DatePartsField, PlainTextField
from sanjeevani.web.jinja import language_name

LONGEST_DURATION_DAYS = 3650


class NameField(PlainTextField):
    """A person's name in any script."""

    def clean(self, value: Any) -> str:
        name: str = super().clean(value)
        if name and not any(unicodedata.category(character)[0] == "L" for character in name):
            raise forms.ValidationError(_("Write the name in letters."), code="letters")
        return name


class ProfileForm(forms.Form):
    """Whom the doctor is for. The date of birth may be estimated from an age.

    A resident of an institution has a room instead of a relation to the holder of the mobile.
    """

    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    relation = forms.ChoiceField(
        label=_("Who is it?"),
        choices=[(one.value, one.label) for one in Relation if one != Relation.RESIDENT],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose who needs the doctor."),
            "invalid_choice": _("Choose one of these."),
        },
    )
    name = NameField(
        label=_("Full name"),
        max_length=100,
        help_text=_("In your own script, or in English letters."),
        error_messages={
            "required": _("Write the name."),
            "max_length": _("Please shorten the name to 100 characters."),
        },
    )
    gender = forms.ChoiceField(
        label=_("Gender"),
        choices=Gender.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the gender."),
            "invalid_choice": _("Choose one of these."),
        },
    )
    age = forms.CharField(
        label=_("Age, or about how old"),
        required=False,
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"max_length": _("Write the age as a number, like 6.")},
    )
    age_unit = forms.ChoiceField(
        label=_("Age in"),
        required=False,
        initial="years",
        choices=[("years", _("years")), ("months", _("months"))],
        error_messages={"invalid_choice": _("Choose one of these.")},
    )
    birth_date = DatePartsField(
        label=_("Or the date of birth"),
        required=False,
        help_text=_("For example 27 3 1984"),
    )
    address = PlainTextField(
        label=_("Address"),
        max_length=200,
        help_text=_("House, street, village or town. It stands on the prescription."),
        error_messages={
            "required": _("Write the address."),
            "max_length": _("Please shorten the address to 200 characters."),
        },
    )
    district = PlainTextField(
        label=_("District"),
        max_length=60,
        error_messages={
            "required": _("Write the district."),
            "max_length": _("Please shorten the district to 60 characters."),
        },
    )
    room = PlainTextField(
        label=_("Room or number, if any"),
        required=False,
        max_length=20,
        error_messages={"max_length": _("Please shorten this to 20 characters.")},
    )
    needs_help = forms.BooleanField(
        label=_("An adult who cannot decide or speak alone"),
        required=False,
        help_text=_("For example because of the memory. Somebody whom you name is then with them."),
    )

    def __init__(self, *args: Any, resident: bool = False, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": uuid.uuid4(), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        del self.fields["relation" if resident else "room"]

    def clean_age(self) -> int | None:
        typed = self.cleaned_data["age"].strip()
        if not typed:
            return None
        # isdecimal takes Devanagari and other digits as well, and so does int.
        if not typed.isdecimal():
            raise forms.ValidationError(_("Write the age as a number, like 6."))
        return int(typed)

    def clean_birth_date(self) -> datetime.date | None:
        birth_date: datetime.date | None = self.cleaned_data["birth_date"]
        if birth_date is None:
            self._check_age()
            return None
        if birth_date > clock.today():
            raise forms.ValidationError(_("The date of birth lies in the future."))
        if birth_date.year < clock.today().year - OLDEST_YEARS:
            raise forms.ValidationError(_("Please check the year of birth."))
        return birth_date

    def _check_age(self) -> None:
        if "age" in self.errors:
            return
        age, months = self.cleaned_data["age"], self.cleaned_data.get("age_unit") == "months"
        if age is None:
            self.add_error("age", _("Write the age, or the date of birth."))
        elif age > (OLDEST_YEARS * 12 if months else OLDEST_YEARS - 1):
            self.add_error("age", _("Please check the age."))
        elif age == 0 and not months:
            self.add_error("age", _("For a baby, write the age in months, or the date of birth."))

    def profile(self, before: Patient | None = None) -> Profile:
        """Return what was filled in. A date of birth goes before an age.

        `before`: who is corrected. An age left as it was shown leaves the date as it was: counted
        back from today again, it would make them younger by up to a year each time.
        """
        cleaned = self.cleaned_data
        birth_date = cleaned["birth_date"]
        estimated = birth_date is None
        if estimated:
            age, unit = cleaned["age"], cleaned["age_unit"] or "years"
            shown = self.values_of(before) if before else {}
            if before and (age, unit) == (shown.get("age"), shown.get("age_unit", "years")):
                birth_date = before.birth_date
            else:
                birth_date = months_before(clock.today(), age * (1 if unit == "months" else 12))
        return Profile(
            relation=cleaned.get("relation", Relation.RESIDENT),
            name=cleaned["name"],
            gender=cleaned["gender"],
            birth_date=birth_date,
            birth_date_is_estimated=estimated,
            address=cleaned["address"],
            district=cleaned["district"],
            decides_alone=not cleaned["needs_help"],
            room=cleaned.get("room", ""),
        )

    @staticmethod
    def values_of(patient: Patient) -> dict[str, Any]:
        """Return a patient's profile as the form shows it."""
        values: dict[str, Any] = {
            name: getattr(patient, name)
            for name in ("relation", "name", "gender", "address", "district", "room")
        } | {"needs_help": not patient.decides_alone}
        if not patient.birth_date_is_estimated:
            return {**values, "birth_date": patient.birth_date}
        months = age_in_months(patient.birth_date, clock.today())
        if months < 24:
            return {**values, "age": months, "age_unit": "months"}
        return {**values, "age": age_in_years(patient.birth_date, clock.today())}


def months_before(day: datetime.date, months: int) -> datetime.date:
    """Return the day that many months earlier; the 28th stands in for days that month lacks."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return datetime.date(year, month + 1, min(day.day, 28))


UNIT_DAYS = {"days": 1, "weeks": 7, "months": 30, "years": 365}

FIRST_SHOWN = (
    "fever",
    "cough",
    "cold",
    "sore_throat",
    "headache",
    "stomach_pain",
    "diarrhoea",
    "vomiting",
    "body_ache",
    "skin_rash",
    "breathlessness",
    "joint_pain",
    "pregnancy_care",
    "ear_pain",
)
"""What most people come with stands first, with pictures; the rest opens below."""
PICTURES_SHOWN = 12


class TroubleForm(forms.Form):
    """What the trouble is: pictures, own words, since when, and what the doctor must know.

    `at_spoke`: own words and since when are needed, as `consultation.spokes.missing_in` says.
    """

    complaints = forms.MultipleChoiceField(
        label=_("Tap what troubles you"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )
    more_complaints = forms.MultipleChoiceField(
        label=_("More complaints"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from the list.")},
    )
    text = PlainTextField(
        label=_("Tell it in your own words"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("How it began, what makes it better or worse."),
    )
    duration = forms.CharField(
        label=_("Since when?"),
        required=False,
        max_length=6,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    duration_unit = forms.ChoiceField(
        label=_("Counted in"),
        required=False,
        initial="days",
        choices=[
            ("days", _("days")),
            ("weeks", _("weeks")),
            ("months", _("months")),
            ("years", _("years")),
        ],
        error_messages={"invalid_choice": _("Choose one of these.")},
    )
    history = PlainTextField(
        label=_("Illnesses and operations before"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "Such as diabetes, high blood pressure, asthma. Leave empty if there are none."
        ),
    )
    allergies = PlainTextField(
        label=_("Allergies"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Medicines or food that caused a rash, swelling or trouble breathing."),
    )
    medicines = PlainTextField(
        label=_("Medicines taken now"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Copy the names from the strip or bottle."),
    )

    pregnant = forms.ChoiceField(
        label=_("Is she pregnant?"),
        required=False,
        choices=[("yes", _("Yes")), ("no", _("No")), ("unknown", _("I do not know"))],
        widget=forms.RadioSelect,
        help_text=_("Some medicines must not be given then."),
        error_messages={"invalid_choice": _("Choose one of these.")},
    )

    disabled = forms.BooleanField(
        label=_("Lives with a disability"),
        required=False,
        help_text=_("Is then called before others."),
    )

    def __init__(
        self,
        symptoms: Iterable[Symptom],
        language: str,
        *args: Any,
        ask_pregnancy: bool,
        at_spoke: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.at_spoke = at_spoke
        if not ask_pregnancy:
            del self.fields["pregnant"]
        if at_spoke:
            self.fields["text"].help_text = gettext(
                "How it began, and what makes it better or worse, in at least %(count)d words."
            ) % {"count": FEWEST_WORDS}
            self.fields["duration"].help_text = gettext("The doctor needs to know it.")
        rank = {code: place for place, code in enumerate(FIRST_SHOWN)}
        ordered = sorted(symptoms, key=lambda symptom: rank.get(symptom.code, len(rank)))
        choices = [(symptom.code, symptom.name_in(language)) for symptom in ordered]
        self.fields["complaints"].choices = choices[:PICTURES_SHOWN]  # type: ignore[attr-defined]
        self.fields["more_complaints"].choices = choices[PICTURES_SHOWN:]  # type: ignore[attr-defined]
        for name in ("text", "history", "allergies", "medicines"):
            self.fields[name].error_messages["max_length"] = gettext(
                "Please shorten this to %(limit)d characters."
            ) % {"limit": TEXT_LENGTH}

    def clean_duration(self) -> int | None:
        typed = self.cleaned_data["duration"].strip()
        if not typed:
            return None
        if not typed.isdecimal() or int(typed) == 0:
            raise forms.ValidationError(_("Write a number, like 3."))
        return int(typed)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.at_spoke:
            self._require_enough(cleaned)
        elif not {"complaints", "more_complaints", "text"} & set(self.errors) and not (
            cleaned.get("complaints") or cleaned.get("more_complaints") or cleaned.get("text")
        ):
            self.add_error("complaints", _("Tap a complaint, or write in your own words."))
        days = self._duration_days(cleaned)
        if days is not None and days > LONGEST_DURATION_DAYS:
            self.add_error("duration", _("Write at most 10 years."))
        return cleaned

    def _require_enough(self, cleaned: dict[str, Any]) -> None:
        """Ask here for what a hub would not be asked without."""
        if "text" not in self.errors and len(cleaned["text"].split()) < FEWEST_WORDS:
            self.add_error(
                "text",
                gettext(
                    "Write in at least %(count)d words how it began,"
                    " and what makes it better or worse."
                )
                % {"count": FEWEST_WORDS},
            )
        if "duration" not in self.errors and cleaned["duration"] is None:
            self.add_error("duration", _("Write since when, as a number, like 3."))

    @staticmethod
    def _duration_days(cleaned: dict[str, Any]) -> int | None:
        number = cleaned.get("duration")
        return number * UNIT_DAYS[cleaned.get("duration_unit") or "days"] if number else None

    def content(self, answers: dict[str, bool]) -> IntakeContent:
        """Return what could be read so far, with the answers to the danger signs.

        A text that is too long is kept as it was typed, up to twice the limit.
        """
        cleaned = self.cleaned_data
        answers = {code: said for code, said in answers.items() if code not in (PREGNANT, DISABLED)}
        if cleaned.get("disabled"):
            answers[DISABLED] = True
        if cleaned.get("pregnant") in ("yes", "no"):
            answers[PREGNANT] = cleaned["pregnant"] == "yes"

        def text(name: str) -> str:
            typed = cleaned.get(name, self.fields[name].to_python(self.data.get(name)))
            return str(typed)[: 2 * TEXT_LENGTH]

        return IntakeContent(
            complaints=[*cleaned.get("complaints", []), *cleaned.get("more_complaints", [])],
            text=text("text"),
            duration_days=self._duration_days(cleaned),
            history=text("history"),
            allergies=text("allergies"),
            medicines=text("medicines"),
            answers=answers,
        )

    @staticmethod
    def values_of(content: IntakeContent) -> dict[str, Any]:
        """Return a draft as the form shows it."""
        values: dict[str, Any] = {
            "complaints": content.complaints,
            "more_complaints": content.complaints,
            "text": content.text,
            "history": content.history,
            "allergies": content.allergies,
            "medicines": content.medicines,
            "disabled": content.answers.get(DISABLED, False),
        }
        if PREGNANT in content.answers:
            values["pregnant"] = "yes" if content.answers[PREGNANT] else "no"
        if content.duration_days:
            unit = next(
                unit
                for unit, days in sorted(UNIT_DAYS.items(), key=lambda item: -item[1])
                if content.duration_days % days == 0
            )
            values["duration"] = content.duration_days // UNIT_DAYS[unit]
            values["duration_unit"] = unit
        return values


class AskForm(forms.Form):
    """The last page before the token."""

    request_key = forms.UUIDField(widget=forms.HiddenInput)
    after = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)
    language = forms.ChoiceField(
        label=_("Which language do you want to speak?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a language."),
            "invalid_choice": _("Choose one of these languages."),
        },
    )
    gender_preference = forms.ChoiceField(
        label=_("Would you rather speak with a woman or a man?"),
        required=False,
        initial="",
        choices=[
            ("any", _("It does not matter")),
            (Gender.FEMALE, _("A woman doctor")),
            (Gender.MALE, _("A man doctor")),
        ],
        widget=forms.RadioSelect,
        help_text=_("You may wait longer for your choice."),
        error_messages={"invalid_choice": _("Choose one of these.")},
    )

    companion = forms.ChoiceField(
        label=_("Who is with the patient?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the adult who is with the patient."),
            "invalid_choice": _("Choose one of these."),
        },
    )

    def __init__(
        self,
        languages: list[str],
        reader: str,
        companions: list[tuple[str, str]],
        *args: Any,
        **kwargs: Any,
    ):
        kwargs["initial"] = {
            "request_key": uuid.uuid4(),
            "language": reader if reader in languages else languages[0],
            "gender_preference": "any",
            "companion": companions[0][0] if len(companions) == 1 else "",
            **kwargs.get("initial", {}),
        }
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            (code, language_name(code)) for code in languages
        ]
        if companions:
            self.fields["companion"].choices = companions  # type: ignore[attr-defined]
        else:
            del self.fields["companion"]

    def clean_after(self) -> tuple[int, uuid.UUID] | None:
        """Return which consultation is followed up, `<state>.<id>`; None for a new matter."""
        state_id, _dot, consultation_id = self.cleaned_data["after"].partition(".")
        try:
            return (int(state_id), uuid.UUID(consultation_id)) if state_id else None
        except ValueError:
            return None

    def clean_gender_preference(self) -> str:
        """Return the gender wished for, empty when it does not matter."""
        wish: str = self.cleaned_data["gender_preference"]
        return "" if wish == "any" else wish


class MessageForm(forms.Form):
    """One message. The key makes a repeated sending one message."""

    text = PlainTextField(
        label=_("Your message"),
        max_length=MESSAGE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": _("Write something first."),
            "max_length": _("This message is too long. Please split it into shorter ones."),
        },
    )
    client_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


def message_of(content: IntakeContent, language: str) -> str:
    """Return what a draft says as a message: complaints, own words, and the rest by its label."""
    named = symptoms_named(content.complaints)
    labels = TroubleForm.base_fields
    days = content.duration_days
    told = [
        ", ".join(named[code].name_in(language) for code in content.complaints if code in named),
        content.text,
        f"{labels['duration'].label} {days_text(days, language)}" if days else "",
        *(
            f"{labels[name].label}: {said}"
            for name in ("allergies", "medicines", "history")
            if (said := getattr(content, name))
        ),
    ]
    return "\n".join(line.strip() for line in told if line.strip())


class FeedbackForm(forms.Form):
    """Two taps: a face, and send."""

    rating = forms.TypedChoiceField(
        label=_("How was it?"),
        coerce=int,
        choices=[
            (5, _("Very good")),
            (4, _("Good")),
            (3, _("So-so")),
            (2, _("Bad")),
            (1, _("Very bad")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose one of the five faces."),
            "invalid_choice": _("Choose one of the five faces."),
        },
    )
    comment = PlainTextField(
        label=_("Do you want to add something?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": _("Please shorten this to 1000 characters.")},
    )
