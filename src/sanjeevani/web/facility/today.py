"""What today is like at a facility's OPDs, and what its administrator should do next."""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sanjeevani.directory.queries import (
    OpenClinic,
    clinics_at,
    lanes_of,
    practitioners,
    weekly_hours,
)
from sanjeevani.foundation import clock
from sanjeevani.queueing.queries import longest_waits, places_taken, waiting_counts
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import duty_in, planned_now, serving


class Step(StrEnum):
    """What to do next for an OPD."""

    NONE = "none"
    SET_HOURS = "set_hours"
    ADD_DOCTORS = "add_doctors"
    ASK_DOCTOR = "ask_doctor"
    WAITING_AFTER_HOURS = "waiting_after_hours"
    OVER_TARGET = "over_target"
    PLANNED_AWAY = "planned_away"
    NO_DOCTOR = "no_doctor"
    FULL = "full"


@dataclass(frozen=True)
class OpdToday:
    """An OPD as it is now. `away`: names of doctors who are expected now, not on duty."""

    offered: OpenClinic
    on_duty: list[str]
    on_break: list[str]
    away: list[str]
    assigned: int
    waiting: int
    longest: datetime.timedelta | None
    taken: int
    has_hours: bool

    @property
    def step(self) -> Step:
        """The most urgent of what there is to do."""
        return next_step(self)


def next_step(opd: OpdToday) -> Step:
    """Say what to do next: patients who wait come first, then what will make them wait."""
    target = datetime.timedelta(minutes=opd.offered.line.target_wait_minutes)
    has_doctor = bool(opd.on_duty)
    checks = (
        (opd.waiting > 0 and not has_doctor and not opd.assigned, Step.ADD_DOCTORS),
        (opd.waiting > 0 and not has_doctor, Step.ASK_DOCTOR),
        (opd.waiting > 0 and not opd.offered.is_open, Step.WAITING_AFTER_HOURS),
        (opd.longest is not None and opd.longest > target, Step.OVER_TARGET),
        (not opd.has_hours, Step.SET_HOURS),
        (not opd.assigned, Step.ADD_DOCTORS),
        (opd.offered.is_open and bool(opd.away) and not has_doctor, Step.PLANNED_AWAY),
        (opd.offered.is_open and not has_doctor, Step.NO_DOCTOR),
        (opd.offered.is_open and opd.taken >= opd.offered.line.places_per_day, Step.FULL),
    )
    return next((step for holds, step in checks if holds), Step.NONE)


def opds_today(state_id: int, facility_id: uuid.UUID) -> list[OpdToday]:
    """Return a facility's OPDs, those that need something first."""
    found = today_of(state_id, clinics_at(state_id, facility_id))
    return sorted(found, key=lambda opd: opd.step == Step.NONE)


def today_of(state_id: int, clinics: Sequence[OpenClinic]) -> list[OpdToday]:
    """Return what today is like at clinics of one state."""
    if not clinics:
        return []
    line_ids = [item.line.id for item in clinics]
    lanes = lanes_of(state_id, line_ids)
    all_lines = [*line_ids, *(lane for own in lanes.values() for lane in own)]
    waiting = waiting_counts(state_id, all_lines)
    since = longest_waits(state_id, all_lines)
    taken = places_taken(state_id, line_ids, clock.today())
    assigned = serving(line_ids)
    duty = duty_in(state_id, line_ids)
    expected = planned_now(state_id, line_ids)
    hours = weekly_hours((state_id, item.clinic.id) for item in clinics)
    people = practitioners({key for keys in assigned.values() for key in keys})
    now = clock.now()
    found = []
    for item in clinics:
        line_id = item.line.id
        here = [line_id, *lanes[line_id]]
        mine = {practitioner_id for _state, practitioner_id in assigned[line_id]}
        oldest = min((since[one] for one in here if one in since), default=None)
        planned = expected[line_id]
        names = {key: people[key].name for key in mine if key in people}
        found.append(
            OpdToday(
                item,
                _names(names, duty[line_id], DutyStatus.ON),
                _names(names, duty[line_id], DutyStatus.BREAK),
                sorted(names[key] for key in planned - set(duty[line_id]) if key in names),
                len(mine),
                sum(waiting[one] for one in here),
                now - oldest if oldest else None,
                taken[line_id],
                bool(hours.get(item.clinic.id)),
            )
        )
    return found


def _names(
    names: dict[uuid.UUID, str], duty: dict[uuid.UUID, DutyStatus], status: DutyStatus
) -> list[str]:
    return sorted(names[key] for key, held in duty.items() if held == status and key in names)
