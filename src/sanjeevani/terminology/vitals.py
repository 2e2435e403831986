"""Vital signs: codes (LOINC), units (UCUM), plausible ranges, and the units people type."""

from dataclasses import dataclass
from functools import cache

from sanjeevani.terminology.data_files import read_document
from sanjeevani.terminology.languages import Texts, text_in

FAHRENHEIT = "[degF]"
CELSIUS = "Cel"


@dataclass(frozen=True)
class Vital:
    """A vital sign. `minimum` and `maximum` are plausible, not normal: outside is a mistake."""

    code: str
    loinc: tuple[str, ...]
    unit: str
    unit_shown: str
    minimum: float
    maximum: float
    decimals: int
    derived: bool
    names: Texts

    def name_in(self, language: str) -> str:
        """Return the name in a language."""
        return text_in(self.names, language)


class ImplausibleVital(ValueError):
    """A value that no living person has, or in a unit that this vital sign is not measured in."""

    def __init__(self, vital: Vital) -> None:
        super().__init__(vital.code)
        self.vital = vital


@cache
def vitals() -> dict[str, Vital]:
    """Return the vital signs by code, in the order of entry."""
    return {
        row["code"]: Vital(
            code=row["code"],
            loinc=tuple(row["loinc"]),
            unit=row["unit"],
            unit_shown=row["unit_shown"],
            minimum=row["minimum"],
            maximum=row["maximum"],
            decimals=row["decimals"],
            derived=row.get("derived", False),
            names=row["name"],
        )
        for row in read_document("vitals")["vitals"]
    }


def celsius_from_fahrenheit(degrees: float) -> float:
    """Return degrees Celsius, to a hundredth so that the conversion back gives what was typed."""
    return round((degrees - 32) * 5 / 9, 2)


def accept_vital(code: str, value: float, unit: str | None = None) -> float:
    """Return the value in the vital's own unit (UCUM).

    `unit` is the UCUM unit it was entered in; only temperature knows a second one, `[degF]`.
    Raises ImplausibleVital outside the plausible range, KeyError for an unknown vital.
    """
    vital = vitals()[code]
    if unit == FAHRENHEIT and vital.unit == CELSIUS:
        value = celsius_from_fahrenheit(value)
    elif unit is not None and unit != vital.unit:
        raise ImplausibleVital(vital)
    if not vital.minimum <= value <= vital.maximum:
        raise ImplausibleVital(vital)
    return value


def body_mass_index(weight_kg: float, height_cm: float) -> float:
    """Return kg/m2 to one decimal."""
    return round(weight_kg / (height_cm / 100) ** 2, 1)
