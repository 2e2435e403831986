"""Drives an import to its end, from wherever the last process left it."""

import datetime
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.db.models import F, Q

from sanjeevani.directory.errors import InUse
from sanjeevani.directory.models import State
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted, Stale
from sanjeevani.foundation.sharding import NATIONAL, across_states
from sanjeevani.identity.errors import AccountUsed
from sanjeevani.onboarding.checking import Checker
from sanjeevani.onboarding.columns import Header, header_of
from sanjeevani.onboarding.errors import FileRefused
from sanjeevani.onboarding.messages import Remark
from sanjeevani.onboarding.models import ImportStatus, NetworkImport
from sanjeevani.onboarding.reading import AnyRow, Words, read
from sanjeevani.onboarding.services import (
    LEASE,
    Superseded,
    finish,
    give_up,
    invite_next,
    take_batch,
    undo,
)
from sanjeevani.onboarding.sheets import Row, Table, tables_of
from sanjeevani.terminology.models import Speciality

logger = logging.getLogger(__name__)

BATCH = 1000
TRIES = 5
ATTEMPTS = 5
"""So many processes in a row may fail at the same place; then whoever waits is told."""
AT_WORK = (ImportStatus.CHECKING, ImportStatus.IMPORTING, ImportStatus.UNDOING)

Progress = Callable[[NetworkImport], None]


@dataclass(frozen=True)
class Source:
    """A table of an import as it is read: its place in `sheets`, its header and its rows."""

    number: int
    header: Header
    rows: Iterator[Row]


def claim(state_id: int, import_id: uuid.UUID) -> NetworkImport | None:
    """Take an import that nobody works on; None when somebody does, or nothing is to be done."""
    now = clock.now()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    taken = NetworkImport.objects.filter(free, to_do(), state_id=state_id, id=import_id).update(
        leased_until=now + LEASE, attempts=F("attempts") + 1
    )
    return NetworkImport.objects.get(state_id=state_id, id=import_id) if taken else None


def to_do() -> Q:
    """The imports that want work: also those whose people are to be invited."""
    return Q(status__in=AT_WORK) | Q(
        status=ImportStatus.DONE, invites_asked_at__isnull=False, invites_done=False
    )


def waiting() -> list[tuple[int, uuid.UUID]]:
    """Return the imports that nobody works on, although there is something to do."""
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=clock.now())
    with across_states():
        return list(
            NetworkImport.objects.filter(free, to_do())
            .order_by("changed_at")
            .values_list("state_id", "id")
        )


def hanging(
    keys: Iterable[tuple[int, uuid.UUID]], before: datetime.datetime
) -> list[tuple[int, uuid.UUID]]:
    """Return those of some imports whose lease ended before then."""
    return [
        (state_id, import_id)
        for state_id, import_id in keys
        if NetworkImport.objects.filter(
            state_id=state_id, id=import_id, leased_until__lt=before
        ).exists()
    ]


def proceed(running: NetworkImport, progress: Progress = lambda _running: None) -> NetworkImport:
    """Work on a claimed import until it waits for a person again; return it as it is then."""
    actor = actor_of(running)
    if running.attempts > ATTEMPTS:
        return _break_off(actor, running)
    try:
        if running.status == ImportStatus.UNDOING:
            return _undo(actor, running)
        if running.status == ImportStatus.DONE:
            return _invite(actor, running, progress)
        return _read_all(actor, running, progress)
    except NotPermitted:
        return give_up(
            actor, running=running, to=_given_up(running), code="permission_lost", params={}
        )
    except FileRefused as refused:
        return give_up(
            actor,
            running=running,
            to=ImportStatus.REFUSED,
            code=refused.reason,
            params=refused.params,
        )
    except Stale:
        # Another process has gone on with it.
        raise
    except Exception:
        logger.exception("import %s, attempt %s", _number(running), running.attempts)
        if running.attempts >= ATTEMPTS:
            return _break_off(actor, running)
        raise


def _number(running: NetworkImport) -> str:
    """Return what an import is called by those who run the service."""
    return f"{running.state_id}:{running.id}"


def _break_off(actor: Actor, running: NetworkImport) -> NetworkImport:
    """Say that it does not work, rather than try for ever."""
    return give_up(
        actor,
        running=running,
        to=_given_up(running),
        code="broke_off",
        params={"number": _number(running)},
    )


