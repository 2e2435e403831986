"""Form fields that several workplaces share."""

from datetime import date
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.text import plain_text


def _with_label(message: str | Promise, label: str | Promise) -> str:
    return str(message) % {"label": label}


_labelled = lazy(_with_label, str)


class PlainForm(forms.Form):
    """A form whose default messages say what to do, with the name of the field.

    The summary at the top of the page lists messages without their fields, so that "This field is
    required" five times over would help nobody. A field's own `error_messages` win.
    """

    declared_fields: ClassVar[dict[str, forms.Field]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give the declared fields their messages, once and for all forms of the class."""
        super().__init_subclass__(**kwargs)
        for name, field in cls.declared_fields.items():
            label = field.label or name
            chosen = isinstance(field, forms.ChoiceField)
            required = _("Choose: %(label)s") if chosen else _("Fill in: %(label)s")
            own = type(field).default_error_messages
            for code, default, message in (
                ("required", forms.Field.default_error_messages["required"], required),
                (
                    "invalid_choice",
                    own.get("invalid_choice"),
                    _("Choose one of the answers: %(label)s"),
                ),
                ("invalid", own.get("invalid"), _("Check what you wrote: %(label)s")),
            ):
                # The very object: to compare lazy texts would translate them.
                if default is not None and field.error_messages.get(code) is default:
                    field.error_messages[code] = _labelled(message, label)


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
