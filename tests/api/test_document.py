"""Schemathesis over the whole OpenAPI document: generated requests, and sequences along its links.

Runs in this process against committed data: a patient with a profile, a doctor on duty, and a
spoke with its health worker and a patient in the call. What patients and the staff of a spoke both
do is sent by the one, and then by the other.
"""

import functools
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.db import connections
from pytest_django import Settings
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from sanjeevani.directory.models import Line
from sanjeevani.directory.queries import posts_of
from sanjeevani.identity.limits import LIMITS
from sanjeevani.identity.models import Account
from tests.api.at_spoke import Spoke
from tests.api.caller import asked, caller_of, doctor_caller, patient_caller
from tests.api.serving import served
from tests.factories import AccountFactory, ClinicFactory, LineFactory, StateFactory

CHECKS = {
    "not_a_server_error": {"enabled": True},
    "status_code_conformance": {"enabled": True},
    "content_type_conformance": {"enabled": True},
    "response_headers_conformance": {"enabled": True},
    "response_schema_conformance": {"enabled": True},
    "negative_data_rejection": {"enabled": True},
    "missing_required_header": {"enabled": True},
    "unsupported_method": {"enabled": True},
    "ignored_auth": {"enabled": True},
    # A code that is in no list, or a date in the future, fits the document and is refused.
    "positive_data_acceptance": {"enabled": False},
    # A session that has ended is the one thing deleted; the token below is then a new one.
    "use_after_free": {"enabled": False},
    "ensure_resource_availability": {"enabled": False},
}


@dataclass(frozen=True)
class People:
    """Who sends what: `carer` is the patient, or the health worker, for what both do."""

    doctor: Account
    worker: Account
    carer: Account

    def sender(self, path: str) -> Account:
        """Return who sends a request to a path."""
        if "/staff/" in path:
            return self.doctor
        return self.worker if "/spoke/" in path else self.carer


@pytest.fixture(params=["patient", "worker"])
def people(
    request: pytest.FixtureRequest, committed_reference_once: None, settings: Settings
) -> People:
    """A patient with the doctor and others who wait, and a spoke, without limits in their way."""
    settings.SIGN_IN_LIMITS = dict.fromkeys(LIMITS, (1_000_000, 60))
    StateFactory()
    clinic = ClinicFactory(line=LineFactory(places_per_day=100_000, waiting_places=100_000))
    patient = AccountFactory()
    caller = caller_of(patient)
    path = asked(caller, clinic)
    for _number in range(20):
        asked(patient_caller(), clinic)
    doctor, practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    caller.post(f"{path}/answer")
    spoke = Spoke(proof="any")
    Line.objects.filter(state_id=spoke.line.state_id, id=spoke.line.id).update(
        places_per_day=100_000, waiting_places=100_000
    )
    spoke.ready()
    spoke.asked(in_writing=True)
    assert spoke.staff.account_id
    worker = Account.objects.get(id=spoke.staff.account_id)
    carer = patient if request.param == "patient" else worker
    return People(Account.objects.get(id=practitioner.account_id), worker, carer)


def hold(people: People, seconds: int, examples: int) -> None:
    """Run all phases for so long at most. Fail on whatever a check found."""
    with served() as address, ThreadPoolExecutor(1) as doors:
        found, requests = _run(address, doors, people, seconds, examples)
        doors.submit(connections.close_all).result()
    assert not found, "\n\n".join(found[:12])
    assert requests > 100


def _run(
    address: str,
    doors: Executor,
    people: People,
    seconds: int,
    examples: int,
) -> tuple[list[str], int]:
    config = SchemathesisConfig.from_dict(
        {
            "max-time": seconds,
            "checks": CHECKS,
            "generation": {"max-examples": examples, "database": "none", "deterministic": True},
            "phases": {"stateful": {"generation": {"max-examples": examples}}},
            "suppress-health-check": ["all"],
        }
    )
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", config=config)

    @schema.auth(cache_by_key=lambda case, _context: str(people.sender(case.operation.path).id))
    class Token:
        """A session of who sends it."""

        def get(self, case: Any, _context: Any) -> str:
            return doors.submit(_token_of, people.sender(case.operation.path)).result(60)

        def set(self, case: Any, data: str, _context: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}

    found: list[str] = []
    requests = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(event))
        if isinstance(event, events.ScenarioFinished):
            requests += len(event.recorder.cases)
            if event.status is Status.FAILURE:
                found += _failures(event)
    return found, requests


def _token_of(account: Account) -> str:
    caller = caller_of(account)
    if account.kind == "staff":
        [post] = posts_of(account.id)
        caller.put("/staff/post", {"state_id": post.state_id, "id": str(post.id)})
    assert caller.token
    return caller.token


def _failures(event: events.ScenarioFinished) -> list[str]:
    lines = []
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info:
                case = event.recorder.cases[case_id].value
                lines.append(
                    f"{check.name}: {case.method} {case.formatted_path}"
                    f" {case.query} {case.body!r:.300}\n  {check.failure_info.failure!s:.1500}"
                )
    return lines


short = functools.partial(hold, seconds=25, examples=5)


def test_document_and_server_agree(people: People) -> None:
    short(people)


@pytest.mark.verify
def test_document_and_server_agree_at_length(people: People) -> None:
    hold(people, seconds=1200, examples=200)
