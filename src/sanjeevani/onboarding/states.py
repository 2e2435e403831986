"""The moves of an import."""

from sanjeevani.foundation.states import Moves

IMPORT_MOVES = Moves(
    {
        "checking": frozenset({"checked", "refused", "stopped"}),
        "checked": frozenset({"importing", "dropped"}),
        "importing": frozenset({"done", "refused", "stopped"}),
        "done": frozenset({"undoing"}),
        "stopped": frozenset({"checking", "importing", "undoing"}),
        "refused": frozenset({"undoing"}),
        "undoing": frozenset({"undone", "done", "stopped", "refused"}),
    }
)
