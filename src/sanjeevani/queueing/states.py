"""The moves of a token, as in the product's table of states."""

from sanjeevani.foundation.states import Moves

TOKEN_MOVES = Moves(
    {
        "waiting": frozenset({"called", "cancelled", "redirected"}),
        "called": frozenset({"serving", "waiting", "expired", "redirected"}),
        "serving": frozenset({"served", "waiting", "redirected"}),
    }
)
