"""A page asks the database as often before the whole nation as before the small demo.

`PAGES=1 pytest -s tests/demo/test_pages_of_the_nation.py` also prints the times of
`docs/performance.md`.
"""
# ruff: noqa: T201 - the times are for whoever asks for them

import os
import time
import uuid
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from sanjeevani.demo.loading import load
from sanjeevani.directory.models import Clinic, Post, Practitioner, Role
from sanjeevani.identity.models import Account, Session
from sanjeevani.patients.models import Patient
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "owner"])

KARNATAKA = 29
TIMES = 15


def client_of(account_id: uuid.UUID, post: Post | None = None) -> Client:
    """A browser signed in, in a post if there is one."""
    client = Client()
    factories.sign_in(client, Account.objects.get(id=account_id))
    if post is not None:
        Session.objects.filter(account_id=post.account_id).update(
            post_state_id=post.state_id, post_id=post.id
        )
    return client


def staff(role: Role, state_id: int) -> Client:
    """The browser of the first member of staff of a role in a state."""
    post = Post.objects.filter(state_id=state_id, role=role).order_by("id")[0]
    return client_of(post.account_id, post)


def pages() -> list[tuple[str, Client, str]]:
    """Name the main pages, with a patient who waits for the National Defence OPD's doctor."""
    clinic = Clinic.objects.get(state_id=0)
    practitioner = Practitioner.objects.filter(state_id=0).order_by("id")[0]
    doctor = client_of(
        practitioner.account_id,
        Post.objects.get(state_id=0, practitioner_id=practitioner.id),
    )
    doctor.post("/desk/duty", {"to": "on"})
    patient = Patient.objects.filter(state_id=KARNATAKA).order_by("id")[0]
    own = client_of(patient.account_id)
    held = factories.requested(clinic, patient)
    person = f"/people/{patient.id}"
    own.post(f"{person}/danger", {"sign": "none"})
    own.post(f"{person}/trouble", {"complaints": ["fever"]})
    anyone = Client()
    return [
        ("landing", anyone, "/"),
        ("timetable of a state", anyone, f"/timetable?state={KARNATAKA}"),
        ("figures", anyone, "/figures"),
        ("board of a hall", anyone, f"/board/{clinic.state_id}/{clinic.facility_id}"),
        ("people", own, "/people"),
        ("OPDs offered", own, f"{person}/opds"),
        ("asking an OPD", own, f"{person}/opds/0/{clinic.id}"),
        ("waiting room", own, f"/consultations/0/{held.id}"),
        ("desk", doctor, "/desk"),
        ("doctor's day", doctor, "/desk/today"),
        ("complaints of a state", staff(Role.STATE_ADMIN, KARNATAKA), "/grievances"),
        ("complaints of the nation", staff(Role.NATIONAL_ADMIN, 0), "/grievances"),
    ]


def counting(statements: list[str]) -> Callable[..., Any]:
    """Note every statement. The log of Django's own holds 9,000 and is full after the nation."""

    def note(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        statements.append(str(sql))
        return execute(sql, *rest)

    return note


def costs() -> dict[str, tuple[int, float]]:
    """Ask for every page; return its statements and, if wanted, its least milliseconds."""
    found = {}
    for name, client, address in pages():
        client.get(address)
        statements: list[str] = []
        with connection.execute_wrapper(counting(statements)):
            assert client.get(address).status_code == 200, (name, address)
        taken = [0.0]
        if "PAGES" in os.environ:
            taken = []
            for _time in range(TIMES):
                start = time.perf_counter()
                client.get(address)
                taken.append((time.perf_counter() - start) * 1000)
        found[name] = len(statements), min(taken)
    return found


def test_no_page_asks_more_often_before_the_nation(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    call_command("load_reference", stdout=StringIO())
    cost = {}
    for size in ("small", "nation"):
        with transaction.atomic():
            start = time.perf_counter()
            load(size, 2021, tmp_path / size)
            loaded = time.perf_counter() - start
            if "PAGES" in os.environ:
                with connection.cursor() as cursor:
                    cursor.execute("ANALYZE")
                print(f"{size}: {loaded:.1f} s to generate and store")
            cost[size] = costs()
            transaction.set_rollback(True)
    for name, (statements, milliseconds) in cost["nation"].items():
        before, then = cost["small"][name]
        if "PAGES" in os.environ:
            print(f"| {name} | {before} | {statements} | {then:.1f} | {milliseconds:.1f} |")
    grown = {
        name: (cost["small"][name][0], statements)
        for name, (statements, _milliseconds) in cost["nation"].items()
        if statements > cost["small"][name][0]
    }
    assert grown == {}
    assert cost["nation"]["OPDs offered"][0] > 5, "nothing was counted"
