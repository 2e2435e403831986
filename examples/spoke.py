"""Asks a hub for a patient at a spoke, with nothing but the calls of the OpenAPI document.

    python examples/spoke.py http://localhost:8000 worker password 9876543210

The document is at /api/v1/openapi.json. On a demo installation the code stands in the development
inbox (/inbox), and somebody has to be the doctor: sign in at /staff/sign-in, and call the patient.
"""

import sys

import httpx
from client import call, wait_for_the_doctor

PERSON = {"relation": "self", "name": "Sita Devi", "gender": "female", "birth_date": "1986-05-04"}
ADDRESS = {"address": "Near the well", "district": "Guntur"}
TROUBLE = {"complaints": ["fever"], "text": "High every evening", "duration_days": 3}
MEASURED = {"body_temperature": 38.5, "heart_rate": 96}


def main(server: str, login: str, password: str, mobile: str) -> None:
    """Ask a hub about a fever, and print the prescription."""
    with httpx.Client(base_url=f"{server}/api/v1", timeout=30) as client:
        sign_in(client, login, password)
        patient_id = register(client, mobile)
        consultation = ask(client, patient_id)
        show_presence(client, consultation)
        done = wait_for_the_doctor(client, consultation)
        if done["status"] != "completed":
            sys.exit(f"Not seen: {done['status']}. {done['missing']}")
        print(f"{done['practitioner']['name']}: {done['findings']['advice']}")
        if done["prescription_number"]:
            hand_out(client, done["prescription_number"])


def sign_in(client: httpx.Client, login: str, password: str) -> None:
    """Sign in, and act in the post at a spoke."""
    session = call(client, "POST", "/staff/sessions", {"login": login, "password": password})
    client.headers["Authorization"] = f"Bearer {session['token']}"
    post = next(one for one in session["posts"] if one["at_spoke"])
    call(client, "PUT", "/staff/post", {"state_id": post["state_id"], "id": post["id"]})


def register(client: httpx.Client, mobile: str) -> str:
    """Register a patient who agrees to the notice, and says what the trouble is; return the id."""
    patient = PERSON | ADDRESS | {"mobile": mobile, "is_another": True}
    patient_id = call(client, "POST", "/spoke/patients", patient)["id"]
    person = f"/profiles/{patient_id}"
    call(client, "PUT", f"{person}/consent")
    questions = call(client, "GET", f"{person}/danger-questions")["items"]
    answers = {question["code"]: False for question in questions}
    call(client, "PUT", f"{person}/intake", TROUBLE | {"answers": answers})
    measured = call(client, "PUT", f"/spoke/patients/{patient_id}/vitals", {"values": MEASURED})
    for one in measured["readings"]:
        print(one["name"], one["shown"], "!" if one["alarming"] else "")
    return str(patient_id)


def ask(client: httpx.Client, patient_id: str) -> str:
    """Ask the first hub that has a place, which fits best; return the consultation's path."""
    hubs = call(client, "GET", f"/spoke/patients/{patient_id}/hubs")
    hub = next(one for one in hubs["items"] if not one["is_full"])
    body = {"hub_state_id": hub["state_id"], "hub_id": hub["id"], "language": hubs["languages"][0]}
    token = call(client, "POST", f"/spoke/patients/{patient_id}/consultations", body)
    print(f"{hub['facility']}: number {token['number']}")
    return f"/consultations/{token['state_id']}/{token['id']}"


def show_presence(client: httpx.Client, consultation: str) -> None:
    """Show by a code that the patient is here, where the state asks for it and allows it."""
    if "code" in call(client, "GET", consultation)["presence"]["ways"]:
        sent = call(client, "POST", f"/spoke{consultation}/presence/codes")
        code = input("The code that the patient reads: ").strip()
        told = {"challenge": sent["challenge"], "code": code}
        call(client, "PUT", f"/spoke{consultation}/presence/code", told)


def hand_out(client: httpx.Client, number: str) -> None:
    """Give the patient all that was prescribed and is there."""
    shown = call(client, "POST", "/spoke/counter/shown", {"number": number})["prescription"]
    counter = f"/spoke/counter/{shown['state_id']}/{shown['id']}"
    handed = [
        {"medicine_code": one["code"], "handing": "full" if one["in_stock"] else "none"}
        for one in call(client, "GET", counter)["medicines"]
    ]
    for one in call(client, "POST", f"{counter}/handed", {"medicines": handed})["medicines"]:
        print(one["name"], one["dose"], one["frequency"], one["handed"]["handing"])


if __name__ == "__main__":
    main(*sys.argv[1:5])
