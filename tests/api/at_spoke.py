"""A spoke that speaks JSON to the product: its worker, the hub it asks, and the hub's doctor."""

import io
from typing import Any

from PIL import Image

from sanjeevani.directory.models import Facility, Line, LineKind, Practitioner, Role, State
from sanjeevani.foundation.actor import Actor
from sanjeevani.identity.models import Account
from tests.api.caller import BASE, PROFILE, Caller, caller_of, new_key
from tests.factories import (
    ANDHRA_PRADESH,
    HubLinkFactory,
    LineFactory,
    PostFactory,
    StateFactory,
    serving_on,
    worker_at,
)

REGISTRATION = PROFILE | {"name": "Sita Devi", "mobile": "98765 43210", "language": "hi"}
VITALS = {"body_temperature": 38.5, "heart_rate": 96, "oxygen_saturation": 97}


class Spoke:
    """A spoke with its health worker, and a hub's doctor on duty; `proof` as its state asks."""

    def __init__(self, *, proof: str = "none") -> None:
        StateFactory()
        link = HubLinkFactory()
        State.objects.filter(lgd_code=ANDHRA_PRADESH).update(presence_proof=proof)
        self.facility = Facility.objects.get(state_id=link.state_id, id=link.spoke_id)
        hub = Facility.objects.get(state_id=link.hub_state_id, id=link.hub_id)
        self.line: Line = LineFactory(facility=hub, kind=LineKind.HUB)
        self.practitioner = serving_on(self.line)
        self.doctor = at_desk(self.practitioner, hub)
        self.staff = worker_at(self.facility)
        self.worker = acting(self.staff)

    def colleague(self, role: str = Role.HEALTH_WORKER) -> Caller:
        """Return somebody else of the spoke."""
        return acting(worker_at(self.facility, role))

    def asking(self, **changes: Any) -> dict[str, Any]:
        """Return the body that asks the hub."""
        return {
            "hub_state_id": self.line.state_id,
            "hub_id": str(self.line.id),
            "language": "hi",
        } | changes

    def registered(self, **changes: Any) -> str:
        """Register somebody; return their id."""
        made = self.worker.make("/spoke/patients", REGISTRATION | {"is_another": True} | changes)
        return str(made["id"])

    def ready(self, **changes: Any) -> str:
        """Register somebody, with consent, complaint and measurements; return their id."""
        patient_id = self.registered(**changes)
        self.worker.put(f"/profiles/{patient_id}/consent")
        self.tell(patient_id)
        self.worker.put(f"/spoke/patients/{patient_id}/vitals", {"values": VITALS})
        return patient_id

    def tell(self, patient_id: str, **changes: Any) -> None:
        """Write down what the trouble is, without a sign of danger."""
        person = f"/profiles/{patient_id}"
        questions = self.worker.get(f"{person}/danger-questions")["items"]
        told = {
            "complaints": ["fever"],
            "text": "High every evening, better in the morning",
            "duration_days": 3,
            "answers": {question["code"]: False for question in questions},
        }
        self.worker.put(f"{person}/intake", told | changes)

    def asked(self, patient_id: str | None = None, **changes: Any) -> str:
        """Ask the hub for somebody; return the consultation's path."""
        patient_id = patient_id or self.ready()
        made = self.worker.make(
            f"/spoke/patients/{patient_id}/consultations", self.asking(**changes)
        )
        return f"/consultations/{made['state_id']}/{made['id']}"


def acting(actor: Actor) -> Caller:
    """Sign staff in who act in a post."""
    assert actor.account_id
    caller = caller_of(Account.objects.get(id=actor.account_id))
    caller.put("/staff/post", {"state_id": actor.state_id, "id": str(actor.post_id)})
    return caller


def asked_in(spoke: Spoke, path: str) -> tuple[Caller, dict[str, Any]]:
    """Ask a colleague of the hub into the call; return the colleague, and the ask."""
    colleague = at_desk(serving_on(spoke.line, name="Dr Kavita Iyer"), spoke.line.facility)
    [chosen] = spoke.doctor.get(f"/staff{path}/colleagues")["items"]
    asked = {"hub_id": chosen["hub"]["id"], "colleague_id": chosen["id"]}
    return colleague, spoke.doctor.make(f"/staff{path}/asks", asked)


def at_desk(practitioner: Practitioner, facility: Facility) -> Caller:
    """Sign a doctor in who acts in a facility."""
    post = PostFactory(practitioner=practitioner, facility=facility)
    caller = caller_of(Account.objects.get(id=practitioner.account_id))
    caller.put("/staff/post", {"state_id": post.state_id, "id": str(post.id)})
    return caller


def picture(kind: str = "PNG") -> bytes:
    """Return a small photo."""
    drawn = io.BytesIO()
    Image.new("RGB", (20, 20)).save(drawn, kind)
    return drawn.getvalue()


def upload(
    caller: Caller,
    path: str,
    content: bytes | None = None,
    content_type: str = "image/png",
    key: str | None = None,
) -> Any:
    """Send a file as it is; return Django's response."""
    return caller.client.post(
        BASE + path,
        picture() if content is None else content,
        content_type=content_type,
        headers={"Authorization": f"Bearer {caller.token}", "Idempotency-Key": key or new_key()},
    )
