"""Reads of the queue. The hot ones are one statement each."""

import datetime
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Min

from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.foundation.live import Hint
from sanjeevani.queueing.expected_wait import WaitInterval, expected_wait
from sanjeevani.queueing.models import Lease, LineDay, Token, TokenStatus
from sanjeevani.queueing.services import ELIGIBLE, Server, eligibility
from sanjeevani.roster.queries import practitioners_on_duty

RECENT_CALLS = 30
RECENT = datetime.timedelta(hours=1)
"""The pace of a line is that of its newest calls."""

HAD_WAITED_SECONDS = 18
"""Who was called sooner found the line empty: the time before says nothing about its pace."""


@dataclass(frozen=True)
class LineHead:
    """What a doctor sees of a line: how many wait, and the first whom this doctor may claim."""

    state_id: int
    line_id: uuid.UUID
    waiting: int
    order_class: int | None
    head_since: datetime.datetime | None
    head_language: str = ""


def line_heads(lines: Sequence[tuple[int, uuid.UUID]], server: Server) -> list[LineHead]:
    """Return the heads of the lines `(state_id, line_id)`, one statement per state."""
    found: dict[uuid.UUID, LineHead] = {}
    by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, line_id in lines:
        by_state.setdefault(state_id, []).append(line_id)
    for state_id, line_ids in by_state.items():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT ON (line_id) line_id,"  # noqa: S608 - from our own constant
                " count(*) OVER (PARTITION BY line_id), eligible, order_class, waiting_since,"
                " language"
                " FROM (SELECT line_id, order_class, order_at, number, waiting_since,"
                " language, (" + ELIGIBLE + ") AS eligible FROM queueing_token"
                " WHERE state_id = %(state)s AND line_id = ANY(%(lines)s)"
                " AND status = 'waiting') AS waiting"
                " ORDER BY line_id, eligible DESC, order_class, order_at, number",
                {**eligibility(server), "state": state_id, "lines": line_ids},
            )
            for line_id, waiting, eligible, order_class, since, language in cursor.fetchall():
                found[line_id] = LineHead(
                    state_id,
                    line_id,
                    waiting,
                    order_class if eligible else None,
                    since if eligible else None,
                    language if eligible else "",
                )
    return [
        found.get(line_id, LineHead(state_id, line_id, 0, None, None))
        for state_id, line_id in lines
    ]


def place_of(token: Token) -> int:
    """Return the place of a waiting token in its line's order; 1 is next."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM queueing_token WHERE state_id = %s AND line_id = %s"
            " AND status = 'waiting' AND (order_class, order_at, number) < (%s, %s, %s)",
            [token.state_id, token.line_id, token.order_class, token.order_at, token.number],
        )
        ahead: int = cursor.fetchone()[0]
    return ahead + 1


def headways(state_id: int, line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[float]]:
    """Return the recent headways of lines in minutes: calls of tokens that had waited."""
    ids = list(line_ids)
    found: dict[uuid.UUID, list[float]] = {line_id: [] for line_id in ids}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line.id, extract(epoch FROM token.called_at"
            "  - greatest(token.waiting_since, token.earlier)) / 60.0"
            " FROM unnest(%(lines)s::uuid[]) AS line (id) CROSS JOIN LATERAL ("
            "  SELECT called_at, waiting_since,"
            "   lead(called_at) OVER (ORDER BY called_at DESC) AS earlier"
            "  FROM (SELECT called_at, waiting_since FROM queueing_token"
            "   WHERE state_id = %(state)s AND line_id = line.id AND called_at > %(since)s"
            "   ORDER BY called_at DESC LIMIT %(recent)s) AS newest) AS token"
            " WHERE token.earlier IS NOT NULL"
            " AND token.called_at - token.waiting_since > make_interval(secs => %(had_waited)s)",
            {
                "state": state_id,
                "lines": ids,
                "since": clock.now() - RECENT,
                "recent": RECENT_CALLS + 1,
                "had_waited": HAD_WAITED_SECONDS,
            },
        )
        for line_id, minutes in cursor.fetchall():
            found[line_id].append(float(minutes))
    return found


def waiting_counts(state_id: int, line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return how many wait in each line."""
    ids = list(line_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line_id, count(*) FROM queueing_token WHERE state_id = %s"
            " AND line_id = ANY(%s) AND status = 'waiting' GROUP BY line_id",
            [state_id, ids],
        )
        counts = dict(cursor.fetchall())
    return {line_id: counts.get(line_id, 0) for line_id in ids}


