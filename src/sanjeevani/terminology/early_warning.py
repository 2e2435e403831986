"""NEWS2, the early-warning score for adults (Royal College of Physicians, 2017; SpO2 scale 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sanjeevani.terminology.data_files import read_document


class Risk(StrEnum):
    """The clinical response that a score asks for."""

    LOW = "low"
    LOW_MEDIUM = "low_medium"  # a single parameter scores 3: urgent review
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class EarlyWarningScore:
    """A score with its parts. `missing` parameters count as 0, so the total is then a minimum."""

    total: int
    parts: Mapping[str, int]
    missing: tuple[str, ...]
    risk: Risk


@cache
def _table() -> Any:
    return read_document("news2")


def news2(
    vitals: Mapping[str, float],
    *,
    age_years: int,
    pregnant: bool,
    on_oxygen: bool = False,
    alert: bool | None = None,
) -> EarlyWarningScore | None:
    """Return the score, or None where NEWS2 is not made for the patient: under 16, pregnant.

    `vitals`: respiratory_rate (/min), oxygen_saturation (%), systolic_blood_pressure (mmHg),
    heart_rate (/min), body_temperature (Celsius). `alert` is False for new confusion or a
    response to voice or pain only, None when not assessed.
    """
    table = _table()
    if pregnant or age_years < table["minimum_age_years"]:
        return None
    parts = {
        parameter: _points(bands, round(vitals[parameter], table["rounding"][parameter]))
        for parameter, bands in table["parameters"].items()
        if parameter in vitals
    }
    missing = [parameter for parameter in table["parameters"] if parameter not in vitals]
    parts["oxygen"] = table["on_oxygen_score"] if on_oxygen else 0
    if alert is None:
        missing.append("consciousness")
    else:
        parts["consciousness"] = 0 if alert else table["not_alert_score"]
    total = sum(parts.values())
    return EarlyWarningScore(total, parts, tuple(missing), _risk(total, parts))


def _points(bands: list[dict[str, Any]], value: float) -> int:
    for band in bands:
        if band["up_to"] is None or value <= band["up_to"]:
            return int(band["score"])
    raise AssertionError("the last band of a NEWS2 parameter is open")


def _risk(total: int, parts: Mapping[str, int]) -> Risk:
    if total >= _table()["high_from"]:
        return Risk.HIGH
    if total >= _table()["medium_from"]:
        return Risk.MEDIUM
    return Risk.LOW_MEDIUM if 3 in parts.values() else Risk.LOW
