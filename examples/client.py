"""Takes a patient from sign-in to prescription, with nothing but the calls of the OpenAPI document.

    python examples/client.py http://localhost:8000 9876543210

The document is at /api/v1/openapi.json. On a demo installation the code stands in the development
inbox (/inbox), and somebody has to be the doctor: sign in at /staff/sign-in, and call the patient.
"""

import sys
import time
import uuid
from typing import Any

import httpx

PERSON = {"relation": "self", "name": "Meena Devi", "gender": "female", "birth_date": "1990-03-04"}
ADDRESS = {"address": "12 Temple Street", "district": "Guntur"}
WAITING = ("requested", "in_progress", "interrupted")


def main(server: str, mobile: str) -> None:
    """Ask a doctor about a fever."""
    with httpx.Client(base_url=f"{server}/api/v1", timeout=30) as client:
        sign_in(client, mobile)
        patient = register(client)
        done = wait_for_the_doctor(client, ask(client, patient))
        if done["status"] != "completed":
            sys.exit(f"Not seen: {done['status']}. {done['missing']}")
        print(f"{done['practitioner']['name']}: {done['findings']['advice']}")
        if done["prescription_number"]:
            signed = call(client, "GET", f"{path_of(done)}/prescription")
            for line in signed["content"]["medicines"]:
                print(line["generic_name"], line["strength"], line["dose"], line["frequency"])
        call(client, "PUT", f"{path_of(done)}/feedback", {"rating": 5})


def call(client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """Send a request until there is an answer: the key makes a repeated creation one."""
    key = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
    while True:
        try:
            response = client.request(method, path, json=body, headers=key)
        except (httpx.TimeoutException, httpx.NetworkError) as error:
            print(f"{error}; trying again", file=sys.stderr)
            time.sleep(1)
            continue
        if response.status_code in (429, 503):
            time.sleep(int(response.headers["Retry-After"]))
        elif response.is_error:
            sys.exit(f"{response.json()['type']}: {response.json()['title']}")
        else:
            return response.json() if response.content else None


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
    questions = call(client, "GET", f"{patient}/danger-questions")["items"]
    answers = {question["code"]: False for question in questions}
    trouble = {"complaints": ["fever"], "duration_days": 3, "answers": answers}
    call(client, "PUT", f"{patient}/intake", trouble)
    return patient


def ask(client: httpx.Client, patient: str) -> str:
    """Ask the first clinic that is open, which fits best; return the consultation's path."""
    clinics = call(client, "GET", f"{patient}/clinics")["items"]
    clinic = next(one for one in clinics if one["is_open"] and not one["is_full"])
    body = {"clinic_state_id": clinic["state_id"], "clinic_id": clinic["id"]}
    body["language"] = clinic["languages"][0]
    token = call(client, "POST", f"{patient}/consultations", body)
    print(f"{clinic['name']}: your number is {token['number']}")
    return path_of(token)


def wait_for_the_doctor(client: httpx.Client, consultation: str) -> Any:
    """Answer when the doctor calls, and go on where the patient is sent; return what came of it."""
    while (now := call(client, "GET", consultation))["status"] in WAITING or now["moved_to"]:
        if now["moved_to"]:
            consultation = path_of(now["moved_to"])
        elif now["token"]["status"] == "called":
            call(client, "POST", f"{consultation}/answer")
        elif now["status"] == "interrupted" and now["token"]["status"] == "serving":
            call(client, "POST", f"{consultation}/resume")
        time.sleep(1)
    return now


def path_of(one: Any) -> str:
    """Return the path of a consultation."""
    return f"/consultations/{one['state_id']}/{one['id']}"


if __name__ == "__main__":
    main(*sys.argv[1:3])
