"""Forms of the national administrator."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.web.administration.forms import PersonForm
from sanjeevani.web.fields import PlainTextField


class FirstAdministratorForm(PersonForm):
    """A state's first administrator, and the office that is opened for it."""

    office = PlainTextField(label=_("Name of the office"), max_length=120)
    address = PlainTextField(label=_("Address of the office"), max_length=200)
    district = PlainTextField(label=_("District"), max_length=60)


class AdministratorForm(PersonForm):
    """A further administrator, at an office that there is."""

    office_id = forms.ChoiceField(label=_("Office"))
    drawn: ClassVar[Mapping[str, Mapping[str, Any]]] = PersonForm.drawn

    def __init__(self, choices: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office_id"].choices = choices  # type: ignore[attr-defined]

    def office(self) -> uuid.UUID:
        """Return the office of a valid form."""
        return uuid.UUID(self.cleaned_data["office_id"])
