"""Forms that more than one administrator fills in."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import FacilityKind, Gender, PresenceProof, Role
from sanjeevani.directory.queries import spoken_languages
from sanjeevani.directory.services import (
    ClinicDetails,
    ClinicRules,
    FacilityDetails,
    PractitionerDetails,
)
from sanjeevani.directory.staff import NewPerson
from sanjeevani.terminology.queries import specialities
from sanjeevani.web.fields import DatePartsField, PlainForm, PlainTextField
from sanjeevani.web.jinja import language_name
from sanjeevani.web.patient.forms import NameField
from sanjeevani.web.patient.views import language
from sanjeevani.web.sign_in.forms import MobileField

MOST_PLACES = 100_000


class AdministrationForm(PlainForm):
    """A form whose fields know how they are drawn: keywords for `field` of the templates."""

    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.ChoiceField):
                # Read once, and before the template draws it.
                choices: Any = field.choices
                field.choices = list(choices)


def _languages() -> list[tuple[str, str]]:
    return [(code, language_name(code)) for code in spoken_languages()]


def languages_field() -> forms.MultipleChoiceField:
    """The languages that patients can be spoken to in."""
    return forms.MultipleChoiceField(
        label=_("Languages"),
        choices=_languages,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one language.")},
    )


def _specialities() -> list[tuple[str, Any]]:
    return [("", _("Choose")), *((one.code, one.name_in(language())) for one in specialities())]


def speciality_field() -> forms.ChoiceField:
    """One of the specialities."""
    return forms.ChoiceField(label=_("Speciality"), choices=_specialities)


def number_field(label: Any, help_text: Any = "", *, most: int, **more: Any) -> forms.IntegerField:
    """A whole number above 0."""
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=1,
        max_value=most,
        error_messages={
            "min_value": _("Enter a number above 0."),
            "max_value": _("Enter a number up to %(limit_value)s."),
            "invalid": _("Enter a whole number, in digits."),
        },
        **more,
    )


class PersonForm(AdministrationForm):
    """Somebody new, who gets a link to choose a password."""

    name = NameField(label=_("Full name"), max_length=100)
    mobile = MobileField(
        label=_("Mobile number"),
        help_text=_("The link to choose a password goes there by SMS. It works for 3 days."),
    )
    language = forms.ChoiceField(
        label=_("Language of the messages"),
        choices=[(code, language_name(code)) for code, _name in settings.LANGUAGES],
        widget=forms.RadioSelect,
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "mobile": {"width": 20},
        "language": {"inline": True},
    }

    def person(self) -> NewPerson:
        """Return the person of a valid form."""
        said = self.cleaned_data
        return NewPerson(name=said["name"], mobile=said["mobile"], language=said["language"])


class AppointForm(PersonForm):
    """Somebody new, and what the person is to be here."""

    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)
    field_order = ("role", "name", "mobile", "language")

    def __init__(self, roles: Sequence[Role], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]  # type: ignore[attr-defined]


class KnownForm(AdministrationForm):
    """Somebody who signs in already."""

    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)
    login = PlainTextField(label=_("User name"), max_length=60)
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {"login": {"width": 20}}

    def __init__(self, roles: Sequence[Role], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]  # type: ignore[attr-defined]


class InviteForm(AdministrationForm):
    """Where a new link goes."""

    mobile = MobileField(
        label=_("Mobile number"),
        help_text=_("The link to choose a password goes there by SMS. It works for 3 days."),
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {"mobile": {"width": 20}}


class FacilityForm(AdministrationForm):
    """What a facility is registered with."""

    name = PlainTextField(label=_("Name"), max_length=120)
    name_hi = PlainTextField(label=_("Name in Hindi"), max_length=120, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Choose")), *FacilityKind.choices])
    address = PlainTextField(label=_("Address"), max_length=200)
    district = PlainTextField(label=_("District"), max_length=60)
    phone = PlainTextField(
        label=_("Telephone"), max_length=20, required=False, help_text=_("Leave empty if none.")
    )
    hosts = forms.MultipleChoiceField(
        label=_("What it does"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            ("is_opd_host", _("OPD host: patients at home see its doctors")),
            ("is_hub", _("Hub: its doctors help health centres")),
            ("is_spoke", _("Spoke: its health workers ask a hub")),
        ],
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {"phone": {"width": 20}}

    def details(self) -> FacilityDetails:
        """Return the details of a valid form."""
        said = dict(self.cleaned_data)
        hosts = said.pop("hosts")
        return FacilityDetails(
            **said,
            is_opd_host="is_opd_host" in hosts,
            is_hub="is_hub" in hosts,
            is_spoke="is_spoke" in hosts,
        )


class PresenceForm(AdministrationForm):
    """How spokes show that a patient really sits there."""

    presence_proof = forms.ChoiceField(
        label=_("Before a doctor’s call is answered, a spoke gives"),
        choices=PresenceProof.choices,
        widget=forms.RadioSelect,
        help_text=_("Padded figures help nobody. In an emergency nothing is asked."),
    )


class PractitionerForm(AdministrationForm):
    """What a practitioner is registered with, as the council's register says it."""

    name = NameField(
        label=_("Full name"),
        max_length=100,
        help_text=_("As it stands on prescriptions, like Dr Asha Rao"),
    )
    gender = forms.ChoiceField(label=_("Gender"), choices=Gender.choices, widget=forms.RadioSelect)
    qualification = PlainTextField(
        label=_("Qualification"), max_length=100, help_text=_("For example MBBS, MD (Paediatrics)")
    )
    council = PlainTextField(
        label=_("Medical council"),
        max_length=60,
        help_text=_("The council of the register, like Karnataka Medical Council"),
    )
    registration_number = PlainTextField(label=_("Registration number"), max_length=30)
    speciality = speciality_field()
    languages = languages_field()
    address = PlainTextField(
        label=_("Professional address"),
        max_length=200,
        help_text=_("It stands on prescriptions."),
    )
    contact = PlainTextField(
        label=_("Professional telephone or e-mail"),
        max_length=60,
        help_text=_("It stands on prescriptions."),
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "gender": {"inline": True},
        "registration_number": {"width": 20},
        "languages": {"classes": "many"},
    }

    def details(self) -> PractitionerDetails:
        """Return the details of a valid form."""
        said = {name: self.cleaned_data[name] for name in PractitionerForm.base_fields}
        return PractitionerDetails(speciality_code=said.pop("speciality"), **said)


