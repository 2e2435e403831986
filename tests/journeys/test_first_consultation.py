"""The whole path, as the patient in one browser and as the doctor in another."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import Doctor, Patient, photo
from tests.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewPatient = Callable[..., Patient]
NewDoctor = Callable[..., Doctor]
Look = Callable[[Page, str], None]

UTTARAKHAND, UTTAR_PRADESH = 5, 9


def with_token(patient: Patient, state_id: int, name: str) -> Patient:
    """Lead somebody new from the sign-in to the waiting room."""
    patient.sign_in()
    patient.live_in(state_id)
    patient.describe(name)
    patient.agree()
    patient.no_danger()
    patient.complain("fever")
    patient.choose_first_opd()
    patient.take_token()
    return patient


@pytest.mark.parametrize(
    ("language", "state_id", "login"),
    [
        ("hi", UTTAR_PRADESH, "uttar-pradesh.doctor1"),
        pytest.param("en", UTTARAKHAND, "uttarakhand.doctor1", marks=pytest.mark.verify),
    ],
)
def test_from_landing_to_feedback(
    language: str,
    state_id: int,
    login: str,
    new_patient: NewPatient,
    new_doctor: NewDoctor,
    product: Product,
    look: Look,
    tmp_path: Path,
) -> None:
    """Two wait before the third; her place moves by itself from 3 to 1, then it rings."""
    first = with_token(new_patient(language=language), state_id, "Asha")
    second = with_token(new_patient(language=language), state_id, "Bina")
    patient = new_patient(language=language)
    page = patient.page

    page.goto("/")
    look(page, f"{language}-01-landing")
    page.goto("/sign-in")
    look(page, f"{language}-02-mobile")
    patient.sign_in()
    look(page, f"{language}-03-state")
    patient.live_in(state_id)
    look(page, f"{language}-04-profile")
    patient.describe("लक्ष्मी देवी")
    look(page, f"{language}-05-notice")
    patient.agree()
    look(page, f"{language}-06-danger")
    patient.no_danger()
    look(page, f"{language}-07-trouble")
    patient.complain("fever", "cough", text="तीन दिन से बुखार, रात में ज़्यादा")
    look(page, f"{language}-08-opds")
    patient.choose_first_opd()
    look(page, f"{language}-09-ask")
    patient.take_token()
    patient.expect_place(3)
    look(page, f"{language}-10-waiting")

    first.page.goto(first.page.url + "/cancel")
    first.submit()
    patient.expect_place(2)

    doctor = new_doctor(login, language=language)
    look(doctor.page, f"{language}-20-off-duty")
    doctor.go_on_duty()
    look(doctor.page, f"{language}-21-on-duty")
    doctor.next()
    patient.expect_place(1)
    second.answer()
    doctor.expect_in_progress()
    doctor.note(advice="Rest and drink enough.")
    doctor.finish("advice")

    doctor.next()
    look(doctor.page, f"{language}-22-called")
    expect(patient.answer_button()).to_be_visible()
    look(page, f"{language}-11-call-now")
    patient.answer()
    look(page, f"{language}-12-with-the-doctor")
    doctor.expect_in_progress()

    patient.write("रात को बुखार बढ़ जाता है")
    expect(doctor.page.locator("#messages")).to_contain_text("रात को बुखार")
    doctor.write("क्या खाँसी भी है?")
    expect(page.locator("[data-chat-messages]")).to_contain_text("क्या खाँसी")
    look(page, f"{language}-13-chat")

    doctor.note(
        history="Fever for three days, higher at night",
        findings="Speaks in full sentences",
        advice="Plenty of fluids",
    )
    doctor.diagnose("cold", "J00")
    doctor.prescribe("pcm 650 1-0-1 5d after food")
    doctor.prescribe("ors 1 els 3d")
    look(doctor.page, f"{language}-23-writing")
    doctor.check_prescription()
    look(doctor.page, f"{language}-24-check")
    doctor.sign()
    look(doctor.page, f"{language}-25-signed")
    doctor.finish("prescription")
    look(doctor.page, f"{language}-26-done")

    expect(page.locator(".day-plan").first).to_be_visible()
    look(page, f"{language}-14-done")
    pdf = tmp_path / "prescription.pdf"
    pdf.write_bytes(patient.download("a[href*='.pdf']"))
    text = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert "PARACETAMOL" in text
    assert "J00" in text
    number = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", text)
    assert number

    page.goto(f"/verify?number={number.group()}")
    expect(page.locator(".notice--good")).to_be_visible()
    look(page, f"{language}-15-verified")

    page.go_back()
    patient.rate(5)
    look(page, f"{language}-16-thanked")


def test_without_scripts_up_to_the_waiting_room(new_patient: NewPatient, look: Look) -> None:
    """Before scripts arrive, or without them, everything up to the token works."""
    patient = with_token(new_patient(javascript=False), UTTARAKHAND, "Chitra")
    assert patient.token_number() >= 1
    assert patient.page.locator("noscript meta[http-equiv=refresh]").count() == 1

    # Whoever looks for a photo here would lose it every 15 seconds, when the page loads again.
    expect(patient.page.locator("input[name=files]")).to_be_hidden()
    patient.page.locator("#papers-title ~ * a[href$='/papers']").click()
    expect(patient.page).to_have_url(re.compile("/papers$"))
    assert patient.page.locator("noscript meta[http-equiv=refresh]").count() == 0
    # Two as a camera takes them: more than a form without files may have.
    patient.page.locator("input[name=files]").set_input_files([photo("rash.jpg"), photo("arm.jpg")])
    patient.page.locator(".papers__send button").click()
    expect(patient.page.locator(".paper")).to_have_count(2)
