"""Form fields that several workplaces share."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.text import plain_text


class PlainForm(forms.Form):
    """A form whose default messages say what to do, with the name of the field.

    The summary at the top of the page lists messages without their fields, so that "This field is
    required" five times over would help nobody. A field's own `error_messages` win.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            label = {"label": field.label or name}
            chosen = isinstance(field, forms.ChoiceField)
            required = _("Choose: %(label)s") if chosen else _("Fill in: %(label)s")
            for code, default, message in (
                ("required", forms.Field.default_error_messages["required"], required),
                (
                    "invalid_choice",
                    type(field).default_error_messages.get("invalid_choice"),
                    _("Choose one of the answers: %(label)s"),
                ),
                (
                    "invalid",
                    type(field).default_error_messages.get("invalid"),
                    _("Check what you wrote: %(label)s"),
                ),
            ):
                if default is not None and field.error_messages.get(code) == default:
                    field.error_messages[code] = message % label


class PlainTextField(forms.CharField):
    """Text in any script, composed (NFC), without control and direction-changing characters."""

    def to_python(self, value: Any) -> str:
        lines = isinstance(self.widget, forms.Textarea)
        return plain_text(super().to_python(value) or "", lines=lines)


class DateParts(forms.MultiWidget):
    """Three text inputs, `<name>_day`, `_month`, `_year`: a calendar is slow for birthdays."""

    labels = {"day": _("Day"), "month": _("Month"), "year": _("Year")}

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({part: forms.TextInput() for part in self.labels}, attrs)

    def decompress(self, value: date | None) -> list[int | None]:
        return [value.day, value.month, value.year] if value else [None, None, None]


class DatePartsField(forms.Field):
    """A date typed as day, month and year; the messages say which part is wrong."""

    widget = DateParts

    def to_python(self, value: Any) -> date | None:
        if value is None or isinstance(value, date):
            return value
        typed = [str(part or "").strip() for part in value]
        if not any(typed):
            return None
        missing = [
            str(label)
            for label, part in zip(DateParts.labels.values(), typed, strict=True)
            if not part
        ]
        if missing:
            raise forms.ValidationError(
                _("Write this as well: %(parts)s"),
                code="incomplete",
                params={"parts": ", ".join(missing)},
            )
        day, month, year = typed
        if not (year.isdecimal() and len(year) == 4):
            raise forms.ValidationError(_("Write the year in 4 digits, like 1984"), code="year")
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            raise forms.ValidationError(
                _("This date does not exist. Write it in numbers, like 27 3 1984"), code="invalid"
            ) from None
