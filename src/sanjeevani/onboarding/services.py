"""The verbs of an import. `proceeding.py` drives them, batch by batch."""

import datetime
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from sanjeevani.directory.bulk import (
    enrol_staff,
    link_hubs,
    register_facilities,
    withdraw,
)
from sanjeevani.directory.permissions import require_state_admin
from sanjeevani.directory.queries import accounts_with_posts
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import NotFound, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.states import move
from sanjeevani.foundation.sweeping import to_each
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.errors import NoMobile
from sanjeevani.identity.queries import accounts_by_id
from sanjeevani.identity.services import invite
from sanjeevani.onboarding.checking import Batch, Checker, leads_back
from sanjeevani.onboarding.columns import KINDS, header_of, no_known_columns
from sanjeevani.onboarding.errors import FilesGone
from sanjeevani.onboarding.messages import Remark
from sanjeevani.onboarding.models import (
    ImportedRecord,
    ImportFinding,
    ImportStatus,
    NetworkImport,
)
from sanjeevani.onboarding.reading import AnyRow, LinkRow
from sanjeevani.onboarding.sheets import tables_of
from sanjeevani.onboarding.states import IMPORT_MOVES

LEASE = datetime.timedelta(minutes=2)
"""A batch takes seconds: who is silent for so long has died."""
INVITED_AT_ONCE = 100


@dataclass(frozen=True)
class GivenFile:
    """A file as it was handed over."""

    name: str
    content: IO[bytes]


class Superseded(Stale):
    """Another process works on this import."""


@verb("onboarding.start_import")
def start_import(actor: Actor, *, state_id: int, files: Sequence[GivenFile]) -> NetworkImport:
    """Take files in and let them be checked. `state_id` 0 (National) may bring in all states.

    What shows at first sight is refused at once: kind of file, encoding, columns. Raises
    FileRefused.
    """
    require_state_admin(actor, state_id)
    import_id = uuid7()
    sheets = [
        {"path": f"imports/{import_id}/{number}", "file": file.name[:100], **sheet}
        for number, file in enumerate(files)
        for sheet in _sheets_of(file)
    ]
    order = list(KINDS)
    now = clock.now()
    started = NetworkImport.objects.create(
        state_id=state_id,
        id=import_id,
        status=ImportStatus.CHECKING,
        **_asked_by(actor),
        sheets=sorted(sheets, key=lambda sheet: order.index(sheet["kind"])),
        rows_total=sum(sheet["rows"] for sheet in sheets),
        started_at=now,
        changed_at=now,
    )
    for number, file in enumerate(files):
        file.content.seek(0)
        default_storage.save(f"imports/{import_id}/{number}", file.content)
    concerns(started)
    return started


def _asked_by(actor: Actor) -> dict[str, Any]:
    """Return what the background goes on with afresh: the rights of who asks.

    Whoever started an import may have left by then.
    """
    return {
        "actor_kind": actor.kind,
        "account_id": actor.account_id,
        "post_id": actor.post_id,
        "actor_state_id": actor.state_id,
        "attempts": 0,
        "leased_until": None,
    }


def _sheets_of(file: GivenFile) -> list[dict[str, Any]]:
    """Return the tables of a file that are of use. Sheets of notes are passed over."""
    found: list[dict[str, Any]] = []
    for number, table in enumerate(tables_of(file.content)):
        first = next(table.rows, None)
        header = header_of(first.cells) if first is not None else None
        if header is not None:
            found.append(
                {
                    "number": number,
                    "name": table.name,
                    "kind": header.kind,
                    "rows": table.length,
                    "unused": header.unused[:20],
                }
            )
    if not found:
        raise no_known_columns()
    return found


@verb("onboarding.begin")
def begin(actor: Actor, *, state_id: int, import_id: uuid.UUID) -> NetworkImport:
    """Bring in what was checked. Raises Stale."""
    require_state_admin(actor, state_id)
    move(
        NetworkImport,
        IMPORT_MOVES,
        state_id=state_id,
        id=import_id,
        to=ImportStatus.IMPORTING,
        counts={},
        rows_done=0,
        sheet=0,
        line=0,
        changed_at=clock.now(),
        **_asked_by(actor),
    )
    # The rows are looked at again: others may have changed something since the check.
    ImportFinding.objects.filter(state_id=state_id, import_id=import_id).delete()
    return _told(state_id, import_id)


