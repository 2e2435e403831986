"""Figures from before the service: carried with their day and source, never added to ours."""

from sanjeevani.directory.services import STATES_FILE
from sanjeevani.reporting.published import Adoption, Milestone, adoption, milestones


def test_every_figure_names_its_day_and_source() -> None:
    assert len(adoption()) == 30
    assert len(milestones()) == 25
    rows: list[Adoption | Milestone] = [*adoption(), *milestones()]
    for row in rows:
        assert row.source
        assert row.as_of.year >= 2021


def test_the_leading_state_of_june_2021() -> None:
    first = adoption()[0]
    assert (first.as_of.isoformat(), first.state, first.consultations) == (
        "2021-06-10",
        "Andhra Pradesh",
        1219689,
    )


def test_states_are_those_of_the_directory() -> None:
    known = {line.split(",")[0]: line for line in STATES_FILE.read_text().splitlines()}
    for row in adoption():
        assert f",{row.state}," in known[str(row.state_id)]
