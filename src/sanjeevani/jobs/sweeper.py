"""The sweeper owns every deadline: what nobody acted on in time is moved on here."""

from sanjeevani.consultation import services as consultation
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.sharding import across_states
from sanjeevani.queueing.queries import overdue


def sweep() -> int:
    """Move on everything whose deadline has passed; return how much that was.

    Two sweepers, or a sweeper and the patient, may meet on one token: the loser does nothing.
    """
    with across_states():
        due = overdue(clock.now())
    moved = 0
    for state_id, token_id, status in due:
        if status != "called":
            continue
        try:
            consultation.not_answered(SYSTEM, state_id=state_id, token_id=token_id)
        except Stale:
            continue
        moved += 1
    return moved
