"""The rule behind Next, and what an expected wait may say."""

import datetime
import itertools
import uuid

from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.queueing.dispatch import Head, dispatch_order
from sanjeevani.queueing.expected_wait import AT_ONCE, expected_wait, headway

NOW = datetime.datetime(2026, 11, 23, 6, 0, tzinfo=datetime.UTC)

heads_with_targets = st.lists(
    st.tuples(
        st.integers(0, 36),
        st.uuids(),
        st.integers(0, 2),
        st.integers(0, 600),
        st.integers(1, 240),
    ),
    unique_by=lambda head: head[1],
    max_size=8,
)


def built(
    drawn: list[tuple[int, uuid.UUID, int, int, int]],
) -> tuple[list[Head], dict[uuid.UUID, int]]:
    """Heads, and the targets of their lines in minutes."""
    heads = [
        Head(state_id, line_id, order_class, NOW - datetime.timedelta(minutes=waited))
        for state_id, line_id, order_class, waited, _target in drawn
    ]
    return heads, {line_id: target for _state, line_id, _class, _waited, target in drawn}


@given(heads_with_targets)
def test_every_line_is_tried_once(drawn: list) -> None:
    heads, targets = built(drawn)
    order = dispatch_order(heads, targets, NOW)
    assert sorted(order) == sorted((head.state_id, head.line_id) for head in heads)


@given(heads_with_targets)
def test_classes_first_then_the_wait_against_the_target(drawn: list) -> None:
    heads, targets = built(drawn)
    by_line = {head.line_id: head for head in heads}
    order = [by_line[line_id] for _state, line_id in dispatch_order(heads, targets, NOW)]

    def pressure(head: Head) -> float:
        return (NOW - head.waiting_since).total_seconds() / 60 / targets[head.line_id]

    for earlier, later in itertools.pairwise(order):
        assert earlier.order_class <= later.order_class
        if earlier.order_class == later.order_class:
            assert pressure(earlier) >= pressure(later)


@given(heads_with_targets, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_reading(drawn: list, random: object) -> None:
    heads, targets = built(drawn)
    shuffled = list(heads)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert dispatch_order(heads, targets, NOW) == dispatch_order(shuffled, targets, NOW)


@given(heads_with_targets, st.integers(1, 120))
def test_waiting_longer_never_moves_a_line_back(drawn: list, minutes: int) -> None:
    heads, targets = built(drawn)
    if not heads:
        return
    first = heads[0]
    longer = Head(
        first.state_id,
        first.line_id,
        first.order_class,
        first.waiting_since - datetime.timedelta(minutes=minutes),
    )
    place = dispatch_order(heads, targets, NOW).index((first.state_id, first.line_id))
    moved = dispatch_order([longer, *heads[1:]], targets, NOW)
    assert moved.index((first.state_id, first.line_id)) <= place


places = st.integers(1, 500)
doctors = st.integers(1, 50)
paces = st.lists(st.floats(0, 60), max_size=40)


@given(places, paces)
def test_without_a_doctor_nothing_is_promised(place: int, observed: list[float]) -> None:
    assert expected_wait(place, 0, 0, observed) is None


@st.composite
def lines_served(draw: st.DrawFn) -> tuple[int, int]:
    """How many doctors, and how many of them are free."""
    count = draw(doctors)
    return count, draw(st.integers(0, count))


@given(places, lines_served(), paces)
def test_an_interval_is_one(place: int, served: tuple[int, int], observed: list[float]) -> None:
    wait = expected_wait(place, *served, observed)
    assert wait is not None
    assert 0 <= wait.low < wait.high


@given(places, lines_served(), paces)
def test_further_back_never_waits_less(
    place: int, served: tuple[int, int], observed: list[float]
) -> None:
    here, behind = (expected_wait(each, *served, observed) for each in (place, place + 1))
    assert here is not None
    assert behind is not None
    assert behind.high >= here.high
    assert behind.low >= here.low - 1


@given(places, doctors)
def test_more_doctors_never_mean_a_longer_wait(place: int, count: int) -> None:
    fewer, more = (expected_wait(place, each, 0, []) for each in (count, count + 1))
    assert fewer is not None
    assert more is not None
    assert more.high <= fewer.high


@given(places, lines_served(), paces)
def test_a_doctor_who_is_free_never_means_a_longer_wait(
    place: int, served: tuple[int, int], observed: list[float]
) -> None:
    count, free = served
    busy, one_free = (
        expected_wait(place, count, each, observed) for each in (max(0, free - 1), free)
    )
    assert busy is not None
    assert one_free is not None
    assert one_free.high <= busy.high


@given(places, st.integers(0, 9), st.integers(0, 9), paces)
def test_whom_a_free_doctor_can_call_waits_for_nobody(
    place: int, more_free: int, busy: int, observed: list[float]
) -> None:
    free = place + more_free
    assert expected_wait(place, free + busy, free, observed) == AT_ONCE
    behind = expected_wait(free + 1, free + busy, free, observed)
    assert behind is not None
    assert behind.high > AT_ONCE.high


@given(doctors, st.floats(0.1, 60))
def test_the_pace_seen_wins_over_what_is_usual(count: int, minutes: float) -> None:
    usual, seen = headway([], count), headway([minutes] * 40, count)
    # A pace that happens to be the usual one comes back with the last digit rounded.
    assert abs(seen - minutes) <= abs(usual - minutes) + 1e-9
