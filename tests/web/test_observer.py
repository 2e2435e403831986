"""What observers compare: rows in the order of a measure, the same days and state on every link."""

import datetime
import re

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.directory.models import LineKind, Role
from sanjeevani.directory.services import load_states
from sanjeevani.foundation import clock
from sanjeevani.reporting.models import NATION, LineFigures, Presence, Scope, StateFigures
from sanjeevani.reporting.tallies import Contribution, Tally
from sanjeevani.web.jinja import day
from sanjeevani.web.observer.measures import MEASURES, Row, measures_from, order_of
from tests import factories
from tests.web.public_world import administrator

ANDHRA, TAMIL_NADU, KARNATAKA = 28, 33, 29

keys = st.builds(
    lambda sign, measure: sign + measure.key, st.sampled_from(["", "-"]), st.sampled_from(MEASURES)
)
tallies = st.builds(
    Tally, requested=st.integers(0, 5), completed=st.integers(0, 5), cancelled=st.integers(0, 5)
)
rows = st.lists(
    st.builds(lambda name, tally: Row(name, "", tally), st.text(max_size=3), tallies), max_size=8
)


@given(keys, rows)
def test_rows_stand_by_the_measure_and_those_without_a_figure_last(
    key: str, given_rows: list[Row]
) -> None:
    order = order_of(key)
    ordered = order.rows(given_rows)
    assert sorted(map(id, ordered)) == sorted(map(id, given_rows))
    values = [order.measure.of(row.tally) for row in ordered]
    known = [value for value in values if value is not None]
    assert values == known + [None] * (len(values) - len(known))
    assert known == sorted(known, reverse=order.falling)


@given(keys)
def test_a_heading_puts_the_highest_first_and_pressed_again_the_lowest(key: str) -> None:
    order = order_of(key)
    assert order.key == key
    for measure in MEASURES:
        pressed = order_of(order.by(measure))
        assert pressed.measure == measure
        if measure != order.measure:
            assert pressed.falling
        assert order_of(pressed.by(measure)).falling != pressed.falling
    assert measures_from(order)[0] == order.measure
    assert sorted(one.key for one in measures_from(order)) == sorted(one.key for one in MEASURES)


@pytest.mark.parametrize("key", ["", "-", "name", "--requested", "-requested'"])
def test_an_order_of_no_measure_is_the_busiest_first(key: str) -> None:
    assert order_of(key).key == "-requested"


@pytest.mark.django_db
def test_the_nation_is_put_in_order_and_links_keep_what_was_chosen() -> None:
    load_states()
    for code, requested, cancelled in ((ANDHRA, 900, 9), (TAMIL_NADU, 300, 30), (KARNATAKA, 0, 0)):
        tally = Tally(requested=requested, completed=requested - cancelled, cancelled=cancelled)
        StateFigures.objects.create(
            scope=Scope.HOST, state_id=code, day=clock.today(), **vars(tally)
        )
    nation = Client()
    administrator(Role.OBSERVER, 0, nation)

    assert _names(_page(nation, "?days=7")) == ["Andhra Pradesh", "Tamil Nadu", "Karnataka"]
    text = _page(nation, "?days=7&sort=-cancelled")
    assert _names(text) == ["Tamil Nadu", "Andhra Pradesh", "Karnataka"]
    assert 'aria-sort="descending"><a class="govuk-link" href="?days=7&amp;sort=cancelled#' in text
    assert 'href="?days=90&amp;sort=-cancelled"' in text
    assert f'href="/figures/state?days=7&amp;sort=-cancelled&amp;state={TAMIL_NADU}"' in text
    lowest = _page(nation, "?days=7&sort=cancelled")
    assert _names(lowest) == ["Andhra Pradesh", "Tamil Nadu", "Karnataka"]
    assert f'href="?days=90&amp;sort=lost&amp;state={TAMIL_NADU}"' in _page(
        nation, f"?days=7&sort=lost&state={TAMIL_NADU}", "/figures/state"
    )


@pytest.mark.django_db
def test_what_was_asked_through_spokes_is_a_row_of_its_own() -> None:
    load_states()
    nation = Client()
    administrator(Role.OBSERVER, 0, nation)
    address = "/figures/state"
    assert "Nothing was asked for" in _page(nation, f"?state={ANDHRA}", address)
    hub = factories.LineFactory.create(kind=LineKind.HUB)
    asked = vars(Tally(requested=7, completed=6, cancelled=1))
    LineFigures.objects.create(state_id=ANDHRA, line_id=hub.id, day=clock.today(), **asked)
    StateFigures.objects.create(scope=Scope.HOST, state_id=ANDHRA, day=clock.today(), **asked)
    text = _page(nation, f"?state={ANDHRA}", address)
    assert "Nothing was asked for" not in text
    assert re.search(r"Through spokes</th>\s*<td[^>]*>7<", text)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 2, 9, 10])
def test_no_single_persons_wait_is_read_from_a_median(count: int) -> None:
    load_states()
    state = Client()
    administrator(Role.OBSERVER, ANDHRA, state)
    opd = factories.ClinicFactory.create(serves=[])
    tally = Tally()
    for _patient in range(count):
        tally.add(
            Contribution(ANDHRA, opd.line_id, clock.today(), "completed", 47 * 60, 23 * 60, 4)
        )
    LineFigures.objects.create(
        state_id=ANDHRA, line_id=opd.line_id, day=clock.today(), **vars(tally)
    )
    StateFigures.objects.create(scope=Scope.HOST, state_id=ANDHRA, day=clock.today(), **vars(tally))
    text = _page(state, "", "/figures/state")
    shown = [value in text for value in (">47<", ">23<", ">4.0 (", ">48<")]
    assert any(shown) == (count >= 10)
    assert "fewer than 10 is not shown" in text


@pytest.mark.django_db
def test_figures_that_nobody_counts_any_more_do_not_look_fresh() -> None:
    load_states()
    nation = Client()
    administrator(Role.OBSERVER, 0, nation)
    counted = clock.now() - datetime.timedelta(days=2)
    Presence.objects.create(
        state_id=NATION, opds=3, opds_attended=1, doctors_on_duty=1, as_of=counted
    )
    for address in ("/figures/nation", "/figures/state"):
        assert f"As of {day(counted)}" in _page(nation, "", address)


def _page(client: Client, query: str, address: str = "/figures/nation") -> str:
    answer = client.get(address + query)
    assert answer.status_code == 200
    return answer.content.decode()


def _names(text: str) -> list[str]:
    return re.findall(r'<th scope="row" class="data__name"><a [^>]*>([^<]+)</a>', text)
