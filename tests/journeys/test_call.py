"""A consultation by video through the real pages, with what the server writes down of it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.gateway.conftest import wait_until
from tests.journeys.people import Doctor, Patient
from tests.journeys.test_first_consultation import with_token
from tests.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewPatient = Callable[..., Patient]
NewDoctor = Callable[..., Doctor]
Look = Callable[[Page, str], None]

TAMIL_NADU = 33


def shows_a_picture(page: Page) -> None:
    """Wait until the other side moves."""
    expect(page.locator("video[data-seat]").first).to_have_attribute(
        "data-picture", "on", timeout=40_000
    )


def state(page: Page) -> str:
    """Return what the page's call says it is."""
    return page.locator("[data-call-room]").get_attribute("data-call-state") or ""


def is_connected(page: Page, seconds: float = 15) -> None:
    """Wait for the call."""
    expect(page.locator("[data-call-room]")).to_have_attribute(
        "data-call-state", "connected", timeout=seconds * 1_000
    )


def press(page: Page, do: str) -> None:
    """Press a button of the call."""
    page.locator(f"[data-call-room] button[value='{do}']").first.click()


@pytest.mark.parametrize("language", ["en", "hi"])
def test_video_both_ways_and_down_the_ladder(
    language: str, new_patient: NewPatient, new_doctor: NewDoctor, look: Look, product: Product
) -> None:
    """Amoxicillin (List A) is refused before the doctor has seen the patient, and goes after."""
    patient = with_token(new_patient(language=language), TAMIL_NADU, "Gauri")
    page = patient.page
    waiting = page.url
    page.goto(waiting + "/check")
    page.locator("[data-begin]").click()
    page.locator("[data-asks] button[value=works]").click(timeout=20_000)
    expect(page.locator("[data-finish]")).to_be_visible(timeout=20_000)
    look(page, f"{language}-call-1-check")
    page.locator("[data-finish]").click()
    doctor = new_doctor("tamil-nadu.doctor1", language=language)
    desk = doctor.page
    doctor.go_on_duty()
    doctor.next()
    patient.answer()
    doctor.expect_in_progress()
    is_connected(page)
    is_connected(desk)
    shows_a_picture(desk)
    shows_a_picture(page)
    expect(desk.locator(".callbar__mode")).to_contain_text("ideo" if language == "en" else "ी", timeout=10_000)
    look(page, f"{language}-call-2-patient")
    look(desk, f"{language}-call-3-desk")
