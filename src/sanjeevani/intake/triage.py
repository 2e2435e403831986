"""What the answers to the danger questions mean for this patient."""

import datetime

from sanjeevani.foundation import clock
from sanjeevani.intake.content import IntakeContent
from sanjeevani.terminology.danger_signs import DangerSign, VitalRule, red_signs

PREGNANT = "pregnant"
"""The answer that says whether the patient is pregnant; it is no danger sign itself."""


def danger_in(content: IntakeContent, birth_date: datetime.date) -> list[DangerSign | VitalRule]:
    """Return the red signs among the answers: any one means emergency care, not a token."""
    return red_signs(
        content.answers,
        age_days=(clock.today() - birth_date).days,
        pregnant=content.answers.get(PREGNANT, False),
    )
