"""Statements that repeat stay prepared on their connection."""

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
