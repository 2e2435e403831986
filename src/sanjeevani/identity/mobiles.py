"""Indian mobile numbers, read from whatever people type."""

import re
import unicodedata

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from phonenumbers import NumberParseException

from sanjeevani.foundation.errors import Invalid

LONGEST_INPUT = 40

_WRITTEN = re.compile(r"[0-9\s()+.\-]+")
# The numbering plan of the Department of Telecommunications: ten digits, the first one 6 to 9.
# The library's metadata takes a tenth of these for landlines and may not know the latest series:
# better an SMS that fails than a patient who is sent away.
_INDIAN_MOBILE = re.compile(r"[6-9][0-9]{9}")


def parse_mobile(text: str) -> str:
    """Return an Indian mobile number as E.164 (`+919876543210`).

    Takes +91, 0091 or 0 in front, spaces, hyphens, and the digits of any script. Raises `Invalid`
    for the field `mobile`, with a message that says what is wrong.
    """
    if len(text) > LONGEST_INPUT:
        raise _refused(_("This is too long for a mobile number. Enter the 10 digits only."))
    written = latin_digits(text).strip()
    if not written:
        raise _refused(_("Enter your mobile number."))
    if not _WRITTEN.fullmatch(written):
        raise _refused(_("A mobile number has only digits. Enter the 10 digits."))
    digits = re.sub(r"[^0-9+]", "", written)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    try:
        number = phonenumbers.parse(digits, "IN")
    except NumberParseException:
        raise _refused(_wrong_length(digits)) from None
    if number.country_code != 91:
        raise _refused(
            _("Only Indian mobile numbers work here: enter 10 digits, without +%(code)d.")
            % {"code": number.country_code}
        )
    national = str(number.national_number)
    if len(national) != 10:
        raise _refused(_wrong_length(national))
    if not _INDIAN_MOBILE.fullmatch(national):
        raise _refused(
            _("This is not a mobile number. Indian mobile numbers start with 6, 7, 8 or 9.")
        )
    return f"+91{national}"


def latin_digits(text: str) -> str:
    """Replace the decimal digits of every script by 0-9: Hindi keyboards write १२३."""
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in text
    )


def _wrong_length(digits: str) -> str:
    return ngettext_lazy(
        "An Indian mobile number has 10 digits. You entered %(count)d.",
        "An Indian mobile number has 10 digits. You entered %(count)d.",
        "count",
    ) % {"count": sum(character.isdigit() for character in digits)}


def _refused(message: Promise | str) -> Invalid:
    return Invalid(message, field="mobile")