@verb("onboarding.drop")
def drop(actor: Actor, *, state_id: int, import_id: uuid.UUID) -> NetworkImport:
    """Throw away what was checked and not brought in, with its files. Raises Stale."""
    require_state_admin(actor, state_id)
    _move(state_id, import_id, ImportStatus.DROPPED)
    dropped = _told(state_id, import_id)
    _forget_files_once_stored(dropped)
    return dropped


@verb("onboarding.ask_undo")
def ask_undo(actor: Actor, *, state_id: int, import_id: uuid.UUID) -> NetworkImport:
    """Let an import be undone in the background. Raises Stale."""
    require_state_admin(actor, state_id)
    held = _held(state_id, import_id)
    _move(
        state_id,
        import_id,
        ImportStatus.UNDOING,
        refusal=None,
        falls_back_to=held.status,
        **_asked_by(actor),
    )
    return _told(state_id, import_id)


@verb("onboarding.resume")
def resume(actor: Actor, *, state_id: int, import_id: uuid.UUID) -> NetworkImport:
    """Let an import that stopped go on after its last batch. Raises Stale, FilesGone."""
    require_state_admin(actor, state_id)
    held = _held(state_id, import_id)
    if held.status != ImportStatus.STOPPED or not held.goes_on_as:
        raise Stale
    if not all(default_storage.exists(sheet["path"]) for sheet in held.sheets):
        raise FilesGone
    _move(state_id, import_id, ImportStatus(held.goes_on_as), refusal=None, **_asked_by(actor))
    return _told(state_id, import_id)


def _held(state_id: int, import_id: uuid.UUID) -> NetworkImport:
    """Return an import, held for the verb. Raises NotFound."""
    found = (
        NetworkImport.objects.select_for_update().filter(state_id=state_id, id=import_id).first()
    )
    if found is None:
        raise NotFound
    return found


@verb("onboarding.ask_invitations")
def ask_invitations(actor: Actor, *, state_id: int, import_id: uuid.UUID) -> NetworkImport:
    """Let everybody that an import brought in be sent a link to choose a password. Raises Stale.

    Doctors follow with their verification, when their post begins.
    """
    require_state_admin(actor, state_id)
    asked = NetworkImport.objects.filter(
        state_id=state_id, id=import_id, status=ImportStatus.DONE, invites_asked_at__isnull=True
    ).update(invites_asked_at=clock.now(), refusal=None, **_asked_by(actor))
    if not asked:
        raise Stale
    return _told(state_id, import_id)


# In the background -------------------------------------------------------------------------------


@verb("onboarding.take_batch")
def take_batch(
    actor: Actor,
    *,
    running: NetworkImport,
    checker: Checker,
    sheet: int,
    rows: Sequence[AnyRow],
    misread: Sequence[tuple[int, Remark]],
    last_line: int,
) -> None:
    """Check the next rows and, when importing, store the good ones: all in one transaction.

    The rows that could not be read are noted with them. An import that dies goes on after its last
    batch. Raises Superseded; IntegrityError and Stale when somebody was faster, to be tried again.
    """
    state_id, import_id = running.state_id, running.id
    require_state_admin(actor, state_id)
    # The row is the lock: a second process waits here and then finds the place changed.
    held = NetworkImport.objects.select_for_update().get(state_id=state_id, id=import_id)
    if (held.status, held.sheet, held.line) != (running.status, running.sheet, running.line):
        raise Superseded
    batch = checker.check(rows)
    if checker.stores:
        _store(actor, running, sheet, batch, {row.line: row for row in rows})
    remarks = [*misread, *batch.remarks]
    ImportFinding.objects.bulk_create(
        _finding(running, sheet, line, remark) for line, remark in remarks
    )
    kind = running.sheets[sheet]["kind"]
    broken = len({line for line, remark in remarks if remark.is_error})
    misread_lines = len({line for line, _remark in misread})
    counts = Counter(held.counts.get(kind, {}))
    counts.update(
        rows=len(rows) + misread_lines,
        there=len(batch.there),
        broken=broken,
        new=len(rows) + misread_lines - broken - len(batch.there),
    )
    held.counts[kind] = dict(counts)
    held.sheet, held.line = sheet, last_line
    held.rows_done += len(rows) + misread_lines
    held.leased_until = clock.now() + LEASE
    held.changed_at = clock.now()
    held.attempts = 0
    held.save(
        update_fields=[
            "counts",
            "sheet",
            "line",
            "rows_done",
            "leased_until",
            "changed_at",
            "attempts",
        ]
    )
    concerns(held)


