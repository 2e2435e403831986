"""What the answers to the danger questions mean for this patient."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from sanjeevani.directory.models import Gender
from sanjeevani.foundation import clock
from sanjeevani.intake.content import IntakeContent
from sanjeevani.patients.queries import age_in_years
from sanjeevani.terminology.danger_signs import (
    Audience,
    DangerSign,
    VitalRule,
    high_risk_vitals,
    red_signs,
    signs_to_ask,
)
from sanjeevani.terminology.early_warning import EarlyWarningScore, news2
from sanjeevani.terminology.vitals import CONSCIOUSNESS, OXYGEN_SUPPLY, coded, is_measured

CHILDBEARING_YEARS = range(12, 56)
"""Ages at which the danger signs of pregnancy are asked about."""

PREGNANT = "pregnant"
"""The answer that says whether the patient is pregnant; it is no danger sign itself."""

DISABLED = "disabled"
"""The answer that says whether the patient lives with a disability."""


class TriageFacts(TypedDict):
    """What danger signs depend on."""

    age_days: int
    pregnant: bool


def triage_facts(birth_date: datetime.date, gender: str) -> TriageFacts:
    """Return the facts of a patient today. Whether she is pregnant, the signs themselves ask."""
    today = clock.today()
    return TriageFacts(
        age_days=(today - birth_date).days,
        pregnant=gender != Gender.MALE and age_in_years(birth_date, today) in CHILDBEARING_YEARS,
    )


def danger_in(
    content: IntakeContent, *, birth_date: datetime.date, gender: str
) -> list[DangerSign | VitalRule]:
    """Return the red signs among the answers: any one means emergency care, not a token."""
    measured = coded(content.vitals)
    return red_signs(content.answers, vitals=measured, **triage_facts(birth_date, gender))


def measured_danger(
    content: IntakeContent, *, birth_date: datetime.date, gender: str
) -> frozenset[str]:
    """Return the codes of what was measured or looked at that is a red sign by itself."""
    measured = coded(content.vitals)
    return _codes(red_signs({}, vitals=measured, **triage_facts(birth_date, gender)))


def _codes(met: Iterable[DangerSign | VitalRule]) -> frozenset[str]:
    """Return what was measured; the one sign among it is that the patient does not wake."""
    return frozenset(rule.vital if isinstance(rule, VitalRule) else CONSCIOUSNESS for rule in met)


@dataclass(frozen=True)
class Alarms:
    """What the measurements say.

    `vitals`: the codes of those beyond a threshold, each of which wants a clinician at once.
    `score`: the early-warning score of what was measured, where it is made for the patient.
    """

    vitals: frozenset[str]
    score: EarlyWarningScore | None


def alarms_in(content: IntakeContent, *, birth_date: datetime.date, gender: str) -> Alarms:
    """Return what the measurements say of a patient of this age and gender."""
    if not content.vitals:
        return Alarms(frozenset(), None)
    facts = triage_facts(birth_date, gender)
    measured = coded(content.vitals)
    met = [*red_signs({}, vitals=measured, **facts), *high_risk_vitals(measured, **facts)]
    awake = measured.get(CONSCIOUSNESS)
    score = news2(
        content.vitals,
        age_years=age_in_years(birth_date, clock.today()),
        pregnant=content.answers.get(PREGNANT, False),
        on_oxygen=measured.get(OXYGEN_SUPPLY) == "oxygen",
        alert=None if awake is None else awake == "alert",
    )
    # Without a measurement the score of who is awake is 0, and says nothing.
    says_something = score is not None and (score.total > 0 or is_measured(score.parts))
    return Alarms(
        _codes(met),
        score if says_something else None,
    )


def questions_for(
    birth_date: datetime.date, gender: str, *, beside: bool = False
) -> list[DangerSign]:
    """Return the danger signs to ask a patient about, in order.

    `beside`: staff sit beside the patient, and look for what only they can see.
    """
    audience = Audience.HEALTH_WORKER if beside else Audience.PATIENT
    return signs_to_ask(**triage_facts(birth_date, gender), audience=audience)


INFANT_DAYS = 365
OLDER_YEARS = 60


def goes_first(content: IntakeContent, *, birth_date: datetime.date) -> bool:
    """Tell whether the patient belongs to a priority class: pregnant, infant, over 60, disabled."""
    today = clock.today()
    return (
        content.answers.get(PREGNANT, False)
        or content.answers.get(DISABLED, False)
        or (today - birth_date).days < INFANT_DAYS
        or age_in_years(birth_date, today) > OLDER_YEARS
    )
