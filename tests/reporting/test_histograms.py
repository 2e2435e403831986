"""Histograms add up, and their percentiles lie where those of the values lie."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.reporting.histograms import CLASSES, EDGES_MINUTES, class_of, percentile

seconds = st.lists(st.integers(min_value=0, max_value=24 * 3600), min_size=1, max_size=200)


def histogram(values: list[int]) -> list[int]:
    """Count values into classes."""
    counts = [0] * CLASSES
    for value in values:
        counts[class_of(value)] += 1
    return counts


def test_classes_are_in_order_and_fine() -> None:
    assert list(EDGES_MINUTES) == sorted(set(EDGES_MINUTES))
    for low, high in itertools.pairwise(EDGES_MINUTES):
        assert high - low <= max(1, low / 8 + 1)
    assert (class_of(0), class_of(60), class_of(61)) == (0, 0, 1)
    assert class_of(10**9) == CLASSES - 1


@given(seconds, st.sampled_from([0.1, 0.5, 0.9]))
def test_a_percentile_lies_in_the_class_of_the_value_there(values: list[int], share: float) -> None:
    told = percentile(histogram(values), share)
    rank = max(0, -(-len(values) * share // 1) - 1)
    true = sorted(values)[int(rank)]
    assert told is not None
    assert abs(class_of(told) - class_of(true)) <= 1


@given(seconds, seconds)
def test_sums_of_histograms_are_those_of_all_values(one: list[int], other: list[int]) -> None:
    added = [a + b for a, b in zip(histogram(one), histogram(other), strict=True)]
    assert added == histogram(one + other)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_of_nothing_there_is_no_percentile(share: float) -> None:
    assert percentile([0] * CLASSES, share) is None
