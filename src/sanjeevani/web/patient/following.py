"""What is asked about the complaints: at a spoke before measuring, at home while waiting."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from sanjeevani.foundation.errors import Invalid
from sanjeevani.intake.following import LONGEST, NO, YES, accepted
from sanjeevani.terminology.languages import text_in
from sanjeevani.terminology.models import FollowOnQuestion
from sanjeevani.terminology.vitals import celsius_from_fahrenheit
from sanjeevani.web.fields import DatePartsField, PlainForm, PlainTextField
from sanjeevani.web.patient.measuring import HOT_CELSIUS, number_in


class FollowingForm(PlainForm):
    """What is asked about the complaints: every answer may be left out."""

    def __init__(
        self,
        questions: Sequence[FollowOnQuestion],
        language: str,
        *args: Any,
        told: Mapping[str, str],
    ) -> None:
        """`told`: what was answered before, as it is stored."""
        super().__init__(*args)
        self.questions = questions
        for question in questions:
            field = self.fields[question.code] = _answer_to(question, language)
            before = told.get(question.code)
            if before and question.kind == "date":
                field.initial = date.fromisoformat(before)
            else:
                field.initial = before

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.told: dict[str, str] = {}
        for question in self.questions:
            answer = cleaned.get(question.code)
            typed = answer.isoformat() if isinstance(answer, date) else str(answer or "")
            if question.kind in ("number", "temperature"):
                typed = number_in(typed)
            if question.kind == "temperature":
                typed = _in_celsius(typed)
            try:
                self.told |= accepted({question.code: typed}, [question])
            except Invalid:
                self.add_error(question.code, _wrong(question))
        return cleaned


def _in_celsius(typed: str) -> str:
    try:
        degrees = float(typed)
    except ValueError:
        return typed
    return f"{celsius_from_fahrenheit(degrees) if degrees > HOT_CELSIUS else degrees:g}"


def _wrong(question: FollowOnQuestion) -> str:
    if question.kind == "number":
        return _("Write a number between %(low)d and %(high)d.") % {
            "low": question.minimum or 0,
            "high": question.maximum or 0,
        }
    if question.kind == "date":
        return _("This day has not come yet.")
    return _("Write a number, like 38.5.")


def _answer_to(question: FollowOnQuestion, language: str) -> forms.Field:
    label = question.name_in(language)
    if question.kind in ("yes_no", "choice"):
        answers = [
            (option["code"], text_in(option["text"], language)) for option in question.options
        ] or [(YES, _("Yes")), (NO, _("No"))]
        return forms.ChoiceField(
            label=label, choices=answers, required=False, widget=forms.RadioSelect
        )
    if question.kind == "date":
        return DatePartsField(label=label, required=False)
    if question.kind == "text":
        return PlainTextField(label=label, required=False, max_length=LONGEST)
    unit = " (°C / °F)" if question.kind == "temperature" else ""
    return forms.CharField(
        label=f"{label}{unit}",
        required=False,
        max_length=6,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
