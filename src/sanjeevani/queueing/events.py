"""Facts about tokens."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sanjeevani.foundation.verbs import Fact


@dataclass(frozen=True, kw_only=True)
class TokenFact(Fact):
    """Something happened to a token: its line's screens and its consultation's look again."""

    line_id: uuid.UUID
    token_id: uuid.UUID
    consultation_id: uuid.UUID
    number: int

    def topics(self) -> list[str]:
        """The line (places move) and the consultation."""
        return [f"line.{self.line_id}", f"consultation.{self.consultation_id}"]


@dataclass(frozen=True, kw_only=True)
class TokenIssued(TokenFact):
    """A patient joined the line."""

    kind: ClassVar[str] = "queueing.TokenIssued"


@dataclass(frozen=True, kw_only=True)
class TokenCalled(TokenFact):
    """A practitioner claimed the token; the patient has until the deadline to answer."""

    kind: ClassVar[str] = "queueing.TokenCalled"


@dataclass(frozen=True, kw_only=True)
class TokenAnswered(TokenFact):
    """The patient answered the call."""

    kind: ClassVar[str] = "queueing.TokenAnswered"


@dataclass(frozen=True, kw_only=True)
class TokenRequeued(TokenFact):
    """The token waits again: not answered, handed back, or dropped."""

    kind: ClassVar[str] = "queueing.TokenRequeued"


@dataclass(frozen=True, kw_only=True)
class TokenEnded(TokenFact):
    """The token is served, expired, cancelled or redirected."""

    kind: ClassVar[str] = "queueing.TokenEnded"