def _store(
    actor: Actor,
    running: NetworkImport,
    sheet: int,
    batch: Batch,
    rows: Mapping[int, AnyRow],
) -> None:
    made: list[tuple[int, str, int, uuid.UUID]] = []
    if batch.facilities:
        lines = register_facilities(actor, facilities=list(batch.facilities.values()))
        line_of = {new.id: line for line, new in batch.facilities.items()}
        made += [(line_of[line.facility_id], "line", line.state_id, line.id) for line in lines]
        made += _made("facility", batch.facilities)
    if batch.links:
        circles = link_hubs(actor, links=list(batch.links.values()))
        for line, link in list(batch.links.items()):
            row = rows[line]
            if link.id in circles and isinstance(row, LinkRow):
                del batch.links[line]
                leads_back(row, batch)
        made += _made("hublink", batch.links)
    if batch.posts:
        enrol_staff(
            actor,
            accounts=list(batch.accounts.values()),
            practitioners=list(batch.practitioners.values()),
            posts=list(batch.posts.values()),
        )
        made += [
            (line, "account", account.home_state_id, account.id)
            for line, account in batch.accounts.items()
        ]
        made += _made("practitioner", batch.practitioners)
        made += [
            (line, "awaitedpost" if post.waits else "post", post.state_id, post.id)
            for line, post in batch.posts.items()
        ]
    ImportedRecord.objects.bulk_create(
        ImportedRecord(
            state_id=running.state_id,
            id=uuid7(),
            import_id=running.id,
            sheet=sheet,
            line=line,
            record_type=record_type,
            record_state_id=record_state_id,
            record_id=record_id,
        )
        for line, record_type, record_state_id, record_id in made
    )


def _made(record_type: str, records: Mapping[int, Any]) -> list[tuple[int, str, int, uuid.UUID]]:
    return [(line, record_type, new.state_id, new.id) for line, new in records.items()]


def _finding(running: NetworkImport, sheet: int, line: int, remark: Remark) -> ImportFinding:
    return ImportFinding(
        state_id=running.state_id,
        id=uuid7(),
        import_id=running.id,
        sheet=sheet,
        line=line,
        column=remark.column,
        code=remark.code,
        params=dict(remark.params),
        is_error=remark.is_error,
    )


@verb("onboarding.finish")
def finish(
    actor: Actor, *, running: NetworkImport, remarks: Sequence[tuple[int, int, Remark]] = ()
) -> NetworkImport:
    """End the check or the import, with what shows only at the end: `(sheet, line, remark)`."""
    is_check = running.status == ImportStatus.CHECKING
    _move(
        running.state_id,
        running.id,
        ImportStatus.CHECKED if is_check else ImportStatus.DONE,
        leased_until=None,
    )
    ImportFinding.objects.bulk_create(
        _finding(running, sheet, line, remark) for sheet, line, remark in remarks
    )
    finished = _told(running.state_id, running.id)
    if not is_check:
        _forget_files_once_stored(finished)
    return finished


@verb("onboarding.give_up")
def give_up(
    actor: Actor,
    *,
    running: NetworkImport,
    to: ImportStatus,
    code: str,
    params: Mapping[str, Any],
) -> NetworkImport:
    """End an import that cannot go on: its file is refused, its author may no longer, or it fails
    again and again. One that is done stays done, and its people can be invited by another."""
    changes: dict[str, Any] = {
        "refusal": {"code": code, "params": dict(params)},
        "leased_until": None,
        "attempts": 0,
    }
    if running.status == ImportStatus.DONE:
        NetworkImport.objects.filter(state_id=running.state_id, id=running.id).update(
            invites_asked_at=None, **changes
        )
        return _told(running.state_id, running.id)
    if to == ImportStatus.STOPPED and running.status != ImportStatus.UNDOING:
        changes["goes_on_as"] = running.status
    _move(running.state_id, running.id, to, **changes)
    return _told(running.state_id, running.id)


