"""Which diagnoses and complaints say that a patient is pregnant."""

from collections.abc import Iterable
from functools import cache

from sanjeevani.terminology.data_files import read_rows


def say_pregnant(*, diagnoses: Iterable[str] = (), complaints: Iterable[str] = ()) -> bool:
    """Tell whether one of these codes is given only to who is pregnant now.

    What follows an abortion or a birth does not count.
    """
    known = _codes()
    return any(code.startswith(known["diagnosis"]) for code in diagnoses) or not set(
        known["complaint"]
    ).isdisjoint(complaints)


@cache
def _codes() -> dict[str, tuple[str, ...]]:
    """Return the beginnings of diagnoses' codes, and the codes of complaints."""
    found: dict[str, tuple[str, ...]] = {}
    for row in read_rows("pregnant"):
        found[row["says"]] = (*found.get(row["says"], ()), row["code"])
    return found
