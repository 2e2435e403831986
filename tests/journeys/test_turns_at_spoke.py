"""A health worker goes on to the next patient and hears the doctor calling for the last."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browsers import DESK, PHONE, chromium
from tests.journeys.conftest import PATIENCE, demo_password
from tests.journeys.people import Doctor, HealthWorker, next_mobile
from tests.journeys.test_ring import COUNT_TONES
from tests.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

LOGIN = "karnataka.worker1"


def wait_for_a_doctor(worker: HealthWorker, name: str) -> str:
    """Bring a patient to the waiting room; return its address."""
    page = worker.page
    worker.register(name, age="40")
    worker.submit()
    worker.no_danger()
    page.locator("input[name=complaints][value=fever]").check()
    page.locator("textarea[name=text]").fill("High every evening, with shivering")
    page.locator("input[name=duration]").fill("3")
    worker.submit()
    page.locator("input[name=heart_rate]").fill("92")
    worker.submit()
    page.locator(".choice a").first.click()
    worker.submit()
    worker.show_patient()
    return page.url


def said_aloud(page: Page) -> None:
    """Count from now on how often the strip's polite region changes."""
    page.evaluate(
        """() => {
          const region = document.querySelector("[data-turns] [role=status]");
          document.documentElement.dataset.said = "0";
          new MutationObserver(() => { document.documentElement.dataset.said++; })
            .observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )


def test_the_turn_rings_on_the_page_of_the_next_patient(
    product: Product, look: Callable[[Page, str], None]
) -> None:
    with chromium("--autoplay-policy=document-user-activation-required") as browser:
        tablet = browser.new_context(base_url=product.url, viewport=PHONE, locale="en")
        tablet.set_default_timeout(PATIENCE)
        tablet.add_init_script(COUNT_TONES)
        worker = HealthWorker(tablet.new_page(), product.url, LOGIN, demo_password(product))
        desk = browser.new_context(base_url=product.url, viewport=DESK, locale="en")
        desk.set_default_timeout(PATIENCE)
        doctor = Doctor(desk.new_page(), "karnataka.phc1", demo_password(product))
        doctor.go_on_duty()
        case = wait_for_a_doctor(worker, "Sita Devi")
        page = worker.page

        # On to the next patient, whose form is half filled in.
        page.goto("/spoke/register")
        strip = page.locator("[data-turns]")
        expect(strip).to_contain_text("Sita Devi")
        mobile = next_mobile()
        page.locator("input[name=name]").click()
        page.locator("input[name=name]").fill("Radha")
        page.locator("input[name=mobile]").fill(mobile)
        title = page.title()
        # A colleague reads the notice to somebody; the page was opened anew and never touched.
        colleague = tablet.new_page()
        colleague.goto("/spoke/find")
        expect(colleague.locator("[data-turns] [data-silent]")).to_be_visible()
        said_aloud(page)
        look(page, "turns-1-waiting")

        doctor.next()
        expect(strip.locator("[data-call-now]")).to_contain_text("Sita Devi")
        expect(strip.locator("[data-call-now]")).to_be_in_viewport()
        expect(page.locator("html[data-rung]")).to_be_attached()
        expect(page).to_have_title("A doctor is calling! Answer now")
        expect(strip.locator("[data-deadline]")).to_have_text(re.compile(r"^1:[0-5]\d$"))
        expect(strip.locator("[data-turn-beside]")).to_be_visible()
        expect(colleague.locator("[data-turns] [data-call-now]")).to_be_visible()
        look(page, "turns-2-called")
        # The clock runs on, and nothing is said again.
        left = strip.locator("[data-deadline]").inner_text()
        expect(strip.locator("[data-deadline]")).not_to_have_text(left)
        expect(page.locator("html[data-said='1']")).to_be_attached()

        with tablet.expect_page() as opened:
            strip.get_by_role("button", name="Go to the call").click()
        beside = opened.value
        expect(beside).to_have_url(case)
        expect(beside.locator("[data-turns] [data-call-now]")).to_have_count(0)
        beside.locator("form[action$='/answer'] button").click()
        doctor.expect_in_progress()
        # It is quiet everywhere, and what was typed stands.
        for one in (page, colleague):
            expect(one.locator("[data-turns]")).to_contain_text("with the doctor")
            expect(one.locator("[data-call-now]")).to_have_count(0)
        expect(page).to_have_title(title)
        expect(page.locator("input[name=name]")).to_have_value("Radha")
        expect(page.locator("input[name=mobile]")).to_have_value(mobile)
        expect(page).to_have_url(re.compile("/spoke/register$"))
        expect(colleague).to_have_url(re.compile("/spoke/find$"))
        look(page, "turns-3-talking")
        # What the tablet keeps for when there is no link names nobody.
        kept = page.evaluate(
            """async () => {
              const cache = await caches.open("tablet");
              const texts = (await cache.matchAll()).map((answer) => answer.text());
              return (await Promise.all(texts)).join("");
            }"""
        )
        assert kept
        assert "Sita Devi" not in kept
        assert "data-turns" not in kept
        doctor.finish_what_is_open()
        expect(strip.locator("[data-turn]")).to_have_count(0)
        tablet.close()
        desk.close()
