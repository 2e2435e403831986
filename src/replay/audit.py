"""What the database says after a replay: each count is of violations, zero in a sound service."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg

from replay.person import World

IN_FLIGHT = "1 second"
"""Claims and requests that overlap this closely have no order that a patient could tell."""

DUPLICATE_NUMBERS = """
SELECT count(*) FROM (
  SELECT 1 FROM queueing_token WHERE day >= %(day)s
  GROUP BY state_id, line_id, day, number HAVING count(*) > 1
) AS repeated
"""

DUPLICATE_REQUESTS = """
SELECT count(*) FROM (
  SELECT 1 FROM consultation_consultation WHERE requested_at >= %(since)s
  GROUP BY request_key HAVING count(*) > 1
) AS repeated
"""

DUPLICATE_NOTES = """
SELECT count(*) FROM (
  SELECT 1 FROM consultation_note WHERE written_at >= %(since)s
  GROUP BY state_id, consultation_id HAVING count(*) > 1
) AS repeated
"""

DUPLICATE_FEEDBACK = """
SELECT count(*) FROM (
  SELECT 1 FROM consultation_feedback WHERE given_at >= %(since)s
  GROUP BY state_id, consultation_id HAVING count(*) > 1
) AS repeated
"""

DUPLICATE_MESSAGES = """
SELECT count(*) FROM (
  SELECT 1 FROM calls_message WHERE sent_at >= %(since)s
  GROUP BY state_id, room_id, client_key HAVING count(*) > 1
) AS repeated
"""

DUPLICATE_PATIENTS = """
SELECT count(*) FROM (
  SELECT 1 FROM patients_patient WHERE registered_at >= %(since)s
  GROUP BY account_id, registration_key HAVING registration_key IS NOT NULL AND count(*) > 1
) AS repeated
"""

DUPLICATE_PRESCRIPTIONS = """
SELECT count(*) FROM (
  SELECT 1 FROM prescription_prescription AS signed
  WHERE signed.signed_at >= %(since)s AND NOT EXISTS (
    SELECT 1 FROM prescription_prescriptionend AS ended
    WHERE (ended.state_id, ended.prescription_id) = (signed.state_id, signed.id)
  )
  GROUP BY signed.state_id, signed.consultation_id HAVING count(*) > 1
) AS repeated
"""

# A place is a consultation's, not a token's: who is asked for more and asks again on the same day
# has two tokens and one place. Only the patient's own cancelling gives it back.
OVERSOLD = """
WITH held AS (
  SELECT token.state_id, token.line_id, token.day,
    count(DISTINCT token.consultation_id) AS places
  FROM queueing_token AS token
  JOIN consultation_consultation AS asked
    ON asked.state_id = token.state_id AND asked.id = token.consultation_id
  JOIN queueing_token AS newest
    ON newest.state_id = asked.state_id AND newest.id = asked.token_id
  WHERE token.day >= %(day)s AND token.holds_place AND NOT (
    asked.status = 'cancelled' AND (newest.line_id, newest.day) = (token.line_id, token.day)
  )
  GROUP BY 1, 2, 3
)
SELECT count(*) FROM (
  SELECT state_id, line_id, coalesce(taken, 0) AS taken, coalesce(places, 0) AS places
  FROM queueing_lineday FULL JOIN held USING (state_id, line_id, day) WHERE day >= %(day)s
) AS line_day
JOIN directory_line AS line ON line.state_id = line_day.state_id AND line.id = line_day.line_id
WHERE line_day.taken > line.places_per_day OR line_day.taken <> line_day.places
"""

# How many waited when a place was given: whoever has a smaller number and left the line later.
# Tokens called once at most, because of others only the last call is stored; so it is never more
# than there were. Who comes by another line, or asks again, needs no place to wait.
OVERCROWDED = """
SELECT count(*) FROM queueing_token AS given
JOIN directory_line AS line ON line.state_id = given.state_id AND line.id = given.line_id
JOIN consultation_consultation AS asked
  ON asked.state_id = given.state_id AND asked.id = given.consultation_id
