"""PDF documents by typst.

A template of `templates/` gets its data as one JSON string through `sys.inputs` and its words from
`labels/<language>.json`; nothing a person wrote ever becomes typst source. The same data gives the
same bytes. Files are tagged for screen readers (PDF/UA-1) and embed the fonts of `fonts/`.
"""

import datetime
import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst

from sanjeevani.documents.qr import QrTooLong, qr_modules, qr_svg

PACKAGE = Path(__file__).resolve().parent
LANGUAGES = ("en", "hi")
DEFAULT_LANGUAGE = "en"

SMALLEST_QR_MM = 24
LARGEST_QR_MM = 52
MODULE_MM = 0.34

JOINERS = frozenset("\u200c\u200d")
"""Invisible, but Indic scripts and Persian spell with them."""


def render(
    template_name: str,
    data: Mapping[str, Any],
    language: str,
    *,
    issued_at: datetime.datetime | None = None,
) -> bytes:
    """Return the PDF of a template (`prescription`, `referral_letter`, `token_slip`).

    `data` is described by the TypedDicts of `prescription_document.py`. An unknown language is
    set in English. `issued_at` (aware) becomes the file's creation date; without it the file says
    1970, never the time of rendering, because the same document must come out the same.
    """
    inputs = {
        "data": json.dumps(_with_qr(_printable(data)), ensure_ascii=False),
        "language": language if language in LANGUAGES else DEFAULT_LANGUAGE,
    }
    moment = issued_at or datetime.datetime.fromtimestamp(0, datetime.UTC)
    try:
        return _compile(template_name, inputs, moment, "ua-1")
    except typst.TypstError:
        # PDF/UA refuses characters that no font of ours has (an emoji); better a box on the page
        # than no prescription. What else is wrong fails again.
        return _compile(template_name, inputs, moment, None)


def _compile(
    template_name: str,
    inputs: dict[str, str],
    moment: datetime.datetime,
    standard: Literal["ua-1"] | None,
) -> bytes:
    document = typst.compile(
        str(PACKAGE / "templates" / f"{template_name}.typ"),
        root=str(PACKAGE),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=standard,
        timestamp=int(moment.timestamp()),
    )
    if not isinstance(document, bytes):
        raise TypeError("typst gave several files for a PDF")
    return document


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(PACKAGE / "fonts")],
    )


def labels(language: str) -> dict[str, Any]:
    """Return the words that documents print, in a language, in English where there are none."""
    name = language if language in LANGUAGES else DEFAULT_LANGUAGE
    return dict(_read_labels(name))


@cache
def _read_labels(language: str) -> dict[str, Any]:
    path = PACKAGE / "labels" / f"{language}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _with_qr(data: dict[str, Any]) -> dict[str, Any]:
    """Add the drawing of `qr_content` and its width: a phone needs modules of 0.3 mm on paper.

    A statement that no code can hold gives way to the address, where the number can be typed.
    """
    content = data.get("qr_content", "")
    if not content:
        return {**data, "qr_svg": "", "qr_size_mm": 0}
    try:
        modules = qr_modules(content)
    except QrTooLong:
        content = data["verification_address"]
        modules = qr_modules(content)
    width = min(max(SMALLEST_QR_MM, modules * MODULE_MM), LARGEST_QR_MM)
    return {**data, "qr_svg": qr_svg(content), "qr_size_mm": round(width, 1)}


def _printable(value: Any) -> Any:
    """Drop what has no ink and could mislead: control characters, overrides of text direction.

    A right-to-left override would turn "05" into "50" on paper. The joiners of Indic scripts stay.
    """
    if isinstance(value, str):
        return "".join(
            character
            for character in unicodedata.normalize("NFC", value)
            if character == "\n"
            or character in JOINERS
            or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
        )
    if isinstance(value, Mapping):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return value
