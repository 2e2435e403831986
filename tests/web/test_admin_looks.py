"""Every page of the administrators in a real browser: accessible, in both languages."""

import re
from typing import Any

import pytest
from django.test import Client

from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.identity.services import invite
from sanjeevani.messaging.models import OutgoingMessage
from tests.web.admin_world import AdminWorld
from tests.web.test_public_looks import chromium, faults_of

pytestmark = pytest.mark.django_db


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
}
"""Pages drawn by the same template with the same parts as another one of the list."""


@pytest.mark.parametrize("language", ["en", "hi"])
def test_every_page_is_accessible_and_fits(language: str) -> None:
    world = AdminWorld()
    answers: dict[str, Any] = {}
    for key, address in world.addresses().items():
        if key in LIKE_OTHERS:
            continue
        client = world.clients[key.partition(":")[0]]
        client.cookies["language"] = language
        answers[key.replace(":", "-")] = answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
    state, facility = world.clients["state"], world.clients["facility"]
    answers["state-opd-wrong"] = state.post(
        f"/states/28/facilities/{world.hospital.id}/opds/new",
        {"do": "save", "opens_0_0": "10:00", "closes_0_0": "02:00"},
    )
    answers["facility-holidays-wrong"] = facility.post(world.at("/holidays"), {})
    answers["facility-holiday-removed"] = facility.get(
        world.at("/holidays?done=holiday_removed&reason=Ugadi&clinic=&first_day=1")
        + "&first_month=4&first_year=2027"
    )
    invite(SYSTEM, account_id=world.away.account_id)
    link = re.search(r"/staff/welcome/\S+", OutgoingMessage.objects.latest("id").text)
    assert link
    guest = Client()
    guest.cookies["language"] = language
    answers["welcome"] = guest.get(link.group())
    answers["welcome-dead"] = guest.get("/staff/welcome/x")
    world.with_patient()
    answers["facility-end-post-busy"] = facility.get(world.at(f"/staff/{world.post.id}/end"))
    with chromium() as browser:
        found = [fault for name in answers for fault in faults_of(browser, name, language, answers)]
    assert found == []
