"""Secrets that an installation makes for itself."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sanjeevani.config.secrets import read_secret

NAME = "SANJEEVANI_A_SECRET"


def test_all_that_start_together_agree_on_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: read_secret(NAME, tmp_path), range(8)))
    assert len(found) == 1
    path = tmp_path / "secrets" / NAME.lower()
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_empty_file_after_a_power_cut_is_no_secret(tmp_path: Path) -> None:
    """Tickets signed with it could be made by anybody."""
    first = read_secret(NAME, tmp_path)
    path = tmp_path / "secrets" / NAME.lower()
    path.write_text("")
    again = read_secret(NAME, tmp_path)
    assert len(again) == len(first)
    assert again == read_secret(NAME, tmp_path)
