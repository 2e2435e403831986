"""What the answers to the danger questions mean for this patient."""

import datetime
from dataclasses import dataclass
from typing import TypedDict

from sanjeevani.directory.models import Gender
from sanjeevani.foundation import clock
from sanjeevani.intake.content import IntakeContent
from sanjeevani.patients.queries import age_in_years
from sanjeevani.terminology.danger_signs import (
    DangerSign,
    VitalRule,
    high_risk_vitals,
    red_signs,
    signs_to_ask,
)
from sanjeevani.terminology.early_warning import EarlyWarningScore, news2

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
    return red_signs(content.answers, vitals=content.vitals, **triage_facts(birth_date, gender))


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
    met = [
        *red_signs({}, vitals=content.vitals, **facts),
        *high_risk_vitals(content.vitals, **facts),
    ]
    score = news2(
        content.vitals,
        age_years=age_in_years(birth_date, clock.today()),
        pregnant=content.answers.get(PREGNANT, False),
    )
    return Alarms(
        frozenset(rule.vital for rule in met if isinstance(rule, VitalRule)),
        score if score and score.parts.keys() != {"oxygen"} else None,
    )


def questions_for(birth_date: datetime.date, gender: str) -> list[DangerSign]:
    """Return the danger signs to ask a patient about, in order."""
    return signs_to_ask(**triage_facts(birth_date, gender))


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
