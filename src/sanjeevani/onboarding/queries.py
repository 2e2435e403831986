"""Reads of imports."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sanjeevani.directory.queries import Part
from sanjeevani.foundation.errors import NotFound
from sanjeevani.onboarding.messages import text_of
from sanjeevani.onboarding.models import ImportedRecord, ImportFinding, NetworkImport


def import_by_id(state_id: int, import_id: uuid.UUID) -> NetworkImport:
    """Return an import. Raises NotFound."""
    found = NetworkImport.objects.filter(state_id=state_id, id=import_id).first()
    if found is None:
        raise NotFound
    return found


def imports_of(state_id: int, limit: int = 20) -> list[NetworkImport]:
    """Return the last imports of a state's administrators (0: of national ones)."""
    return list(NetworkImport.objects.filter(state_id=state_id).order_by("-id")[:limit])


@dataclass(frozen=True)
class ToldFinding:
    """A finding in the reader's language; `place` is the sheet, or the file."""

    place: str
    line: int
    column: str
    text: str
    is_error: bool


def findings_of(shown: NetworkImport, *, start: int, size: int) -> Part[ToldFinding]:
    """Return some findings of an import, by sheet and line."""
    rows = ImportFinding.objects.filter(state_id=shown.state_id, import_id=shown.id)
    ordered = rows.order_by("sheet", "line", "id")[start : start + size]
    return Part([_told(shown, row) for row in ordered], rows.count())


def all_findings(shown: NetworkImport) -> Iterator[ToldFinding]:
    """Return all findings of an import, by sheet and line, without holding them in memory."""
    rows = ImportFinding.objects.filter(state_id=shown.state_id, import_id=shown.id)
    for row in rows.order_by("sheet", "line", "id").iterator(chunk_size=5000):
        yield _told(shown, row)


def _told(shown: NetworkImport, row: ImportFinding) -> ToldFinding:
    sheet = shown.sheets[row.sheet]
    return ToldFinding(
        sheet["name"] or sheet["file"],
        row.line,
        row.column,
        text_of(row.code, row.params),
        row.is_error,
    )


def has_accounts(shown: NetworkImport) -> bool:
    """Tell whether an import made accounts, whose holders may be invited."""
    return ImportedRecord.objects.filter(
        state_id=shown.state_id, import_id=shown.id, record_type="account"
    ).exists()