WHERE given.day >= %(day)s AND asked.requested_at >= %(since)s AND given.holds_place
AND asked.link NOT IN ('redirected', 'referred')
AND NOT EXISTS (
  SELECT 1 FROM queueing_token AS earlier
  WHERE (earlier.state_id, earlier.consultation_id) = (given.state_id, given.consultation_id)
    AND earlier.id < given.id
) AND line.waiting_places <= (
  SELECT count(*) FROM queueing_token AS ahead
  WHERE (ahead.state_id, ahead.line_id, ahead.day) = (given.state_id, given.line_id, given.day)
    AND ahead.number < given.number AND ahead.calls <= 1
    AND coalesce(ahead.called_at, ahead.ended_at, 'infinity') > asked.requested_at
)
"""

DOUBLE_CLAIMS = """
SELECT count(*) FROM (
  SELECT called_at, max(coalesce(ended_at, 'infinity')) OVER (
    PARTITION BY practitioner_id ORDER BY called_at, id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS busy_until
  FROM queueing_token WHERE called_at >= %(since)s AND practitioner_id IS NOT NULL
) AS claimed WHERE called_at < busy_until
"""

# Two doctors who at one time had one consultation, by whichever tokens.
SHARED = """
SELECT count(*) FROM queueing_token AS one
JOIN queueing_token AS other
  ON other.consultation_id = one.consultation_id AND other.id > one.id
    AND other.practitioner_id <> one.practitioner_id
    AND other.called_at < coalesce(one.ended_at, 'infinity')
    AND one.called_at < coalesce(other.ended_at, 'infinity')
WHERE one.called_at >= %(since)s AND other.called_at >= %(since)s
"""

STRANGERS = """
SELECT count(*) FROM consultation_consultation AS held
JOIN queueing_token AS token
  ON token.state_id = held.state_id AND token.consultation_id = held.id
WHERE token.called_at >= %(since)s AND token.status IN ('serving', 'served')
  AND held.status IN ('in_progress', 'interrupted', 'completed')
  AND token.practitioner_id IS DISTINCT FROM held.practitioner_id
"""

# At any moment, not in the end: what was called twice may be given back once.
CALLED_TWICE = """
SELECT count(DISTINCT token_id) FROM (
  SELECT fact.payload->>'token_id' AS token_id,
    sum(CASE fact.kind WHEN 'queueing.TokenCalled' THEN 1 ELSE -1 END) OVER (
      PARTITION BY fact.payload->>'token_id' ORDER BY fact.recorded_at, fact.id
    ) AS calls
  FROM foundation_outboxfact AS fact
  WHERE fact.recorded_at >= %(since)s
    AND fact.kind IN ('queueing.TokenCalled', 'queueing.TokenRequeued')
    AND NOT EXISTS (  -- the same call, which rings for longer
      SELECT 1 FROM foundation_auditevent AS cause
      WHERE (cause.state_id, cause.id) = (fact.state_id, fact.cause)
        AND cause.verb = 'consultation.ring_again'
    )
) AS followed WHERE calls > 1
"""

# Line by line: a line with more tokens than its counter says makes up for no other.
LOST_NUMBERS = """
SELECT coalesce(sum(greatest(line_day.issued, given.highest) - coalesce(given.tokens, 0)), 0)
FROM queueing_lineday AS line_day
LEFT JOIN (
  SELECT state_id, line_id, day, count(DISTINCT number) AS tokens, max(number) AS highest
  FROM queueing_token GROUP BY 1, 2, 3
) AS given USING (state_id, line_id, day)
WHERE line_day.day >= %(day)s
"""

# Tokens called once only: the place of one that was called again is behind others on purpose.
# Who comes from another line brings the time waited, and was passed by nobody before: a token is in
# its line from its making on, which its id tells (UUIDv7: milliseconds in the first 48 bits). Who
# gave up waiting was passed as well.
OUT_OF_ORDER = """
SELECT count(*) FROM queueing_token AS claimed
JOIN consultation_consultation AS held
  ON held.state_id = claimed.state_id AND held.token_id = claimed.id
JOIN directory_practitioner AS doctor
  ON doctor.state_id = held.practitioner_state_id AND doctor.id = held.practitioner_id
WHERE claimed.called_at >= %(since)s AND claimed.calls = 1 AND EXISTS (
  SELECT 1 FROM queueing_token AS passed
  WHERE passed.state_id = claimed.state_id AND passed.line_id = claimed.line_id
    AND passed.day = claimed.day AND passed.calls <= 1 AND passed.id <> claimed.id
    AND (passed.order_class, passed.order_at, passed.number)
      < (claimed.order_class, claimed.order_at, claimed.number)
    AND to_timestamp(('x' || left(replace(passed.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
      < claimed.called_at - %(in_flight)s::interval
    AND coalesce(passed.called_at, passed.ended_at, 'infinity')
      > claimed.called_at + %(in_flight)s::interval
    AND NOT doctor.id = ANY(passed.not_for)
    AND (passed.language = ANY(doctor.languages)
      OR passed.waiting_since < claimed.called_at - interval '30 minutes')
    AND (passed.gender_preference IN ('', doctor.gender)
      OR passed.waiting_since < claimed.called_at - interval '30 minutes')
)
"""

COUNTED = {
    "duplicate_numbers": [
        DUPLICATE_NUMBERS,
        DUPLICATE_REQUESTS,
        DUPLICATE_NOTES,
        DUPLICATE_FEEDBACK,
        DUPLICATE_MESSAGES,
        DUPLICATE_PATIENTS,
        DUPLICATE_PRESCRIPTIONS,
    ],
    "oversold": [OVERSOLD, OVERCROWDED],
    "double_claims": [DOUBLE_CLAIMS, SHARED, STRANGERS, CALLED_TWICE],
    "lost": [LOST_NUMBERS],
    "out_of_order": [OUT_OF_ORDER],
}
"""What the database alone tells, by the name of the violation.

`duplicate_numbers`: a number given twice in a line, and what a request sent twice left twice: a
consultation, a note, a feedback, a message, a patient, a prescription in force. `oversold`: more
places of a day given, or more let in to wait, than a line has, and a counter that says other than
the tokens.
`double_claims`: a doctor with two patients at a time, a consultation with two doctors, by one
token or several. `lost`: numbers of a line that no token has; what was acknowledged is added.
"""

STATUS = "SELECT id::text, status FROM consultation_consultation WHERE id = ANY(%(ids)s::uuid[])"

PRESCRIPTIONS = "SELECT number FROM prescription_prescription WHERE number = ANY(%(ids)s)"

MESSAGES = """
SELECT id::text FROM calls_message WHERE id = ANY(%(ids)s::uuid[])
UNION SELECT client_key::text FROM calls_message WHERE client_key = ANY(%(ids)s::uuid[])
"""

RATED = """
SELECT consultation_id::text FROM consultation_feedback
WHERE consultation_id = ANY(%(ids)s::uuid[])
"""

TOLD = """
SELECT consultation_id::text FROM intake_intake WHERE consultation_id = ANY(%(ids)s::uuid[])
"""

NOTED = """
SELECT consultation_id::text FROM consultation_note
WHERE consultation_id = ANY(%(ids)s::uuid[]) AND advice <> ''
"""

HANDED_OUT = """
SELECT signed.consultation_id::text FROM prescription_dispensing AS handed
JOIN prescription_prescription AS signed
  ON signed.state_id = handed.state_id AND signed.id = handed.prescription_id
WHERE signed.consultation_id = ANY(%(ids)s::uuid[])
"""

UNAUDITED = """
SELECT count(*) FROM consultation_consultation AS held
CROSS JOIN unnest(%(verbs)s::text[]) AS step (verbs)
WHERE held.id = ANY(%(ids)s::uuid[]) AND held.status = 'completed' AND NOT EXISTS (
  SELECT 1 FROM foundation_auditevent AS event
  WHERE (event.state_id, event.record_id) = (held.state_id, held.id)
      AND event.verb = ANY(string_to_array(step.verbs, ' ')) AND event.at >= %(since)s
) AND NOT EXISTS (
  SELECT 1 FROM consultation_consultation AS next
  JOIN foundation_auditevent AS event
    ON (event.state_id, event.record_id) = (next.state_id, next.id)
  WHERE (next.follows_state_id, next.follows_id) = (held.state_id, held.id)
    AND event.verb = 'prescription.refer_up' AND step.verbs = %(ending)s
)
"""

UNAUDITED_PRESCRIPTIONS = """
SELECT count(*) FROM prescription_prescription AS signed WHERE signed.number = ANY(%(ids)s)
AND NOT EXISTS (
  SELECT 1 FROM foundation_auditevent AS event
  WHERE event.state_id = signed.state_id AND event.record_id = signed.id
    AND event.verb = 'prescription.sign'
)
"""

UNAUDITED_MESSAGES = """
SELECT count(*) FROM calls_message AS written
WHERE (written.id = ANY(%(ids)s::uuid[]) OR written.client_key = ANY(%(ids)s::uuid[]))
AND NOT EXISTS (
  SELECT 1 FROM foundation_auditevent AS event
  WHERE (event.state_id, event.record_id) = (written.state_id, written.id)
    AND event.verb = 'calls.send_message'
)
"""

UNAUDITED_RATINGS = """
SELECT count(*) FROM consultation_feedback AS given
WHERE given.consultation_id = ANY(%(ids)s::uuid[]) AND NOT EXISTS (
  SELECT 1 FROM foundation_auditevent AS event
  WHERE (event.state_id, event.record_id) = (given.state_id, given.id)
    AND event.verb = 'consultation.give_feedback'
)
"""

# Also those whose places were all taken once, and given back later.
FULL_LINES = """
SELECT coalesce(clinic.id, line.id)::text FROM directory_line AS line
LEFT JOIN directory_clinic AS clinic
  ON clinic.state_id = line.state_id AND clinic.line_id = line.id
LEFT JOIN (
  SELECT state_id, line_id, count(DISTINCT consultation_id) AS held FROM queueing_token
  WHERE day >= %(day)s AND holds_place GROUP BY state_id, line_id, day
) AS taken ON taken.state_id = line.state_id AND taken.line_id = line.id
WHERE coalesce(taken.held, 0) >= line.places_per_day
"""

WAITING_PLACES = """
SELECT coalesce(clinic.id, line.id)::text, line.waiting_places FROM directory_line AS line
LEFT JOIN directory_clinic AS clinic
  ON clinic.state_id = line.state_id AND clinic.line_id = line.id
"""

ENDING = "prescription.conclude"
VERBS = [
    "consultation.request consultation.ask_hub prescription.refer_up consultation.redirect_to_hub",
    "consultation.call_next consultation.take_written",
    "consultation.answer consultation.take_written",
    "consultation.read",
    "consultation.write_note",
    ENDING,
]
"""What stands on the trail of every consultation that was held: one of each row.

A referral ends one by opening the next.
"""


def violations(dsn: str, world: World, since: datetime, concurrency: int) -> dict[str, int]:
    """Count what must not be, among all that happened since then."""
    with psycopg.connect(dsn) as connection:
        day = connection.execute(
            "SELECT (%s::timestamptz AT TIME ZONE 'Asia/Kolkata')::date", [since]
        ).fetchone()
        facts: dict[str, Any] = {
            "since": since,
            "day": day[0] if day else since.date(),
            "in_flight": IN_FLIGHT,
        }

        def count(query: str, **more: Any) -> int:
            row = connection.execute(query, facts | more).fetchone()
            return int(row[0]) if row else 0

        def found(query: str, ids: list[str]) -> set[str]:
            return {row[0] for row in connection.execute(query, {"ids": ids})}

        requested = list(world.requested)
        statuses: dict[str, str] = dict(connection.execute(STATUS, {"ids": requested}).fetchall())
        lost = (
            sum(consultation not in statuses for consultation in requested)
            + sum(statuses.get(consultation) != "completed" for consultation in world.completed)
            + len(statuses.keys() - found(TOLD, requested))
            + len(world.noted - found(NOTED, list(world.noted)))
            + len(world.prescriptions - found(PRESCRIPTIONS, list(world.prescriptions)))
            + len(world.messages - found(MESSAGES, list(world.messages)))
            + len(world.handed_out - found(HANDED_OUT, list(world.handed_out)))
            + len(world.rated - found(RATED, list(world.rated)))
        )
        by_database = {name: sum(map(count, queries)) for name, queries in COUNTED.items()}
        return {
            **by_database,
            "lost": by_database["lost"] + lost,
            "spurious_refusals": _spurious(
                world.refusals,
                {row[0] for row in connection.execute(FULL_LINES, facts)},
                dict(connection.execute(WAITING_PLACES).fetchall()),
                concurrency,
            ),
            "unaudited": count(UNAUDITED, ids=requested, verbs=VERBS, ending=ENDING)
            + count(UNAUDITED_PRESCRIPTIONS, ids=list(world.prescriptions))
            + count(UNAUDITED_MESSAGES, ids=list(world.messages))
            + count(UNAUDITED_RATINGS, ids=list(world.rated)),
        }


def _spurious(
    refusals: list[tuple[str, str]],
    full: set[str],
    waiting_places: Mapping[str, int],
    concurrency: int,
) -> int:
    """Count refusals other than of a full day, or of a waiting room that can have been full."""
    return sum(
        not (
            (reason == "LineFull" and clinic in full)
            or (reason == "WaitingRoomFull" and concurrency >= waiting_places.get(clinic, 0))
        )
        for reason, clinic in refusals
    )
