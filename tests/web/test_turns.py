"""The strip on every page of a spoke's staff: whose turn it is."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.services import call_next
from sanjeevani.directory.models import Role
from sanjeevani.foundation.models import OutboxFact
from tests import factories
from tests.web.test_spoke import Spoke, spoke

pytestmark = pytest.mark.django_db

__all__ = ["spoke"]

OWN = ("/spoke/kept", "/spoke/visit")
OTHERS = ("/spoke", "/spoke/register", "/spoke/find", "/spoke/medicines")


def called(spoke: Spoke) -> tuple[str, Any]:
    """Let a doctor call the one who waits; return the address of the case and the case."""
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits()
    return page, call_next(factories.doctor(doctor), practitioner=doctor)


def test_every_page_says_who_waits_and_rings_when_the_turn_comes(
    spoke: Spoke, client: Client
) -> None:
    assert "turns__bar" not in client.get("/spoke/register").content.decode()
    doctor = factories.serving_on(spoke.line)
    page = spoke.waits()
    for address in OTHERS:
        shown = client.get(address).content.decode()
        assert "waits, token 1" in shown
        assert "data-call-now" not in shown
    held = call_next(factories.doctor(doctor), practitioner=doctor)
    for address in OTHERS:
        shown = client.get(address).content.decode()
        assert "It is the turn of Sita Devi: a doctor is calling." in shown
        assert f'data-call-now="{held.id}"' in shown
        assert f'href="{page}" target="_blank"' in shown
        assert "data-deadline" in shown
    # Also where a form comes back with what is wrong.
    wrong = client.post("/spoke/register", Spoke.form() | {"age": "200"})
    assert wrong.status_code == 422
    assert f'data-call-now="{held.id}"' in wrong.content.decode()
    client.post(f"{page}/answer")
    shown = client.get("/spoke/register").content.decode()
    assert "with the doctor" in shown
    assert "data-call-now" not in shown


def test_it_is_quiet_on_the_cases_own_page_and_at_other_spokes(
    spoke: Spoke, client: Client
) -> None:
    page, held = called(spoke)
    own = client.get(page).content.decode()
    assert f'data-call-now="{held.id}"' not in own
    assert own.count("data-call-now") == 1
    assert str(held.id) not in client.get(f"/spoke/turns?besides={held.id}").content.decode()
    assert str(held.id) in client.get("/spoke/turns?besides=nonsense").content.decode()

    elsewhere = Client()
    factories.enter(elsewhere, factories.worker_at(factories.FacilityFactory()))
    for address in ("/spoke", "/spoke/turns"):
        assert "Sita" not in elsewhere.get(address).content.decode()


def test_what_a_tablet_keeps_holds_nobody(spoke: Spoke, client: Client) -> None:
    _page, held = called(spoke)
    for address in OWN:
        shown = client.get(address).content.decode()
        assert "data-turns" not in shown
        assert "Sita" not in shown
        assert str(held.id) not in shown
    assert "data-live-ticket" not in shown


def test_what_is_answered_in_writing_does_not_wait_in_the_strip(
    spoke: Spoke, client: Client
) -> None:
    spoke.ask(spoke.ready(), doctor="later")
    assert Consultation.objects.get(state_id=28).due_at
    assert "turns__bar" not in client.get("/spoke/register").content.decode()


def test_the_strip_costs_one_statement_and_the_desk_none(spoke: Spoke, client: Client) -> None:
    def statements(address: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return [one["sql"] for one in captured if "consultation_consultation" in one["sql"]]

    called(spoke)
    assert len(statements("/spoke/register")) == 1
    assert len([sql for sql in statements("/spoke") if "calls_room" in sql]) == 1
    assert not statements("/spoke/visit")


def test_the_other_tablets_of_the_spoke_hear_of_a_new_case(spoke: Spoke, client: Client) -> None:
    page = spoke.waits()
    facts = OutboxFact.objects.filter(state_id=28, kind="consultation.Requested")
    assert f"spoke.{spoke.facility.id}" in facts.get().topics
    held = page.rsplit("/", 1)[1]
    assert f"consultation.{held}" in client.get("/spoke/turns").content.decode()
    assert client.get("/spoke/ticket").json()["ticket"]


def test_who_is_not_beside_the_patients_gets_nothing(spoke: Spoke) -> None:
    called(spoke)
    other = Client()
    factories.enter(other, factories.worker_at(spoke.facility, Role.PHARMACIST))
    for address in ("/spoke/turns", "/spoke/ticket"):
        assert other.get(address).status_code == 403


def test_what_is_read_aloud_stays_in_its_place_when_the_strip_is_fetched(
    spoke: Spoke, client: Client
) -> None:
    """A region that comes into the page together with its words is not read aloud."""
    called(spoke)
    fetched = client.get("/spoke/turns").content.decode()
    assert fetched.startswith('<p class="govuk-visually-hidden" id="turns-said" role="status">')
    page = client.get("/spoke/register").content.decode()
    assert 'data-turns><p class="govuk-visually-hidden" id="turns-said"' in page
