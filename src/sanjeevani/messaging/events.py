"""Facts about messages."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sanjeevani.foundation.verbs import Fact


@dataclass(frozen=True, kw_only=True)
class MessageQueued(Fact):
    """A message waits to be sent."""

    kind: ClassVar[str] = "messaging.message_queued"
    message_id: uuid.UUID
