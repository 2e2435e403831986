"""The moves of a room."""

from sanjeevani.foundation.states import Moves

ROOM_MOVES = Moves(
    {
        "open": frozenset({"questions", "closed"}),
        "questions": frozenset({"closed"}),
    }
)