def longest_waits(
    state_id: int, line_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, datetime.datetime]:
    """Return since when the one who has waited longest waits, for lines in which somebody does."""
    return dict(
        Token.objects.filter(
            state_id=state_id, line_id__in=list(line_ids), status=TokenStatus.WAITING
        )
        .values_list("line_id")
        .annotate(since=Min("waiting_since"))
    )


_taken = Compiled(
    lambda: LineDay.objects.filter(
        state_id=given("state_id"), line_id=given_any("line_ids"), day=given("day")
    ).values_list("line_id", "taken")
)


def places_taken(
    state_id: int, line_ids: Iterable[uuid.UUID], day: datetime.date
) -> dict[uuid.UUID, int]:
    """Return how many of each line's places of a day are taken."""
    ids = list(line_ids)
    taken = dict(_taken.all(state_id=state_id, line_ids=ids, day=day))
    return {line_id: taken.get(line_id, 0) for line_id in ids}


@dataclass(frozen=True)
class Serving:
    """How many doctors serve a line at this moment, and how many of them have no patient."""

    doctors: int = 0
    free: int = 0


def serving(
    state_id: int, line_ids: Iterable[uuid.UUID], not_for: Collection[uuid.UUID] = ()
) -> dict[uuid.UUID, Serving]:
    """Return who serves each line, beside those whom a token is `not_for`.

    Who serves several and is free is free for each of them.
    """
    on_duty, busy = _on_duty_and_busy(state_id, line_ids)
    return {line_id: _served_by(ids, busy, not_for) for line_id, ids in on_duty.items()}


def _on_duty_and_busy(
    state_id: int, line_ids: Iterable[uuid.UUID]
) -> tuple[dict[uuid.UUID, list[uuid.UUID]], set[uuid.UUID]]:
    on_duty = practitioners_on_duty(state_id, line_ids)
    return on_duty, with_patient({each for ids in on_duty.values() for each in ids})


def _served_by(
    on_duty: Iterable[uuid.UUID], busy: set[uuid.UUID], not_for: Collection[uuid.UUID]
) -> Serving:
    ids = [each for each in on_duty if each not in not_for]
    return Serving(len(ids), sum(each not in busy for each in ids))


def expected_waits(
    state_id: int, line_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, WaitInterval | None]:
    """Return, per line, the expected wait of someone who joined it now."""
    ids = list(line_ids)
    counts = waiting_counts(state_id, ids)
    now = serving(state_id, ids)
    paces = headways(state_id, ids)
    return {
        line_id: expected_wait(
            counts[line_id] + 1, now[line_id].doctors, now[line_id].free, paces[line_id]
        )
        for line_id in ids
    }


def wait_of(token: Token, place: int) -> WaitInterval | None:
    """Return the expected wait of a waiting token at `place`."""
    pace = headways(token.state_id, [token.line_id])[token.line_id]
    now = serving(token.state_id, [token.line_id], token.not_for)[token.line_id]
    return expected_wait(place, now.doctors, now.free, pace)


