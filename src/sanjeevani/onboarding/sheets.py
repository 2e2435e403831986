"""Tables as rows of text, from CSV and XLSX files of unknown origin.

Nothing is believed: sizes are bounded before anything is unpacked, and whatever would make us read
something else than the author sees (merged cells, formulas, guessed encodings) is refused in words.
"""

import codecs
import csv
import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from sanjeevani.foundation.text import plain_text
from sanjeevani.onboarding.errors import FileRefused

MEGABYTE = 1_000_000
LARGEST_FILE = 100 * MEGABYTE
LARGEST_UNPACKED = 800 * MEGABYTE
LARGEST_SHARED_STRINGS = 150 * MEGABYTE
MOST_PARTS = 1000
MOST_ROWS = 400_000
MOST_COLUMNS = 100

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z0-9:]+)"')
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
FORMULA = "\x00formula"
"""Stands for a cell with a formula: no file can hold this text, control characters are dropped."""


@dataclass(frozen=True)
class Row:
    """A row with the line where the author finds it, from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table of a file: `name` is the sheet's, empty for CSV; `length` is about its rows."""

    name: str
    rows: Iterator[Row]
    length: int


def tables_of(file: IO[bytes]) -> Iterator[Table]:
    """Yield the tables of a file, whose rows must be read before the next table is asked for.

    Empty rows are left out. Raises FileRefused, also while rows are read.
    """
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(0)
    if not size:
        raise FileRefused("empty_file")
    if size > LARGEST_FILE:
        raise FileRefused("too_large", megabytes=LARGEST_FILE // MEGABYTE)
    start = file.read(8)
    file.seek(0)
    if start.startswith(_OLE):
        raise FileRefused("old_excel")
    if start.startswith(b"PK"):
        yield from _workbook(file)
    else:
        text = _decoded(file.read())
        yield Table("", _bounded(_csv_rows(text)), text.count("\n"))


def _bounded(rows: Iterator[Row]) -> Iterator[Row]:
    count = 0
    for row in rows:
        while row.cells and not row.cells[-1]:
            row.cells.pop()
        if not row.cells:
            continue
        if len(row.cells) > MOST_COLUMNS:
            raise FileRefused("too_many_columns", line=row.line, columns=MOST_COLUMNS)
        count += 1
        if count > MOST_ROWS + 1:  # and the names of the columns
            raise FileRefused("too_many_rows", rows=MOST_ROWS)
        yield row


# CSV ---------------------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\x00" in content[:2]:
        encoding = "utf-16-be" if content[:1] == b"\x00" else "utf-16-le"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or b"\x00" in content:
            raise FileRefused("not_a_table") from None
        line = content.count(b"\n", 0, error.start) + 1
        raise FileRefused("not_utf8", line=line) from None
    if "\x00" in text or text.startswith("%PDF-"):
        raise FileRefused("not_a_table")
    return text


def _csv_rows(text: str) -> Iterator[Row]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, [_formula_or_text(cell) for cell in cells])
            line = reader.line_num + 1
    except csv.Error:
        raise FileRefused("broken_csv", line=line) from None


def _formula_or_text(cell: str) -> str:
    return FORMULA if cell.startswith("=") else plain_text(cell, lines=False)


# XLSX --------------------------------------------------------------------------------------------


def _workbook(file: IO[bytes]) -> Iterator[Table]:
    # Three tenths of a second that only who imports a workbook should wait for.
    from openpyxl import load_workbook

    _check_archive(file)
    file.seek(0)
    try:
        # The library warns of what it leaves out: charts, validation lists, print settings.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(file, read_only=True, keep_links=False)
    # A hostile or broken workbook fails in whatever part of the library it reaches first.
    except Exception:  # noqa: BLE001
        raise FileRefused("unreadable_workbook") from None
    try:
        for sheet in book.worksheets:
            stated = min(sheet.max_row or 0, MOST_ROWS)
            yield Table(sheet.title, _bounded(_sheet_rows(sheet)), stated)
    finally:
        book.close()


def _check_archive(file: IO[bytes]) -> None:
    """Refuse bombs and merged cells. What the directory of the archive states is what is read."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise FileRefused("not_a_table")
            too_much = len(parts) > MOST_PARTS or any(
                part.file_size > LARGEST_SHARED_STRINGS
                for part in parts
                if not _SHEET.fullmatch(part.filename)
            )
            if too_much or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise FileRefused("unpacks_too_large", megabytes=LARGEST_UNPACKED // MEGABYTE)
            for part in parts:
                if _SHEET.fullmatch(part.filename):
                    with archive.open(part) as content:
                        _refuse_merged(content)
    except FileRefused:
        raise
    except Exception:  # noqa: BLE001 - see _workbook
        raise FileRefused("unreadable_workbook") from None


def _refuse_merged(content: IO[bytes]) -> None:
    """Merged cells are listed behind the rows; what they hide would be read as empty."""
    before = b""
    found: list[str] = []
    while piece := content.read(MEGABYTE):
        window = before + piece
        found += [match.decode() for match in _MERGED.findall(window)]
        if len(found) > 5:
            break
        before = window[-200:] if not _MERGED.search(window[-200:]) else b""
    if found:
        cells = ", ".join(dict.fromkeys(found[:5]))
        raise FileRefused("merged_cells", cells=cells + (" …" if len(found) > 5 else ""))


def _sheet_rows(sheet: object) -> Iterator[Row]:
    sheet.reset_dimensions()  # type: ignore[attr-defined] # stated ones may be wrong or enormous
    rows = sheet.iter_rows()  # type: ignore[attr-defined]
    line = 0
    while True:
        try:
            cells = next(rows, None)
        except Exception:  # noqa: BLE001 - see _workbook
            raise FileRefused("unreadable_workbook") from None
        if cells is None:
            return
        line += 1
        if len(cells) > MOST_COLUMNS and any(cell.value for cell in cells[MOST_COLUMNS:]):
            raise FileRefused("too_many_columns", line=line, columns=MOST_COLUMNS)
        yield Row(
            line,
            [
                FORMULA if cell.data_type == "f" else _text_of(cell.value)
                for cell in cells[:MOST_COLUMNS]
            ],
        )


def _text_of(value: object) -> str:
    """Write a cell's value as its author sees it; whole numbers have no point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return plain_text(value, lines=False)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
