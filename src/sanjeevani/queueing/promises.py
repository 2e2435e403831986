"""Keeps what patients were told about their wait, so that the promise can be judged."""

import uuid
from collections.abc import Sequence

from sanjeevani.foundation import clock
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.queueing.models import WaitPromise
from sanjeevani.queueing.queries import snapshot_lines
from sanjeevani.roster.queries import doctors_on_duty


def keep_promises(facts: Sequence[StoredFact]) -> None:
    """Listener of `TokenIssued`: store place and interval of each new token, once.

    Off the path of the request: the screens are told by the same snapshot, a moment after it.
    """
    lines: dict[int, set[uuid.UUID]] = {}
    for fact in facts:
        lines.setdefault(fact.state_id, set()).add(uuid.UUID(fact.payload["line_id"]))
    promised = []
    for state_id, line_ids in lines.items():
        ids = sorted(line_ids)
        told = snapshot_lines(state_id, ids)
        doctors = doctors_on_duty(state_id, ids)
        for fact in facts:
            line_id = uuid.UUID(fact.payload["line_id"])
            screen = (
                told[line_id]["each"].get(fact.payload["token_id"]) if line_id in told else None
            )
            if fact.state_id == state_id and screen and screen["wait_low"] is not None:
                promised.append(
                    WaitPromise(
                        state_id=state_id,
                        id=uuid7(),
                        token_id=uuid.UUID(fact.payload["token_id"]),
                        line_id=line_id,
                        place=screen["place"],
                        doctors=doctors[line_id],
                        low_minutes=screen["wait_low"],
                        high_minutes=screen["wait_high"],
                        promised_at=clock.now(),
                    )
                )
    WaitPromise.objects.bulk_create(promised, ignore_conflicts=True)
