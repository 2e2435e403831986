"""How many OPDs and doctors are on duty: counted when duty changes, and once a minute.

Doctors count wherever they serve, also those whom only spokes ask.
"""

from collections.abc import Sequence

from django.db import connection
from django.utils.timezone import localtime

from sanjeevani.foundation import clock
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.foundation.sharding import across_states
from sanjeevani.reporting.models import NATION, Presence
from sanjeevani.roster.events import DutyChanged

PRESENCE_KINDS = frozenset({DutyChanged.kind})

_BY_STATE = """
    SELECT line.state_id, count(DISTINCT clinic.id),
        count(DISTINCT clinic.id) FILTER (WHERE duty.practitioner_id IS NOT NULL),
        count(DISTINCT duty.practitioner_id)
    FROM directory_line AS line
    LEFT JOIN directory_clinic AS clinic ON clinic.state_id = line.state_id
        AND clinic.line_id = line.id AND clinic.closed_at IS NULL
    LEFT JOIN roster_dutyline AS duty ON duty.state_id = line.state_id AND duty.line_id = line.id
        AND NOT duty.on_break
    WHERE line.closed_at IS NULL
    GROUP BY line.state_id
"""
_DOCTORS = "SELECT count(DISTINCT practitioner_id) FROM roster_dutyline WHERE NOT on_break"

_IN_THEIR_HOURS = """
    SELECT count(*), count(*) FILTER (WHERE EXISTS (
        SELECT FROM roster_dutyline AS duty WHERE duty.state_id = clinic.state_id
            AND duty.line_id = clinic.line_id AND NOT duty.on_break))
    FROM directory_clinic AS clinic
    WHERE clinic.closed_at IS NULL
        AND EXISTS (
            SELECT FROM directory_clinichours AS hours WHERE hours.state_id = clinic.state_id
                AND hours.clinic_id = clinic.id AND hours.weekday = %(weekday)s
                AND hours.opens <= %(time)s::time AND hours.closes > %(time)s::time)
        AND NOT EXISTS (
            SELECT FROM directory_holiday AS holiday WHERE holiday.state_id = clinic.state_id
                AND holiday.facility_id = clinic.facility_id AND holiday.date = %(day)s
                AND (holiday.clinic_id IS NULL OR holiday.clinic_id = clinic.id))
"""


def in_their_hours() -> tuple[int, int]:
    """Return how many OPDs are in their hours at this moment, and how many of them are attended.

    Without those that are closed now at night nobody would know whether one lacks its doctor.
    """
    now = localtime(clock.now())
    with across_states(), connection.cursor() as cursor:
        cursor.execute(
            _IN_THEIR_HOURS, {"weekday": now.weekday(), "time": f"{now:%T.%f}", "day": now.date()}
        )
        is_open, attended = cursor.fetchone()
    return is_open, attended


def count_presence(_facts: Sequence[StoredFact] = ()) -> None:
    """Listener: count who is on duty anew, over all states."""
    at = clock.now()
    with across_states(), connection.cursor() as cursor:
        cursor.execute(_BY_STATE)
        counted = cursor.fetchall()
        cursor.execute(_DOCTORS)
        doctors: int = cursor.fetchone()[0]
    nation = (NATION, sum(row[1] for row in counted), sum(row[2] for row in counted), doctors)
    rows = [*counted, nation]
    Presence.objects.bulk_create(
        [
            Presence(
                state_id=state_id,
                opds=opds,
                opds_attended=attended,
                doctors_on_duty=on_duty,
                as_of=at,
            )
            for state_id, opds, attended, on_duty in rows
        ],
        update_conflicts=True,
        unique_fields=["state_id"],
        update_fields=["opds", "opds_attended", "doctors_on_duty", "as_of"],
    )
    # Not by `as_of`: another count that began earlier may have ended in between.
    Presence.objects.exclude(state_id__in=[row[0] for row in rows]).update(
        opds=0, opds_attended=0, doctors_on_duty=0, as_of=at
    )
