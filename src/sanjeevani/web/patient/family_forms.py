"""The forms of families and institutions."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Gender
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.mobiles import LONGEST_INPUT, latin_digits, parse_mobile
from sanjeevani.patients.companions import Companion
from sanjeevani.patients.models import Area, Bond, Institution, InstitutionKind, Relation
from sanjeevani.patients.services import (
    OLDEST_YEARS,
    Authority,
    InstitutionDetails,
    Profile,
)
from sanjeevani.web.fields import DatePartsField, PlainForm, PlainTextField
from sanjeevani.web.patient.forms import NameField, months_before

ROWS = 8
"""Residents in one sitting; as many sittings as are needed follow each other."""

NAMED_BONDS = [(bond.value, bond.label) for bond in Bond if bond != Bond.INSTITUTION]


class InstitutionForm(PlainForm):
    """Which institution, and who answers for its residents."""

    name = PlainTextField(
        label=_("Name of the institution"),
        max_length=100,
        error_messages={"max_length": _("Please shorten the name to 100 characters.")},
    )
    kind = forms.ChoiceField(
        label=_("What is it?"), choices=InstitutionKind.choices, widget=forms.RadioSelect
    )
    address = PlainTextField(
        label=_("Address"),
        max_length=200,
        help_text=_("It stands on the prescriptions of the residents."),
        error_messages={"max_length": _("Please shorten the address to 200 characters.")},
    )
    district = PlainTextField(
        label=_("District"),
        max_length=60,
        error_messages={"max_length": _("Please shorten the district to 60 characters.")},
    )
    area = forms.ChoiceField(
        label=_("Where does it lie?"), choices=Area.choices, widget=forms.RadioSelect
    )
    responsible_name = NameField(
        label=_("Who is responsible for the residents?"),
        max_length=100,
        help_text=_("An adult, for example the warden: with a resident under 18 during the call."),
        error_messages={"max_length": _("Please shorten the name to 100 characters.")},
    )
    responsible_role = PlainTextField(
        label=_("Post of this person"),
        max_length=60,
        help_text=_("For example: warden, superintendent, nurse"),
        error_messages={"max_length": _("Please shorten this to 60 characters.")},
    )

    def details(self) -> InstitutionDetails:
        """Return what was filled in."""
        return InstitutionDetails(**self.cleaned_data)

    @staticmethod
    def values_of(institution: Institution) -> dict[str, Any]:
        """Return an institution as the form shows it."""
        return {name: getattr(institution, name) for name in InstitutionForm.base_fields}


class ResidentsForm(forms.Form):
    """Several residents in one sitting; rows without a name and an age are left out."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": uuid.uuid4(), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        for row in range(ROWS):
            self.fields |= _row_fields(row)

    @property
    def rows(self) -> range:
        """The numbers of the rows."""
        return range(ROWS)

    def doubtful(self, row: int) -> bool:
        """Tell whether somebody like this one is registered, so that the row is asked about."""
        return f"another_{row}" in self.errors or bool(self.data.get(f"another_{row}"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        filled = [row for row in self.rows if self._is_filled(row)]
        if not filled and not self.errors:
            self.add_error("name_0", _("Write at least one resident."))
        for row in filled:
            self._check_row(row, cleaned)
        return cleaned

    def _is_filled(self, row: int) -> bool:
        return any(
            str(self.data.get(f"{name}_{row}", "")).strip() for name in ("name", "age", "room")
        )

    def _check_row(self, row: int, cleaned: dict[str, Any]) -> None:
        number = row + 1
        for name, message in (
            ("name", gettext("Resident %(number)d: write the name.")),
            ("gender", gettext("Resident %(number)d: choose the gender.")),
            ("age", gettext("Resident %(number)d: write the age as a number, like 72.")),
        ):
            field = f"{name}_{row}"
            if field not in self.errors and not cleaned.get(field):
                self.add_error(field, message % {"number": number})
        age = latin_digits(str(cleaned.get(f"age_{row}") or "")).strip()
        if not age or f"age_{row}" in self.errors:
            return
        months = cleaned.get(f"unit_{row}") == "months"
        if not age.isdecimal():
            message = gettext("Resident %(number)d: write the age as a number, like 72.")
        elif int(age) == 0 and not months:
            message = gettext("Resident %(number)d: write the age of a baby in months.")
        elif int(age) > (OLDEST_YEARS * 12 if months else OLDEST_YEARS - 1):
            message = gettext("Resident %(number)d: please check the age.")
        else:
            return
        self.add_error(f"age_{row}", message % {"number": number})

    def profiles(self, institution: Institution) -> list[tuple[int, Profile, bool]]:
        """Return `(row, profile, is_another)` of every row that was filled in."""
        return [
            (row, self._profile(row, institution), self.cleaned_data[f"another_{row}"])
            for row in self.rows
            if self._is_filled(row)
        ]

    def _profile(self, row: int, institution: Institution) -> Profile:
        cleaned = self.cleaned_data
        months = int(latin_digits(cleaned[f"age_{row}"]))
        months *= 1 if cleaned[f"unit_{row}"] == "months" else 12
        return Profile(
            relation=Relation.RESIDENT,
            name=cleaned[f"name_{row}"],
            gender=cleaned[f"gender_{row}"],
            birth_date=months_before(clock.today(), months),
            birth_date_is_estimated=True,
            address=f"{institution.name}, {institution.address}"[:200],
            district=institution.district,
            room=cleaned[f"room_{row}"],
        )

    def ask_about(self, row: int) -> None:
        """Say that somebody like the one in this row is registered already, or stands twice."""
        self.add_error(
            f"another_{row}",
            gettext("Resident %(number)d: somebody with this name and age is on the list already.")
            % {"number": row + 1},
        )


def _row_fields(row: int) -> dict[str, forms.Field]:
    number = {"number": row + 1}
    return {
        f"name_{row}": NameField(
            label=_("Full name"),
            required=False,
            max_length=100,
            error_messages={
                "max_length": gettext(
                    "Resident %(number)d: please shorten the name to 100 characters."
                )
                % number
            },
        ),
        f"gender_{row}": forms.ChoiceField(
            label=_("Gender"),
            required=False,
            choices=[("", "–"), *Gender.choices],
            error_messages={"invalid_choice": _("Choose one of these.")},
        ),
        f"age_{row}": forms.CharField(
            label=_("Age"),
            required=False,
            max_length=4,
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
            error_messages={
                "max_length": gettext("Resident %(number)d: write the age as a number, like 72.")
                % number
            },
        ),
        f"unit_{row}": forms.ChoiceField(
            label=_("Age in"),
            required=False,
            initial="years",
            choices=[("years", _("years")), ("months", _("months"))],
            error_messages={"invalid_choice": _("Choose one of these.")},
        ),
        f"room_{row}": PlainTextField(
            label=_("Room or number, if any"),
            required=False,
            max_length=20,
            error_messages={
                "max_length": gettext(
                    "Resident %(number)d: please shorten the room to 20 characters."
                )
                % number
            },
        ),
        f"another_{row}": forms.BooleanField(
            label=_("This is somebody else: register them too"), required=False
        ),
    }


class RepresentativeForm(PlainForm):
    """Whom the patient names, and what for."""

    name = NameField(
        label=_("Full name"),
        max_length=100,
        error_messages={"max_length": _("Please shorten the name to 100 characters.")},
    )
    bond = forms.ChoiceField(
        label=_("What is this person to the patient?"),
        choices=NAMED_BONDS,
        widget=forms.RadioSelect,
    )
    mobile = forms.CharField(
        label=_("Mobile number, if any"),
        required=False,
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric"}),
        error_messages={"max_length": _("This is too long for a mobile number.")},
    )
    may = forms.MultipleChoiceField(
        label=_("What may this person do?"),
        choices=[
            ("collect", _("Collect the medicines")),
            ("speak", _("Speak with the doctor for the patient")),
        ],
        widget=forms.CheckboxSelectMultiple,
        initial=["collect"],
        error_messages={"required": _("Choose what this person may do.")},
    )
    until = DatePartsField(
        label=_("Until when?"),
        required=False,
        help_text=_("Leave it empty if it has no end. You can end it at any time."),
    )

    def clean_mobile(self) -> str:
        typed: str = self.cleaned_data["mobile"]
        if not typed.strip():
            return ""
        try:
            return parse_mobile(typed)
        except Invalid as error:
            raise forms.ValidationError(str(error.message)) from None

    def clean_until(self) -> datetime.date | None:
        until: datetime.date | None = self.cleaned_data["until"]
        if until is not None and until < clock.today():
            raise forms.ValidationError(_("This day has passed."))
        return until

    def authority(self) -> Authority:
        """Return what was filled in."""
        cleaned = self.cleaned_data
        return Authority(
            name=cleaned["name"],
            bond=cleaned["bond"],
            mobile=cleaned["mobile"],
            may_collect="collect" in cleaned["may"],
            may_speak="speak" in cleaned["may"],
            until=cleaned["until"],
        )


class CompanionForm(RepresentativeForm):
    """The adult who is with the patient, where nobody is identified yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["may"], self.fields["until"]
        self.fields["name"].label = _("Full name of the adult")

    def authority(self) -> Authority:
        """Return somebody who may speak for the patient until that is revoked."""
        cleaned = self.cleaned_data
        return Authority(
            name=cleaned["name"],
            bond=cleaned["bond"],
            mobile=cleaned["mobile"],
            may_collect=False,
            may_speak=True,
        )


class KeptForm(forms.Form):
    """Which of the others in care this person is."""

    kept = forms.TypedChoiceField(
        label=_("Who is it?"),
        coerce=uuid.UUID,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose who it is."),
            "invalid_choice": _("Choose one of these."),
        },
    )

    def __init__(self, choices: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kept"].choices = choices  # type: ignore[attr-defined]


def companion_choices(companions: Sequence[Companion]) -> list[tuple[str, str]]:
    """Return who can be with the patient, each with what they are to the patient."""
    return [(one.id, f"{one.name} ({one.bond_name})") for one in companions]
