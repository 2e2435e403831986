"""docs/permissions.md says who opens which screen and does which verb, as it really is."""

import os
from collections.abc import Iterable
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from sanjeevani.directory.models import Role
from sanjeevani.foundation.access import Audience, Permission
from tests.structure import verb_calls
from tests.structure.doors import Graph
from tests.structure.test_routes import ROUTES, VALUES, Route, admitting, answers, staff_client
from tests.structure.verb_walk import PEOPLE, Reach, Walk

TABLE = Path(__file__).parents[2] / "docs" / "permissions.md"
ANYBODY = (Audience.MACHINE, Audience.PUBLIC)
ELSEWHERE = f"/{VALUES['IntConverter']}"
"""How a route begins to speak of a state that is not the staff's."""

SECOND = "# Who does which verb\n"
SCREENS = """\
# Who opens which screen

Staff act in a post: a role at a facility. This table is what the views state
(`web/access.py`); a test compares it with them, and another walks every route as every role.
`WRITE_PERMISSIONS=1 pytest tests/structure/test_permissions.py` writes it anew.

What a role opens is narrowed by the post: a facility's administrator to the facility, a state's to
the state, a doctor to consultations of their own and of patients whom a consultation lets them
read, the staff of a spoke to whom they sit beside. Verbs ask again, whoever calls them.
"""


VERBS_OPENING = f"""\
{SECOND}
What happened when each verb that a request reaches was called by everybody, on a record of one
place, with the arguments of who may. `self`: only the one person whom the record is about does it
(the account, the doctor who holds the consultation, the specialist who was asked in); `own`: a post
at the record's facility or spoke does; `state`: a post anywhere in its state; `any`: also a post in
another state; nothing: never. Everybody else was refused, and nothing was left behind.

`any` for everybody stands where a code, a number or a secret link opens it, or before anybody has
signed in. For the staff of a spoke it stands where the verb names no record of another place: whom
they register, their own shelf, a prescription whose number they are shown. `state` stands for them
where somebody of the state comes to sit before them
(`docs/adr/0012-staff-beside-the-patient.md`). A verb in which all cells are empty is the system's.
"""
INNER_OPENING = """\
## Verbs without a check of their own

No request reaches these: they run inside other verbs, which have asked, or by the clock and on
facts, for the system. As soon as a view leads to one it is walked like the others.
"""


def opens(permission: Permission, who: str) -> bool:
    """Tell whether a view admits a patient, or staff in a role."""
    audience = permission.audience
    if audience in (*ANYBODY, Audience.SIGNED_IN):
        return True
    if who == "patient":
        return audience in (Audience.PATIENT, Audience.CARER)
    if audience is Audience.STAFF_ACCOUNT:
        return True
    if audience in (Audience.STAFF, Audience.CARER):
        return not permission.roles or who in permission.roles
    return False


def table() -> str:
    """Return the table: routes that not everybody opens, by address."""
    people = ["patient", *(role.value for role in Role)]
    rows = {
        readable(route.path): ["yes" if opens(route.permission, who) else "" for who in people]
        for route in ROUTES
        if route.permission.audience not in ANYBODY
    }
    return SCREENS + "\n" + markdown("address", people, rows)


def markdown(first: str, names: Iterable[str], rows: dict[str, list[str]]) -> str:
    """Return rows by what stands first in them, as a table."""
    head = [first, *(name.replace("_", " ") for name in names)]
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    lines += [f"| `{key}` | " + " | ".join(cells) + " |" for key, cells in sorted(rows.items())]
    return "\n".join(lines) + "\n"


@cache
def graph() -> Graph:
    """What leads to which verb."""
    return Graph()


def verb_table(walk: Walk) -> str:
    """Return the second table, from what happens: verbs by role."""
    rows = {name: cells_of(walk.reaches(name)) for name in graph().at_the_door()}
    return VERBS_OPENING + "\n" + markdown("verb", PEOPLE, rows) + "\n" + inner_table()


def cells_of(reaches: dict[str, Reach]) -> list[str]:
    """Return a verb's cells; who has not signed in has no place."""
    return [reach.name.lower() if reach else "" for reach in reaches.values()]


def inner_table() -> str:
    """Return which verbs no request reaches, and inside which others they run."""
    inside = graph().inside()
    rows = {
        name: [", ".join(f"`{outer}`" for outer in inside[name]) or "nothing: for the system"]
        for name in set(inside) - graph().at_the_door()
    }
    return INNER_OPENING + "\n" + markdown("verb", ["runs inside"], rows)


def written() -> tuple[str, str]:
    """Return the file's two parts, as they stand."""
    screens, _second, verbs = TABLE.read_text(encoding="utf-8").partition("\n" + SECOND)
    return screens, SECOND + verbs


def compare(part: int, found: str) -> None:
    """Compare a part of the file with what is; or write it, when asked to."""
    if os.environ.get("WRITE_PERMISSIONS"):
        parts = list(written())
        parts[part] = found
        TABLE.write_text("\n".join(parts), encoding="utf-8")
    assert written()[part] == found


def readable(path: str) -> str:
    """Return an address with words for what the walk put into it."""
    return path.replace(str(VALUES["UUIDConverter"]), "{id}").replace(ELSEWHERE, "/{state}")


def test_the_table_is_what_the_views_state() -> None:
    compare(0, table())


@pytest.mark.usefixtures("_reference_committed")
@pytest.mark.django_db
def test_the_second_table_is_what_the_verbs_do(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """One set-up for all verbs: the walk undoes each."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("load_reference", stdout=StringIO())
    monkeypatch.setattr(verb_calls, "call_command", lambda *_words, **_options: None)
    compare(1, verb_table(Walk()))


@admitting(Audience.STAFF, Audience.CARER)
@pytest.mark.django_db
def test_nobody_reaches_into_another_state(route: Route) -> None:
    """Facilities, consultations, doctors, imports of a state are its own; the nation sees all."""
    if ELSEWHERE not in route.path:
        return
    for role in Role:
        if role is Role.NATIONAL_ADMIN or not opens(route.permission, role):
            continue
        for answer in answers(staff_client(role, is_spoke=True), route):
            assert answer.status_code in (403, 404, 405), (role, route.path, answer.status_code)