def snapshot_lines(state_id: int, line_ids: list[uuid.UUID]) -> dict[uuid.UUID, Hint]:
    """Say to every waiting token of the lines its place and expected wait; to desks, look again."""
    on_duty, busy = _on_duty_and_busy(state_id, line_ids)
    paces = headways(state_id, line_ids)
    hints = {line_id: Hint(all={}, each={}) for line_id in line_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line_id, id, not_for, row_number() OVER ("
            "  PARTITION BY line_id ORDER BY order_class, order_at, number)"
            " FROM queueing_token"
            " WHERE state_id = %s AND line_id = ANY(%s) AND status = 'waiting'",
            [state_id, line_ids],
        )
        for line_id, token_id, not_for, place in cursor.fetchall():
            line = _served_by(on_duty[line_id], busy, not_for)
            wait = expected_wait(place, line.doctors, line.free, paces[line_id])
            hints[line_id]["each"][str(token_id)] = {
                "place": place,
                "wait_low": wait.low if wait else None,
                "wait_high": wait.high if wait else None,
            }
    return hints


_lease = Compiled(lambda: Lease.objects.filter(practitioner_id=given("practitioner_id")))


def live_token_of(practitioner_id: uuid.UUID) -> tuple[int, uuid.UUID] | None:
    """Return (state_id, token_id) of the practitioner's live consultation, across states."""
    lease = _lease.first(practitioner_id=practitioner_id)
    if lease is None or lease.token_state_id is None or lease.token_id is None:
        return None
    return lease.token_state_id, lease.token_id


_with_patient = Compiled(
    lambda: Lease.objects.filter(
        practitioner_id=given_any("practitioner_ids"), token_id__isnull=False
    ).values_list("practitioner_id")
)


def with_patient(practitioner_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return which practitioners have a live consultation, in whichever state."""
    ids = list(practitioner_ids)
    if not ids:
        return set()
    return {practitioner_id for (practitioner_id,) in _with_patient.all(practitioner_ids=ids)}


def overdue(now: datetime.datetime, limit: int = 200) -> list[tuple[int, uuid.UUID, str]]:
    """Return (state_id, token_id, status) of tokens whose deadline has passed, over all states.

    For the sweeper, inside `across_states`.
    """
    return list(
        Token.objects.filter(deadline_at__lt=now, status__in=["called", "serving"])
        .order_by("deadline_at")
        .values_list("state_id", "id", "status")[:limit]
    )


def waiting_everywhere() -> tuple[int, datetime.datetime | None]:
    """Return how many wait in all lines of the nation, and since when the one who waits longest.

    The time waited in a line before counts. Inside `across_states`.
    """
    found = Token.objects.filter(status=TokenStatus.WAITING).aggregate(
        number=Count("id"), since=Min("order_at")
    )
    return found["number"], found["since"]


def served_since(before: datetime.datetime) -> list[tuple[int, uuid.UUID]]:
    """Return (state_id, consultation_id) of tokens that have been with a doctor since before then.

    Over all states, for the sweeper, inside `across_states`.
    """
    with connection.cursor() as cursor:
        # Both statuses, as the index of those with a doctor has them: it is the one that is read.
        cursor.execute(
            "SELECT state_id, consultation_id FROM queueing_token"
            " WHERE status IN ('called', 'serving') AND status = 'serving' AND served_from < %s"
            " ORDER BY served_from",
            [before],
        )
        return list(cursor.fetchall())


def stranded_in_lanes(
    now: datetime.datetime, patience: datetime.timedelta, limit: int = 200
) -> list[tuple[int, uuid.UUID]]:
    """Return (state_id, token_id) of follow-ups whose own doctor left or is not to have them, or
    who waited too long.

    Over all states, for the sweeper, inside `across_states`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token.state_id, token.id FROM directory_line AS line"
            " JOIN queueing_token AS token"
            "  ON token.state_id = line.state_id AND token.line_id = line.id"
            " WHERE line.kind = 'follow_up' AND token.status = 'waiting'"
            " AND (token.waiting_since < %(before)s OR line.practitioner_id = ANY(token.not_for)"
            " OR NOT EXISTS ("
            "  SELECT FROM roster_dutyline AS duty WHERE duty.state_id = line.state_id"
            "  AND duty.line_id = line.id AND NOT duty.on_break))"
            " ORDER BY token.waiting_since LIMIT %(limit)s",
            {"before": now - patience, "limit": limit},
        )
        return list(cursor.fetchall())


@dataclass(frozen=True)
class UnattendedLine:
    """A line in which somebody waits and nobody serves; `since` is None until it was noted."""

    state_id: int
    line_id: uuid.UUID
    since: datetime.datetime | None


def unattended_lines(today: datetime.date) -> list[UnattendedLine]:
    """Return them over all states, for the sweeper, inside `across_states`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT token.state_id, token.line_id, day.unattended_since"
            " FROM queueing_token AS token"
            " JOIN directory_line AS line ON line.state_id = token.state_id"
            "  AND line.id = token.line_id AND line.kind NOT IN ('follow_up', 'written')"
            " LEFT JOIN queueing_lineday AS day ON day.state_id = token.state_id"
            "  AND day.line_id = token.line_id AND day.day = %s"
            " WHERE token.status = 'waiting' AND NOT EXISTS ("
            "  SELECT FROM roster_dutyline AS duty WHERE duty.state_id = token.state_id"
            "  AND duty.line_id = token.line_id)",
            [today],
        )
        return [UnattendedLine(*row) for row in cursor.fetchall()]


def left_overnight(today: datetime.date) -> list[tuple[int, uuid.UUID, list[uuid.UUID]]]:
    """Return (state_id, line_id, token_ids) of clinics' lines in which somebody has waited since an
    earlier day although doctors are on duty there, or have not signed off.

    Over all states, for the sweeper, inside `across_states`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token.state_id, token.line_id, array_agg(token.id)"
            " FROM queueing_token AS token"
            " JOIN directory_line AS line ON line.state_id = token.state_id"
            "  AND line.id = token.line_id AND line.kind = 'clinic'"
            " WHERE token.status = 'waiting' AND token.day < %s"
            " AND EXISTS (SELECT FROM roster_dutyline AS duty"
            "  WHERE duty.state_id = token.state_id AND duty.line_id = token.line_id)"
            " GROUP BY token.state_id, token.line_id",
            [today],
        )
        return list(cursor.fetchall())


