"""The whole path by JSON, and what each step refuses."""

import pytest
from django.test import Client
from pytest_django import Settings

from sanjeevani.consultation.models import Consultation
from sanjeevani.foundation.models import AuditEvent, IdempotencyKey
from sanjeevani.queueing.models import Token
from tests.api.caller import (
    PROFILE,
    Caller,
    asked,
    asking,
    caller_of,
    doctor_caller,
    new_key,
    patient_caller,
    ready_profile,
)
from tests.factories import (
    ANDHRA_PRADESH,
    AccountFactory,
    ClinicFactory,
    LineFactory,
    PostFactory,
    PractitionerFactory,
    StaffAccountFactory,
    StateFactory,
    ask_about_fever,
)
from tests.identity.helpers import sent_code

pytestmark = pytest.mark.usefixtures("reference")


def test_from_sign_in_to_feedback() -> None:
    """A patient and a doctor meet through JSON alone."""
    StateFactory()
    clinic = ClinicFactory()
    doctor, practitioner = doctor_caller(clinic)
    nobody = Caller()
    sent = nobody.send("POST", "/codes", {"mobile": "98765 43210"})
    assert sent.status_code == 202
    signed = nobody.send(
        "POST",
        "/sessions",
        {"challenge": sent.json()["challenge"], "code": sent_code("+919876543210")},
    )
    assert signed.status_code == 201
    assert not signed.cookies
    patient = Caller(signed.json()["token"])
    assert patient.send("GET", "/profiles").json()["type"].endswith(":HomeStateMissing")
    patient.put("/me/home-state", {"state_id": ANDHRA_PRADESH})
    assert patient.get("/me")["home_state_id"] == ANDHRA_PRADESH

    profile = ready_profile(patient)
    offers = patient.get(f"/profiles/{profile['id']}/clinics")["items"]
    assert [offer["id"] for offer in offers] == [str(clinic.id)]
    assert offers[0]["on_duty"] == {"doctors": 1, "women": 1, "languages": ["en", "hi"]}
    assert offers[0]["expected_wait"]["low"] < offers[0]["expected_wait"]["high"]
    made = patient.make(f"/profiles/{profile['id']}/consultations", asking(clinic))
    assert made["number"] == 1
    path = f"/consultations/{made['state_id']}/{made['id']}"
    waiting = patient.get(path)
    assert waiting["token"]["place"] == 1
    assert waiting["practitioner"] is None

    desk = doctor.get("/staff/desk")
    assert desk["lines"][0]["waiting"] == 1
    assert desk["live"] is None
    called = doctor.make("/staff/next")
    assert called == {"state_id": made["state_id"], "id": made["id"]}
    assert doctor.get("/staff/desk")["live"] == called
    assert patient.get(path)["token"]["answer_by"]
    assert patient.post(f"{path}/answer")["status"] == "in_progress"
    case = doctor.get(f"/staff{path}")
    assert case["intake"]["complaints"] == [{"code": "fever", "name": "Fever"}]
    assert AuditEvent.objects.filter(
        state_id=made["state_id"], verb="consultation.read", record_id=made["id"]
    ).exists()

    doctor.make(f"/staff{path}/messages", {"text": "Does she drink?"})
    patient.make(f"{path}/messages", {"text": "Yes, a little"})
    said = patient.get(f"{path}/messages")["items"]
    assert [(one["seat"], one["text"]) for one in said] == [
        ("host", "Does she drink?"),
        ("guest", "Yes, a little"),
    ]
    assert patient.get(f"{path}/messages?after={said[0]['id']}")["items"] == said[1:]

    found = doctor.get("/staff/diagnoses?q=fever")["items"][0]
    doctor.put(
        f"/staff{path}/note",
        {"advice": "Rest and drink.", "weight_kg": "18.5", "diagnoses": [found["code"]]},
    )
    read = doctor.get("/staff/shorthand?q=pcm+syrup+250mg+TDS+3d+after+food")
    item = read["item"] or {
        "medicine_code": read["choices"][0]["code"],
        "dose": "5",
        "frequency": "TDS",
        "duration_days": 3,
    }
    added = doctor.post(f"/staff{path}/items", item)
    assert added["medicine"]["code"] == item["medicine_code"]
    signed_prescription = doctor.make(f"/staff{path}/sign")
    doctor.post(f"/staff{path}/conclude", {"outcome": "prescription"})

    done = patient.get(path)
    assert done["status"] == "completed"
    assert done["findings"]["advice"] == "Rest and drink."
    assert done["practitioner"]["name"] == practitioner.name
    prescription = patient.get(f"{path}/prescription")
    assert prescription["number"] == signed_prescription["number"]
    printed = patient.send("GET", f"{path}/prescription.pdf")
    assert printed.content.startswith(b"%PDF")
    patient.put(f"{path}/feedback", {"rating": 5})
    assert patient.get(path)["rating"] == 5
    assert patient.send("PUT", f"{path}/feedback", {"rating": 1}).status_code == 409
    assert patient.send("DELETE", "/sessions/current").status_code == 204
    assert patient.send("GET", "/me").status_code == 401


