"""The notice that patients agree to, by version.

Digital Personal Data Protection Act 2023, section 5, and its Rules of 2025: a standalone notice in
plain language, saying which data, for which purpose, how to withdraw and how to complain. The
wording below is ours and unconfirmed: a lawyer has to confirm it before real use.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CURRENT_NOTICE = "2026-12"
"""Whoever agreed to another version is asked again before the next consultation."""

_NOT_IN_PERSON = _(
    "A doctor whom you do not meet in person will advise you by chat, phone or video. "
    "A doctor cannot examine you this way, and may ask you to go to a hospital instead."
)
_WHO_READS = _(
    "Only you and the doctors who treat you can read your record. Every time a doctor "
    "reads it, that is noted. The law asks us to keep medical records for at least three "
    "years."
)
_UNHAPPY = _(
    "If you are unhappy with how your data is used, complain on the page “Grievance”, "
    "and after that to the Data Protection Board of India."
)

NOTICES: dict[str, list[Promise]] = {
    "2026-11": [
        _NOT_IN_PERSON,
        _(
            "We keep your name, age, gender, address, mobile number, what you tell us about your "
            "health, what you and the doctor write, and the prescription. We use them only to "
            "treat you, and to count consultations without names."
        ),
        _WHO_READS,
        _(
            "You can withdraw this consent at any time on the page “People in your care”. It does "
            "not undo consultations you already had."
        ),
        _UNHAPPY,
    ],
    "2026-12": [
        _NOT_IN_PERSON,
        _(
            "We keep your name, age, gender, address, mobile number, what you tell us about your "
            "health, the photos and papers that you add, who is with you or acts for you, what "
            "you and the doctor write, and the prescription. We use them only to treat you, and "
            "to count consultations without names."
        ),
        _WHO_READS,
        _(
            "You can withdraw this consent at any time on the page “People in your care”, with "
            "two taps. A token that waits is then given back. Consultations you already had stay "
            "in your record, and only the doctors who held them can still open them."
        ),
        _UNHAPPY,
    ],
}


def notice(version: str) -> list[Promise]:
    """Return the paragraphs of a version, for who wants to read what was agreed to."""
    return NOTICES.get(version, [])
