"""A generated national network comes in: every broken row reported, nothing by half, twice."""

import io
from pathlib import Path

import pytest

from sanjeevani.demo.network_files import write_network
from sanjeevani.foundation.sharding import across_states
from sanjeevani.onboarding.models import ImportStatus
from sanjeevani.onboarding.services import GivenFile
from tests.factories import ANDHRA_PRADESH, TAMIL_NADU
from tests.onboarding.test_import import brought_in, counted, nation, reported

__all__ = ["nation"]  # the fixture: two open states and their specialities


@pytest.mark.verify
@pytest.mark.parametrize(
    ("spokes", "hubs", "staff"), [(20_000, 1_800, 40_000), (155_000, 14_000, 310_000)]
)
@pytest.mark.django_db
def test_a_national_network_comes_in(tmp_path: Path, spokes: int, hubs: int, staff: int) -> None:
    written = write_network(
        tmp_path, states=[ANDHRA_PRADESH, TAMIL_NADU], spokes=spokes, hubs=hubs, staff=staff
    )
    files = [GivenFile(path.name, io.BytesIO(path.read_bytes())) for path in written.paths]
    first = brought_in(files)
    assert first.status == ImportStatus.DONE
    found = reported(first)
    for name, lines in written.broken.items():
        assert found[name] >= lines, f"{name}: broken rows that were not reported"
    assert found["facilities.csv"] == written.broken["facilities.csv"]
    before = counted()
    with across_states():
        assert before["Facility"] == first.counts["facilities"]["new"]
        assert before["HubLink"] == first.counts["hub_links"]["new"]
        assert before["Post"] + before["AwaitedPost"] == first.counts["staff"]["new"]
    again = brought_in(files)
    assert counted() == before
    assert reported(again) == found
