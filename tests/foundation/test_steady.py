"""What seldom changes is kept by its edition, and no request that begins later sees the old."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from sanjeevani.directory.models import Facility, Holiday
from sanjeevani.foundation import clock, steady
from sanjeevani.foundation.apps import begin_an_edition
from sanjeevani.foundation.compiled import given
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import ListenerCursor, Mark
from sanjeevani.foundation.steady import Steady, merge_marks
from tests.factories import FacilityFactory

named = Steady(lambda: Facility.objects.filter(state_id=given("state_id"), id=given("facility_id")))


@pytest.fixture(autouse=True)
def outside_a_request() -> None:
    steady.end()


def edition() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(bit_xor(value), 0) FROM foundation_mark")
        return int(cursor.fetchone()[0])


def statements(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as sent:
        act()
    return len(sent)


def name_of(facility: Facility) -> str:
    found = named.first(state_id=facility.state_id, facility_id=facility.id)
    return found.name if found else ""


@pytest.mark.django_db
def test_a_read_is_sent_once_while_the_edition_stays() -> None:
    facility = FacilityFactory()
    assert statements(lambda: (name_of(facility), name_of(facility))) == 2, "nobody said it"
    for _request in range(2):
        steady.begin(edition())
        name_of(facility)
        assert statements(lambda: name_of(facility)) == 0
        steady.end()


def name_changed(facility: Facility, name: object = "Changed") -> Facility:
    facility.name = name  # type: ignore[assignment]  # F() is worked out by PostgreSQL
    return facility


CHANGES: dict[str, Callable[[Facility], object]] = {
    "save": lambda facility: name_changed(facility).save(),
    "update": lambda facility: Facility.objects.filter(
        state_id=facility.state_id, id=facility.id
    ).update(name="Changed"),
    "save by SQL": lambda facility: name_changed(facility, F("district")).save(),
    "bulk": lambda facility: Facility.objects.bulk_update([name_changed(facility)], ["name"]),
    "delete": lambda facility: facility.delete(),
    "delete many": lambda facility: Facility.objects.filter(
        state_id=facility.state_id, id=facility.id
    ).delete(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen_by_its_own_request_and_by_the_next(
    change: Callable[[Facility], object],
) -> None:
    facility = FacilityFactory(name="First")
    steady.begin(edition())
    assert name_of(facility) == "First"
    change(Facility.objects.get(state_id=facility.state_id, id=facility.id))
    assert name_of(facility) != "First", "the request that changed it"
    steady.begin(edition())
    assert name_of(facility) != "First", "the next"


@pytest.mark.django_db
def test_a_row_made_in_bulk_is_seen() -> None:
    facility = FacilityFactory()
    holidays = Steady(lambda: Holiday.objects.filter(state_id=given("state_id")))
    steady.begin(edition())
    assert holidays.all(state_id=facility.state_id) == []
    holiday = Holiday(
        state_id=facility.state_id,
        id=uuid7(),
        facility_id=facility.id,
        date=clock.today(),
        reason="Holi",
    )
    Holiday.objects.bulk_create([holiday])
    steady.begin(edition())
    assert [row.reason for row in holidays.all(state_id=facility.state_id)] == ["Holi"]


@pytest.mark.django_db
def test_what_is_undone_leaves_nothing_behind() -> None:
    facility = FacilityFactory(name="First")

    def change_and_undo(name: str) -> None:
        with transaction.atomic():
            Facility.objects.filter(state_id=facility.state_id, id=facility.id).update(name=name)
            steady.begin(edition())
            assert name_of(facility) == name
            transaction.set_rollback(True)

    for name in ("Second", "Third"):
        change_and_undo(name)
        steady.begin(edition())
        assert name_of(facility) == "First"


@pytest.mark.django_db(databases=["default", "owner"])
def test_migrations_begin_an_edition() -> None:
    # The owner's transaction, which the serving role does not see before it commits.
    before = Mark.objects.using("owner").count()
    begin_an_edition("default")
    assert Mark.objects.using("owner").count() == before
    begin_an_edition("owner")
    assert Mark.objects.using("owner").count() == before + 1


@pytest.mark.django_db
def test_rows_are_the_callers_own() -> None:
    facility = FacilityFactory(name="First")
    steady.begin(edition())
    for _reader in range(2):
        found = named.first(state_id=facility.state_id, facility_id=facility.id)
        assert found is not None
        assert found.name == "First"
        found.name = "Scribbled"


@pytest.mark.django_db
def test_marks_are_merged_without_a_new_edition() -> None:
    for _change in range(steady.MOST_MARKS + 1):
        steady.changed("default")
    before = edition()
    merge_marks()
    assert (edition(), Mark.objects.count()) == (before, 1)
    merge_marks()
    assert (edition(), Mark.objects.count()) == (before, 1)


@pytest.mark.django_db
def test_other_tables_are_not_kept() -> None:
    cursors = Steady(lambda: ListenerCursor.objects.filter(listener=given("listener")))
    with pytest.raises(TypeError, match="foundation_listenercursor"):
        cursors.first(listener="relay")


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_seen_by_who_begins_afterwards() -> None:
    """Its mark is older than one that is already known."""
    late = FacilityFactory(name="First", district="Guntur")
    soon = FacilityFactory(name="First", district="Nellore")
    stored, may_commit = threading.Event(), threading.Event()

    def change_late() -> None:
        try:
            with transaction.atomic():
                Facility.objects.filter(state_id=late.state_id, id=late.id).update(name="Late")
                stored.set()
                assert may_commit.wait(10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=change_late)
    thread.start()
    assert stored.wait(10)
    Facility.objects.filter(state_id=soon.state_id, id=soon.id).update(name="Soon")
    steady.begin(edition())
    assert (name_of(late), name_of(soon)) == ("First", "Soon")
    may_commit.set()
    thread.join()
    steady.begin(edition())
    assert (name_of(late), name_of(soon)) == ("Late", "Soon")
