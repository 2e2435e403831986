"""Findings as a CSV file that Excel opens in the right letters and without danger."""

import csv
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from sanjeevani.onboarding.queries import ToldFinding

_ACTIVE = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def write_findings(findings: Iterable[ToldFinding]) -> Iterator[str]:
    """Yield the lines of the file, the names of the columns first."""
    writer = csv.writer(_Echo())
    yield writer.writerow([_("File or sheet"), _("Row"), _("Column"), _("Left out"), _("Why")])
    for finding in findings:
        row = [
            finding.place,
            finding.line or "",
            finding.column,
            _("yes") if finding.is_error else _("no"),
            finding.text,
        ]
        yield writer.writerow([_harmless(str(cell)) for cell in row])


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from running a cell: names of sheets and words of cells are others'."""
    return f"'{cell}" if cell.startswith(_ACTIVE) else cell
