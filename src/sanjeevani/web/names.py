"""Names that a page shows in its reader's language."""

import uuid
from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import get_language

from sanjeevani.directory.models import Line
from sanjeevani.terminology.queries import specialities


def hub_names(lines: Mapping[uuid.UUID, Line]) -> dict[uuid.UUID, str]:
    """Return the names of hubs' lines: the speciality with the hub and its district."""
    if not lines:
        return {}
    hindi = _reader_language() == "hi"
    names = speciality_names()
    return {
        asked: (
            f"{names.get(line.speciality_code, line.speciality_code)},"
            f" {(hindi and line.facility.name_hi) or line.facility.name}, {line.facility.district}"
        )
        for asked, line in lines.items()
    }


def speciality_names() -> dict[str, str]:
    """Return the names of the specialities by code."""
    language = _reader_language()
    return {one.code: one.name_in(language) for one in specialities()}


def _reader_language() -> str:
    return get_language() or settings.LANGUAGE_CODE
