"""Whose id is named makes no difference: what is not one's own is not there, and nothing moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps

from sanjeevani.api.application import api
from sanjeevani.directory.models import Clinic
from sanjeevani.foundation.sharding import TableModel, across_states
from sanjeevani.identity.models import Account
from sanjeevani.prescription.models import DraftItem
from tests.api.at_spoke import Spoke, asked_in, upload
from tests.api.caller import (
    BASE,
    PROFILE,
    Caller,
    asked,
    asking,
    caller_of,
    doctor_caller,
    encoded,
    fresh_id,
    new_key,
    patient_caller,
    ready_profile,
)
from tests.factories import TAMIL_NADU, ClinicFactory

pytestmark = pytest.mark.usefixtures("reference")

ITEM = {
    "medicine_code": "cetirizine-tablet-10mg",
    "dose": "1",
    "frequency": "HS",
    "duration_days": 3,
}
NUMBER = "0000-0000-0000"


def bodies(clinic: Clinic) -> dict[str, Any]:
    """Return a body in order for each operation that takes one, by the name of its schema."""
    reason = {"reason": "Better seen elsewhere"}
    return {
        "ProfileBody": PROFILE,
        "SameBody": {"kept_id": "0190a6b5-7c1e-7000-8000-000000000000"},
        "RepresentativeBody": {
            "name": "Ramesh",
            "bond": "relative",
            "may_collect": True,
            "may_speak": False,
        },
        "IntakeBody": {"complaints": ["fever"]},
        "ToldBody": {"told": {}},
        "MobileBody": {"mobile": "98480 12345"},
        "Ask": asking(clinic),
        "MessageBody": {"text": "Good morning"},
        "FeedbackBody": {"rating": 1},
        "EndBody": reason | {"number": NUMBER},
        "ReplaceBody": reason | {"number": NUMBER},
        "ReasonBody": reason,
        "RedirectBody": reason | {"clinic_state_id": clinic.state_id, "clinic_id": str(clinic.id)},
        "OnwardBody": reason | {"hub_state_id": clinic.state_id, "hub_id": fresh_id()},
        "AskBody": {"hub_id": fresh_id(), "colleague_id": fresh_id()},
        "LaterBody": {"minutes": 5},
        "WordBody": {"word": "In theatre"},
        "AdviceBody": {"advice": "Take an ECG"},
        "NoteBody": {"advice": "Rest."},
        "ItemBody": ITEM,
        "Ending": {"outcome": "advice"},
        "VitalsBody": {"values": {"heart_rate": 80}},
        "CodeBody": {"challenge": fresh_id(), "code": "123456"},
        "HandingBody": {"medicines": [{"medicine_code": "no-such", "handing": "full"}]},
        "GrievanceBody": {
            "kind": "waiting",
            "text": "Nobody called",
            "consultation": {"state_id": clinic.state_id, "id": fresh_id()},
        },
        "ReopenBody": reason,
        "ModeBody": {"mode": "audio"},
        "LinkBody": {"made_for": "My son"},
        "HubAsk": {"hub_state_id": clinic.state_id, "hub_id": fresh_id(), "language": "en"},
    }


@dataclass
class Held:
    """A consultation in progress with everything that has an id."""

    clinic: Clinic
    values: dict[str, str]

    def address(self, path: str) -> str:
        for name, value in self.values.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, path
        return path.removeprefix(BASE)


@pytest.fixture
def held() -> Held:
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    doctor, _practitioner = doctor_caller(clinic)
    taken = doctor.make("/staff/next")
    patient.post(f"{path}/answer")
    profile = patient.get(path)["patient_id"]
    ready_again(patient, profile)
    doctor.put(f"/staff{path}/note", {"advice": "Rest."})
    added = doctor.send("POST", f"/staff{path}/items", ITEM)
    assert added.status_code in (200, 201), added.content
    paper = upload(patient, f"{path}/papers").json()["id"]
    named = patient.make(
        f"/profiles/{profile}/representatives", bodies(clinic)["RepresentativeBody"]
    )
    item = DraftItem.objects.get(state_id=taken["state_id"], consultation_id=taken["id"])
    return Held(
        clinic,
        {
            "state_id": str(taken["state_id"]),
            "consultation_id": taken["id"],
            "patient_id": profile,
            "number": "28-2222-2222-2222",
            "paper_id": paper,
            "representative_id": named["id"],
            "item_id": str(item.id),
            "link_id": fresh_id(),
        },
    )


def ready_again(patient: Caller, profile: str) -> None:
    """Let the next request have a draft of its own."""
    patient.put(f"/profiles/{profile}/intake", {"complaints": ["fever"], "text": "Again"})


def operations(prefix: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Walk the operations that name somebody, of patients or of staff."""
    for path, methods in api.document["paths"].items():
        for method, operation in methods.items():
            if "{" in path and path.startswith(BASE + prefix):
                yield path, method.upper(), operation


