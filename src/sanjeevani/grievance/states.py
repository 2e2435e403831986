"""The moves of a grievance."""

from sanjeevani.foundation.states import Moves

GRIEVANCE_MOVES = Moves(
    {
        "received": frozenset({"in_progress", "answered"}),
        "in_progress": frozenset({"answered"}),
        "answered": frozenset({"closed", "reopened"}),
        "closed": frozenset({"reopened"}),
        "reopened": frozenset({"in_progress", "answered"}),
    }
)
