"""docs/permissions.md says who opens which screen, and nobody reaches into another state."""

import os
from pathlib import Path

import pytest

from sanjeevani.directory.models import Role
from sanjeevani.foundation.access import Audience, Permission
from tests.structure.test_routes import ROUTES, VALUES, Route, admitting, answers, staff_client

TABLE = Path(__file__).parents[2] / "docs" / "permissions.md"
ANYBODY = (Audience.MACHINE, Audience.PUBLIC)
ELSEWHERE = f"/{VALUES['IntConverter']}"
"""How a route begins to speak of a state that is not the staff's."""

OPENING = """\
# Who opens which screen

Staff act in a post: a role at a facility. This table is what the views state
(`web/access.py`); a test compares it with them, and another walks every route as every role.
`WRITE_PERMISSIONS=1 pytest tests/structure/test_permissions.py` writes it anew.

What a role opens is narrowed by the post: a facility's administrator to the facility, a state's to
the state, a doctor to consultations of their own and of patients whom a consultation lets them
read, the staff of a spoke to whom they sit beside. Verbs ask again, whoever calls them.
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
    lines = [
        OPENING,
        "| address | " + " | ".join(name.replace("_", " ") for name in people) + " |",
        "| --- |" + " --- |" * len(people),
    ]
    rows = {
        readable(route.path): [opens(route.permission, who) for who in people]
        for route in ROUTES
        if route.permission.audience not in ANYBODY
    }
    lines += [
        f"| `{path}` | " + " | ".join("yes" if cell else "" for cell in cells) + " |"
        for path, cells in sorted(rows.items())
    ]
    return "\n".join(lines) + "\n"


def readable(path: str) -> str:
    """Return an address with words for what the walk put into it."""
    return path.replace(str(VALUES["UUIDConverter"]), "{id}").replace(ELSEWHERE, "/{state}")


def test_the_table_is_what_the_views_state() -> None:
    if os.environ.get("WRITE_PERMISSIONS"):
        TABLE.write_text(table(), encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == table()


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
