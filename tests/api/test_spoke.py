"""A spoke's own app, by JSON alone: register, measure, ask a hub, sit in the call, print."""

import datetime
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from sanjeevani.consultation.models import Consultation, PatientPresence
from sanjeevani.consultation.transfers import refer_up
from sanjeevani.directory.models import Facility, LineKind, Post
from sanjeevani.directory.queries import hubs_for
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.identity.models import Account
from sanjeevani.identity.services import set_password
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.patients.models import Consent, Patient, SpokePatient
from sanjeevani.queueing.models import PriorityClass, Token
from sanjeevani.web.access import SESSION_COOKIE
from tests.api.at_spoke import REGISTRATION, VITALS, Spoke, acting, picture, upload
from tests.api.caller import Caller, caller_of, fresh_id, new_key, patient_caller
from tests.api.test_bad_input import refused
from tests.documents.test_uploads import pdf
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    AccountFactory,
    FacilityFactory,
    HubLinkFactory,
    LineFactory,
    StateFactory,
    doctor,
    worker_at,
)
from tests.identity.helpers import sent_code

pytestmark = pytest.mark.usefixtures("reference")


@pytest.fixture
def spoke() -> Spoke:
    return Spoke()


@pytest.fixture
def asking_for_proof() -> Spoke:
    return Spoke(proof="any")


def signed_in(spoke: Spoke) -> Caller:
    """Sign a health worker of the spoke in by user name and password."""
    actor = worker_at(spoke.facility)
    assert actor.account_id
    account = Account.objects.get(id=actor.account_id)
    set_password(SYSTEM, account_id=account.id, password="three quiet words")
    session = Caller().send(
        "POST", "/staff/sessions", {"login": account.login, "password": "three quiet words"}
    )
    assert session.status_code == 201
    assert [post["at_spoke"] for post in session.json()["posts"]] == [True]
    return Caller(session.json()["token"])


