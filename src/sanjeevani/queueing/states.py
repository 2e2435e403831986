"""The moves of a token, as in the product's table of states."""

from sanjeevani.foundation.states import Moves

TOKEN_MOVES = Moves(
    {
        # A token that still waits expires when its line closes for the day.
        "waiting": frozenset({"called", "cancelled", "expired", "redirected"}),
        "called": frozenset({"serving", "waiting", "expired", "redirected"}),
        "serving": frozenset({"served", "waiting", "redirected"}),
    }
)
