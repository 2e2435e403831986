"""The moves of duty."""

from sanjeevani.foundation.states import Moves

DUTY_MOVES = Moves(
    {
        "off": frozenset({"on"}),
        "on": frozenset({"off", "break"}),
        "break": frozenset({"on", "off"}),
    }
)