def test_from_sign_in_to_the_printed_prescription(asking_for_proof: Spoke) -> None:
    spoke = asking_for_proof
    worker, hub_doctor = signed_in(spoke), spoke.doctor
    [post] = worker.get("/staff/posts")["items"]
    assert post["facility"] == spoke.facility.name

    assert worker.post("/spoke/patients/search", {"mobile": "9876543210"}) == {"items": []}
    made = worker.make("/spoke/patients", REGISTRATION)
    assert (made["name"], made["has_consent"]) == ("Sita Devi", False)
    assert Account.objects.get(kind="patient").language == "hi"
    person = f"/profiles/{made['id']}"
    refused(worker.send("PUT", f"{person}/consent?notice=2026-11"), 409, "NoticeChanged")
    worker.put(f"{person}/consent?notice={worker.get('/notice')['version']}")
    assert worker.get(person)["has_consent"]
    consent = Consent.objects.get(state_id=ANDHRA_PRADESH, patient_id=made["id"])
    assert consent.obtained_by_post_id is not None

    questions = worker.get(f"{person}/danger-questions")["items"]
    assert "fever" in {one["code"] for one in worker.get(f"{person}/symptoms")["items"]}
    told = {
        "complaints": ["fever"],
        "text": "High every evening",
        "duration_days": 3,
        "answers": {question["code"]: False for question in questions},
    }
    assert worker.put(f"{person}/intake", told)["danger"] == []
    measurable = {one["code"]: one for one in worker.get("/spoke/vitals")["items"]}
    assert measurable["body_temperature"]["unit"] == "Cel"
    measured = worker.put(f"/spoke/patients/{made['id']}/vitals", {"values": VITALS})
    assert measured["early_warning"]["total"] == 2
    assert "respiratory_rate" in measured["early_warning"]["missing"]
    assert not measured["danger"]
    assert upload(worker, f"{person}/papers").status_code == 201

    hubs = worker.get(f"/spoke/patients/{made['id']}/hubs")
    assert (hubs["missing"], hubs["emergency"], hubs["companion_missing"]) == ([], False, False)
    [hub] = hubs["items"]
    assert hub["id"] == str(spoke.line.id)
    assert [one["name"] for one in hub["doctors"]] == [spoke.practitioner.name]
    assert hub["expected_wait"]["low"] < hub["expected_wait"]["high"]
    assert hub["doctors"][0]["gender"] == "female"
    assert hub["doctors"][0]["languages"] == ["en", "hi"]
    asking = spoke.asking(gender_preference="female")
    token = worker.make(f"/spoke/patients/{made['id']}/consultations", asking)
    assert token["number"] == 1
    asked = Consultation.objects.get(state_id=token["state_id"], id=token["id"])
    assert asked.token.gender_preference == "female"
    path = f"/consultations/{token['state_id']}/{token['id']}"

    [listed] = worker.get("/consultations")["items"]
    assert (listed["hub"]["id"], listed["token_status"]) == (hub["id"], "waiting")
    waiting = worker.get(path)
    assert waiting["token"]["place"] == 1
    assert waiting["presence"] == {"ways": ["photo", "code"], "shown_by": None}
    assert hub_doctor.make("/staff/next")["id"] == token["id"]
    refused(worker.send("POST", f"{path}/answer"), 409, "PresenceUnproven")
    sent = worker.send("POST", f"/spoke{path}/presence/codes")
    assert sent.status_code == 202
    told_code = {"challenge": sent.json()["challenge"], "code": sent_code("+919876543210")}
    shown = worker.put(f"/spoke{path}/presence/code", told_code)
    assert shown["shown_by"] == "code"
    assert worker.get(path)["presence"]["shown_by"] == "code"

    assert worker.post(f"{path}/answer")["status"] == "in_progress"
    seat = worker.get(f"{path}/seat")
    assert seat["ticket"]
    assert seat["url"].endswith("/live/room")
    assert worker.get(f"{path}/ticket")["url"].endswith("/live/events")
    [line] = hub_doctor.get("/staff/desk")["lines"]
    assert line["hub"]["id"] == hub["id"]
    case = hub_doctor.get(f"/staff{path}")
    assert case["spoke"]["facility"] == spoke.facility.name
    assert case["spoke"]["shown_by"] == "code"
    assert {one["shown"] for one in case["intake"]["vitals"]} >= {"38.5 °C"}
    assert case["intake"]["early_warning"]["total"] == 2
    hub_doctor.make(f"/staff{path}/messages", {"text": "Does she drink?"})
    worker.make(f"{path}/messages", {"text": "Yes, a little"})
    assert [one["seat"] for one in worker.get(f"{path}/messages")["items"]] == ["host", "guest"]
    prescribe(hub_doctor, path)

    done = worker.get(path)
    assert (done["status"], done["outcome"]) == ("completed", "prescription")
    assert done["findings"]["advice"] == "Rest and drink."
    prescription = worker.get(f"{path}/prescription")
    assert prescription["number"] == done["prescription_number"]
    printed = worker.send("GET", f"{path}/prescription.pdf")
    assert printed.content.startswith(b"%PDF")
    refused(worker.send("PUT", f"{path}/feedback", {"rating": 5}), 403, "NotPermitted")

    [waits] = worker.get("/spoke/counter")["waiting"]
    assert waits["number"] == prescription["number"]
    counter = f"/spoke/counter/{waits['state_id']}/{waits['id']}"
    [medicine] = worker.get(counter)["medicines"]
    given = {"medicine_code": medicine["code"], "handing": "full"}
    handed = worker.make(f"{counter}/handed", {"medicines": [given]})
    assert handed["medicines"][0]["handed"]["handing"] == "full"
    assert worker.get("/spoke/counter") == {"waiting": [], "missing": []}


def prescribe(doctor: Caller, path: str) -> None:
    """Let the doctor prescribe paracetamol and finish."""
    doctor.put(f"/staff{path}/note", {"advice": "Rest and drink.", "diagnoses": ["R50.9"]})
    read = doctor.get("/staff/shorthand?q=pcm+650+1-0-1+5d+after+food")
    doctor.post(f"/staff{path}/items", read["item"])
    doctor.make(f"/staff{path}/sign")
    doctor.post(f"/staff{path}/conclude", {"outcome": "prescription"})


