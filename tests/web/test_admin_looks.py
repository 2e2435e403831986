"""Every page of the administrators in a real browser: accessible, in both languages."""

import datetime
import re
from typing import Any

import pytest
from django.test import Client

from sanjeevani.directory.models import Facility
from sanjeevani.directory.queries import hub_lines_at
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.identity.services import invite
from sanjeevani.messaging.models import OutgoingMessage
from tests import factories
from tests.web.admin_world import AdminWorld
from tests.web.looks import LANGUAGES, faults_in

pytestmark = pytest.mark.django_db


def of_the_state(world: AdminWorld, _language: str) -> dict[str, Any]:
    """A form of the state's filled in wrong, and a hospital that is hub and spoke."""
    client = world.clients["state"]
    other = factories.FacilityFactory(is_hub=True)
    Facility.objects.filter(state_id=28, id=world.hospital.id).update(is_hub=True, is_spoke=True)
    network = world.at("/network")
    answers = {"state-network-empty": client.get(network)}
    client.post(network, {"do": "open", "opened": "general_medicine"})
    client.post(network, {"do": "link", "hub": f"28.{other.id}", "speciality": ""})
    [line] = hub_lines_at(28, world.hospital.id)
    doctor = f"28.{world.doctor.id}"
    client.post(network, {"do": "serve", "line": str(line.id), "doctor": doctor})
    answers |= {
        "state-network": client.get(f"{network}?done=serves"),
        "state-network-wrong": client.post(network, {"do": "link", "hub": ""}),
        "state-presence": client.get("/states/28/presence"),
    }
    address = f"/states/28/facilities/{world.hospital.id}/opds/new"
    typed = {"do": "save", "opens_0_0": "10:00", "closes_0_0": "02:00"}
    return answers | {"state-opd-wrong": client.post(address, typed)}


def of_the_facility(world: AdminWorld, _language: str) -> dict[str, Any]:
    """What happens on some pages of the facility's."""
    client = world.clients["facility"]
    world.with_patient()
    account = world.at(f"/staff/{world.post.id}/account")
    removed = "?done=holiday_removed&reason=Ugadi&first_day=1&first_month=4&first_year=2027"
    return {
        "facility-holidays-wrong": client.post(world.at("/holidays"), {}),
        "facility-holiday-removed": client.get(world.at(f"/holidays{removed}")),
        "facility-end-post-busy": client.get(world.at(f"/staff/{world.post.id}/end")),
        "facility-account-busy": client.get(account),
        "facility-staff-closed": client.get(client.post(account, {"do": "close"})["Location"]),
        "facility-account-closed": client.get(account),
    }


def of_the_invited(world: AdminWorld, language: str) -> dict[str, Any]:
    """The page of a link, alive and dead."""
    invite(SYSTEM, account_id=world.away.account_id)
    link = re.search(r"/staff/welcome/\S+", OutgoingMessage.objects.latest("id").text)
    assert link
    guest = Client()
    guest.cookies["language"] = language
    return {"welcome": guest.get(link.group()), "welcome-dead": guest.get("/staff/welcome/x")}


FURTHER = {"state": of_the_state, "facility": of_the_facility, "guest": of_the_invited}

LIKE_OTHERS = {
    "national:appoint",
    "national:facilities",
    "state:board",
    "state:facility-change",
    "state:doctor-change",
    "state:doctor-post",
    "state:opd-new",
    "facility:appoint",
    "facility:known",
    "facility:invite",
    "facility:places",
    "facility:rules",
    "facility:holidays",
    "facility:week",
    # Looked at with shifts, swaps and leave: test_roster.py.
    "facility:roster",
    "facility:hours",
}
"""Pages drawn by the same template with the same parts as another one of the list."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", ["national", "state", "facility", "guest"])
def test_every_page_is_accessible_and_fits(who: str, language: str) -> None:
    world = AdminWorld()
    for days in (-1, 3):
        due_at = clock.now() + datetime.timedelta(days=days)
        factories.GrievanceFactory.create(facility_id=world.hospital.id, due_at=due_at)
        factories.GrievanceFactory.create(state_id=0, due_at=due_at)
    answers: dict[str, Any] = {}
    for key, address in world.addresses().items():
        if key in LIKE_OTHERS or key.partition(":")[0] != who:
            continue
        client = world.clients[key.partition(":")[0]]
        client.cookies["language"] = language
        answers[key.replace(":", "-")] = answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
    answers |= FURTHER[who](world, language) if who in FURTHER else {}
    assert faults_in(answers, language) == []
