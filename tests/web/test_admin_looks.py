"""Every page of the administrators in a real browser: accessible, in both languages."""

from typing import Any

import pytest

from tests.web.admin_world import AdminWorld
from tests.web.test_public_looks import chromium, faults_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["en", "hi"])
def test_every_page_is_accessible_and_fits(language: str) -> None:
    world = AdminWorld()
    answers: dict[str, Any] = {}
    for key, address in world.addresses().items():
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
    world.with_patient()
    answers["facility-end-post-busy"] = facility.get(world.at(f"/staff/{world.post.id}/end"))
    with chromium() as browser:
        found = [fault for name in answers for fault in faults_of(browser, name, language, answers)]
    assert found == []
