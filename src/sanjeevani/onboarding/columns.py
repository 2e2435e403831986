"""The three kinds of tables, their columns, and how a header names them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sanjeevani.onboarding.errors import FileRefused


@dataclass(frozen=True)
class Column:
    """A column: the name to write, other words for it, and the longest text it takes."""

    name: str
    required: bool = False
    words: tuple[str, ...] = ()
    length: int = 200


FACILITIES = (
    Column("state", words=("state_name", "lgd_code", "राज्य"), length=60),
    Column("code", True, ("facility_code", "nin", "hfr_id", "केंद्र_का_कोड", "कोड"), 20),
    Column("name", True, ("facility_name", "नाम"), 120),
    Column("name_hi", words=("name_in_hindi", "हिंदी_में_नाम"), length=120),
    Column("kind", True, ("type", "facility_type", "प्रकार"), 60),
    Column("district", True, ("ज़िला", "जिला"), 60),
    Column("address", True, ("पता",), 200),
    Column("phone", words=("telephone", "फ़ोन", "फोन"), length=20),
    Column("spoke", words=("is_spoke", "स्पोक"), length=10),
    Column("hub", words=("is_hub", "हब"), length=10),
    Column("opd_host", words=("is_opd_host", "opd", "ओपीडी"), length=10),
    Column("specialities", words=("hub_specialities", "specialties", "विशेषताएँ"), length=600),
)
HUB_LINKS = (
    Column("state", words=("spoke_state", "राज्य"), length=60),
    Column("spoke_code", True, ("spoke", "स्पोक_का_कोड"), 20),
    Column("hub_state", words=("हब_का_राज्य",), length=60),
    Column("hub_code", True, ("hub", "हब_का_कोड"), 20),
    Column("speciality", words=("specialty", "विशेषता"), length=60),
    Column("place", words=("position", "order", "क्रम"), length=3),
)
STAFF = (
    Column("state", words=("state_name", "राज्य"), length=60),
    Column("user_name", True, ("login", "username", "यूज़र_नेम"), 60),
    Column("name", True, ("नाम",), 100),
    Column("mobile", True, ("mobile_number", "phone", "मोबाइल", "मोबाइल_नंबर"), 40),
    Column("role", True, ("post", "भूमिका", "पद"), 40),
    Column("facility_code", True, ("facility", "केंद्र_का_कोड"), 20),
    Column("language", words=("भाषा",), length=20),
    Column("gender", words=("sex", "लिंग"), length=10),
    Column("qualification", words=("योग्यता",), length=100),
    Column("council", words=("medical_council", "परिषद"), length=60),
    Column("registration_number", words=("registration", "पंजीकरण_संख्या"), length=30),
    Column("speciality", words=("specialty", "विशेषता"), length=60),
    Column("languages", words=("भाषाएँ",), length=100),
    Column("contact", words=("email", "संपर्क"), length=60),
)
KINDS: dict[str, tuple[Column, ...]] = {
    "facilities": FACILITIES,
    "hub_links": HUB_LINKS,
    "staff": STAFF,
}
"""In the order in which they are read: links and staff name facilities."""


def plain_word(text: str) -> str:
    """Write a word of a header or a cell as it is looked up: `Facility Code *` is facility_code."""
    folded = unicodedata.normalize("NFC", text).casefold().strip(" *:")
    return re.sub(r"[\s_\-./]+", "_", folded)


@dataclass(frozen=True)
class Header:
    """What a table is: its kind, the column of each cell, and columns that are not used."""

    kind: str
    names: list[str | None]
    unused: list[str]


def header_of(cells: Sequence[str]) -> Header | None:
    """Read the first row; None when it names no kind of table. Raises FileRefused."""
    words = [plain_word(cell) for cell in cells]
    found = {kind: _named(columns, words) for kind, columns in KINDS.items()}
    kind = max(found, key=lambda kind: _fitness(kind, found[kind]))
    names = found[kind]
    named = {name for name in names if name}
    required = [column.name for column in KINDS[kind] if column.required]
    missing = [name for name in required if name not in named]
    if len(missing) >= len(required) - 1:
        return None
    if missing:
        raise FileRefused("missing_columns", columns=", ".join(missing))
    for name in named:
        if names.count(name) > 1:
            raise FileRefused("column_twice", column=name)
    unused = [cell for cell, name in zip(cells, names, strict=True) if cell and name is None]
    return Header(kind, names, unused)


def _named(columns: Sequence[Column], words: Sequence[str]) -> list[str | None]:
    known = {word: column.name for column in columns for word in (column.name, *column.words)}
    return [known.get(word) for word in words]


def _fitness(kind: str, names: Sequence[str | None]) -> tuple[float, int]:
    required = {column.name for column in KINDS[kind] if column.required}
    return (len(required & set(names)) / len(required), sum(name is not None for name in names))


def no_known_columns() -> FileRefused:
    """Say which columns there are."""
    return FileRefused(
        "no_known_columns",
        **{
            kind: ", ".join(column.name for column in columns if column.required)
            for kind, columns in KINDS.items()
        },
    )


LENGTHS: Mapping[str, Mapping[str, int]] = {
    kind: {column.name: column.length for column in columns} for kind, columns in KINDS.items()
}
REQUIRED: Mapping[str, frozenset[str]] = {
    kind: frozenset(column.name for column in columns if column.required)
    for kind, columns in KINDS.items()
}