def _given_up(running: NetworkImport) -> ImportStatus:
    if running.status != ImportStatus.UNDOING:
        return ImportStatus.STOPPED
    return ImportStatus(running.falls_back_to or ImportStatus.DONE)


def actor_of(running: NetworkImport) -> Actor:
    """Return who last asked for something: the background acts in their name, with their rights."""
    return Actor(
        ActorKind(running.actor_kind),
        account_id=running.account_id,
        post_id=running.post_id,
        state_id=running.state_id if running.actor_state_id is None else running.actor_state_id,
    )


def _undo(actor: Actor, running: NetworkImport) -> NetworkImport:
    try:
        return undo(actor, running=running)
    except (InUse, AccountUsed) as refused:
        code = "in_use" if isinstance(refused, InUse) else "signed_in"
        return give_up(actor, running=running, to=_given_up(running), code=code, params={})


def _invite(actor: Actor, running: NetworkImport, progress: Progress) -> NetworkImport:
    while invite_next(actor, running=running):
        running.refresh_from_db()
        progress(running)
    running.refresh_from_db()
    return running


def _read_all(actor: Actor, running: NetworkImport, progress: Progress) -> NetworkImport:
    own_state = running.state_id
    words = Words(
        State.objects.all(),
        Speciality.objects.all(),
        None if own_state == NATIONAL else own_state,
    )
    checker = Checker(own_state, stores=running.status == ImportStatus.IMPORTING)
    for source in _sources(running):
        _read_table(actor, running, source, words, checker, progress)
    return finish(actor, running=running, remarks=_at_the_end(running, checker))


def _read_table(
    actor: Actor,
    running: NetworkImport,
    source: Source,
    words: Words,
    checker: Checker,
    progress: Progress,
) -> None:
    passed: list[AnyRow] = []
    rows: list[AnyRow] = []
    misread: list[tuple[int, Remark]] = []
    last_line = 0

    def pass_over() -> None:
        if passed:
            checker.pass_over(passed)
            passed.clear()

    def take() -> None:
        _take(actor, running, checker, source.number, rows, misread, last_line)
        rows.clear()
        misread.clear()
        progress(running)

    for row in source.rows:
        found, remarks = read(row, source.header, words)
        if (source.number, row.line) <= (running.sheet, running.line):
            if found is not None:
                passed.append(found)
            if len(passed) >= BATCH:
                pass_over()
            continue
        pass_over()
        last_line = row.line
        misread += [(row.line, remark) for remark in remarks]
        if found is not None:
            rows.append(found)
        if len(rows) + len(misread) >= BATCH:
            take()
    pass_over()
    if rows or misread:
        take()


def _take(
    actor: Actor,
    running: NetworkImport,
    checker: Checker,
    sheet: int,
    rows: list[AnyRow],
    misread: list[tuple[int, Remark]],
    last_line: int,
) -> None:
    for attempt in range(TRIES):
        try:
            take_batch(
                actor,
                running=running,
                checker=checker,
                sheet=sheet,
                rows=rows,
                misread=misread,
                last_line=last_line,
            )
        except Superseded:
            raise
        except (IntegrityError, Stale):
            # Somebody registered the same at this moment: looked up again, it is there.
            if attempt == TRIES - 1:
                raise
            continue
        running.refresh_from_db()
        return


def _sources(running: NetworkImport) -> Iterator[Source]:
    for number, sheet in enumerate(running.sheets):
        with default_storage.open(sheet["path"], "rb") as file:
            for index, table in enumerate(tables_of(file)):
                if index == sheet["number"]:
                    yield _source(number, table)
                    break


def _source(number: int, table: Table) -> Source:
    first = next(table.rows)
    header = header_of(first.cells)
    if header is None:
        raise FileRefused("unreadable_workbook")
    return Source(number, header, table.rows)


def _at_the_end(running: NetworkImport, checker: Checker) -> list[tuple[int, int, Remark]]:
    """Name the spokes that no hub answers: one by one where the files had links at all."""
    lonely = checker.spokes_without_hub()
    sheet = next(
        (number for number, sheet in enumerate(running.sheets) if sheet["kind"] == "facilities"),
        0,
    )
    if any(sheet["kind"] == "hub_links" for sheet in running.sheets):
        return [
            (sheet, line, Remark("code", "no_hub_yet", is_error=False))
            for line in sorted(lonely.values())
        ]
    if lonely:
        params = {"count": len(lonely)}
        return [(sheet, 0, Remark("", "spokes_without_hub", params, is_error=False))]
    return []