@verb("onboarding.undo")
def undo(actor: Actor, *, running: NetworkImport) -> NetworkImport:
    """Take back all that an import made, or nothing. Raises InUse, AccountUsed, Stale."""
    require_state_admin(actor, running.state_id)
    _move(running.state_id, running.id, ImportStatus.UNDONE, leased_until=None)
    records: dict[str, list[tuple[int, uuid.UUID]]] = {}
    for record_type, record_state_id, record_id in (
        ImportedRecord.objects.filter(state_id=running.state_id, import_id=running.id)
        .values_list("record_type", "record_state_id", "record_id")
        .iterator(chunk_size=10_000)
    ):
        records.setdefault(record_type, []).append((record_state_id, record_id))
    withdraw(actor, state_id=running.state_id, records=records)
    return _told(running.state_id, running.id)


@verb("onboarding.invite_next")
def invite_next(actor: Actor, *, running: NetworkImport) -> int:
    """Invite the next people that an import brought in; return how many there were.

    Whoever has signed in, or waits to be verified as a doctor, gets nothing.
    """
    state_id, import_id = running.state_id, running.id
    require_state_admin(actor, state_id)
    held = NetworkImport.objects.select_for_update().get(state_id=state_id, id=import_id)
    rows = ImportedRecord.objects.filter(
        state_id=state_id, import_id=import_id, record_type="account"
    )
    if held.last_invited_id is not None:
        rows = rows.filter(id__gt=held.last_invited_id)
    records = list(rows.order_by("id")[:INVITED_AT_ONCE])
    to_invite = _invitable([record.record_id for record in records])
    for account_id in to_invite:
        try:
            invite(actor, account_id=account_id)
        except (NoMobile, NotFound):
            continue
    held.invited += len(to_invite)
    if records:
        held.last_invited_id = records[-1].id
    held.invites_done = not records
    held.leased_until = None if held.invites_done else clock.now() + LEASE
    held.attempts = 0
    held.save(
        update_fields=["invited", "last_invited_id", "invites_done", "leased_until", "attempts"]
    )
    concerns(held)
    return len(records)


def _invitable(account_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Return those of some accounts that have a post and no password yet."""
    without = [
        account.id for account in accounts_by_id(account_ids).values() if not account.password
    ]
    with_post = accounts_with_posts(without)
    return [account_id for account_id in without if account_id in with_post]


def _move(state_id: int, import_id: uuid.UUID, to: ImportStatus, **changes: Any) -> None:
    move(
        NetworkImport,
        IMPORT_MOVES,
        state_id=state_id,
        id=import_id,
        to=to,
        changed_at=clock.now(),
        **changes,
    )


def _told(state_id: int, import_id: uuid.UUID) -> NetworkImport:
    """Return an import as it is now, named for the audit trail."""
    found = NetworkImport.objects.get(state_id=state_id, id=import_id)
    concerns(found)
    return found


def _forget_files_once_stored(ended: NetworkImport) -> None:
    """Without its files an import whose end was not stored after all could never go on."""
    transaction.on_commit(partial(forget_files, ended), robust=True)


def forget_files(ended: NetworkImport) -> None:
    """Delete the files of an import: they name people and their mobile numbers."""
    for path in {sheet["path"] for sheet in ended.sheets}:
        default_storage.delete(path)


KEPT_UNUSED = datetime.timedelta(days=7)


def forget_unused() -> None:
    """Delete the files of imports that wait for nobody any more: they hold mobile numbers.

    Also of those whose end was stored just before a power cut.
    """
    before = clock.now() - KEPT_UNUSED
    waiting = [ImportStatus.CHECKED, ImportStatus.REFUSED, ImportStatus.STOPPED]
    ended = Q(
        status__in=[ImportStatus.DONE, ImportStatus.DROPPED], changed_at__gt=before - KEPT_UNUSED
    )
    with across_states():
        idle = list(
            NetworkImport.objects.filter(ended | Q(status__in=waiting), changed_at__lt=before)
        )
    to_each(idle, _forget, "forget_unused")


def _forget(unused: NetworkImport) -> None:
    if unused.status == ImportStatus.CHECKED:
        # Begun in the meantime after all, it keeps its files: they go with the drop.
        drop(SYSTEM, state_id=unused.state_id, import_id=unused.id)
    else:
        forget_files(unused)