def kept_from_all(limit: int = 200) -> list[tuple[int, uuid.UUID, uuid.UUID]]:
    """Return (state_id, line_id, token_id) of who waits in a line whose every doctor, of those on
    duty or on a break, is not to have them: handed back by the only one, or parted from them.

    Over all states, for the sweeper, inside `across_states`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token.state_id, token.line_id, token.id FROM queueing_token AS token"
            " JOIN directory_line AS line ON line.state_id = token.state_id"
            "  AND line.id = token.line_id AND line.kind NOT IN ('follow_up', 'written')"
            " WHERE token.status = 'waiting' AND token.not_for <> '{}'"
            " AND EXISTS (SELECT FROM roster_dutyline AS duty"
            "  WHERE duty.state_id = token.state_id AND duty.line_id = token.line_id)"
            " AND NOT EXISTS (SELECT FROM roster_dutyline AS duty"
            "  WHERE duty.state_id = token.state_id AND duty.line_id = token.line_id"
            "  AND NOT duty.practitioner_id = ANY(token.not_for))"
            " ORDER BY token.waiting_since LIMIT %s",
            [limit],
        )
        return list(cursor.fetchall())


def silent_practitioners(
    on_duty: datetime.datetime, on_break: datetime.datetime, limit: int = 500
) -> list[uuid.UUID]:
    """Return who is on duty with no patient, and not seen in any signed-in browser or app since.

    `on_duty` and `on_break`: since when for who is on duty, and for who has taken a break. Over all
    states, for the background, inside `across_states`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT duty.practitioner_id FROM roster_duty AS duty"
            " CROSS JOIN LATERAL (SELECT CASE duty.status WHEN 'break' THEN %(on_break)s"
            "   ELSE %(on_duty)s END AS at) AS silent"
            " WHERE duty.status <> 'off' AND duty.since < silent.at"
            " AND NOT EXISTS (SELECT FROM queueing_lease AS lease"
            "  WHERE lease.practitioner_id = duty.practitioner_id AND lease.token_id IS NOT NULL)"
            " AND NOT EXISTS (SELECT FROM roster_assignment AS assignment"
            "  JOIN directory_practitioner AS practitioner"
            "   ON practitioner.state_id = assignment.practitioner_state_id"
            "   AND practitioner.id = assignment.practitioner_id"
            "  JOIN identity_session AS session ON session.account_id = practitioner.account_id"
            "  WHERE assignment.practitioner_id = duty.practitioner_id"
            "  AND session.last_seen_at >= silent.at)"
            " LIMIT %(limit)s",
            {"on_duty": on_duty, "on_break": on_break, "limit": limit},
        )
        return [practitioner_id for (practitioner_id,) in cursor.fetchall()]


