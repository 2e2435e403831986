"""How medicines are taken: forms, routes, frequencies, instructions, the slots of a day plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from sanjeevani.terminology.data_files import read_document
from sanjeevani.terminology.languages import Texts, text_in


@dataclass(frozen=True)
class Term:
    """A coded phrase with the abbreviations that clinicians type for it, in lower case."""

    code: str
    names: Texts
    abbreviations: tuple[str, ...]

    def name_in(self, language: str) -> str:
        """Return the phrase in a language."""
        return text_in(self.names, language)


@dataclass(frozen=True)
class DosageForm(Term):
    """A dosage form and what one of it is counted in; `several`: where more differ."""

    units: Texts
    several: Texts

    def unit_in(self, language: str, amount: Decimal | int = 1) -> str:
        """Return the unit of a dose (tablet, tablets, mL) as a language says it of an amount."""
        one = text_in(self.units, language)
        spoken = language if language in self.units else "en"
        return self.several.get(spoken, one) if amount > 1 else one


@dataclass(frozen=True)
class Route(Term):
    """A route of administration; `snomed_code` is blank where not verified."""

    snomed_code: str


@dataclass(frozen=True)
class Slot(Term):
    """A time of day in the patient's day plan."""

    icon: str


@dataclass(frozen=True)
class Frequency(Term):
    """How often a dose is taken.

    `times_per_day` is None for doses as needed and below 1 for less than daily; `pattern` is the
    way it is written in India (`1-0-1`), doses in `slots`; `single_dose` is taken once only.
    """

    times_per_day: float | None
    slots: tuple[str, ...]
    pattern: str
    single_dose: bool


@cache
def _document() -> Any:
    return read_document("dosage")


def _term(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "code": row["code"],
        "names": row["name"],
        "abbreviations": tuple(row.get("abbreviations", ())),
    }


@cache
def forms() -> dict[str, DosageForm]:
    """Return the dosage forms by code."""
    return {
        row["code"]: DosageForm(**_term(row), units=row["unit"], several=row.get("several", {}))
        for row in _document()["forms"]
    }


@cache
def routes() -> dict[str, Route]:
    """Return the routes by code."""
    return {
        row["code"]: Route(**_term(row), snomed_code=row["snomed"]) for row in _document()["routes"]
    }


@cache
def slots() -> dict[str, Slot]:
    """Return the slots of a day by code, from morning to night."""
    return {row["code"]: Slot(**_term(row), icon=row["icon"]) for row in _document()["slots"]}


@cache
def frequencies() -> dict[str, Frequency]:
    """Return the frequencies by code (OD, BD, TDS, ...)."""
    return {
        row["code"]: Frequency(
            **_term(row),
            times_per_day=row["times_per_day"],
            slots=tuple(row["slots"]),
            pattern=row["pattern"],
            single_dose=row.get("single_dose", False),
        )
        for row in _document()["frequencies"]
    }


def is_single(frequency: str) -> bool:
    """Tell whether a frequency, coded or a pattern, is one dose and no more."""
    coded = frequencies().get(frequency)
    return coded is not None and coded.single_dose


@cache
def instructions() -> dict[str, Term]:
    """Return the instruction phrases by code."""
    return {row["code"]: Term(**_term(row)) for row in _document()["instructions"]}
