"""The pages of a spoke: accessible, in both languages, at both widths."""

from typing import Any

import pytest
from django.test import Client

from sanjeevani.consultation.services import call_next
from sanjeevani.consultation.transfers import return_to_patient
from sanjeevani.patients.models import Patient
from tests import factories
from tests.web.looks import LANGUAGES, faults_in
from tests.web.test_counter import LIST, Counter
from tests.web.test_spoke import TOLD, Spoke

pytestmark = pytest.mark.django_db


def spokes(client: Client) -> dict[str, Any]:
    """What the pages answer, empty, in the middle of a day, and to what is wrong."""
    spoke = Spoke(client)
    factories.ask_about_fever()
    empty = client.get("/spoke")
    nobody = client.post("/spoke/find", {"sought": "Nobody"})
    wrong = spoke.register(name="")
    spoke.register()
    sita = Patient.objects.get(state_id=28)
    person = f"/spoke/patients/{sita.id}"
    consent = client.get(f"/people/{sita.id}/consent")
    unready = client.post(f"/people/{sita.id}/consent") and client.get(f"{person}/hubs")
    mismeasured = client.post(f"{person}/measure", {"heart_rate": "9000"})
    spoke.ready()
    told = {"body_temperature": "101.3", "stools_per_day": "900"}
    misanswered = client.post(f"{person}/measure", told)
    doctor = factories.serving_on(spoke.line)
    answers = {
        "desk-empty": empty,
        "find": client.get("/spoke/find"),
        "find-nobody": nobody,
        "find-found": client.post("/spoke/find", {"sought": "Sita"}),
        "register": client.get("/spoke/register"),
        "register-wrong": wrong,
        "register-alike": spoke.register(
            mobile="9848012345", key="0190a6b5-7c1e-7000-8000-00000000000c", name="Gita"
        )
        and spoke.register(
            mobile="9848012345", key="0190a6b5-7c1e-7000-8000-00000000000d", name="Gita"
        ),
        **mobiles(spoke, client),
        "kept": client.get("/spoke/kept"),
        "visit": client.get("/spoke/visit"),
        "visit-wrong": client.post(
            "/spoke/visit", Spoke.form() | {"age": "200", "heart_rate": "9000"}
        ),
        "consent": consent,
        "measure": client.get(f"{person}/measure"),
        "measure-wrong": mismeasured,
        "measure-answer-wrong": misanswered,
        "measure-late": client.get(f"{person}/measure?late"),
        "danger-late": client.get(f"/people/{sita.id}/danger?late"),
        "hubs-not-enough": unready,
        "hubs": client.get(f"{person}/hubs"),
        "ask": client.get(f"{person}/hubs/28/{spoke.line.id}"),
    }
    spoke.proof = "any"
    proof = spoke.ask(sita).headers["Location"]
    page = proof.removeprefix("/spoke").removesuffix("/presence")
    answers |= {
        "presence": client.get(proof),
        "presence-wrong": client.post(proof, {"do": "photo"}),
        "waiting": client.get(page),
        "more": client.get(f"{page}/more"),
        "more-wrong": client.post(f"{page}/more", {"temperature": "hot"}),
        "desk-waiting": client.get("/spoke"),
    }
    called = call_next(factories.doctor(doctor), practitioner=doctor)
    answers |= {"desk-called": client.get("/spoke"), "person": client.get(f"/people/{sita.id}")}
    return_to_patient(
        factories.doctor(doctor),
        practitioner=doctor,
        state_id=called.state_id,
        consultation_id=called.id,
        reason="Measure the blood pressure",
    )
    answers |= {
        "again": client.get(f"{page}/again"),
        "again-wrong": client.post(f"{page}/again", TOLD | {"heart_rate": "9000"}),
    }
    client.post(f"{page}/again", TOLD | {"heart_rate": "45"})
    answers["waiting-emergency"] = client.get(page)
    return answers


def mobiles(spoke: Spoke, client: Client) -> dict[str, Any]:
    """A mobile that others use: told, sent a code, and a wrong one; and none at all."""
    taken = factories.AccountFactory().mobile
    address = spoke.register(
        name="Radha", mobile=taken, key="0190a6b5-7c1e-7000-8000-00000000000e"
    ).headers["Location"]
    radha = Patient.objects.get(state_id=28, name="Radha")
    return {
        "mobile-told": client.get(address),
        "mobile-sent": client.post(address, {"do": "send", "mobile": taken}),
        "mobile-wrong": client.post(address, {"do": "send", "mobile": "12"}),
        "person-without": client.get(f"/people/{radha.id}"),
    }


def counters(client: Client) -> dict[str, Any]:
    """The counter and the stock, as a pharmacist and a health worker see them."""
    counter = Counter(client)
    counter.do(do="confirm_consent:done", outcome="prescription", follow_up_days="3")
    pharmacist = counter.pharmacist()
    pharmacist.cookies["language"] = client.cookies["language"].value
    answers = {
        "counter": pharmacist.get(LIST),
        "counter-unknown": pharmacist.post(LIST, {"shown": "0000-0000-0000"}),
        "counter-wrong": pharmacist.post(LIST, {"shown": "12"}),
        "hand-out": pharmacist.get(counter.address),
        "hand-out-wrong": pharmacist.post(counter.address, {counter.code: "part"}),
    }
    part = {counter.code: "part", f"{counter.code}.given": "5"}
    answers |= {
        "hand-out-saved": pharmacist.post(counter.address, part, follow=True),
        "slip": pharmacist.get(f"{counter.address}/slip"),
        "counter-missing": pharmacist.get(LIST),
        "stock-out": pharmacist.get("/spoke/stock", {"only": "out"}),
    }
    answers["stock-changed"] = pharmacist.post(
        "/spoke/stock?q=para", {"medicine": counter.code, "to": "in"}, follow=True
    )
    answers["desk-to-do"] = client.get("/spoke")
    return answers


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits(reference: None, client: Client, language: str) -> None:
    client.cookies["language"] = language
    answers = spokes(client)
    for name, answer in answers.items():
        assert answer.status_code in (200, 409, 422), (name, answer.status_code)
    assert faults_in(answers, language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_counter_is_accessible_and_fits(reference: None, client: Client, language: str) -> None:
    client.cookies["language"] = language
    assert faults_in(counters(client), language) == []
