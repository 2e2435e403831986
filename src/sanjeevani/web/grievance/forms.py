"""The forms of a complaint: what somebody has to say, and what an administrator answers."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import State
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.grievance.models import GrievanceKind
from sanjeevani.grievance.numbers import read_number
from sanjeevani.grievance.services import LONGEST
from sanjeevani.web.fields import PlainForm, PlainTextField
from sanjeevani.web.patient.views import language
from sanjeevani.web.sign_in.forms import MobileField

TOO_LONG = {"max_length": _("Please say it in at most 4,000 characters.")}


class ComplaintForm(PlainForm):
    """What it is about, what happened, and how to reach whoever wants an answer."""

    kind = forms.ChoiceField(
        label=_("What is it about?"), choices=GrievanceKind.choices, widget=forms.RadioSelect
    )
    state = forms.TypedChoiceField(label=_("Which state's service?"), coerce=int)
    text = PlainTextField(
        label=_("What happened, or what do you suggest?"),
        help_text=_("With the day, the time and the number of the token, if you know them."),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages=TOO_LONG,
    )
    name = PlainTextField(
        label=_("Your name, if you like"),
        max_length=100,
        required=False,
        error_messages={"max_length": _("Please shorten the name to 100 characters.")},
    )
    mobile = MobileField(
        label=_("Your mobile number, if you want an SMS when there is an answer"),
        help_text=_("Without it nobody can reach you: keep the number that you get."),
        required=False,
    )
    sent = forms.UUIDField(widget=forms.HiddenInput, required=False)
    """Of this page: sent again, it is known."""

    def clean_sent(self) -> uuid.UUID:
        """Return the key of the page; a new one where none came along."""
        return self.cleaned_data["sent"] or uuid.uuid4()

    def __init__(
        self, states: Sequence[State], *args: Any, about_consultation: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if about_consultation:
            del self.fields["state"]
            return
        self.fields["state"].choices = [  # type: ignore[attr-defined]
            (NATIONAL, _("I do not know, or all of India")),
            *(
                (state.lgd_code, state.name_hi if language() == "hi" else state.name)
                for state in states
            ),
        ]


class NumberForm(PlainForm):
    """The number that somebody got."""

    number = forms.CharField(
        label=_("Number of your complaint"),
        help_text=_("Like 28-K7TM-9WQR-2XD4"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )

    def clean_number(self) -> str:
        """Return the number as it is stored."""
        read = read_number(self.cleaned_data["number"])
        if read is None:
            raise forms.ValidationError(
                _("The number has the state's code and twelve letters and digits. Look again.")
            )
        return read[1]


class ReasonForm(PlainForm):
    """What is still wrong."""

    reason = PlainTextField(
        label=_("What is still wrong?"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages=TOO_LONG,
    )


class AnswerForm(PlainForm):
    """What an administrator answers."""

    answer = PlainTextField(
        label=_("Your answer"),
        help_text=_("In plain words. Whoever has the number can read it: write no names."),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages=TOO_LONG,
    )
