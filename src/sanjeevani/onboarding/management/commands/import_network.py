"""`sanjeevani import-network`: facilities, hub links and staff from CSV and XLSX files."""

import sys
import uuid
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from sanjeevani.directory.queries import states_named
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import DomainError
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.onboarding.messages import text_of
from sanjeevani.onboarding.models import ImportStatus, NetworkImport
from sanjeevani.onboarding.proceeding import claim, proceed
from sanjeevani.onboarding.queries import all_findings, import_by_id
from sanjeevani.onboarding.services import (
    GivenFile,
    ask_invitations,
    ask_undo,
    begin,
    start_import,
)
from sanjeevani.onboarding.tables import write_findings

BAR = 40


class Command(BaseCommand):
    """Checks files, brings them in, goes on after a stop, and takes back."""

    help = (
        "Bring in facilities, hub links and staff from CSV or XLSX files. What is there already"
        " stays as it is; broken rows are left out and named with their lines."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Files, or what to do with an earlier import (`STATE:ID`, as it was printed)."""
        parser.add_argument("files", nargs="*", type=Path)
        parser.add_argument("--state", default="", help="all rows are of this state; else a column")
        parser.add_argument("--dry-run", action="store_true", help="check, store nothing")
        parser.add_argument("--findings", type=Path, help="write what was found to this CSV file")
        parser.add_argument("--language", choices=["en", "hi"], default="en")
        parser.add_argument("--go-on", metavar="IMPORT", help="go on with an import")
        parser.add_argument("--undo", metavar="IMPORT", help="take an import back")
        parser.add_argument("--invite", metavar="IMPORT", help="send its people their links")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, with a bar; refusals end the command with status 1."""
        with translation.override(options["language"]):
            try:
                ended = self._ended(options)
            except DomainError as refused:
                raise CommandError(str(refused.message)) from None
            except FileNotFoundError as missing:
                raise CommandError(f"{missing.filename}: no such file") from None
            self._report(ended, options["findings"])

    def _ended(self, options: dict[str, Any]) -> NetworkImport:
        if name := options["go_on"]:
            return self._proceed(*_key(name))
        if name := options["undo"]:
            key = _key(name)
            ask_undo(SYSTEM, state_id=key[0], import_id=key[1])
            return self._proceed(*key)
        if name := options["invite"]:
            key = _key(name)
            ask_invitations(SYSTEM, state_id=key[0], import_id=key[1])
            return self._proceed(*key)
        if not options["files"]:
            raise CommandError("Name at least one file.")
        opened: list[IO[bytes]] = [path.open("rb") for path in options["files"]]
        try:
            started = start_import(
                SYSTEM,
                state_id=_state(options["state"]),
                files=[
                    GivenFile(path.name, file)
                    for path, file in zip(options["files"], opened, strict=True)
                ],
            )
        finally:
            for file in opened:
                file.close()
        self.stdout.write(f"Import {started.state_id}:{started.id}")
        checked = self._proceed(started.state_id, started.id)
        if options["dry_run"] or checked.status != ImportStatus.CHECKED:
            return checked
        begin(SYSTEM, state_id=started.state_id, import_id=started.id)
        return self._proceed(started.state_id, started.id)

    def _proceed(self, state_id: int, import_id: uuid.UUID) -> NetworkImport:
        claimed = claim(state_id, import_id)
        if claimed is None:
            shown = import_by_id(state_id, import_id)
            if shown.leased_until is not None:
                raise CommandError("Another process works on this import.")
            return shown
        try:
            ended = proceed(claimed, self._bar)
        except DomainError:
            raise
        except Exception as unforeseen:  # noqa: BLE001 - whatever it is
            # Told in the log already. Its text may quote a row, and ours ends in a log, too.
            raise CommandError(
                f"{type(unforeseen).__name__}. The service tries again in two minutes."
            ) from None
        if sys.stderr.isatty():
            self.stderr.write("")
        return ended

    def _bar(self, running: NetworkImport) -> None:
        if not sys.stderr.isatty():
            return
        total = max(running.rows_total, running.rows_done, 1)
        full = BAR * running.rows_done // total
        label = running.get_status_display()
        self.stderr.write(
            f"\r{label} [{'#' * full}{'.' * (BAR - full)}] {running.rows_done:,} / {total:,}",
            ending="",
        )
        self.stderr.flush()

    def _report(self, ended: NetworkImport, findings: Path | None) -> None:
        self.stdout.write(str(ended.get_status_display()))
        for kind, counts in ended.counts.items():
            self.stdout.write(
                f"  {kind}: {counts['rows']} rows, {counts['new']} new,"
                f" {counts['there']} there already, {counts['broken']} left out"
            )
        if findings is not None:
            with findings.open("w", encoding="utf-8-sig", newline="") as file:
                for line in write_findings(all_findings(ended)):
                    file.write(line)
        if ended.refusal:
            raise CommandError(text_of(ended.refusal["code"], ended.refusal["params"]))


def _key(name: str) -> tuple[int, uuid.UUID]:
    state, _colon, import_id = name.partition(":")
    try:
        return int(state), uuid.UUID(import_id)
    except ValueError:
        raise CommandError("Name the import as it was printed: STATE:ID.") from None


def _state(name: str) -> int:
    if not name:
        return NATIONAL
    if name.isdecimal():
        return int(name)
    found = [state for state in states_named(name) if state.name.casefold() == name.casefold()]
    if len(found) != 1:
        raise CommandError(f"{name}: no such state. Write its name or its LGD code.")
    return found[0].lgd_code
