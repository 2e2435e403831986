"""Somebody who speaks JSON to the product, in the tests' own process."""

import json
import secrets
import uuid
from typing import Any

from django.test import Client

from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.identity.models import Account
from sanjeevani.web.access import SESSION_COOKIE
from tests.factories import ANDHRA_PRADESH, AccountFactory, PostFactory, on_duty, sign_in

BASE = "/api/v1"


class Caller:
    """A client with a bearer token, and no cookies."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.client = Client()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; `headers` by their names with underscores. Return Django's response."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method,
            BASE + path,
            data="" if body is None else encoded(body),
            content_type="application/json",
            headers=named,
        )

    def get(self, path: str, **headers: str) -> Any:
        """Read, successfully."""
        response = self.send("GET", path, **headers)
        assert response.status_code == 200, response.content
        return response.json()

    def make(self, path: str, body: Any = None, key: str | None = None) -> Any:
        """Create, successfully, with a key."""
        response = self.send("POST", path, body, Idempotency_Key=key or new_key())
        assert response.status_code == 201, response.content
        return response.json()

    def put(self, path: str, body: Any = None) -> Any:
        """Put, successfully."""
        response = self.send("PUT", path, body)
        assert response.status_code in (200, 204), response.content
        return response.json() if response.content else None

    def post(self, path: str, body: Any = None) -> Any:
        """Do, successfully."""
        response = self.send("POST", path, body)
        assert response.status_code in (200, 204), response.content
        return response.json() if response.content else None


def encoded(body: Any) -> bytes:
    """Return a body as bytes; bytes stay as they are."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def new_key() -> str:
    """Return a key for one effect."""
    return secrets.token_urlsafe(12)


def caller_of(account: Account) -> Caller:
    """Sign an account in without its code or password."""
    client = Client()
    sign_in(client, account)
    return Caller(client.cookies[SESSION_COOKIE].value)


def patient_caller(state_id: int = ANDHRA_PRADESH) -> Caller:
    """Return a new patient's account."""
    return caller_of(AccountFactory(home_state_id=state_id))


def doctor_caller(clinic: Clinic) -> tuple[Caller, Practitioner]:
    """Return a doctor on duty in a clinic, acting in a post."""
    practitioner = on_duty(clinic)
    post = PostFactory(practitioner=practitioner)
    caller = caller_of(Account.objects.get(id=practitioner.account_id))
    caller.put("/staff/post", {"state_id": post.state_id, "id": str(post.id)})
    return caller, practitioner


PROFILE = {
    "relation": "self",
    "name": "Meena Devi",
    "gender": "female",
    "birth_date": "1989-03-04",
    "address": "12 Temple Street",
    "district": "Guntur",
}


def ready_profile(patient: Caller) -> dict[str, Any]:
    """Register somebody with consent and a harmless intake."""
    profile: dict[str, Any] = patient.make("/profiles", PROFILE | {"is_another": True})
    path = f"/profiles/{profile['id']}"
    patient.put(f"{path}/consent")
    questions = patient.get(f"{path}/danger-questions")["items"]
    patient.put(
        f"{path}/intake",
        {
            "complaints": ["fever"],
            "text": "Fever since Friday",
            "duration_days": 3,
            "answers": {question["code"]: False for question in questions},
        },
    )
    return profile


def asking(clinic: Clinic, language: str = "en") -> dict[str, Any]:
    """Return the body that asks a clinic."""
    return {
        "clinic_state_id": clinic.state_id,
        "clinic_id": str(clinic.id),
        "language": language,
    }


def asked(patient: Caller, clinic: Clinic) -> str:
    """Let a patient ask a clinic; return the consultation's path."""
    profile = ready_profile(patient)
    made = patient.make(f"/profiles/{profile['id']}/consultations", asking(clinic))
    return f"/consultations/{made['state_id']}/{made['id']}"


def fresh_id() -> str:
    """Return an id that nothing has."""
    return str(uuid.uuid4())
