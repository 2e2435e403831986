"""Whose id is named makes no difference: what is not one's own is not there, and nothing moves."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from PIL import Image

from sanjeevani.api.application import api
from sanjeevani.directory.models import Clinic
from sanjeevani.foundation.sharding import TableModel, across_states
from sanjeevani.prescription.models import DraftItem
from tests.api.caller import (
    BASE,
    PROFILE,
    Caller,
    asked,
    asking,
    doctor_caller,
    encoded,
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
        "Ask": asking(clinic),
        "MessageBody": {"text": "Good morning"},
        "FeedbackBody": {"rating": 1},
        "EndBody": reason | {"number": NUMBER},
        "ReplaceBody": reason | {"number": NUMBER},
        "ReasonBody": reason,
        "RedirectBody": reason | {"clinic_state_id": clinic.state_id, "clinic_id": str(clinic.id)},
        "NoteBody": {"advice": "Rest."},
        "ItemBody": ITEM,
        "Ending": {"outcome": "advice"},
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


def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (20, 20)).save(drawn, "PNG")
    return drawn.getvalue()


def upload(caller: Caller, path: str) -> Any:
    return caller.client.post(
        BASE + path,
        picture(),
        content_type="image/png",
        headers={"Authorization": f"Bearer {caller.token}", "Idempotency-Key": new_key()},
    )


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
            "paper_id": paper,
            "representative_id": named["id"],
            "item_id": str(item.id),
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


def test_patients_and_staff_do_not_pass_each_others_doors(held: Held) -> None:
    doctor, _practitioner = doctor_caller(held.clinic)
    for caller, prefix in ((doctor, "/consultations"), (patient_caller(), "/staff/consultations")):
        for path, method, operation in operations(prefix):
            answer = sent(caller, held, path, method, operation)
            assert answer.status_code == 403, (method, path, answer.status_code)
