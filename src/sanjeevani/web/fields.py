"""Form fields that several workplaces share."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


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
