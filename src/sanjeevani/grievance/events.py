"""Facts about grievances."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sanjeevani.foundation.verbs import Fact


@dataclass(frozen=True, kw_only=True)
class GrievanceReceived(Fact):
    """Somebody complained or suggested something."""

    kind: ClassVar[str] = "grievance.Received"
    grievance_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class GrievanceAnswered(Fact):
    """An administrator answered."""

    kind: ClassVar[str] = "grievance.Answered"
    grievance_id: uuid.UUID
