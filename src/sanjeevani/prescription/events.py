"""Facts about prescriptions."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sanjeevani.foundation.verbs import Fact


@dataclass(frozen=True, kw_only=True)
class PrescriptionSigned(Fact):
    """A prescription was signed: the patient's page shows it."""

    kind: ClassVar[str] = "prescription.Signed"
    prescription_id: uuid.UUID
    consultation_id: uuid.UUID

    def topics(self) -> list[str]:
        """The consultation."""
        return [f"consultation.{self.consultation_id}"]


@dataclass(frozen=True, kw_only=True)
class PrescriptionEnded(Fact):
    """A signed prescription was replaced or cancelled (`how`, an `EndKind`).

    `afterwards`: the consultation was over by then, so the patient does not look at the screen.
    """

    kind: ClassVar[str] = "prescription.Ended"
    prescription_id: uuid.UUID
    consultation_id: uuid.UUID
    how: str
    afterwards: bool

    def topics(self) -> list[str]:
        """The consultation."""
        return [f"consultation.{self.consultation_id}"]
