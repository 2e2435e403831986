"""A health worker at a spoke brings a hub's doctor to the patient who sits there."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import Doctor, HealthWorker

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewWorker = Callable[..., HealthWorker]
NewDoctor = Callable[..., Doctor]
Look = Callable[[Page, str], None]


@pytest.mark.parametrize(
    ("language", "state"), [("en", "karnataka"), ("hi", "uttar-pradesh")], ids=["en", "hi"]
)
def test_registered_asked_answered_and_printed(
    new_worker: NewWorker, new_doctor: NewDoctor, look: Look, language: str, state: str
) -> None:
    worker = new_worker(f"{state}.worker1", language=language)
    page = worker.page
    look(page, f"spoke-{language}-1-desk")
    worker.register("Sita Devi", age="40")
    look(page, f"spoke-{language}-2-consent")
    worker.submit()
    worker.no_danger()
    page.locator("input[name=complaints][value=fever]").check()
    page.locator("textarea[name=text]").fill("High every evening, with shivering")
    page.locator("input[name=duration]").fill("3")
    worker.submit()
    look(page, f"spoke-{language}-3-measure")
    page.locator("input[name=body_temperature]").fill("101.3")
    page.locator("input[name=heart_rate]").fill("92")
    worker.submit()
    doctor = new_doctor(f"{state}.phc1")
    doctor.go_on_duty()
    page.reload()
    look(page, f"spoke-{language}-4-hubs")
    page.locator(".choice a").first.click()
    look(page, f"spoke-{language}-5-ask")
    worker.submit()
    expect(page.locator(".token")).to_be_visible()
    look(page, f"spoke-{language}-6-waiting")

    doctor.next()
    patient = doctor.page.locator(".desk__patient")
    expect(patient).to_contain_text("Sita Devi")
    expect(patient).to_contain_text("38.5")
    look(doctor.page, f"spoke-{language}-7-hub-desk")
    worker.answer()
    doctor.expect_in_progress()
    expect(page.locator("[data-call-room]")).to_have_attribute("data-call-state", "connected")
    doctor.diagnose("viral fever", "B34.9")
    doctor.note(advice="Rest and drink.")
    doctor.prescribe("pcm 500 1-0-1 3d after food")
    doctor.check_prescription()
    doctor.sign()
    doctor.finish("prescription")
    expect(page.locator(".day-plan").first).to_be_visible()
    look(page, f"spoke-{language}-8-answered")
    printed = page.request.get(page.url + "/prescription.pdf")
    assert printed.body().startswith(b"%PDF")
    page.goto("/spoke")
    expect(page.locator(".choices").first).to_contain_text("Sita Devi")
    look(page, f"spoke-{language}-9-desk")
