"""The moves of duty and of offered shifts."""

from sanjeevani.foundation.states import Moves

DUTY_MOVES = Moves(
    {
        "off": frozenset({"on"}),
        "on": frozenset({"off", "break"}),
        "break": frozenset({"on", "off"}),
    }
)

OFFER_MOVES = Moves(
    {
        "open": frozenset({"accepted", "declined", "withdrawn"}),
        "accepted": frozenset({"passed_on", "given_up"}),
    }
)