def sent(caller: Caller, held: Held, path: str, method: str, operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    if content and "application/json" not in content:
        return upload(caller, held.address(path))
    schema = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    body = bodies(held.clinic)[schema.rpartition("/")[2]] if schema else None
    headers = {"Idempotency_Key": new_key()} if method == "POST" else {}
    return caller.send(method, held.address(path), body and encoded(body), **headers)


MAY_MOVE = {"identity_attemptcounter", "identity_session"}
"""Refusals count, and sessions live on."""


def stored() -> dict[str, list[tuple[Any, ...]]]:
    """Return all that tables hold."""
    with across_states():
        return {
            model._meta.db_table: sorted(model._default_manager.values_list(), key=repr)
            for model in apps.get_models()
            if issubclass(model, TableModel) and model._meta.db_table not in MAY_MOVE
        }


@pytest.mark.parametrize("prefix", ["/profiles", "/consultations"])
def test_another_patient_finds_nothing(held: Held, prefix: str) -> None:
    stranger = patient_caller()
    ready_profile(stranger)
    before = stored()
    for path, method, operation in operations(prefix):
        answer = sent(stranger, held, path, method, operation)
        assert answer.status_code == 404, (method, path, answer.status_code, answer.content)
        assert answer.json()["type"].endswith(":NotFound")
    assert stored() == before


@pytest.mark.parametrize("state_id", [28, TAMIL_NADU])
def test_a_doctor_who_does_not_hold_it_touches_nothing(held: Held, state_id: int) -> None:
    """One of the same line, and one of another state."""
    clinic = held.clinic
    if state_id == TAMIL_NADU:
        clinic = ClinicFactory(line__facility__state_id=TAMIL_NADU)
    stranger, _practitioner = doctor_caller(clinic)
    before = stored()
    for path, method, operation in operations("/staff/consultations"):
        answer = sent(stranger, held, path, method, operation)
        assert answer.status_code in (403, 404), (method, path, answer.status_code, answer.content)
    assert stored() == before


def test_who_is_not_asked_in_finds_no_ask(held: Held) -> None:
    """Neither a stranger of the same line, nor once asked who has declined."""
    spoke = Spoke()
    path = spoke.asked()
    spoke.doctor.make("/staff/next")
    spoke.worker.post(f"{path}/answer")
    colleague, ask = asked_in(spoke, path)
    stranger, _practitioner = doctor_caller(held.clinic)
    paper = upload(spoke.worker, f"{path}/papers").json()["id"]
    values = {"state_id": str(ask["state_id"]), "ask_id": ask["id"], "paper_id": paper}
    theirs = Held(held.clinic, held.values | values)
    before = stored()
    for path, method, operation in operations("/staff/asks"):
        answer = sent(stranger, theirs, path, method, operation)
        assert answer.status_code == 404, (method, path, answer.status_code, answer.content)
    assert stored() == before
    colleague.post(f"/staff/asks/{ask['state_id']}/{ask['id']}/decline", {"word": "In theatre"})
    before = stored()
    for path, method, operation in operations("/staff/asks"):
        if operation["operationId"] == "leave_ask":  # Who is not there has left.
            continue
        answer = sent(colleague, theirs, path, method, operation)
        assert answer.status_code == 410, (method, path, answer.status_code, answer.content)
    assert stored() == before


@pytest.fixture
def at_spoke(held: Held) -> tuple[Spoke, Held]:
    """A spoke with a patient in the call and everything that has an id."""
    spoke = Spoke()
    path = spoke.asked()
    taken = spoke.doctor.make("/staff/next")
    spoke.worker.post(f"{path}/answer")
    patient_id = spoke.worker.get(path)["patient_id"]
    paper = upload(spoke.worker, f"{path}/papers").json()["id"]
    named = spoke.worker.make(
        f"/profiles/{patient_id}/representatives", bodies(held.clinic)["RepresentativeBody"]
    )
    values = {
        "state_id": str(taken["state_id"]),
        "consultation_id": taken["id"],
        "patient_id": patient_id,
        "paper_id": paper,
        "representative_id": named["id"],
        "prescription_id": fresh_id(),
    }
    return spoke, Held(held.clinic, held.values | values)


PATIENTS_ONLY = {
    "list_accesses",
    "put_away",
    "leave",
    "bring_back",
    "same_as",
    "list_clinics",
    "list_follow_ups",
    "ask",
    "rate",
    "list_links",
    "make_link",
    "end_prescription_link",
}
"""What the staff of a spoke do for nobody: the account's own list, OPDs for who is at home."""


@pytest.mark.parametrize("prefix", ["/profiles", "/consultations", "/spoke"])
def test_another_spoke_finds_nothing(at_spoke: tuple[Spoke, Held], prefix: str) -> None:
    _spoke, held = at_spoke
    stranger = Spoke()
    stranger.ready()
    before = stored()
    for path, method, operation in operations(prefix):
        # Who is registered in the state may be taken in where they sit: that is audited.
        if operation["operationId"] == "take_patient_in":
            continue
        answer = sent(stranger.worker, held, path, method, operation)
        expected = 403 if operation["operationId"] in PATIENTS_ONLY else 404
        assert answer.status_code == expected, (method, path, answer.status_code, answer.content)
    assert stored() == before


def test_the_account_of_a_spokes_patient_does_not_move_what_the_spoke_has_asked(
    at_spoke: tuple[Spoke, Held],
) -> None:
    _spoke, held = at_spoke
    own = caller_of(Account.objects.get(login="+919876543210"))
    before = stored()
    for path, method, operation in operations("/consultations"):
        answer = sent(own, held, path, method, operation)
        assert answer.status_code == 404, (method, path, answer.status_code, answer.content)
    assert stored() == before


def test_patients_and_staff_do_not_pass_each_others_doors(held: Held) -> None:
    doctor, _practitioner = doctor_caller(held.clinic)
    for caller, prefix in ((doctor, "/consultations"), (patient_caller(), "/staff/consultations")):
        for path, method, operation in operations(prefix):
            answer = sent(caller, held, path, method, operation)
            assert answer.status_code == 403, (method, path, answer.status_code)
