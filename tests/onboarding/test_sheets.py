"""Files of unknown origin: read as their author sees them, or refused in exact words."""

import contextlib
import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from sanjeevani.foundation.text import plain_text
from sanjeevani.onboarding import sheets
from sanjeevani.onboarding.columns import header_of
from sanjeevani.onboarding.errors import FileRefused
from sanjeevani.onboarding.sheets import FORMULA, Row, tables_of
from sanjeevani.onboarding.tables import write_findings

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


def rows_of(content: bytes) -> list[Row]:
    """All rows of all tables of a file."""
    return [row for table in tables_of(io.BytesIO(content)) for row in table.rows]


def read_or_refused(content: bytes) -> None:
    """Read a file; any other error than a refusal fails the test."""
    with contextlib.suppress(FileRefused):
        rows_of(content)


def refused(content: bytes) -> tuple[str, dict[str, Any]]:
    """Why a file is refused."""
    with pytest.raises(FileRefused) as refusal:
        rows_of(content)
    assert str(refusal.value.message)
    return refusal.value.reason, refusal.value.params


def workbook(*rows: list[Any], change: Callable[[Any], None] = lambda _sheet: None) -> bytes:
    """A workbook of one sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    change(sheet)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def shown(cells: list[str]) -> list[str]:
    """Cells as a row gives them: white space trimmed, nothing empty at the end."""
    kept = [FORMULA if cell.startswith("=") else plain_text(cell, lines=False) for cell in cells]
    while kept and not kept[-1]:
        kept.pop()
    return kept


@given(
    table=st.lists(st.lists(TEXTS, min_size=1, max_size=5), min_size=1, max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_csv_gives_back_what_was_written(table: list[list[str]], encoding: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["a,b", "c"], *table])
    found = rows_of(text.getvalue().encode(encoding))
    assert [row.cells for row in found][1:] == [cells for row in table if (cells := shown(row))]
    assert [row.line for row in found] == sorted({row.line for row in found})


@given(content=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\xff\xfe", b"\xef\xbb\xbf"):
        read_or_refused(start + content)


@given(content=st.binary(min_size=1, max_size=30), position=st.integers(0, 5000))
def test_a_damaged_workbook_is_read_or_refused_in_words(content: bytes, position: int) -> None:
    good = bytearray(GOOD)
    good[position % len(good) : position % len(good) + len(content)] = content
    read_or_refused(bytes(good))


GOOD = workbook(["code", "name"], ["1", "Centre"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_of_other_countries(delimiter: str) -> None:
    (first, second) = rows_of(f"code{delimiter}name\nHWC1{delimiter}Centre\n".encode())
    assert (first.cells, second.cells) == (["code", "name"], ["HWC1", "Centre"])


def test_lines_are_those_of_the_file() -> None:
    found = rows_of(b'code,name\n\n"1","two\nlines"\n2,x\n')
    assert [(row.line, row.cells[-1]) for row in found] == [(1, "name"), (3, "two lines"), (5, "x")]


def test_utf16_without_a_mark() -> None:
    assert rows_of("code,नाम\n".encode("utf-16-le"))[0].cells == ["code", "नाम"]


def test_an_old_encoding_is_named_with_its_line() -> None:
    assert refused("code,name\n1,ok\n2,Peña\n".encode("cp1252")) == ("not_utf8", {"line": 3})


def test_a_missing_quotation_mark_is_named_with_its_line() -> None:
    assert refused(b'code,name\n1,ok\n2,"Centre\n3,x\n') == ("broken_csv", {"line": 3})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"%PDF-1.4 something", "not_a_table"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not_a_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old_excel"),
        (GOOD[:-300], "unreadable_workbook"),
    ],
    ids=["empty", "pdf", "png", "old-excel", "cut-off"],
)
def test_what_is_no_table(content: bytes, reason: str) -> None:
    assert refused(content)[0] == reason


def test_an_archive_that_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "hello")
    assert refused(file.getvalue())[0] == "not_a_table"


def replaced(name: str, text: str) -> bytes:
    """The good workbook with one of its parts replaced."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(GOOD)) as good,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for part in good.namelist():
            made.writestr(part, text if part == name else good.read(part))
    return file.getvalue()


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 1_000_000)
    bomb = replaced("xl/worksheets/sheet1.xml", " " * 2_000_000)
    assert len(bomb) < 20_000
    assert refused(bomb)[0] == "unpacks_too_large"


def test_entities_are_not_expanded() -> None:
    laughs = (
        '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    assert refused(replaced("xl/worksheets/sheet1.xml", laughs))[0] == "unreadable_workbook"


def test_merged_cells_are_named() -> None:
    content = workbook(
        ["code", "name"], ["1", "x"], change=lambda sheet: sheet.merge_cells("A2:B2")
    )
    assert refused(content) == ("merged_cells", {"cells": "A2:B2"})


def test_formulas_are_seen_in_both_kinds_of_files() -> None:
    assert rows_of(workbook(["code"], ["=1+1"]))[1].cells == [FORMULA]
    assert rows_of(b"code\n=1+1\n")[1].cells == [FORMULA]


def test_numbers_of_excel_keep_their_digits() -> None:
    found = rows_of(workbook(["mobile", "yes"], [9876543210, True], [9876543210.0, None]))
    assert [row.cells for row in found[1:]] == [["9876543210", "yes"], ["9876543210"]]


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 100)
    assert refused(b"code\n" + b"1\n" * 101) == ("too_many_rows", {"rows": 100})
    assert len(rows_of(b"code\n" + b"1\n" * 100)) == 101


def test_a_row_as_wide_as_excel_allows_is_refused() -> None:
    content = workbook(["code"], ["1"], change=lambda sheet: sheet.cell(2, 16_000, "x"))
    assert refused(content)[0] == "too_many_columns"


def test_a_stated_size_is_not_believed() -> None:
    text = zipfile.ZipFile(io.BytesIO(GOOD)).read("xl/worksheets/sheet1.xml").decode()
    assert 'ref="A1:B2"' in text
    lying = replaced("xl/worksheets/sheet1.xml", text.replace('ref="A1:B2"', 'ref="A1:XFD1048576"'))
    assert [row.cells for row in rows_of(lying)] == [["code", "name"], ["1", "Centre"]]


def test_headers_are_known_by_many_words() -> None:
    header = header_of(["Facility Code *", "Facility Name", "Type", "ज़िला", "Address", "Remarks"])
    assert header is not None
    assert (header.kind, header.unused) == ("facilities", ["Remarks"])
    assert header.names[:5] == ["code", "name", "kind", "district", "address"]


def test_missing_and_double_columns_are_named() -> None:
    with pytest.raises(FileRefused) as missing:
        header_of(["user_name", "name", "role", "facility_code"])
    assert missing.value.params == {"columns": "mobile"}
    with pytest.raises(FileRefused) as twice:
        header_of(["spoke_code", "hub_code", "hub"])
    assert twice.value.params == {"column": "hub_code"}
    assert header_of(["apples", "pears"]) is None


def test_no_findings_are_a_header_alone() -> None:
    assert list(write_findings([])) == ["File or sheet,Row,Column,Left out,Why\r\n"]
