"""Every change goes through a verb, and every verb leaves one audit row that says what it did."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import models

import sanjeevani
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.verbs import VERBS
from tests.structure.verb_calls import CALLS, World

SOURCE = Path(sanjeevani.__file__).parent
VERB_MODULES = sorted(
    path
    for path in SOURCE.glob("*/*.py")
    if path.name == "services.py" or "\n@verb(" in path.read_text(encoding="utf-8")
)
for _path in VERB_MODULES:
    importlib.import_module(f"sanjeevani.{_path.parent.name}.{_path.stem}")


@pytest.mark.parametrize("name", sorted(VERBS))
@pytest.mark.usefixtures("_reference_committed")
@pytest.mark.django_db
def test_a_verb_leaves_one_audit_row(name: str) -> None:
    assert name in CALLS, f"enter a call of {name} in tests/structure/verb_calls.py"
    call = CALLS[name](World())
    with across_states():
        before = set(AuditEvent.objects.values_list("id", flat=True))
    result = VERBS[name](call.actor, **call.arguments)
    with across_states():
        written = list(AuditEvent.objects.exclude(id__in=before))
    assert [row.verb for row in written] == [name]
    (row,) = written
    assert (row.actor_kind, row.account_id, row.post_id, row.address) == (
        call.actor.kind,
        call.actor.account_id,
        call.actor.post_id,
        call.actor.address,
    )
    record = call.record if isinstance(call.record, models.Model) else call.record(result)
    if isinstance(record, models.Model):
        record = (record._meta.model_name, getattr(record, "id", None) or record.pk)
    record_type, record_id = record
    assert row.record_type == record_type
    if record_id is not None:
        assert row.record_id == models.UUIDField().to_python(record_id)
    if record_type == "patient":
        assert row.patient_id == row.record_id
    else:
        assert row.patient_id == call.patient_id


def test_no_call_of_a_verb_that_is_gone() -> None:
    assert set(CALLS) == set(VERBS)


CREATES = frozenset({"create", "get_or_create", "update_or_create", "bulk_create", "bulk_update"})
TEMPLATE_NAMES = ("env.globals", "env.filters")
WRITING_SQL = ("INSERT INTO", "UPDATE ", "DELETE FROM")

NO_VERB_BECAUSE = {
    "directory.load_states": "reference data comes with the version, not from an actor",
    "documents.remove_expired_links": "cleaning up by the clock",
    "identity.touch": "that a session is in use changes nothing about the account",
    "identity.forget_expired": "cleaning up by the clock",
    "messaging.queue_message": "part of the verb that has something to say",
    "messaging.send_queued": "sending changes the messages themselves only",
    "messaging.forget_old_messages": "cleaning up by the clock",
    "calls.record_mode": "part of the verbs that change a mode",
    "calls.record": "what machines measured is nobody's act; that the mode changed is a verb",
    "calls.notice_loss": "that the sweeper has looked is nobody's act",
    "consultation.be_due": "part of the verbs that open a request in writing",
    "consultation.begin": "part of the verbs that begin",
    "consultation.carried_wait": "part of the verbs that ask",
    "consultation.leave_answer": "part of the verb that tells of it",
    "consultation.leave_changed": "part of the verbs that end a prescription",
    "consultation.seat": "part of the verbs that claim",
    "consultation.note_recalled": "part of the verb that sends the reminder",
    "consultation.respect_blocks": "part of the verbs that issue tokens",
    "intake.forget_drafts": "cleaning up by the clock",
    "onboarding.forget_files": "cleaning up: the files of what has ended",
    "onboarding.forget_unused": "cleaning up by the clock",
    "patients.end_access": "part of the verb that parts a family and a doctor",
    "patients.end_access_by": "part of the verbs by which a call comes to nothing",
    "roster.give_up_shifts": "part of the verb that takes somebody off a line",
    "terminology.load_reference": "reference data comes with the version, not from an actor",
}


def functions_of(module: Path) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield node


def is_write(node: ast.AST) -> bool:
    """Tell whether a piece of code itself changes a table."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.lstrip().startswith(WRITING_SQL)
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id == "move"
    if not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in CREATES:
        return True
    # Dictionaries, digests and files take an argument by position; rows and sets of rows do not.
    if node.args or ast.unparse(node.func.value) in TEMPLATE_NAMES:
        return False
    return node.func.attr in {"save", "delete"} or (
        node.func.attr == "update" and bool(node.keywords)
    )


def writers(functions: dict[str, ast.FunctionDef]) -> set[str]:
    """Return the functions that write, also through private ones of their module."""
    calls = {
        name: {
            node.func.id
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        for name, function in functions.items()
    }
    found = {
        name for name in functions if any(is_write(node) for node in ast.walk(functions[name]))
    }
    verbs = {name for name, function in functions.items() if is_verb(function)}
    while True:
        more = {name for name in functions if name not in found and calls[name] & (found - verbs)}
        if not more:
            return found
        found |= more


def is_verb(function: ast.FunctionDef) -> bool:
    """Tell whether a function is decorated as a verb."""
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "verb"
        for decorator in function.decorator_list
    )


@pytest.mark.parametrize("module", VERB_MODULES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_what_writes_is_a_verb(module: Path) -> None:
    functions = {function.name: function for function in functions_of(module)}
    unguarded = {
        f"{module.parent.name}.{name}"
        for name in writers(functions)
        if not name.startswith("_") and not is_verb(functions[name])
    }
    assert unguarded <= set(NO_VERB_BECAUSE)


READERS = sorted(
    path
    for pattern in ("web/**/*.py", "api/**/*.py", "*/queries.py", "*/permissions.py")
    for path in SOURCE.glob(pattern)
)


@pytest.mark.parametrize("module", READERS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_screens_and_queries_never_write(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert [ast.unparse(node) for node in ast.walk(tree) if is_write(node)] == []


@pytest.mark.django_db
def test_actor_and_name_of_a_verb_are_its_own() -> None:
    for name, function in VERBS.items():
        package = function.__module__.split(".")[1]
        assert name.split(".")[0] == package, name
