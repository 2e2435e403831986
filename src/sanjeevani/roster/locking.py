"""The lock under which duty, leave and shifts of a practitioner change: part of the verbs."""

import uuid

from sanjeevani.foundation import clock
from sanjeevani.roster.models import Duty, DutyStatus


def locked_duty(practitioner_id: uuid.UUID) -> Duty:
    """Return a practitioner's duty; other verbs about the same practitioner wait."""
    Duty.objects.get_or_create(
        practitioner_id=practitioner_id,
        defaults={"status": DutyStatus.OFF, "since": clock.now()},
    )
    return Duty.objects.select_for_update().get(practitioner_id=practitioner_id)
