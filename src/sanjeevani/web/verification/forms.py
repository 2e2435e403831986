"""The number as people type it from paper."""

import re
import unicodedata

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.web.fields import PlainForm

# Crockford's alphabet: what looks like a digit is one.
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_NUMBER = re.compile(r"^[0-9A-HJKMNP-TV-Z]{12}$")


def read_number(text: str) -> str:
    """Bring a typed number into the form it is stored in. Raises ValidationError."""
    typed = unicodedata.normalize("NFKC", text).upper()
    plain = re.sub(r"[\s‐‑–-]", "", typed).translate(_LOOKALIKES)
    if not _NUMBER.match(plain):
        raise forms.ValidationError(
            _("The number has twelve letters and digits. Please look at it again.")
        )
    return "-".join(plain[start : start + 4] for start in (0, 4, 8))


class NumberForm(PlainForm):
    """A prescription's number, with or without its dashes, in any case."""

    number = forms.CharField(
        label=_("Number of the prescription"),
        help_text=_("Twelve letters and digits, below the QR code. For example 7K3M-9QPA-04TZ."),
        max_length=40,
    )

    def clean_number(self) -> str:
        """Bring the number into the form it is stored in."""
        return read_number(self.cleaned_data["number"])