def test_one_registration_one_patient(spoke: Spoke) -> None:
    key = new_key()
    first = spoke.worker.make("/spoke/patients", REGISTRATION, key)
    again = spoke.worker.send("POST", "/spoke/patients", REGISTRATION, Idempotency_Key=key)
    assert again.json() == first
    assert again.headers["Idempotent-Replayed"] == "true"
    other = REGISTRATION | {"name": "Gita Devi"}
    reused = spoke.worker.send("POST", "/spoke/patients", other, Idempotency_Key=key)
    refused(reused, 422, "KeyReused")
    alike = spoke.worker.send("POST", "/spoke/patients", REGISTRATION, Idempotency_Key=new_key())
    refused(alike, 409, "AlreadyRegistered")
    assert alike.json()["patient_id"] == first["id"]
    assert Patient.objects.filter(state_id=ANDHRA_PRADESH).count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"mobile": "12345"}, "mobile"),
        ({"mobile": ""}, "mobile"),
        ({"abha_number": "123"}, "abha_number"),
        ({"language": "fr"}, "language"),
        ({"relation": "resident"}, "relation"),
        ({"birth_date": "2999-01-01"}, "birth_date"),
        ({"spoke_id": "0190a6b5-7c1e-7000-8000-000000000000"}, "spoke_id"),
    ],
)
def test_a_registration_that_is_not_one(spoke: Spoke, change: Any, field: str) -> None:
    answer = spoke.worker.send(
        "POST", "/spoke/patients", REGISTRATION | change, Idempotency_Key=new_key()
    )
    assert answer.status_code == 422
    assert field in answer.content.decode()
    assert not Patient.objects.filter(state_id=ANDHRA_PRADESH).exists()


def test_who_is_found_and_who_is_not(spoke: Spoke) -> None:
    numbered = spoke.registered(abha_number="12-3456-7890-1234")
    search = "/spoke/patients/search"
    for sought in (
        {"mobile": "+91 98765 43210"},
        {"abha_number": "12345678901234"},
        {"name": "sita", "birth_year": 1990},
    ):
        [found] = spoke.worker.post(search, sought)["items"]
        assert found["id"] == numbered
    assert AuditEvent.objects.filter(state_id=ANDHRA_PRADESH, verb="patients.find").count() == 3
    assert spoke.worker.post(search, {"name": "sita", "birth_year": 1970})["items"] == []
    for body in ({}, {"mobile": "9876543210", "name": "Sita"}, {"mobile": "5"}):
        assert spoke.worker.send("POST", search, body).status_code == 422
    elsewhere = Spoke().worker
    assert elsewhere.post(search, {"name": "sita"})["items"] == []
    [whole] = elsewhere.post(search, {"mobile": "9876543210"})["items"]
    # Found is not yet taken in.
    refused(elsewhere.send("GET", f"/profiles/{numbered}"), 404, "NotFound")
    assert elsewhere.put(f"/spoke/patients/{whole['id']}")["id"] == numbered
    assert elsewhere.get(f"/profiles/{numbered}")["name"] == "Sita Devi"
    assert [one["id"] for one in elsewhere.get("/spoke/patients")["items"]] == [numbered]
    assert SpokePatient.objects.filter(state_id=ANDHRA_PRADESH).count() == 2


