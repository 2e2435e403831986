"""Migrations beside a version that serves."""

import time
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections, transaction

from sanjeevani.config import prepare

TABLE = "foundation_mark"


@pytest.fixture
def somebody(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Another connection, and a migration that wants the whole table."""

    def wants_all(*_command: Any, **_options: Any) -> None:
        with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
            cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")

    monkeypatch.setattr(prepare, "call_command", wants_all)
    monkeypatch.setattr(prepare, "SECONDS_FOR_LOCK", 1)
    parameters = connections["owner"].get_connection_params()
    wanted = ("host", "port", "dbname", "user", "password")
    with psycopg.connect(
        **{name: parameters[name] for name in wanted if name in parameters}
    ) as connection:
        yield connection
    connections["owner"].close()


def holds(connection: psycopg.Connection) -> None:
    connection.execute(f"LOCK TABLE {TABLE} IN ACCESS SHARE MODE")


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_table_in_use_is_waited_for_a_little_at_a_time(
    somebody: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind whoever waits for it, everybody waits who comes to it later."""
    holds(somebody)
    pauses = []

    def until_it_is_free(seconds: float) -> None:
        pauses.append(seconds)
        # Nobody is held up in the pause.
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM foundation_mark")
        somebody.rollback()

    monkeypatch.setattr(time, "sleep", until_it_is_free)
    prepare.migrate()
    assert pauses == [prepare.PAUSE_SECONDS]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_table_that_stays_in_use_is_given_up(
    somebody: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds(somebody)
    monkeypatch.setattr(prepare, "TRIES", 1)
    with pytest.raises(OperationalError):
        prepare.migrate()
