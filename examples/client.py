"""Takes a patient from sign-in to prescription, with nothing but the calls of the OpenAPI document.

    python examples/client.py http://localhost:8000 9876543210

The document is at /api/v1/openapi.json. On a demo installation the code stands in the development
inbox (/inbox), and somebody has to be the doctor: sign in at /staff/sign-in, and call the patient.
"""

import contextlib
import sys
import time
import uuid
from typing import Any

import httpx

PERSON = {"relation": "self", "name": "Meena Devi", "gender": "female", "birth_date": "1990-03-04"}
ADDRESS = {"address": "12 Temple Street", "district": "Guntur"}
PATH = "/consultations/{state_id}/{id}"
WAITING = ("requested", "in_progress", "interrupted")


def main(server: str, mobile: str) -> None:
    """Ask a doctor about a fever."""
    with httpx.Client(base_url=f"{server}/api/v1", timeout=30) as client:
        sign_in(client, mobile)
        done = wait_for_the_doctor(client, ask(client, register(client)))
        if done["status"] != "completed":
            sys.exit(f"Not seen: {done['status']}. {done['missing']}")
        print(f"{done['practitioner']['name']}: {done['findings']['advice']}")
        if done["prescription_number"]:
            signed = call(client, "GET", f"{PATH.format(**done)}/prescription")
            for line in signed["content"]["medicines"]:
                print(line["generic_name"], line["strength"], line["dose"], line["frequency"])
        call(client, "PUT", f"{PATH.format(**done)}/feedback", {"rating": 5})


def call(client: httpx.Client, method: str, path: str, body: Any = None, fine: int = 0) -> Any:
    """Send a request until it is answered, once by its key; the status `fine` is no failure."""
    key = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
    while True:
        pause = 1
        with contextlib.suppress(httpx.TimeoutException, httpx.NetworkError):
            response = client.request(method, path, json=body, headers=key)
            if response.is_success or response.status_code == fine:
                return response.json() if response.content else None
            if response.status_code not in (429, 503):
                sys.exit(f"{response.json()['type']}: {response.json()['title']}")
            pause = int(response.headers["Retry-After"])
        time.sleep(pause)


def sign_in(client: httpx.Client, mobile: str) -> None:
    """Sign in by a code."""
    sent = call(client, "POST", "/codes", {"mobile": mobile})
    code = input("The code from the SMS: ").strip()
    session = call(client, "POST", "/sessions", {"challenge": sent["challenge"], "code": code})
    client.headers["Authorization"] = f"Bearer {session['token']}"
    if session["home_state_id"] is None:
        states = call(client, "GET", "/states")["items"]
        call(client, "PUT", "/me/home-state", {"state_id": states[0]["lgd_code"]})


def register(client: httpx.Client) -> str:
    """Say who is ill, agree to the notice, and what the trouble is; return the patient's path."""
    patient = f"/profiles/{call(client, 'POST', '/profiles', PERSON | ADDRESS)['id']}"
    call(client, "PUT", f"{patient}/consent")
    signs = call(client, "GET", f"{patient}/danger-questions")["items"]
    trouble = {"answers": {sign["code"]: False for sign in signs}, "duration_days": 3}
    call(client, "PUT", f"{patient}/intake", trouble | {"complaints": ["fever"]})
    return patient


def ask(client: httpx.Client, patient: str) -> str:
    """Ask the first clinic that is open, which fits best; return the consultation's path."""
    clinics = call(client, "GET", f"{patient}/clinics")["items"]
    clinic = next(one for one in clinics if one["is_open"] and not one["is_full"])
    here = {"clinic_state_id": clinic["state_id"], "clinic_id": clinic["id"]}
    said = here | {"language": clinic["languages"][0]}
    token = call(client, "POST", f"{patient}/consultations", said)
    print(f"{clinic['name']}: your number is {token['number']}")
    return PATH.format(**token)


def wait_for_the_doctor(client: httpx.Client, consultation: str) -> Any:
    """Answer the calls (409: over by now), and go on where the patient is sent; return the end."""
    while (now := call(client, "GET", consultation))["status"] in WAITING or now["moved_to"]:
        if now["moved_to"]:
            consultation = PATH.format(**now["moved_to"])
        elif now["token"]["status"] == "called":
            call(client, "POST", f"{consultation}/answer", fine=409)
        elif now["status"] == "interrupted" and now["token"]["status"] == "serving":
            call(client, "POST", f"{consultation}/resume", fine=409)
        time.sleep(1)
    return now


if __name__ == "__main__":
    main(*sys.argv[1:3])
