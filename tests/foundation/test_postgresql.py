"""What a connection keeps: statements that repeat stay prepared, and cursors are used again."""

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

pytestmark = pytest.mark.django_db

OFTEN = 6


def send(connection: BaseDatabaseWrapper, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::int + 7770000 + {number}", [1])
        assert cursor.fetchone() == (7770001 + number,)


def prepared(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%7770000%"]
        )
        return int(cursor.fetchone()[0])


def test_they_stay_through_a_rollback_and_there_is_room_for_all() -> None:
    connection = connections[DEFAULT_DB_ALIAS].copy()
    try:
        for _time in range(OFTEN):
            for number in range(150):
                send(connection, number)
        assert prepared(connection) == 150
        connection.set_autocommit(False)
        send(connection, 0)
        connection.rollback()
        connection.set_autocommit(True)
        send(connection, 0)
        assert prepared(connection) == 150
    finally:
        connection.close()


def test_a_cursor_is_used_again_when_it_is_closed_and_by_one_at_a_time() -> None:
    connection = connections[DEFAULT_DB_ALIAS].copy()
    try:
        with connection.cursor() as first, connection.cursor() as second:
            assert first.cursor is not second.cursor
            first.execute("SELECT 1")
            second.execute("SELECT 2")
            assert (first.fetchone(), second.fetchone()) == ((1,), (2,))
            of_first = first.cursor
            first.close()
            first.close()
            with connection.cursor() as third, connection.cursor() as fourth:
                assert third.cursor is of_first
                assert fourth.cursor not in (of_first, second.cursor)
    finally:
        connection.close()


def test_a_cursor_of_a_connection_that_is_gone_is_not_used_again() -> None:
    connection = connections[DEFAULT_DB_ALIAS].copy()
    try:
        with connection.cursor() as first:
            first.execute("SELECT 1")
        with connection.cursor() as late:
            connection.close()
            with connection.cursor() as cursor:
                assert cursor.cursor is not first.cursor
                cursor.execute("SELECT 3")
                assert cursor.fetchone() == (3,)
        with connection.cursor() as cursor:
            assert cursor.cursor is not late.cursor
            cursor.execute("SELECT 4")
            assert cursor.fetchone() == (4,)
    finally:
        connection.close()
