"""Names that a page shows in its reader's language."""

import re
import uuid
from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import get_language

from sanjeevani.directory.models import Facility, Line
from sanjeevani.terminology.queries import specialities


def hub_names(lines: Mapping[uuid.UUID, Line]) -> dict[uuid.UUID, str]:
    """Return the names of hubs' lines: the speciality with the hub and its district."""
    if not lines:
        return {}
    names = speciality_names()
    return {
        asked: (
            f"{names.get(line.speciality_code, line.speciality_code)}, {place_of(line.facility)}"
        )
        for asked, line in lines.items()
    }


def place_of(facility: Facility) -> str:
    """Return the name of a facility with its district, unless the name ends with that already."""
    name = (_reader_language() == "hi" and facility.name_hi) or facility.name
    # The district is written in one script only; the name in Hindi says the same as the other.
    ends = rf"\b{re.escape(facility.district)}[\W\d]*$"
    if re.search(ends, facility.name, re.IGNORECASE):
        return name
    return f"{name}, {facility.district}"


def speciality_names() -> dict[str, str]:
    """Return the names of the specialities by code."""
    language = _reader_language()
    return {one.code: one.name_in(language) for one in specialities()}


def _reader_language() -> str:
    return get_language() or settings.LANGUAGE_CODE
