"""Histograms of lengths of time that can be added up, with the percentiles read off them. Pure.

A median of medians is nobody's median; the counts per class of several lines or days simply add up.
Up to half an hour a class is one minute wide, later at most an eighth of its length.
"""

import bisect
from collections.abc import Sequence

EDGES_MINUTES = (
    *range(1, 31),
    *range(32, 62, 2),
    *range(65, 125, 5),
    *range(135, 255, 15),
    *range(270, 510, 30),
    *range(540, 1500, 60),
)
"""Upper edges of the classes; the last class has none and holds what is longer than a day."""

CLASSES = len(EDGES_MINUTES) + 1
_EDGES: tuple[int, ...] = tuple(60 * minutes for minutes in EDGES_MINUTES)


def class_of(seconds: float) -> int:
    """Return the class that a length of time falls into; an upper edge belongs to its class."""
    return bisect.bisect_left(_EDGES, seconds)


def percentile(counts: Sequence[int], share: float) -> float | None:
    """Return the length in seconds below which `share` (0 to 1) of all lie, None without any.

    Inside a class values are taken as evenly spread.
    """
    total = sum(counts)
    if not total:
        return None
    wanted = share * total
    below = 0
    for number, count in enumerate(counts):
        if count and below + count >= wanted:
            start = _EDGES[number - 1] if number else 0
            end = _EDGES[number] if number < len(_EDGES) else _EDGES[-1]
            return start + (end - start) * (wanted - below) / count
        below += count
    return float(_EDGES[-1])
