"""Seals: what tells an entry as it was shown from one that somebody has changed since.

A page carries the seal of what it shows; the verb that changes it is handed the seal back as
`seen`, and compares it while it holds the entry.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence

from sanjeevani.directory.errors import ChangedMeanwhile
from sanjeevani.directory.models import Clinic, ClinicHours, Facility, Practitioner

_PRACTITIONER = (
    "name", "gender", "qualification", "council", "registration_number", "speciality_code",
    "languages", "address", "contact",
)  # fmt: skip
_FACILITY = (
    "name", "name_hi", "kind", "address", "district", "phone", "is_opd_host", "is_hub", "is_spoke",
)  # fmt: skip
_RULES = ("name", "name_hi", "languages", "time_limit_minutes")


def seal_of(practitioner: Practitioner) -> str:
    """Return the seal of a practitioner's entry."""
    return _seal(getattr(practitioner, name) for name in _PRACTITIONER)


def facility_seal(facility: Facility) -> str:
    """Return the seal of what a facility is registered with."""
    return _seal(getattr(facility, name) for name in _FACILITY)


def rules_seal(clinic: Clinic) -> str:
    """Return the seal of a clinic's name and rules."""
    rules = [getattr(clinic, name) for name in _RULES]
    return _seal([*rules, clinic.line.target_wait_minutes])


def hours_seal(hours: Sequence[ClinicHours]) -> str:
    """Return the seal of a timetable, in the order of the week."""
    return _seal(part for row in hours for part in (row.weekday, row.opens, row.closes))


def require_unchanged(seen: str | None, seal: str) -> None:
    """Let nobody overwrite what they have not seen. Raises ChangedMeanwhile."""
    if seen is not None and seen != seal:
        raise ChangedMeanwhile


def _seal(parts: Iterable[object]) -> str:
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:32]
