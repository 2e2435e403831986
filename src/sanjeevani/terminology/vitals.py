"""Vital signs: codes (LOINC), units (UCUM), plausible ranges, and the units people type."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sanjeevani.terminology.data_files import read_document
from sanjeevani.terminology.languages import Texts, text_in

FAHRENHEIT = "[degF]"
CELSIUS = "Cel"

CONSCIOUSNESS, OXYGEN_SUPPLY = "consciousness", "oxygen_supply"
UPPER, LOWER = "systolic_blood_pressure", "diastolic_blood_pressure"
WEIGHT, HEIGHT = "body_weight", "body_height"


@dataclass(frozen=True)
class Choice:
    """One of the answers of what is looked at and not measured."""

    code: str
    names: Texts

    def name_in(self, language: str) -> str:
        """Return the answer in words."""
        return text_in(self.names, language)


@dataclass(frozen=True)
class Vital:
    """A vital sign. `minimum` and `maximum` are plausible, not normal: outside is a mistake.

    What is looked at has `choices`; its value is the place of one among them, from 0.
    """

    code: str
    loinc: tuple[str, ...]
    unit: str
    unit_shown: str
    minimum: float
    maximum: float
    decimals: int
    derived: bool
    names: Texts
    choices: tuple[Choice, ...] = ()

    def name_in(self, language: str) -> str:
        """Return the name in a language."""
        return text_in(self.names, language)

    def shown(self, value: float, language: str) -> str:
        """Return a value as it is read, with its unit."""
        if self.choices:
            return self.choices[int(value)].name_in(language)
        return f"{value:g} {self.unit_shown}"

    def coded(self, value: float) -> float | str:
        """Return a value as the rules read it: of choices the code."""
        return self.choices[int(value)].code if self.choices else value


class ImplausibleVital(ValueError):
    """A value that no living person has, or in a unit that this vital sign is not measured in."""

    def __init__(self, vital: Vital) -> None:
        super().__init__(vital.code)
        self.vital = vital


@cache
def _document() -> Any:
    return read_document("vitals")


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
            choices=tuple(Choice(one["code"], one["name"]) for one in row.get("choices", ())),
        )
        for row in _document()["vitals"]
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
    known = not vital.choices or float(value).is_integer()
    if not known or not vital.minimum <= value <= vital.maximum:
        raise ImplausibleVital(vital)
    return value


def coded(values: Mapping[str, float]) -> dict[str, float | str]:
    """Return values as the rules read them; what is no vital sign is left out."""
    known = vitals()
    return {code: known[code].coded(value) for code, value in values.items() if code in known}


def is_measured(values: Collection[str]) -> bool:
    """Tell whether anything was measured; what is only looked at is no measurement."""
    known = vitals()
    return any(code in known and not known[code].choices for code in values)


def is_swapped(measured: Mapping[str, float]) -> bool:
    """Tell whether the upper blood pressure is not above the lower: no living person's is."""
    return UPPER in measured and LOWER in measured and measured[UPPER] <= measured[LOWER]


@dataclass(frozen=True)
class Reading:
    """What was measured, to be read: `shown` is the value with its unit, `codes` what it shows."""

    name: str
    shown: str
    codes: frozenset[str]


def readings(
    measured: Mapping[str, float], language: str, only: Collection[str] | None = None
) -> list[Reading]:
    """Return what was measured in the order of entry, a blood pressure as one reading.

    `only`: codes to restrict it to; either of a blood pressure stands for both.
    """
    wanted = measured.keys() if only is None else set(only)
    if UPPER in measured and LOWER in measured and wanted & {UPPER, LOWER}:
        wanted = (wanted | {UPPER}) - {LOWER}
    known = vitals()
    return [
        _pressure(measured, language)
        if code == UPPER and LOWER in measured
        else Reading(
            vital.name_in(language), vital.shown(measured[code], language), frozenset({code})
        )
        for code, vital in known.items()
        if code in wanted and code in measured
    ]


def _pressure(measured: Mapping[str, float], language: str) -> Reading:
    name = text_in(_document()["blood_pressure"]["name"], language)
    unit = vitals()[UPPER].unit_shown
    shown = f"{measured[UPPER]:g}/{measured[LOWER]:g} {unit}"
    return Reading(name, shown, frozenset({UPPER, LOWER}))


def body_mass_index(weight_kg: float, height_cm: float) -> float:
    """Return kg/m2 to one decimal."""
    return round(weight_kg / (height_cm / 100) ** 2, 1)