class EnrolForm(PractitionerForm):
    """A doctor who is new here: the register's entry, and a mobile for the link."""

    mobile = MobileField(
        label=_("Mobile number"),
        help_text=_("The link to sign in goes there with the first post."),
    )
    language = PersonForm.base_fields["language"]
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        **PractitionerForm.drawn,
        "mobile": {"width": 20},
        "language": {"inline": True},
    }

    def person(self) -> NewPerson:
        """Return the person of a valid form."""
        said = self.cleaned_data
        return NewPerson(name=said["name"], mobile=said["mobile"], language=said["language"])


class RulesForm(AdministrationForm):
    """A clinic's name and what holds in daily use."""

    name = PlainTextField(label=_("Name of the OPD"), max_length=120)
    name_hi = PlainTextField(label=_("Name in Hindi"), max_length=120, required=False)
    languages = languages_field()
    time_limit_minutes = number_field(
        _("Minutes for one consultation"),
        _("A hint for the doctor, never an end."),
        most=120,
    )
    target_wait_minutes = number_field(
        _("Minutes that a patient should wait at most"),
        _("Doctors who serve several OPDs get patients by how far each is beyond its target."),
        most=600,
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "languages": {"classes": "many"},
        "time_limit_minutes": {"width": 4},
        "target_wait_minutes": {"width": 4},
    }

    def rules(self) -> ClinicRules:
        """Return the rules of a valid form."""
        return ClinicRules(**self.cleaned_data)


class PlacesForm(AdministrationForm):
    """How many patients a clinic takes."""

    places_per_day = number_field(
        _("Places a day"), _("Tokens that are given on one day."), most=MOST_PLACES
    )
    waiting_places = number_field(
        _("Places in the waiting room"),
        _("Patients who may wait at the same time."),
        most=MOST_PLACES,
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "places_per_day": {"width": 5},
        "waiting_places": {"width": 5},
    }


class ClinicForm(RulesForm, PlacesForm):
    """A new online OPD, all but its hours."""

    speciality = speciality_field()
    field_order = (
        "name",
        "name_hi",
        "speciality",
        "languages",
        "places_per_day",
        "waiting_places",
        "time_limit_minutes",
        "target_wait_minutes",
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {**RulesForm.drawn, **PlacesForm.drawn}

    def details(self) -> ClinicDetails:
        """Return the details of a valid form."""
        said = dict(self.cleaned_data)
        return ClinicDetails(speciality_code=said.pop("speciality"), **said)


class HolidayForm(AdministrationForm):
    """Days on which a facility's OPDs stay closed, or one of them."""

    reason = PlainTextField(
        label=_("Reason"), max_length=100, help_text=_("Patients read it, like Diwali.")
    )
    clinic = forms.ChoiceField(label=_("Which OPD"), required=False)
    first = DatePartsField(label=_("First day"))
    last = DatePartsField(
        label=_("Last day"), required=False, help_text=_("Leave empty for one day.")
    )

    def __init__(self, clinics: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clinic"].choices = [("", _("All OPDs")), *clinics]  # type: ignore[attr-defined]

    def days(self) -> tuple[datetime.date, datetime.date]:
        """Return the first and the last day of a valid form."""
        first: datetime.date = self.cleaned_data["first"]
        return first, self.cleaned_data["last"] or first


class DoctorPostForm(AdministrationForm):
    """A clinical post: whom it is given to, or where, and the role."""

    chosen = forms.ChoiceField(widget=forms.RadioSelect)
    role = forms.ChoiceField(
        label=_("Role"),
        widget=forms.RadioSelect,
        choices=[(role.value, role.label) for role in (Role.DOCTOR, Role.SPECIALIST)],
        initial=Role.DOCTOR.value,
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {"role": {"inline": True}}

    def __init__(
        self, label: Any, choices: Sequence[tuple[str, str]], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chosen"].label = label
        self.fields["chosen"].choices = choices  # type: ignore[attr-defined]
        required = _("Choose: %(label)s") % {"label": label}
        self.fields["chosen"].error_messages["required"] = required


class StatesForm(AdministrationForm):
    """Further states that a clinic is opened to."""

    states = forms.MultipleChoiceField(
        label=_("Open it to the patients of"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one state.")},
    )
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = {"states": {"classes": "many"}}

    def __init__(self, choices: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["states"].choices = choices  # type: ignore[attr-defined]
