"""What probes are told."""

import httpx
import pytest
from django.db import connections
from django.test import Client
from pytest_django import Settings

from tests.product import free_ports

READY = {"database": True, "bus": True, "migrations": True}


def test_alive_needs_nothing(client: Client) -> None:
    # No database mark: a query would fail this test.
    assert client.get("/healthz").status_code == httpx.codes.OK


@pytest.mark.django_db
def test_ready_when_database_bus_and_migrations_are(client: Client, nats_url: str) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (httpx.codes.OK, READY)


@pytest.mark.django_db
def test_not_ready_without_the_bus(client: Client, settings: Settings) -> None:
    settings.NATS_URL = f"nats://127.0.0.1:{free_ports(1)}"
    answer = client.get("/readyz")
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.json() == READY | {"bus": False}


@pytest.mark.django_db
def test_ready_while_one_node_of_the_bus_is_there(
    client: Client, settings: Settings, nats_url: str
) -> None:
    settings.NATS_URL = f"nats://token@127.0.0.1:{free_ports(1)}, {nats_url}"
    assert client.get("/readyz").json() == READY


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_not_ready_with_a_migration_missing(client: Client, nats_url: str) -> None:
    change = "UPDATE django_migrations SET name = %s WHERE app = 'directory' AND name = %s"
    with connections["owner"].cursor() as cursor:
        cursor.execute(change, ["renamed", "0001_initial"])
        try:
            answer = client.get("/readyz")
        finally:
            cursor.execute(change, ["0001_initial", "renamed"])
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.json() == READY | {"migrations": False}
