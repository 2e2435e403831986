"""In which order a doctor's lines are tried: the rule behind Next. Pure."""

import datetime
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Head:
    """The first eligible token of a line: its class, and since when it waits."""

    state_id: int
    line_id: uuid.UUID
    order_class: int
    waiting_since: datetime.datetime


def dispatch_order(
    heads: Iterable[Head], targets: Mapping[uuid.UUID, int], now: datetime.datetime
) -> list[tuple[int, uuid.UUID]]:
    """Return `(state_id, line_id)`, the line to claim from first.

    Emergencies and priority classes first; then the head with the largest wait relative to its
    line's target in minutes; the line's id breaks a tie, so that the order never depends on chance.
    """

    def urgency(head: Head) -> tuple[int, float, uuid.UUID]:
        waited = (now - head.waiting_since).total_seconds() / 60
        return head.order_class, -waited / targets[head.line_id], head.line_id

    return [(head.state_id, head.line_id) for head in sorted(heads, key=urgency)]