def test_nobody_reads_the_register_by_trying_numbers(spoke: Spoke, settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {"searches_per_account": (2, 600)}
    sought = {"mobile": "9876543210"}
    for _time in range(2):
        spoke.worker.post("/spoke/patients/search", sought)
    answer = spoke.worker.send("POST", "/spoke/patients/search", sought)
    refused(answer, 429, "TooMany")
    assert int(answer.headers["Retry-After"]) > 0


def test_measurements_that_nobody_has_are_not_kept(spoke: Spoke) -> None:
    patient_id = spoke.registered()
    vitals = f"/spoke/patients/{patient_id}/vitals"
    spoke.worker.put(vitals, {"values": {"body_temperature": 37}})
    for values, field in (
        ({"body_temperature": 101.3}, "body_temperature"),
        ({"systolic_blood_pressure": 80, "diastolic_blood_pressure": 120}, "systolic"),
        ({"mood": 3}, "values"),
        ({"consciousness": 5}, "consciousness"),
        ({"consciousness": 1.5}, "consciousness"),
        ({"body_mass_index": 20}, "values"),
    ):
        answer = spoke.worker.send("PUT", vitals, {"values": values})
        refused(answer, 422, "Invalid")
        assert field in answer.json()["field"]
    assert spoke.worker.get(vitals)["values"] == {"body_temperature": 37}
    alarming = spoke.worker.put(vitals, {"values": {"heart_rate": 170}})
    assert [one["alarming"] for one in alarming["readings"]] == [True]
    assert alarming["danger"]
    # What the patient tells afterwards takes nothing of it away.
    spoke.tell(patient_id)
    assert spoke.worker.get(vitals)["values"] == {"heart_rate": 170}
    assert spoke.worker.get(f"/spoke/patients/{patient_id}/hubs")["emergency"]


def test_a_hub_is_asked_only_with_what_a_doctor_needs(spoke: Spoke) -> None:
    patient_id = spoke.registered()
    ask = f"/spoke/patients/{patient_id}/consultations"

    def refusal(status: int, name: str) -> Any:
        answer = spoke.worker.send("POST", ask, spoke.asking(), Idempotency_Key=new_key())
        refused(answer, status, name)
        return answer.json()

    missing = spoke.worker.get(f"/spoke/patients/{patient_id}/hubs")["missing"]
    assert [one["field"] for one in missing] == ["complaints", "duration_days", "text", "vitals"]
    assert refusal(422, "NotEnough")["errors"] == missing
    spoke.tell(patient_id)
    [left] = refusal(422, "NotEnough")["errors"]
    assert left["field"] == "vitals"
    spoke.worker.put(f"/spoke/patients/{patient_id}/vitals", {"values": VITALS})
    refusal(409, "ConsentMissing")
    spoke.worker.put(f"/profiles/{patient_id}/consent")
    spoke.tell(patient_id, answers={})
    refusal(409, "DangerUnanswered")
    spoke.tell(patient_id)
    spoke.asked(patient_id)


def test_asking_twice_is_once(spoke: Spoke) -> None:
    patient_id = spoke.ready()
    ask, key = f"/spoke/patients/{patient_id}/consultations", new_key()
    first = spoke.worker.make(ask, spoke.asking(), key)
    assert spoke.worker.make(ask, spoke.asking(), key) == first
    assert Token.objects.filter(state_id=ANDHRA_PRADESH).count() == 1


def test_a_doctor_by_name_and_in_writing(spoke: Spoke) -> None:
    patient_id = spoke.ready()
    ask = f"/spoke/patients/{patient_id}/consultations"
    named = {"practitioner_id": "0190a6b5-7c1e-7000-8000-000000000000"}
    for wrong in (named, {"language": "xx"}):
        answer = spoke.worker.send("POST", ask, spoke.asking(**wrong), Idempotency_Key=new_key())
        refused(answer, 422, "Invalid")
    path = spoke.asked(patient_id, practitioner_id=str(spoke.practitioner.id))
    assert spoke.worker.get(path)["hub"]["id"] == str(spoke.line.id)
    assert f"/consultations/{ANDHRA_PRADESH}/" + spoke.doctor.make("/staff/next")["id"] == path

    spoke.doctor.post(f"/staff{path}/hand-back", {"reason": "Somebody else"})
    written = spoke.asked(spoke.ready(name="Radha Devi"), in_writing=True)
    held = spoke.worker.get(written)
    assert held["due_at"] is not None
    assert held["presence"]["ways"] == []
    assert spoke.doctor.get("/staff/desk")["inbox"]["waiting"] == 1


def test_an_emergency_goes_first(spoke: Spoke) -> None:
    patient_id = spoke.registered()
    spoke.worker.put(f"/profiles/{patient_id}/consent")
    questions = spoke.worker.get(f"/profiles/{patient_id}/danger-questions")["items"]
    spoke.tell(patient_id, answers={questions[0]["code"]: True})
    hubs = spoke.worker.get(f"/spoke/patients/{patient_id}/hubs")
    assert hubs["emergency"]
    assert hubs["missing"] == []
    path = spoke.asked(patient_id)
    [asked] = Consultation.objects.filter(state_id=ANDHRA_PRADESH).select_related("token")
    assert asked.token.priority_class == PriorityClass.EMERGENCY
    assert spoke.worker.get(path)["presence"]["ways"] == []


def test_presence_by_a_photo_once(asking_for_proof: Spoke) -> None:
    spoke = asking_for_proof
    path = spoke.asked()
    photo = f"/spoke{path}/presence/photo"
    refused(upload(spoke.worker, photo, pdf(), "application/pdf"), 422, "Invalid")
    refused(upload(spoke.worker, photo, b"nothing"), 415, "WrongKindOfFile")
    key = new_key()
    shown = upload(spoke.worker, photo, key=key)
    assert shown.json()["shown_by"] == "photo"
    assert upload(spoke.worker, photo, key=key).headers["Idempotent-Replayed"] == "true"
    assert upload(spoke.worker, photo, picture("JPEG")).json() == shown.json()
    assert PatientPresence.objects.filter(state_id=ANDHRA_PRADESH).count() == 1
    refused(spoke.worker.send("POST", f"/spoke{path}/presence/codes"), 409, "Stale")


def test_a_wrong_code_is_counted_and_shows_nothing(asking_for_proof: Spoke) -> None:
    spoke = asking_for_proof
    path = spoke.asked()
    sent = spoke.worker.send("POST", f"/spoke{path}/presence/codes").json()
    right = sent_code("+919876543210")
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _try in range(5):
        told = {"challenge": sent["challenge"], "code": wrong}
        answer = spoke.worker.send("PUT", f"/spoke{path}/presence/code", told)
        assert answer.status_code in (410, 422)
    told = {"challenge": sent["challenge"], "code": right}
    answer = spoke.worker.send("PUT", f"/spoke{path}/presence/code", told)
    assert answer.json()["type"].endswith(":CodeDead")
    assert not PatientPresence.objects.filter(state_id=ANDHRA_PRADESH).exists()


def test_a_colleague_goes_on_and_the_patients_account_does_not(spoke: Spoke) -> None:
    path = spoke.asked()
    colleague = spoke.colleague()
    assert colleague.get(path)["status"] == "requested"
    assert [one["id"] for one in colleague.get("/consultations")["items"]] == [path[-36:]]
    spoke.doctor.make("/staff/next")
    assert colleague.post(f"{path}/answer")["status"] == "in_progress"
    stranger = patient_caller()
    refused(stranger.send("GET", path), 404, "NotFound")


def test_giving_up_a_request(spoke: Spoke) -> None:
    path = spoke.asked()
    for _time in range(2):
        assert spoke.worker.post(f"{path}/cancel")["status"] == "cancelled"


def test_the_day_goes_on_by_cursor_and_is_polled(spoke: Spoke) -> None:
    paths = [spoke.asked(spoke.ready(name=f"Patient {one}")) for one in ("A", "B", "C")]
    first = spoke.worker.get("/consultations?limit=2")
    rest = spoke.worker.get(f"/consultations?limit=2&cursor={first['next']}")
    seen = [one["id"] for one in (*first["items"], *rest["items"])]
    assert seen == [path[-36:] for path in reversed(paths)]
    assert rest["next"] is None
    # A cursor belongs to its account.
    other = spoke.colleague().send("GET", f"/consultations?limit=2&cursor={first['next']}")
    refused(other, 422, "Invalid")
    etag = spoke.worker.send("GET", "/consultations").headers["ETag"]
    assert spoke.worker.send("GET", "/consultations", If_None_Match=etag).status_code == 304
    spoke.worker.post(f"{paths[0]}/cancel")
    assert spoke.worker.send("GET", "/consultations", If_None_Match=etag).status_code == 200


def test_a_hub_that_does_not_answer_this_spoke_is_not_there(spoke: Spoke) -> None:
    patient_id = spoke.ready()
    unlinked = LineFactory(facility=FacilityFactory(is_hub=True), kind="hub")
    ask = f"/spoke/patients/{patient_id}/consultations"
    body = spoke.asking(hub_id=str(unlinked.id))
    refused(spoke.worker.send("POST", ask, body, Idempotency_Key=new_key()), 404, "NotFound")
    # The hub answers another spoke of the state.
    HubLinkFactory(hub=Facility.objects.get(state_id=28, id=unlinked.facility_id))
    refused(spoke.worker.send("POST", ask, body, Idempotency_Key=new_key()), 404, "NotFound")
    assert not Token.objects.filter(state_id=ANDHRA_PRADESH).exists()


def test_a_post_that_has_ended_opens_nothing(spoke: Spoke) -> None:
    path = spoke.asked()
    patient_id = spoke.worker.get(path)["patient_id"]
    Post.objects.filter(state_id=ANDHRA_PRADESH, facility_id=spoke.facility.id).update(
        ended_at=timezone.now()
    )
    for address in (path, f"/profiles/{patient_id}", "/spoke/patients", "/consultations"):
        refused(spoke.worker.send("GET", address), 403, "PostNotChosen")


def test_staff_who_sit_beside_nobody_pass_no_door_of_the_spoke(spoke: Spoke) -> None:
    """The hub's doctor, whose facility is no spoke, a pharmacist, and a patient."""
    path = spoke.asked()
    pharmacist = spoke.colleague("pharmacist")
    for caller in (spoke.doctor, pharmacist):
        for address in (path, "/consultations", "/spoke/patients", "/spoke/vitals"):
            refused(caller.send("GET", address), 403, "NotPermitted")
    refused(patient_caller().send("GET", "/spoke/patients"), 403, "NotPermitted")


def test_a_state_away_nobody_is_found(spoke: Spoke) -> None:
    patient_id = spoke.registered()
    StateFactory(lgd_code=TAMIL_NADU)
    worker = acting(worker_at(FacilityFactory(state_id=TAMIL_NADU, is_spoke=True)))
    assert worker.post("/spoke/patients/search", {"mobile": "9876543210"})["items"] == []
    refused(worker.send("PUT", f"/spoke/patients/{patient_id}"), 404, "NotFound")


def test_a_visit_that_was_kept_without_a_link(spoke: Spoke) -> None:
    at = (clock.now() - datetime.timedelta(hours=3)).replace(microsecond=0)
    visit: dict[str, Any] = {
        "patient": REGISTRATION,
        "intake": {"complaints": ["fever"], "text": "High every evening", "duration_days": 3},
        "vitals": VITALS,
        "entered_at": timezone.localtime(at).isoformat(),
    }
    key = new_key()
    entered = spoke.worker.make("/spoke/visits", visit, key)
    assert spoke.worker.make("/spoke/visits", visit, key) == entered
    [listed] = spoke.worker.get("/spoke/visits")["items"]
    assert listed["patient_id"] == entered["id"]
    assert listed["entered_at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"
    again = spoke.worker.send("POST", "/spoke/visits", visit, Idempotency_Key=new_key())
    refused(again, 409, "AlreadyRegistered")
    spoke.worker.make("/spoke/visits", visit | {"same": again.json()["patient_id"]})
    nobody = visit | {"same": fresh_id()}
    unknown = spoke.worker.send("POST", "/spoke/visits", nobody, Idempotency_Key=new_key())
    refused(unknown, 404, "NotFound")
    assert Patient.objects.filter(state_id=ANDHRA_PRADESH).count() == 1
    assert spoke.worker.get(f"/spoke/patients/{entered['id']}/vitals")["values"] == VITALS
    for wrong in (
        {"entered_at": "yesterday"},
        {"entered_at": "2026-03-27T09:30:00"},
        {"vitals": {"heart_rate": 9999}},
        {"intake": {"complaints": ["no_such"]}},
        {"patient": visit["patient"] | {"birth_date": "3000-01-02"}, "intake": {}},
        {"patient": visit["patient"] | {"birth_date": "1001-01-02"}, "intake": {}},
    ):
        answer = spoke.worker.send(
            "POST", "/spoke/visits", visit | wrong, Idempotency_Key=new_key()
        )
        assert answer.status_code == 422, wrong
    spoke.worker.put(f"/profiles/{entered['id']}/consent")
    spoke.tell(entered["id"])
    spoke.asked(entered["id"])
    assert spoke.worker.get("/spoke/visits")["items"] == []
    assert not OutgoingMessage.objects.filter(mobile="").exists()


def test_what_is_to_be_done_afterwards(spoke: Spoke) -> None:
    path = spoke.asked(in_writing=True)
    spoke.doctor.make("/staff/written")
    spoke.doctor.put(f"/staff{path}/note", {"advice": "Rest."})
    spoke.doctor.post(f"/staff{path}/conclude", {"outcome": "advice"})
    [to_do] = spoke.worker.get("/spoke/to-dos")["open"]
    assert (to_do["kind"], to_do["consultation"]["id"]) == ("answer", path[-36:])
    assert to_do["mobile"] == "+919876543210"
    body = {"consultation_id": path[-36:], "kind": "answer", "done": True}
    refused(Spoke().worker.send("PUT", "/spoke/to-dos", body), 404, "NotFound")
    refused(spoke.worker.send("PUT", "/spoke/to-dos", body | {"kind": "x"}), 422, "Invalid")
    for _time in range(2):
        spoke.worker.put("/spoke/to-dos", body)
    listed = spoke.worker.get("/spoke/to-dos")
    assert (listed["open"], [one["kind"] for one in listed["done"]]) == ([], ["answer"])
    spoke.worker.put("/spoke/to-dos", body | {"done": False})
    assert spoke.worker.get("/spoke/to-dos")["done"] == []


def test_the_doctor_reads_on_when_the_spoke_has_closed(spoke: Spoke) -> None:
    path = spoke.asked()
    spoke.doctor.make("/staff/next")
    spoke.worker.post(f"{path}/answer")
    Facility.objects.filter(state_id=ANDHRA_PRADESH, id=spoke.facility.id).update(
        closed_at=timezone.now()
    )
    assert spoke.doctor.get(f"/staff{path}")["spoke"]["facility"] == spoke.facility.name
    browser = Client()
    browser.cookies[SESSION_COOKIE] = spoke.doctor.token or ""
    page = browser.get(f"/desk/consultations/{path.removeprefix('/consultations/')}")
    assert page.status_code == 200
    assert spoke.facility.name in page.content.decode()


def test_a_longer_day_costs_no_more_statements(spoke: Spoke) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as made:
            spoke.worker.get("/consultations")
            spoke.worker.get("/spoke/to-dos")
            spoke.worker.get("/spoke/visits")
        return len(made)

    spoke.asked()
    spoke.worker.get("/consultations")
    short = statements()
    for name in ("A", "B", "C"):
        spoke.asked(spoke.ready(name=f"Patient {name}"))
    assert statements() == short


def test_a_child_is_seen_with_an_adult(spoke: Spoke) -> None:
    child = spoke.ready(name="Munna", relation="child", birth_date="2021-03-04")
    ask, key = f"/spoke/patients/{child}/consultations", new_key()
    assert spoke.worker.get(f"/spoke/patients/{child}/hubs")["companion_missing"]
    alone = spoke.worker.send("POST", ask, spoke.asking(), Idempotency_Key=key)
    refused(alone, 409, "CompanionMissing")
    mother = {"name": "Sita Devi", "bond": "parent", "may_collect": True, "may_speak": True}
    spoke.worker.make(f"/profiles/{child}/representatives", mother)
    [companion] = spoke.worker.get(f"/profiles/{child}/companions")["items"]
    spoke.worker.make(ask, spoke.asking(companion_id=companion["id"]), key)
    path = f"/consultations/{ANDHRA_PRADESH}/" + spoke.doctor.make("/staff/next")["id"]
    assert spoke.doctor.get(f"/staff{path}")["intake"]["companion"]["name"] == "Sita Devi"


def test_what_the_doctor_asks_for_is_added_and_measured(spoke: Spoke) -> None:
    path = spoke.asked()
    patient_id = spoke.worker.get(path)["patient_id"]
    spoke.doctor.make("/staff/next")
    spoke.doctor.post(f"/staff{path}/return", {"reason": "Measure the blood pressure"})
    assert spoke.worker.get(path)["missing"] == "Measure the blood pressure"
    pressure = {"systolic_blood_pressure": 132, "diastolic_blood_pressure": 84}
    spoke.worker.put(f"/spoke/patients/{patient_id}/vitals", {"values": pressure})
    for _time in range(2):
        assert spoke.worker.post(f"{path}/again")["status"] == "requested"
    spoke.doctor.make("/staff/next")
    shown = {one["shown"] for one in spoke.doctor.get(f"/staff{path}")["intake"]["vitals"]}
    assert {"132/84 mmHg", "38.5 °C"} <= shown


def test_who_is_referred_up_goes_on_at_the_specialist(spoke: Spoke) -> None:
    hospital = FacilityFactory(is_hub=True)
    LineFactory(facility=hospital, kind=LineKind.HUB, speciality_code="cardiology")
    HubLinkFactory(spoke=spoke.facility, hub=hospital, position=2)
    path = spoke.asked()
    spoke.doctor.make("/staff/next")
    spoke.worker.post(f"{path}/answer")
    spoke.doctor.put(f"/staff{path}/note", {"advice": "See the heart specialist."})
    [choice] = [
        one
        for one in hubs_for(ANDHRA_PRADESH, spoke.facility.id)
        if one.line.speciality_code == "cardiology"
    ]
    refer_up(
        doctor(spoke.practitioner),
        practitioner=spoke.practitioner,
        state_id=ANDHRA_PRADESH,
        consultation_id=uuid.UUID(path[-36:]),
        choice=choice,
        reason="A murmur",
    )
    done = spoke.worker.get(path)
    assert done["outcome"] == "referred_up"
    on = done["referred_to"]
    following = spoke.worker.get(f"/consultations/{on['state_id']}/{on['id']}")
    assert (following["hub"]["speciality"], following["status"]) == ("cardiology", "requested")


def test_a_mobile_that_others_use_is_joined_once_its_owner_agrees(spoke: Spoke) -> None:
    family = AccountFactory(mobile="+919876543210", login="+919876543210")
    at_home = caller_of(family)
    patient_id = spoke.registered()
    address = f"/spoke/patients/{patient_id}/mobile"
    told = {"mobile": "", "told": family.mobile, "may_change": True}
    assert spoke.worker.get(address) == told
    assert at_home.get("/profiles")["items"] == []

    sent = spoke.worker.send("POST", f"{address}/codes", {"mobile": "98765 43210"})
    assert sent.status_code == 202
    code = {"challenge": sent.json()["challenge"], "code": sent_code(family.mobile)}
    wrong = code | {"code": f"{(int(code['code']) + 1) % 10**6:06}"}
    refused(spoke.worker.send("PUT", address, wrong), 422, "WrongCode")
    assert spoke.worker.put(address, code)["id"] == patient_id
    assert [one["id"] for one in at_home.get("/profiles")["items"]] == [patient_id]
    assert spoke.worker.get(address)["may_change"] is False
    again = spoke.worker.send("POST", f"{address}/codes", {"mobile": "98765 43211"})
    refused(again, 422, "Invalid")
