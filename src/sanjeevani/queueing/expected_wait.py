"""The expected wait as an interval, from how fast the line was called lately. Pure.

What decides a wait is the line's headway: the minutes from one call to the next while somebody
waits. It holds all that service times and a count of doctors miss: doctors who serve other lines
too, calls not answered, breaks. Someone at place k waits for k headways; but doctors who have no
patient call the first at once, whatever the pace was while others waited. How far the real wait
strays was learned on simulated days (docs/performance.md); the promises kept in `WaitPromise` let
every real day be judged the same way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z_80 = 1.2816
"""Half-width of the central 80 % of a normal distribution, in standard deviations."""

PRIOR_SERVICE_MINUTES = 6.0
"""The field's usual time with one patient, before the line has calls of its own."""

PRIOR_SHARE = 0.6
"""How much of a doctor on duty a line has on average, the rest going to other lines."""

PRIOR_WEIGHT = 4
"""The prior counts as so many observed headways."""

CHANCE = 1.0
DRIFT = 0.3
"""The spread of k headways: chance grows with the root of k, a drifting pace with k itself."""


@dataclass(frozen=True)
class WaitInterval:
    """Eight times in ten the real wait lies inside. Whole minutes."""

    low: int
    high: int


AT_ONCE = WaitInterval(0, 2)
"""For whom a doctor is free: the desk shows it within seconds, and Next is one press away."""


def headway(observed: Sequence[float], doctors: int) -> float:
    """Return the minutes between calls of a line, from recent ones, drawn to the prior."""
    prior = PRIOR_SERVICE_MINUTES / (PRIOR_SHARE * max(1, doctors))
    return (sum(observed) + PRIOR_WEIGHT * prior) / (len(observed) + PRIOR_WEIGHT)


def expected_wait(
    place: int, doctors: int, free: int, observed: Sequence[float]
) -> WaitInterval | None:
    """Return the interval for someone at `place` (1 is next); None when no doctor is on duty.

    `free` of the doctors on duty have no patient now.
    """
    if doctors < 1:
        return None
    behind = place - free
    if behind < 1:
        return AT_ONCE
    step = headway(observed, doctors)
    deviation = step * math.sqrt(CHANCE * behind + (DRIFT * behind) ** 2)
    low = max(0, math.floor(behind * step - Z_80 * deviation))
    high = math.ceil(behind * step + Z_80 * deviation)
    # However quick the line was, nobody is promised less there than where a doctor is free.
    return WaitInterval(low, max(low + 1, AT_ONCE.high + 1, high))
