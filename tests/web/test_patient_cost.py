"""What the patient's pages cost: statements, and bytes over the wire."""

import datetime
import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from sanjeevani.consultation.services import answer, call_next
from sanjeevani.foundation import clock
from sanjeevani.identity.models import Account
from tests import factories

pytestmark = pytest.mark.django_db

STATEMENTS = {
    "/": 2,
    "/people": 5,
    "/people/{patient}/danger": 4,
    "/people/{patient}/trouble": 5,
    "/people/{patient}/opds": 30,
    "/people/{patient}/opds/28/{clinic}": 14,
    "/consultations": 3,
}


@pytest.fixture
def met(client: Client) -> dict[str, Any]:
    """A patient signed in before a state's clinic and a national one, each with a doctor."""
    factories.StateFactory.create()
    factories.SymptomFactory.create()
    clinic = factories.ClinicFactory.create()
    national = factories.ClinicFactory.create(
        line=factories.LineFactory.create(facility=factories.FacilityFactory.create(state_id=0)),
        serves=[28],
    )
    doctors = [factories.on_duty(clinic), factories.on_duty(national, state_id=0)]
    patient = factories.PatientFactory.create()
    factories.ConsentFactory.create(patient=patient)
    factories.sign_in(client, Account.objects.get(id=patient.account_id))
    client.post(f"/people/{patient.id}/danger", {"sign": "none"})
    client.post(f"/people/{patient.id}/trouble", {"complaints": ["fever"]})
    return {"patient": patient, "clinic": clinic, "doctor": doctors[0]}


@pytest.mark.parametrize("page", STATEMENTS)
def test_statements_of_pages(
    client: Client, met: dict[str, Any], page: str, django_assert_max_num_queries: Any
) -> None:
    address = page.format(patient=met["patient"].id, clinic=met["clinic"].id)
    with django_assert_max_num_queries(STATEMENTS[page]):
        assert client.get(address).status_code == 200


def test_strangers_cost_the_first_page_no_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/").status_code == 200


def test_statements_of_a_consultation(
    client: Client, met: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    consultation = factories.requested(met["clinic"], met["patient"])
    address = f"/consultations/28/{consultation.id}"
    for stage in ("waiting", "called", "talking"):
        if stage == "called":
            call_next(factories.doctor(met["doctor"]), practitioner=met["doctor"])
        elif stage == "talking":
            person = factories.person(met["patient"].account_id)
            answer(person, state_id=28, consultation_id=consultation.id)
        # A colleague who was asked in is shown in the call.
        asked = stage == "talking"
        # What was told, and what is asked about it, which is kept from then on.
        told = 2 * (stage == "waiting")
        page = 9 + asked + told
        for part, most in (("", page), ("/status", 7), ("/messages", 3), ("/ticket", 2)):
            with django_assert_max_num_queries(most):
                assert client.get(address + part).status_code == 200


def test_a_known_fragment_is_not_sent_again(client: Client, met: dict[str, Any]) -> None:
    consultation = factories.requested(met["clinic"], met["patient"])
    for part in ("status", "messages"):
        address = f"/consultations/28/{consultation.id}/{part}"
        etag = client.get(address).headers["ETag"]
        again = client.get(address, headers={"If-None-Match": etag})
        assert again.status_code == 304
        assert not again.content
    call_next(factories.doctor(met["doctor"]), practitioner=met["doctor"])
    address = f"/consultations/28/{consultation.id}/status"
    at = timezone.now()
    with clock.driven_by(lambda: at):
        etag = client.get(address).headers["ETag"]
        # The form's token differs each time, and is no news.
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
    with clock.driven_by(lambda: at + datetime.timedelta(seconds=200)):
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_the_first_page_is_light(client: Client, met: dict[str, Any]) -> None:
    page = Client().get("/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    weight = len(page.content)
    for address in re.findall(
        r'(?:href|src)="/static/([^"]+\.(?:css|js|svg))"', gzip.decompress(page.content).decode()
    ):
        weight += len(gzip.compress(Path(settings.STATIC_ROOT, address).read_bytes()))
    assert weight <= 30_000
