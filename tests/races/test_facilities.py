"""A facility closes, or is no spoke or hub any more, while somebody begins something there."""

import datetime
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction

from sanjeevani.directory.errors import AlreadyClosed
from sanjeevani.directory.hubs import open_hub_speciality
from sanjeevani.directory.models import Clinic, ClinicHours, Facility, Role
from sanjeevani.directory.services import (
    ClinicDetails,
    FacilityDetails,
    change_facility,
    close_facility,
    give_post,
    open_clinic,
    set_hours,
)
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import DomainError, Invalid
from tests.factories import ClinicFactory, FacilityFactory, SpecialityFactory, StaffAccountFactory

pytestmark = pytest.mark.usefixtures("committed")

MOMENT = 0.3
"""Longer than what does not wait takes."""


def while_uncommitted(first: Callable[[], Any], second: Callable[[], Any]) -> Exception | None:
    """Do the second thing while the first is done and not yet committed; return its refusal."""
    done = threading.Event()

    def other() -> Exception | None:
        try:
            assert done.wait(30)
            second()
        except DomainError as refused:
            return refused
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(other)
        with transaction.atomic():
            first()
            done.set()
            threading.Event().wait(MOMENT)
        return result.result(30)


@pytest.fixture
def centre(committed: None) -> Facility:
    SpecialityFactory.create()
    facility: Facility = FacilityFactory.create(is_spoke=True, is_hub=True, is_opd_host=True)
    return facility


def at(facility: Facility) -> dict[str, Any]:
    return {"state_id": facility.state_id, "facility_id": facility.id}


def appoint(facility: Facility) -> None:
    account = StaffAccountFactory.create(mobile="")
    give_post(SYSTEM, **at(facility), account_id=account.id, role=Role.HEALTH_WORKER)


def open_opd(facility: Facility) -> None:
    details = ClinicDetails(
        name="OPD",
        speciality_code="general_medicine",
        languages=["hi"],
        places_per_day=10,
        waiting_places=10,
    )
    open_clinic(SYSTEM, **at(facility), details=details, hours=[])


def open_pool(facility: Facility) -> None:
    open_hub_speciality(SYSTEM, **at(facility), speciality_code="general_medicine")


BEGIN = pytest.mark.parametrize("begin", [appoint, open_opd, open_pool])


@BEGIN
def test_nothing_closes_where_something_has_just_begun(
    centre: Facility, begin: Callable[[Facility], None]
) -> None:
    refused = while_uncommitted(lambda: begin(centre), lambda: close_facility(SYSTEM, **at(centre)))
    assert isinstance(refused, Invalid)


@BEGIN
def test_nothing_begins_where_it_has_just_closed(
    centre: Facility, begin: Callable[[Facility], None]
) -> None:
    refused = while_uncommitted(lambda: close_facility(SYSTEM, **at(centre)), lambda: begin(centre))
    assert isinstance(refused, AlreadyClosed)


@BEGIN
def test_a_facility_stays_what_it_is_where_that_has_just_begun(
    centre: Facility, begin: Callable[[Facility], None]
) -> None:
    nothing = FacilityDetails(name="Centre", kind="other", address="1", district="Guntur")
    refused = while_uncommitted(
        lambda: begin(centre), lambda: change_facility(SYSTEM, **at(centre), details=nothing)
    )
    assert isinstance(refused, Invalid)


def test_of_two_timetables_saved_at_once_one_stands(committed: None) -> None:
    """Both would: patients took tokens in hours that nobody had set."""
    clinic: Clinic = ClinicFactory.create()

    def save(hour: int) -> None:
        opens, closes = datetime.time(hour), datetime.time(hour + 4)
        hours = [Opening(weekday=0, opens=opens, closes=closes)]
        set_hours(SYSTEM, state_id=clinic.state_id, clinic_id=clinic.id, hours=hours)

    assert while_uncommitted(lambda: save(8), lambda: save(10)) is None
    rows = ClinicHours.objects.filter(state_id=clinic.state_id, clinic_id=clinic.id)
    assert [row.opens.hour for row in rows] == [10]
