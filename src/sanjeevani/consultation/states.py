"""The moves of a consultation, as in the product's table of states, and of asks in it."""

from sanjeevani.foundation.states import Moves

CONSULTATION_MOVES = Moves(
    {
        "requested": frozenset({"in_progress", "returned", "cancelled", "abandoned", "redirected"}),
        "returned": frozenset({"requested", "cancelled"}),
        "in_progress": frozenset({"interrupted", "completed", "redirected"}),
        # Whom the doctor had to give up waits again, leaves the line like all who wait, and is
        # called like all who have asked.
        "interrupted": frozenset(
            {"in_progress", "completed", "abandoned", "cancelled", "redirected", "requested"}
        ),
    }
)

_ENDS = frozenset({"present", "declined", "withdrawn", "objected", "lapsed"})

ASK_MOVES = Moves(
    {
        "asked": _ENDS | {"later"},
        "later": _ENDS | {"later"},
        "present": frozenset({"left", "objected"}),
    }
)