def test_staff_sign_in_and_choose_a_post() -> None:
    from sanjeevani.foundation.actor import SYSTEM
    from sanjeevani.identity.services import set_password

    account = StaffAccountFactory()
    practitioner = PractitionerFactory(account=account)
    set_password(SYSTEM, account_id=account.id, password="three quiet words")
    first, second = PostFactory(practitioner=practitioner), PostFactory(practitioner=practitioner)
    wrong = Caller().send(
        "POST", "/staff/sessions", {"login": account.login, "password": "three loud words"}
    )
    assert wrong.status_code == 422
    right = (
        Caller()
        .send("POST", "/staff/sessions", {"login": account.login, "password": "three quiet words"})
        .json()
    )
    doctor = Caller(right["token"])
    assert {post["id"] for post in right["posts"]} == {str(first.id), str(second.id)}
    assert doctor.send("GET", "/staff/desk").json()["type"].endswith(":PostNotChosen")
    doctor.put("/staff/post", {"state_id": second.state_id, "id": str(second.id)})
    assert doctor.get("/me")["post_id"] == str(second.id)
    assert doctor.get("/staff/desk")["duty"] == "off"
    other = PostFactory()
    refused = doctor.send("PUT", "/staff/post", {"state_id": other.state_id, "id": str(other.id)})
    assert refused.status_code == 404


def test_who_waits_where_no_doctor_is_on_duty_goes_on_elsewhere() -> None:
    patient, key = patient_caller(), new_key()
    path = asked(patient, ClinicFactory())
    assert patient.get(path)["token"]["expected_wait"] is None
    alone = patient.send("POST", f"{path}/seek-doctor", Idempotency_Key=key)
    assert (alone.status_code, alone.json()["type"][-11:]) == (409, ":NobodyElse")
    elsewhere = ClinicFactory()
    doctor_caller(elsewhere)
    moved = patient.make(f"{path}/seek-doctor", key=key)
    assert patient.make(f"{path}/seek-doctor", key=key) == moved
    waiting = patient.get(f"/consultations/{moved['state_id']}/{moved['id']}")
    assert waiting["clinic"]["id"] == str(elsewhere.id)
    assert patient.get(path)["moved_to"]["id"] == moved["id"]


def test_the_same_doctor_is_asked_again() -> None:
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    doctor, practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    patient.post(f"{path}/answer")
    profile = f"/profiles/{patient.get(path)['patient_id']}"
    assert patient.get(f"{profile}/follow-ups")["items"] == []
    doctor.put(f"/staff{path}/note", {"advice": "Rest."})
    doctor.post(f"/staff{path}/conclude", {"outcome": "advice"})
    [earlier] = patient.get(f"{profile}/follow-ups")["items"]
    assert earlier["practitioner"] == practitioner.name
    signs = patient.get(f"{profile}/danger-questions")["items"]
    answers = {sign["code"]: False for sign in signs}
    patient.put(f"{profile}/intake", {"text": "Not better", "answers": answers})
    follows = {"state_id": earlier["state_id"], "id": earlier["id"]}
    body = asking(clinic) | {"follows": follows}
    stranger = patient_caller()
    own = f"/profiles/{ready_profile(stranger)['id']}/consultations"
    refused = stranger.send("POST", own, body, Idempotency_Key=new_key())
    assert refused.status_code == 404
    made = patient.make(f"{profile}/consultations", body)
    again = patient.get(f"/consultations/{made['state_id']}/{made['id']}")
    # In the doctor's own lane, which is the clinic's all the same.
    assert again["clinic"]["id"] == str(clinic.id)
    asked_again = Consultation.objects.get(state_id=made["state_id"], id=made["id"])
    assert asked_again.follow_up_with_id == practitioner.id
    assert asked_again.line_id != clinic.line_id


