"""When the way bends, in real browsers: asked for more, sent on, seen again, no doctor left."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import Doctor, Patient
from tests.journeys.test_first_consultation import with_token

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewPatient = Callable[..., Patient]
NewDoctor = Callable[..., Doctor]
Look = Callable[[Page, str], None]

KARNATAKA, TAMIL_NADU, UTTAR_PRADESH = 29, 33, 9


def test_asked_for_more_then_sent_on_then_seen_again(
    new_patient: NewPatient, new_doctor: NewDoctor, look: Look
) -> None:
    """The doctor works by keys; the patient is led by the page alone."""
    patient = with_token(new_patient(), KARNATAKA, "Gita")
    page = patient.page
    doctor = new_doctor("karnataka.doctor1")
    desk = doctor.page
    doctor.go_on_duty()
    doctor.next()

    desk.keyboard.press("m")
    expect(desk.locator("#id_missing")).to_be_focused()
    desk.keyboard.type("Since when, and how high is the fever?")
    desk.keyboard.press("Enter")
    expect(desk.locator(".notice--good")).to_contain_text("comes back with the time waited")
    expect(page.locator("h1")).to_have_text("The doctor needs to know more")
    page.locator("main a.govuk-button").click()
    page.locator("textarea[name=text]").fill("Since Monday, 102")
    patient.submit()
    expect(page.locator(".token__number")).to_be_visible()

    doctor.next()
    expect(desk.locator(".flags")).to_contain_text("Since when")
    patient.answer()
    doctor.expect_in_progress()
    desk.locator("h1").first.focus()
    desk.keyboard.press("r")
    expect(desk.locator("#id_clinic")).to_be_focused()
    desk.locator("#id_clinic").select_option(index=1)
    desk.locator("#id_redirect_reason").fill("A colleague should look at the skin")
    look(desk, "turns-1-redirect")
    desk.locator("#id_redirect_reason").press("Enter")
    expect(desk.locator("button.next")).to_be_visible()
    page.wait_for_url(re.compile(r"/consultations/"))
    expect(page.locator("main")).to_contain_text("A colleague should look")
    look(page, "turns-2-sent-on")


def test_seen_again_by_the_same_doctor(
    new_patient: NewPatient, new_doctor: NewDoctor, look: Look
) -> None:
    """The follow-up waits in the doctor's own lane and comes to that doctor."""
    patient = with_token(new_patient(language="hi"), KARNATAKA, "Hema")
    page = patient.page
    doctor = new_doctor("karnataka.doctor1")
    doctor.go_on_duty()
    doctor.meet(patient)
    doctor.note(advice="Rest and drink enough")
    doctor.finish("advice")
    again = page.locator("main a[href$='/danger']")
    expect(again).to_be_visible()
    look(page, "turns-3-done-hi")
    again.click()
    patient.no_danger()
    patient.complain("fever", text="Not better")
    page.locator("a[href*='after=']").first.click()
    patient.take_token()
    doctor.page.reload()
    expect(doctor.page.locator(".line-list")).to_contain_text("Follow-ups with you")
    doctor.next()
    expect(doctor.page.locator(".flags")).to_contain_text("Comes back to you.")
    patient.answer()
    doctor.expect_in_progress()
    doctor.note(advice="Go on")
    doctor.finish("advice")


def test_answered_without_a_link(
    new_patient: NewPatient, new_doctor: NewDoctor, look: Look
) -> None:
    """The link is down while it rings: the page stays, and answers once the link is back."""
    patient = with_token(new_patient(), KARNATAKA, "Nila")
    page = patient.page
    address = page.url
    doctor = new_doctor("karnataka.doctor1")
    doctor.go_on_duty()
    doctor.next()
    expect(patient.answer_button()).to_be_visible()
    page.context.set_offline(True)
    for _twice in range(2):
        patient.answer_button().click()
        expect(page.locator("[data-insist-told]")).to_contain_text("We go on trying")
    look(page, "turns-10-no-link")
    assert page.url == address
    page.context.set_offline(False)
    expect(patient.answer_button()).to_have_count(0)
    doctor.expect_in_progress()
    expect(page.locator("[data-call-room]")).to_be_visible()
    assert page.url == address
    doctor.note(advice="Rest")
    doctor.finish("advice")


@pytest.mark.verify
@pytest.mark.parametrize("language", ["en", "hi"])
def test_no_answer_and_return(
    language: str, new_patient: NewPatient, new_doctor: NewDoctor, look: Look
) -> None:
    """The phone lies in the kitchen for the two minutes; the token is kept, and rings once more."""
    patient = with_token(new_patient(language=language), TAMIL_NADU, "Jaya")
    others = [with_token(new_patient(), TAMIL_NADU, name) for name in ("Kala", "Lata", "Mira")]
    number = patient.token_number()
    doctor = new_doctor("tamil-nadu.doctor1", language=language)
    desk = doctor.page
    doctor.go_on_duty()
    doctor.next()
    expect(patient.answer_button()).to_be_visible()
    look(desk, f"turns-6-rings-{language}")

    expect(patient.page.locator(".notice--warn")).to_be_visible(timeout=180_000)
    look(patient.page, f"turns-7-missed-{language}")
    assert patient.token_number() == number
    patient.expect_place(3)
    expect(desk.locator("button.next")).to_be_visible()
    expect(desk).to_have_url(re.compile(r"\?unanswered=1$"))
    look(desk, f"turns-8-nobody-answered-{language}")

    for other in others[:2]:
        doctor.next()
        other.answer()
        doctor.expect_in_progress()
        doctor.note(advice="Rest")
        doctor.finish("advice")
    doctor.next()
    look(desk, f"turns-9-rings-again-{language}")
    patient.answer()
    doctor.expect_in_progress()
    doctor.note(advice="Rest")
    doctor.finish("advice")
    others[2].expect_place(1)


def test_the_last_doctor_leaves(new_patient: NewPatient, new_doctor: NewDoctor, look: Look) -> None:
    """The doctor reads first who then waits; the patient is told and keeps the place."""
    doctor = new_doctor("uttar-pradesh.doctor1")
    desk = doctor.page
    doctor.go_on_duty()
    patient = with_token(new_patient(), UTTAR_PRADESH, "Indu")
    desk.locator("h1").first.focus()
    desk.keyboard.press("f")
    expect(desk.locator(".leaving")).to_contain_text("they are told")
    look(desk, "turns-4-leaving")
    desk.locator(".leaving form button").click()
    expect(desk.locator("button.next")).to_have_count(0)
    expect(patient.page.locator("main")).to_contain_text("No doctor is on duty")
    look(patient.page, "turns-5-no-doctor")
    # A doctor begins again: the page says so at once, not when it looks the next time by itself.
    expect(patient.page.locator("[data-live-status]")).to_have_attribute("data-live-status", "live")
    doctor.go_on_duty()
    expect(patient.page.locator("main")).not_to_contain_text("No doctor", timeout=20_000)
    desk.locator("h1").first.focus()
    desk.keyboard.press("f")
    desk.locator(".leaving form button").click()
    expect(patient.page.locator("main")).to_contain_text("No doctor is on duty")
    patient.page.locator("form[action$='/seek-doctor'] button").click()
    expect(patient.page.locator(".token__number")).to_be_visible()
