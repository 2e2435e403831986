"""Facts about duty."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sanjeevani.foundation.verbs import Fact


@dataclass(frozen=True, kw_only=True)
class DutyChanged(Fact):
    """A practitioner came, paused or left: the expected waits of a line change."""

    kind: ClassVar[str] = "roster.DutyChanged"
    practitioner_id: uuid.UUID
    line_id: uuid.UUID
    status: str

    def topics(self) -> list[str]:
        """The line, and the practitioner's desk."""
        return [f"line.{self.line_id}", f"desk.{self.practitioner_id}"]


@dataclass(frozen=True, kw_only=True)
class LaneServed(Fact):
    """Somebody asked a practitioner by name: a desk that is open knows nothing of the lane yet."""

    kind: ClassVar[str] = "roster.LaneServed"
    practitioner_id: uuid.UUID
    line_id: uuid.UUID

    def topics(self) -> list[str]:
        """The practitioner's desk."""
        return [f"desk.{self.practitioner_id}"]