def test_who_is_sent_on_reads_why() -> None:
    here, there = ClinicFactory(), ClinicFactory()
    patient = patient_caller()
    path = asked(patient, here)
    doctor, _practitioner = doctor_caller(here)
    doctor.make("/staff/next")
    there_it_is = {"clinic_state_id": there.state_id, "clinic_id": str(there.id)}
    sent = doctor.make(f"/staff{path}/redirect", there_it_is | {"reason": "For the skin doctor"})
    assert patient.get(path)["moved_to"] == sent | {"reason": "For the skin doctor"}


def test_the_next_doctor_reads_what_was_written() -> None:
    here, there = ClinicFactory(), ClinicFactory()
    patient = patient_caller()
    path = asked(patient, here)
    doctor, practitioner = doctor_caller(here)
    doctor.make("/staff/next")
    patient.post(f"{path}/answer")
    doctor.put(f"/staff{path}/note", {"findings": "Red rings"})
    there_it_is = {"clinic_state_id": there.state_id, "clinic_id": str(there.id)}
    sent = doctor.make(f"/staff{path}/redirect", there_it_is | {"reason": "For the skin doctor"})
    other, _there = doctor_caller(there)
    other.make("/staff/next")
    [read] = other.get(f"/staff/consultations/{sent['state_id']}/{sent['id']}")["sent_on"]
    assert f"/consultations/{read['state_id']}/{read['id']}" == path
    assert (read["doctor"], read["reason"]) == (practitioner.name, "For the skin doctor")
    assert read["note"]["findings"] == "Red rings"
    assert doctor.get(f"/staff{path}")["sent_on"] == []


def test_poll_costs_no_body_when_nothing_changed() -> None:
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    first = patient.send("GET", path)
    again = patient.send("GET", path, If_None_Match=first.headers["ETag"])
    assert again.status_code == 304
    assert not again.content
    patient.post(f"{path}/cancel")
    changed = patient.send("GET", path, If_None_Match=first.headers["ETag"])
    assert changed.status_code == 200
    assert patient.post(f"{path}/cancel")["status"] == "cancelled"


