"""Whether this process is alive, and whether the product can serve."""

import socket
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse

from sanjeevani.foundation.access import machine

SECONDS_FOR_BUS = 1


@machine
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer, which is the whole proof."""
    return HttpResponse("alive\n", content_type="text/plain")


@machine
def readyz(_request: HttpRequest) -> JsonResponse:
    """Say whether database, bus and migrations are ready: 200, or 503 with what is missing."""
    migrations = _migrations_applied()
    state = {
        "database": migrations is not None,
        "bus": _bus_answers(),
        "migrations": bool(migrations),
    }
    return JsonResponse(state, status=200 if all(state.values()) else 503)


def _migrations_applied() -> bool | None:
    """Say whether the database has every migration of this version; None when it is away."""
    try:
        applied = MigrationRecorder(connections["default"]).applied_migrations()
    except Error:
        return None
    return _migrations_needed() <= set(applied)


@cache
def _migrations_needed() -> frozenset[tuple[str, str]]:
    # Reading the graph imports every migration: once in the life of a process is enough.
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.disk_migrations or ())


def _bus_answers() -> bool:
    """Say whether one of the bus's nodes answers."""
    return any(map(_greets, settings.NATS_URL.split(",")))


def _greets(node: str) -> bool:
    """Say whether a node greets who connects, as NATS does before any sign-in."""
    address = urlsplit(node.strip())
    try:
        with socket.create_connection(
            (address.hostname or "127.0.0.1", address.port or 4222), SECONDS_FOR_BUS
        ) as connection:
            return connection.recv(4) == b"INFO"
    except OSError:
        return False
