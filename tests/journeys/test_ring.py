"""The ring of the waiting room in a browser that keeps pages silent until they are touched."""

import pytest
from playwright.sync_api import expect

from tests.browsers import DESK, PHONE, chromium
from tests.journeys.conftest import PATIENCE, demo_password
from tests.journeys.people import Doctor, Patient
from tests.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

UTTAR_PRADESH = 9
COUNT_TONES = """
OscillatorNode.prototype.start = function () { document.documentElement.dataset.rung = ""; };
"""


def test_it_rings_aloud_for_who_took_a_token_and_put_the_phone_down(product: Product) -> None:
    with chromium("--autoplay-policy=document-user-activation-required") as browser:
        phone = browser.new_context(base_url=product.url, viewport=PHONE, locale="en")
        phone.set_default_timeout(PATIENCE)
        phone.add_init_script(COUNT_TONES)
        patient = Patient(phone.new_page(), product.url)
        patient.sign_in()
        patient.live_in(UTTAR_PRADESH)
        patient.describe("Lalita")
        patient.agree()
        patient.no_danger()
        patient.complain("fever")
        patient.choose_opd("General medicine OPD")
        patient.submit()
        # The tap on the button before counts for this page.
        expect(patient.page.locator("[data-silent]")).to_be_hidden()
        here = patient.page.url

        desk = browser.new_context(base_url=product.url, viewport=DESK, locale="en")
        desk.set_default_timeout(PATIENCE)
        doctor = Doctor(desk.new_page(), "uttar-pradesh.doctor1", demo_password(product))
        doctor.go_on_duty()
        # Opened anew, by the link of an SMS, nothing was touched; the page says what that means.
        anew = phone.new_page()
        anew.goto(here)
        expect(anew.locator("[data-silent]")).to_be_visible()
        anew.mouse.click(10, 300)
        expect(anew.locator("[data-silent]")).to_be_hidden()
        anew.close()

        doctor.next()
        expect(patient.page.locator("html[data-rung]")).to_be_attached()
        patient.answer()
        doctor.expect_in_progress()
        doctor.finish_what_is_open()
        phone.close()
        desk.close()
