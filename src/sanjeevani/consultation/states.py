"""The moves of a consultation, as in the product's table of states."""

from sanjeevani.foundation.states import Moves

CONSULTATION_MOVES = Moves(
    {
        "requested": frozenset({"in_progress", "returned", "cancelled", "abandoned", "redirected"}),
        "returned": frozenset({"requested"}),
        "in_progress": frozenset({"interrupted", "completed", "redirected"}),
        "interrupted": frozenset({"in_progress", "abandoned"}),
    }
)
