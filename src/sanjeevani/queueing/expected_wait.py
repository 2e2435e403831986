"""The expected wait as an interval, from recent service times and the doctors on duty.

Pure: queries bring the figures. Someone at place k waits until k patients before or at that place
have been called, and each call frees up after one service time, shared by the doctors on duty.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Z_80 = 1.2816
"""Half-width of the central 80 % of a normal distribution, in standard deviations."""

PRIOR_MEAN_MINUTES = 6.0
PRIOR_DEVIATION_MINUTES = 4.0
PRIOR_WEIGHT = 5
"""Before enough patients were served: as if five had been, with the field's usual times."""


@dataclass(frozen=True)
class WaitInterval:
    """Eight times in ten the real wait lies inside. Whole minutes."""

    low: int
    high: int


@dataclass(frozen=True)
class ServiceTimes:
    """Mean and deviation of one patient's service, in minutes."""

    mean: float
    deviation: float


def learn(durations: Sequence[float]) -> ServiceTimes:
    """Estimate service times from recent durations in minutes, newest ones, drawn to the prior."""
    count = len(durations)
    weight = PRIOR_WEIGHT / (PRIOR_WEIGHT + count)
    mean = weight * PRIOR_MEAN_MINUTES + (1 - weight) * (
        statistics.fmean(durations) if count else 0.0
    )
    observed = statistics.pstdev(durations) if count > 1 else PRIOR_DEVIATION_MINUTES
    return ServiceTimes(mean, weight * PRIOR_DEVIATION_MINUTES + (1 - weight) * observed)


def expected_wait(place: int, doctors: int, times: ServiceTimes) -> WaitInterval | None:
    """Return the interval for someone at `place` (1 is next); None when no doctor is on duty."""
    if doctors < 1:
        return None
    # With every doctor busy, the first free one comes, on average, after 1/doctors of a service.
    mean = times.mean * place / doctors
    deviation = times.deviation * math.sqrt(place) / doctors
    low = max(0, math.floor(mean - Z_80 * deviation))
    return WaitInterval(low, max(low + 1, math.ceil(mean + Z_80 * deviation)))
