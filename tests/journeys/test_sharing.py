"""A prescription leaves the patient's hands: by a link, and by its code without a network."""

from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import Doctor, Patient
from tests.journeys.test_first_consultation import with_token
from tests.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

UTTAR_PRADESH = 9


@pytest.mark.verify
def test_a_prescription_is_sent_on_and_checked_without_us(
    new_patient: Callable[..., Patient],
    new_doctor: Callable[..., Doctor],
    new_page: Callable[..., Page],
    product: Product,
    look: Callable[[Page, str], None],
) -> None:
    """The chemist opens the link with the year of birth, and checks the code with the line down."""
    patient = with_token(new_patient(), UTTAR_PRADESH, "Kamla")
    doctor = new_doctor("uttar-pradesh.doctor1")
    doctor.go_on_duty()
    doctor.meet(patient)
    doctor.note(advice="Plenty of fluids")
    doctor.diagnose("cold", "J00")
    doctor.prescribe("pcm 650 1-0-1 5d after food")
    doctor.check_prescription()
    doctor.sign()
    doctor.finish("prescription")

    page = patient.page
    page.locator("main a[href$='/share']").click()
    page.locator("input[name=made_for]").fill("the chemist at the market")
    patient.submit()
    address = page.locator("#link").input_value()
    year = int(page.locator(".notice--good").inner_text().split("year of birth: ")[1][:4])
    look(page, "sharing-1-link")

    chemist = new_page(language="hi")
    chemist.goto(address)
    chemist.locator("input[name=answer]").fill(str(year - 1))
    chemist.locator("main button.govuk-button").first.click()
    expect(chemist.locator(".govuk-error-summary")).to_be_visible()
    look(chemist, "sharing-2-wrong-year-hi")
    chemist.locator("input[name=answer]").fill(str(year))
    chemist.locator("main button.govuk-button").first.click()
    expect(chemist.locator("main")).to_contain_text("650")
    look(chemist, "sharing-3-prescription-hi")

    chemist.goto("/verify/offline")
    chemist.wait_for_function("localStorage.length > 0")
    chemist.context.set_offline(True)
    signed = newest_statement(product)
    verdict = chemist.locator("#verdict")
    chemist.locator("#scanned").fill(f"{product.url}/verify?s={signed}")
    chemist.locator("#check").click()
    expect(verdict).to_contain_text("असली")
    expect(verdict).to_contain_text("Paracetamol")
    forged = signed[:-10] + ("A" if signed[-10] != "A" else "B") + signed[-9:]
    chemist.locator("#scanned").fill(forged)
    chemist.locator("#check").click()
    expect(verdict).not_to_contain_text("Paracetamol")
    chemist.context.set_offline(False)
    look(chemist, "sharing-4-forged-hi")


def newest_statement(product: Product) -> str:
    """Return what the QR code of the newest prescription holds."""
    dsn = product.owner_dsn
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT signature FROM prescription_prescription ORDER BY signed_at DESC LIMIT 1"
        ).fetchone()
    assert row
    return str(row[0])
