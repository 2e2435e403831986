"""Facts about consultations."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sanjeevani.foundation.verbs import Fact


@dataclass(frozen=True, kw_only=True)
class ConsultationFact(Fact):
    """Something happened to a consultation: its screens look again."""

    consultation_id: uuid.UUID

    def topics(self) -> list[str]:
        """The consultation."""
        return [f"consultation.{self.consultation_id}"]


@dataclass(frozen=True, kw_only=True)
class ConsultationRequested(ConsultationFact):
    """A patient asked."""

    kind: ClassVar[str] = "consultation.Requested"
    patient_state_id: int
    line_id: uuid.UUID
    spoke_id: uuid.UUID | None = None

    def topics(self) -> list[str]:
        """The consultation, and the spoke that asked: its other tablets show it too."""
        spoke = [f"spoke.{self.spoke_id}"] if self.spoke_id else []
        return [*super().topics(), *spoke]


@dataclass(frozen=True, kw_only=True)
class ConsultationStarted(ConsultationFact):
    """The patient answered the call."""

    kind: ClassVar[str] = "consultation.Started"


@dataclass(frozen=True, kw_only=True)
class ConsultationInterrupted(ConsultationFact):
    """One side was lost; the grace runs."""

    kind: ClassVar[str] = "consultation.Interrupted"


@dataclass(frozen=True, kw_only=True)
class ConsultationReturned(ConsultationFact):
    """The doctor asks the patient to add something."""

    kind: ClassVar[str] = "consultation.Returned"


@dataclass(frozen=True, kw_only=True)
class CalledAgain(ConsultationFact):
    """The doctor rings a patient who is away."""

    kind: ClassVar[str] = "consultation.CalledAgain"


@dataclass(frozen=True, kw_only=True)
class ConsultationEnded(ConsultationFact):
    """Completed, cancelled, or not held; `status` says which."""

    kind: ClassVar[str] = "consultation.Ended"
    status: str


@dataclass(frozen=True, kw_only=True)
class FeedbackGiven(ConsultationFact):
    """The patient rated it."""

    kind: ClassVar[str] = "consultation.FeedbackGiven"
    rating: int


@dataclass(frozen=True, kw_only=True)
class PapersChanged(ConsultationFact):
    """The patient added a photo or paper, or took one away."""

    kind: ClassVar[str] = "consultation.PapersChanged"

    def topics(self) -> list[str]:
        """The consultation's papers."""
        return [f"papers.{self.consultation_id}"]


@dataclass(frozen=True, kw_only=True)
class AskChanged(ConsultationFact):
    """A colleague is asked in, answers, advises, or is not asked any more."""

    kind: ClassVar[str] = "consultation.AskChanged"
    colleague_id: uuid.UUID

    def topics(self) -> list[str]:
        """The consultation, its asks, and the colleague's desk."""
        return [
            *super().topics(),
            f"asks.{self.consultation_id}",
            f"desk.{self.colleague_id}",
        ]


@dataclass(frozen=True, kw_only=True)
class NoteWritten(Fact):
    """The doctor wrote on while a colleague reads: the colleague's screen looks again."""

    kind: ClassVar[str] = "consultation.NoteWritten"
    colleague_id: uuid.UUID

    def topics(self) -> list[str]:
        """The colleague's desk."""
        return [f"desk.{self.colleague_id}"]