def test_pages_of_a_list() -> None:
    patient = patient_caller()
    paths = [asked(patient, ClinicFactory()) for _number in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = patient.get(f"/consultations?limit=2{cursor}")
        seen += [f"/consultations/{item['state_id']}/{item['id']}" for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == paths[::-1]


def test_key_of_a_request_that_was_answered() -> None:
    """The same again is a replay; another body is refused; another account has its own keys."""
    clinic = ClinicFactory()
    patient = patient_caller()
    profile = ready_profile(patient)
    path, key = f"/profiles/{profile['id']}/consultations", new_key()
    first = patient.send("POST", path, asking(clinic), Idempotency_Key=key)
    again = patient.send("POST", path, asking(clinic), Idempotency_Key=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = patient.send("POST", path, asking(clinic, "hi"), Idempotency_Key=key)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:sanjeevani:problem:KeyReused"
    assert Token.objects.filter(state_id=clinic.state_id, line_id=clinic.line_id).count() == 1
    stranger = patient_caller()
    assert stranger.send("POST", "/profiles", PROFILE, Idempotency_Key=key).status_code == 201


def test_key_of_a_request_that_was_refused_can_be_used_again() -> None:
    clinic = ClinicFactory(line=LineFactory(places_per_day=0))
    patient = patient_caller()
    profile = ready_profile(patient)
    path, key = f"/profiles/{profile['id']}/consultations", new_key()
    refused = patient.send("POST", path, asking(clinic), Idempotency_Key=key)
    assert refused.json()["type"].endswith(":LineFull")
    assert not IdempotencyKey.objects.filter(key=key).exists()
    clinic.line.places_per_day = 1
    clinic.line.save(update_fields=["places_per_day"])
    assert patient.make(path, asking(clinic), key)["number"] == 1


def test_danger_comes_first() -> None:
    """Neither an unanswered question nor a danger sign gets a token."""
    clinic = ClinicFactory()
    patient = patient_caller()
    profile = ready_profile(patient)
    path = f"/profiles/{profile['id']}"
    questions = [one["code"] for one in patient.get(f"{path}/danger-questions")["items"]]
    patient.put(f"{path}/intake", {"text": "Fever"})
    unanswered = patient.send(
        "POST", f"{path}/consultations", asking(clinic), Idempotency_Key=new_key()
    )
    assert unanswered.json()["type"].endswith(":DangerUnanswered")
    said = dict.fromkeys(questions, False) | {questions[0]: True}
    draft = patient.put(f"{path}/intake", {"text": "Fever", "answers": said})
    assert draft["danger"][0]["call"]
    refused = patient.send(
        "POST", f"{path}/consultations", asking(clinic), Idempotency_Key=new_key()
    )
    assert refused.json()["type"].endswith(":DangerSigns")
    unknown = patient.send("PUT", f"{path}/intake", {"complaints": ["nonsense"]})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "complaints")


def test_kinds_of_accounts_do_not_mix() -> None:
    """Patients have no desk, staff have no profiles, cookies sign nobody in."""
    patient = patient_caller()
    doctor, _practitioner = doctor_caller(ClinicFactory())
    assert patient.send("GET", "/staff/desk").status_code == 403
    assert doctor.send("GET", "/profiles").status_code == 403
    with_cookie = Client()
    with_cookie.cookies["session"] = patient.token or ""
    refused = with_cookie.get("/api/v1/me")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    for wrong in ("", "x" * 43, "x" * 5000, "ñ", " "):
        assert Caller(wrong).send("GET", "/me", Authorization=f"Bearer {wrong}").status_code == 401
    assert Caller().send("GET", "/me", Authorization="Basic eDp5").status_code == 401


def test_expired_session_is_refused() -> None:
    from django.utils import timezone

    from sanjeevani.identity.models import Session

    account = AccountFactory()
    patient = caller_of(account)
    Session.objects.filter(account_id=account.id).update(expires_at=timezone.now())
    assert patient.send("GET", "/me").status_code == 401


def test_too_often_says_when_to_come_back(settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {"codes_per_mobile": (1, 600), "code_again": (9, 30)}
    body = {"mobile": "9876543210"}
    assert Caller().send("POST", "/codes", body).status_code == 202
    refused = Caller().send("POST", "/codes", body)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 600
    assert refused.json()["retry_after"] == int(refused.headers["Retry-After"])


def test_reference_lists_are_in_the_readers_language() -> None:
    english = Caller().get("/specialities", Accept_Language="en")["items"]
    hindi = Caller().get("/specialities", Accept_Language="hi")["items"]
    assert [one["code"] for one in english] == [one["code"] for one in hindi]
    assert english[0]["name"] != hindi[0]["name"]
    assert Caller().get("/notice")["paragraphs"]
    assert Caller().get("/dosage")["frequencies"]


def test_what_is_asked_about_the_complaints_is_told_with_them_or_while_waiting() -> None:
    ask_about_fever()
    clinic = ClinicFactory()
    patient = patient_caller()
    profile = ready_profile(patient)
    path = f"/profiles/{profile['id']}"
    said = patient.get(f"{path}/intake") | {"complaints": ["fever"]}
    body = {name: said[name] for name in ("complaints", "answers")}
    patient.put(f"{path}/intake", body)
    asked = {one["code"]: one for one in patient.get(f"{path}/questions")["items"]}
    assert [one["code"] for one in asked["phlegm"]["options"]][-1] == "blood"
    wrong = patient.send("PUT", f"{path}/intake", body | {"told": {"phlegm": "green"}})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "phlegm")
    patient.put(f"{path}/intake", body | {"told": {"phlegm": "blood"}})
    token = patient.make(f"{path}/consultations", asking(clinic))
    waiting = f"/consultations/{token['state_id']}/{token['id']}/questions"
    assert {one["code"] for one in patient.get(waiting)["items"]} == set(asked)
    patient.put(waiting, {"told": {"phlegm": "blood", "chills": "no"}})
    doctor, _practitioner = doctor_caller(clinic)
    called = doctor.make("/staff/next")
    case = doctor.get(f"/staff/consultations/{called['state_id']}/{called['id']}")
    assert {"question": "Do you shiver with cold?", "answer": "No"} in case["intake"]["asked"]
    late = patient.send("PUT", waiting, {"told": {"chills": "yes"}})
    assert (late.status_code, late.json()["type"]) == (
        409,
        "urn:sanjeevani:problem:CalledMeanwhile",
    )
