"""States that move as data: one table of moves per record, one `move()`."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.rows import update_where


@dataclass(frozen=True)
class Moves:
    """Which status may follow which. A status without an entry is final."""

    table: Mapping[str, frozenset[str]]

    def sources(self, to: str) -> list[str]:
        """Return the statuses from which `to` can be reached in one move."""
        return [source for source, targets in self.table.items() if to in targets]

    def allows(self, source: str, to: str) -> bool:
        """Tell whether `source` may become `to`."""
        return to in self.table.get(source, frozenset())


def move(
    model: type[models.Model],
    moves: Moves,
    *,
    state_id: int,
    id: uuid.UUID,
    to: str,
    source: Iterable[str] | None = None,
    **changes: Any,
) -> None:
    """Set the status to `to` if the present one allows it, with `changes`, in one statement.

    `source` narrows the statuses to move from. Two racing moves meet on the row: the loser finds
    the status changed and gets `Stale`.
    """
    allowed = moves.sources(to) if source is None else list(source)
    refused = [name for name in allowed if not moves.allows(name, to)]
    if refused or not allowed:
        raise ValueError(f"{model.__name__}: no move from {refused or 'anywhere'} to {to}")
    where = {"state_id": state_id, "id": id, "status": allowed}
    if not update_where(model, where, status=to, **changes):
        raise Stale
