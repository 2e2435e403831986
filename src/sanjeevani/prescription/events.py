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
