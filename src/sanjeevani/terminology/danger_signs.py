"""Danger signs: which questions to ask, and which answers and vitals mean an emergency.

The tables are data (`data/danger_signs.json`) with their source and version. Everything here is
pure: the same answers always give the same result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sanjeevani.terminology.data_files import read_document
from sanjeevani.terminology.languages import Texts, text_in

DAYS_PER_YEAR = 365.25


class Audience(StrEnum):
    """Who is asked: only a health worker can look for capillary refill."""

    PATIENT = "patient"
    HEALTH_WORKER = "health_worker"


class Level(StrEnum):
    """RED: no ordinary token, emergency care now. HIGH_RISK: a clinician looks at once."""

    RED = "red"
    HIGH_RISK = "high_risk"


@dataclass(frozen=True)
class Source:
    """Where a rule comes from. `confirmed` is False until it was checked against the original."""

    code: str
    title: str
    year: int
    confirmed: bool


@dataclass(frozen=True)
class DangerSign:
    """A sign that is asked for or seen; any single one is red.

    `call` are the emergency numbers to offer, the first one first.
    """

    code: str
    bands: tuple[str, ...]
    minimum_age_years: int
    pregnant_only: bool
    asked_of: tuple[str, ...]
    icon: str
    question: Texts
    first_aid: Texts
    call: tuple[str, ...]
    source: Source

    def question_in(self, language: str) -> str:
        """Return the question in a language."""
        return text_in(self.question, language)

    def first_aid_in(self, language: str) -> str:
        """Return what to do until help comes, in a language."""
        return text_in(self.first_aid, language)

    def applies(self, *, age_days: int, pregnant: bool) -> bool:
        """Tell whether this sign counts for a person of this age."""
        return (
            band_of(age_days) in self.bands
            and age_days >= int(self.minimum_age_years * DAYS_PER_YEAR)
            and (pregnant or not self.pregnant_only)
        )


@dataclass(frozen=True)
class VitalRule:
    """A threshold on one vital sign for an age range; in the vital's own unit."""

    code: str
    level: Level
    vital: str
    below: float | None
    above: float | None
    at_or_above: float | None
    other_than: str | None
    from_days: int
    below_days: int | None
    pregnant_only: bool
    source: Source

    def met_by(self, value: float | str, *, age_days: int, pregnant: bool) -> bool:
        """Tell whether a measured value meets the rule for a person of this age."""
        if age_days < self.from_days or (self.below_days and age_days >= self.below_days):
            return False
        if self.pregnant_only and not pregnant:
            return False
        if isinstance(value, str):
            return self.other_than is not None and value != self.other_than
        return (
            (self.below is not None and value < self.below)
            or (self.above is not None and value > self.above)
            or (self.at_or_above is not None and value >= self.at_or_above)
        )


@cache
def _document() -> Any:
    return read_document("danger_signs")


def version() -> str:
    """Return the version of the tables, stored with every triage."""
    return str(_document()["version"])


@cache
def _sources() -> dict[str, Source]:
    return {
        code: Source(code, row["title"], row["year"], row["confirmed"])
        for code, row in _document()["sources"].items()
    }


@cache
def danger_signs() -> dict[str, DangerSign]:
    """Return every danger sign by code, in the order of asking."""
    document = _document()
    return {
        row["code"]: DangerSign(
            code=row["code"],
            bands=tuple(row["bands"]),
            minimum_age_years=row.get("minimum_age_years", 0),
            pregnant_only=row.get("pregnant_only", False),
            asked_of=tuple(row["asked_of"]),
            icon=row["icon"],
            question=row["question"],
            first_aid=document["first_aid"][row["first_aid"]],
            call=tuple(row.get("call", document["default_call"])),
            source=_sources()[row["source"]],
        )
        for row in document["signs"]
    }


@cache
def vital_rules() -> tuple[VitalRule, ...]:
    """Return the thresholds on vital signs."""
    return tuple(
        VitalRule(
            code=row["code"],
            level=Level(row["level"]),
            vital=row["vital"],
            below=row.get("below"),
            above=row.get("above"),
            at_or_above=row.get("at_or_above"),
            other_than=row.get("other_than"),
            from_days=row["from_days"],
            below_days=row["below_days"],
            pregnant_only=row.get("pregnant_only", False),
            source=_sources()[row["source"]],
        )
        for row in _document()["vital_rules"]
    )


def band_of(age_days: int) -> str:
    """Return the age band: `young_infant` (under 60 days), `child` (under 12 years), `adult`."""
    for band in _document()["bands"]:
        if age_days >= band["from_days"] and (
            band["below_days"] is None or age_days < band["below_days"]
        ):
            return str(band["code"])
    raise ValueError("age_days must not be negative")


def signs_to_ask(
    *, age_days: int, pregnant: bool = False, audience: Audience = Audience.PATIENT
) -> list[DangerSign]:
    """Return the signs to ask this audience about a person of this age, in order."""
    return [
        sign
        for sign in danger_signs().values()
        if audience in sign.asked_of and sign.applies(age_days=age_days, pregnant=pregnant)
    ]


def signs_told(answers: Mapping[str, bool]) -> list[DangerSign]:
    """Return the signs that were answered with yes, as told; other questions are left out."""
    known = danger_signs()
    return [known[code] for code, yes in answers.items() if yes and code in known]


def red_signs(
    answers: Mapping[str, bool],
    *,
    age_days: int,
    pregnant: bool = False,
    vitals: Mapping[str, float | str] | None = None,
) -> list[DangerSign | VitalRule]:
    """Return the signs that make this an emergency; empty when there is none.

    `answers`: sign code to yes or no. A yes counts for the ages the sign is made for; unknown
    codes are ignored. `vitals`: vital code to value in its own unit (Celsius, mmHg), and
    `consciousness` as one of alert, confusion, voice, pain, unresponsive.
    """
    said: list[DangerSign | VitalRule] = [
        sign
        for code, sign in danger_signs().items()
        if answers.get(code) and sign.applies(age_days=age_days, pregnant=pregnant)
    ]
    measured = vitals or {}
    unresponsive = danger_signs()["unresponsive"]
    if measured.get("consciousness") == "unresponsive" and unresponsive not in said:
        said.append(unresponsive)
    return said + _rules_met(Level.RED, measured, age_days=age_days, pregnant=pregnant)


def high_risk_vitals(
    vitals: Mapping[str, float | str], *, age_days: int, pregnant: bool = False
) -> list[VitalRule]:
    """Return the thresholds met that are not red but want a clinician at once."""
    return _rules_met(Level.HIGH_RISK, vitals, age_days=age_days, pregnant=pregnant)


def _rules_met(
    level: Level, vitals: Mapping[str, float | str], *, age_days: int, pregnant: bool
) -> list[Any]:
    return [
        rule
        for rule in vital_rules()
        if rule.level is level
        and rule.vital in vitals
        and rule.met_by(vitals[rule.vital], age_days=age_days, pregnant=pregnant)
    ]