def left_in_closed_hubs(limit: int = 200) -> list[tuple[int, uuid.UUID]]:
    """Return (state_id, token_id) of who waits in a hub's speciality that has closed.

    Of written requests too. Over all states, for the sweeper, inside `across_states`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token.state_id, token.id FROM directory_line AS hub"
            " JOIN directory_line AS line ON line.state_id = hub.state_id"
            "  AND (line.id = hub.id OR line.parent_id = hub.id AND line.kind = 'written')"
            " JOIN queueing_token AS token"
            "  ON token.state_id = line.state_id AND token.line_id = line.id"
            " WHERE hub.kind = 'hub' AND hub.closed_at IS NOT NULL AND token.status = 'waiting'"
            " AND NOT EXISTS (SELECT FROM roster_dutyline AS duty"
            "  WHERE duty.state_id = hub.state_id AND duty.line_id = hub.id)"
            " ORDER BY token.waiting_since LIMIT %s",
            [limit],
        )
        return list(cursor.fetchall())


def attended_again(today: datetime.date) -> list[tuple[int, uuid.UUID]]:
    """Return (state_id, line_id) noted as unattended today that somebody serves again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT day.state_id, day.line_id FROM roster_dutyline AS duty"
            " JOIN queueing_lineday AS day ON day.state_id = duty.state_id"
            "  AND day.line_id = duty.line_id AND day.day = %s"
            " WHERE day.unattended_since IS NOT NULL",
            [today],
        )
        return list(cursor.fetchall())


def waiting_in(
    state_id: int, line_id: uuid.UUID, *, before: datetime.date | None = None
) -> list[uuid.UUID]:
    """Return the ids of the tokens that wait in a line, in their order; only those of a day
    `before` this one."""
    waiting = Token.objects.filter(state_id=state_id, line_id=line_id, status="waiting")
    if before is not None:
        waiting = waiting.filter(day__lt=before)
    return list(waiting.order_by("order_class", "order_at", "number").values_list("id", flat=True))


def waits_in(state_id: int, line_id: uuid.UUID, subject_id: uuid.UUID) -> bool:
    """Tell whether somebody has a token in a line that is not at its end."""
    return Token.objects.filter(
        state_id=state_id,
        line_id=line_id,
        subject_id=subject_id,
        status__in=[TokenStatus.WAITING, TokenStatus.CALLED, TokenStatus.SERVING],
    ).exists()


@dataclass
class LineNumbers:
    """The numbers of a line's day that anybody may see: numbers, never whose."""

    called: list[int]
    serving: list[int]
    next: list[int]
    waiting: int


def numbers_of(
    state_id: int, line_ids: Iterable[uuid.UUID], *, following: int = 5
) -> dict[uuid.UUID, LineNumbers]:
    """Return, per line, which numbers are called, with a doctor, and `following` ones next."""
    found = {line_id: LineNumbers([], [], [], 0) for line_id in line_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line_id, status, number, total FROM ("
            "  SELECT line_id, status, number,"
            "   count(*) OVER (PARTITION BY line_id, status) AS total,"
            "   row_number() OVER (PARTITION BY line_id, status"
            "    ORDER BY order_class, order_at, number) AS place"
            "  FROM queueing_token WHERE state_id = %(state)s AND line_id = ANY(%(lines)s)"
            "  AND status IN ('waiting', 'called', 'serving')) AS live"
            " WHERE status <> 'waiting' OR place <= %(following)s"
            " ORDER BY line_id, status, place",
            {"state": state_id, "lines": list(found), "following": following},
        )
        for line_id, status, number, total in cursor.fetchall():
            line = found[line_id]
            if status == "waiting":
                line.waiting = total
                line.next.append(number)
            else:
                (line.called if status == "called" else line.serving).append(number)
    return found
