"""Text as people send it, made safe to keep and to show."""

import unicodedata

JOINERS = "\u200c\u200d"
"""Zero-width joiners: Indic scripts need them inside words."""


def plain_text(text: str, *, lines: bool) -> str:
    """Compose text (NFC), without control and direction-changing characters, and trim it.

    `lines` keeps line breaks; without it, white space of any kind becomes single spaces.
    """
    if text.isascii() and text.isprintable():
        return text.strip() if lines else " ".join(text.split())
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    if not lines:
        composed = " ".join(composed.split())
    kept = "".join(
        character
        for character in composed
        if character in JOINERS
        or character == "\n"
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
    )
    return kept.strip() if lines else " ".join(kept.split())
