"""The doctor's desk in a real browser: by keyboard, and through what goes wrong."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import Doctor, Patient, answered_late, photo
from tests.journeys.test_first_consultation import with_token

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewPatient = Callable[..., Patient]
NewDoctor = Callable[..., Doctor]
Look = Callable[[Page, str], None]

KARNATAKA = 29


def typed(page: Page, keys: str, text: str) -> None:
    """Leave the present field, press a key of the desk, and type."""
    page.keyboard.press("Escape")
    page.keyboard.press(keys)
    page.keyboard.type(text)


ON_TOP = """
element => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const there = document.elementFromPoint(left + width / 2, top + height / 2);
    return element.contains(there);
}
"""
"""Whether nothing stands before an element, the call least of all."""


def test_a_consultation_without_a_mouse(
    new_patient: NewPatient, new_doctor: NewDoctor, look: Look
) -> None:
    """From on duty to the next patient, only keys."""
    patient = with_token(new_patient(), KARNATAKA, "Deepa")
    page = new_doctor("karnataka.doctor1").page
    page.keyboard.press("o")
    expect(page.locator("button.next")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("[data-call=called]")).to_be_visible()
    patient.answer()
    expect(page.locator("[data-call=in_progress]")).to_be_visible()

    typed(page, "w", "Fever since Friday. n s d are letters here.")
    expect(page.locator("#writing-status")).to_contain_text("Kept at")
    typed(page, "g", "fever")
    page.keyboard.press("Enter")
    expect(page.locator("[data-choice]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".chosen li")).to_have_count(1)
    expect(page.locator("#id_diagnosis")).to_be_focused()
    typed(page, "p", "amoxicillin 500 cap tds 5d")
    page.keyboard.press("Enter")
    expect(page.locator(".finding--refused")).to_contain_text("by video")
    expect(page.locator("#id_line")).to_have_value("amoxicillin 500 cap tds 5d")
    look(page, "desk-1-refused")
    page.locator("#id_line").select_text()
    page.keyboard.type("pcm 1-0-1")
    page.keyboard.press("Enter")
    expect(page.locator("[data-choice]").first).to_be_focused()
    look(page, "desk-2-several")
    page.keyboard.press("Enter")
    expect(page.locator("li.medicine")).to_have_count(1)
    expect(page.locator("#id_line")).to_be_focused()
    page.keyboard.type("pcm 650 2-2-2-2 9d")
    page.keyboard.press("Enter")
    expect(page.locator(".finding--reason").first).to_be_visible()
    look(page, "desk-3-warned")
    page.get_by_role("button", name="Remove Paracetamol").first.press("Enter")
    expect(page.locator("li.medicine")).to_have_count(1)
    page.locator("input[name^=reason_]").fill("Weighs 110 kg")
    page.locator("input[name^=reason_]").press("Enter")
    typed(page, "c", "Please drink enough")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Please drink enough")
    expect(page.locator("#id_text")).to_have_value("")

    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Search a diagnosis")
    look(page, "desk-4-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator("h1:visible")).to_have_text("Sign this prescription?")
    look(page, "desk-4-sign")
    another = with_token(new_patient(), KARNATAKA, "Elena")
    page.keyboard.press("n")
    expect(page.locator("[data-call=called]")).to_be_visible()
    expect(page.locator("main")).to_contain_text("The last consultation is finished")
    another.answer()
    expect(page.locator("[data-call=in_progress]")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 620})
    page.locator("#id_line").evaluate("field => field.scrollIntoView({block: 'center'})")
    assert page.locator("#patient-title").evaluate(ON_TOP)  # beside what is written
    typed(page, "a", "Rest and drink enough")
    assert page.locator("#id_advice").evaluate(ON_TOP)
    page.keyboard.press("Escape")
    look(page, "desk-4-finish")
    page.route("**/write", answered_late)
    page.keyboard.press("d")
    expect(page.locator("main")).to_contain_text("Finished. The patient has what you wrote.")
    expect(page.locator("button.next")).to_be_visible()
    page.unroute_all()
    page.keyboard.press("t")
    expect(page.locator("tbody")).to_contain_text("Deepa")
    look(page, "desk-5-day")
    page.locator("tbody tr", has_text="Deepa").locator("a").first.click()
    expect(page.locator("h1")).to_contain_text("Deepa")
    look(page, "desk-6-record")


def test_nothing_typed_is_lost(new_patient: NewPatient, new_doctor: NewDoctor) -> None:
    """Through a reload, a dropped link and a session that has ended."""
    patient = with_token(new_patient(), KARNATAKA, "Elsa")
    doctor = new_doctor("karnataka.doctor2")
    page = doctor.page
    doctor.go_on_duty()
    doctor.meet(patient)
    status = page.locator("#writing-status")

    page.locator("#id_history").fill("before the reload")
    page.locator("#id_line").fill("pcm 650 1-0")
    page.locator("input[name=outcome][value=in_person]").check()
    page.locator("select[name=urgency]").select_option("within_a_day")
    page.locator("select[name=follow_up_days]").select_option("7")
    page.reload()
    expect(page.locator("#id_history")).to_have_value("before the reload")
    expect(page.locator("#id_line")).to_have_value("pcm 650 1-0")
    expect(page.locator("input[name=outcome][value=in_person]")).to_be_checked()
    expect(page.locator("select[name=urgency]")).to_have_value("within_a_day")
    expect(page.locator("select[name=follow_up_days]")).to_have_value("7")
    expect(status).to_contain_text("Kept at")

    page.context.set_offline(True)
    page.locator("#id_advice").fill("while the link was down")
    expect(status).to_contain_text("no connection")
    page.context.set_offline(False)
    expect(status).to_contain_text("Kept at")
    # A link that neither answers nor breaks.
    page.route("**/write", lambda route: None)
    page.locator("#id_advice").fill("while the link hung")
    expect(status).to_contain_text("no connection")
    page.unroute("**/write")
    expect(status).to_contain_text("Kept at")
    page.locator("#id_come_back").fill("in a week")
    expect(status).to_contain_text("Kept at")

    page.context.clear_cookies(name="session")
    page.locator("#id_findings").fill("after the session had ended")
    expect(status).to_contain_text("signed out")
    expect(page.locator("#id_findings")).to_have_value("after the session had ended")
    page.reload()
    page.locator("input[name=login]").fill("karnataka.doctor2")
    page.locator("input[name=password]").fill(doctor.password)
    page.locator("main button.govuk-button").first.click()
    expect(page.locator("#id_findings")).to_have_value("after the session had ended")
    expect(page.locator("#id_advice")).to_have_value("while the link hung")
    expect(status).to_contain_text("Kept at")

    page.evaluate("sessionStorage.clear()")
    page.reload()
    expect(page.locator("#id_findings")).to_have_value("after the session had ended")


def test_a_second_window_knows_of_the_break(new_doctor: NewDoctor) -> None:
    """The phone has gone off duty; the laptop does not wait on for patients who never come."""
    doctor = new_doctor("karnataka.doctor2")
    doctor.go_on_duty()
    laptop = doctor.page.context.new_page()
    laptop.goto("/desk")
    expect(laptop.locator("button.next")).to_be_visible()
    doctor.page.locator("button[name=to][value=break]").click()
    expect(laptop.locator(".desk__empty")).to_contain_text("You are on a break")
    laptop.locator("button[name=to][value=on]").click()
    expect(doctor.page.locator("button.next")).to_be_visible()


def test_the_desk_without_scripts(new_patient: NewPatient, new_doctor: NewDoctor) -> None:
    """Every step by plain forms."""
    patient = with_token(new_patient(), KARNATAKA, "Fatima")
    page = new_doctor("karnataka.doctor3", javascript=False).page
    page.locator("button[name=to][value=on]").click()
    page.locator("button.next").click()
    expect(page.locator("[data-call=called]")).to_be_visible()
    patient.answer()
    page.reload()
    page.locator("#id_history").fill("Fever")
    page.locator("#id_diagnosis").fill("fever")
    page.locator("#id_diagnosis").press("Enter")
    expect(page.locator("#id_history")).to_have_value("Fever")
    page.locator("[data-choice]").first.click()
    expect(page.locator(".chosen li")).to_have_count(1)
    page.locator("#id_line").fill("pcm 650 1-0-1 5d after food")
    page.locator("#id_line").press("Enter")
    expect(page.locator("li.medicine")).to_have_count(1)
    page.locator("#id_text").fill("Drink enough")
    page.locator("#id_text").press("Enter")
    expect(page.locator("#messages")).to_contain_text("Drink enough")
    page.locator("button[name=do][value=sign]").click()
    page.locator("main button.govuk-button").first.click()
    expect(page.locator(".signed")).to_be_visible()
    page.locator("button[name=do][value=done]").click()
    expect(page.locator("button.next")).to_be_visible()


def test_photos_and_earlier_records_stand_beside_the_call(
    new_patient: NewPatient, new_doctor: NewDoctor, look: Look
) -> None:
    """Photos over the patient's column only, by keys; an earlier record, then the desk as left."""
    patient = new_patient()
    patient.sign_in()
    patient.live_in(KARNATAKA)
    patient.describe("Indira")
    danger = patient.page.url.replace("consent", "danger").partition("?")[0]
    patient.agree()
    doctor = new_doctor("karnataka.doctor1")
    doctor.go_on_duty()
    for first in (True, False):
        patient.page.goto(danger)
        patient.no_danger()
        patient.complain("fever")
        patient.choose_first_opd()
        patient.take_token()
        if first:
            doctor.meet(patient)
            doctor.note(advice="Rest and drink enough")
            doctor.finish("advice")
    waiting = patient.page
    adds = waiting.locator("input[name=files]")
    adds.set_input_files([photo("rash.jpg"), photo("arm.jpg")])
    expect(waiting.locator(".paper")).to_have_count(2)

    page = doctor.page
    viewer, title, stage = (page.locator(f"#viewer{part}") for part in ("", "-title", "-stage"))
    doctor.next()
    page.locator("[data-shown-beside]").first.click()
    expect(page.locator("[data-beside] h1")).to_contain_text("Indira, consultation of")
    expect(page.locator("[data-beside]")).to_contain_text("Rest and drink enough")
    look(page, "desk-7-record-beside")
    page.locator("[data-beside] .govuk-back-link").click()
    expect(page.locator("[data-call=called]")).to_be_visible()
    page.keyboard.press("f")
    expect(stage).to_be_focused()
    expect(title).to_contain_text("Indira Photo 1 of 2 rash.jpg")
    patient.answer()
    doctor.expect_in_progress()
    expect(page.locator("[data-call-room]")).to_have_attribute("data-call-state", "connected")

    page.locator("#id_history").fill("kept while looking")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    picture = viewer.locator("img")
    expect(picture).to_be_visible()
    look(page, "desk-8-photo")
    page.locator("#id_history").evaluate("field => field.scrollIntoView({block: 'center'})")
    assert page.locator("#id_history").evaluate(ON_TOP)
    assert stage.evaluate(ON_TOP)
    assert page.locator(".callbar [data-call-mute]").evaluate(ON_TOP)
    page.keyboard.press("ArrowRight")
    expect(title).to_contain_text("Photo 2 of 2 arm.jpg")
    page.keyboard.press("ArrowRight")
    expect(title).to_contain_text("Photo 1 of 2")
    expect(picture).to_be_visible()
    fits = stage.evaluate("stage => stage.scrollWidth <= stage.clientWidth")
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert fits
    assert stage.evaluate("stage => stage.scrollWidth > stage.clientWidth")
    page.get_by_role("button", name="Turn").click()
    # The keys of the desk go on, a field is typed in, and what comes meanwhile is counted.
    page.keyboard.press("a")
    page.keyboard.type("Keep it dry +")
    expect(page.locator("#id_advice")).to_have_value("Keep it dry +")
    expect(viewer).to_be_visible()
    adds.set_input_files([photo("later.jpg")])
    expect(title).to_contain_text("Photo 1 of 3")
    # A link that breaks says so, and the photo comes once it is back.
    page.route("**/papers/*", lambda route: route.abort())
    page.keyboard.press("Escape")
    stage.focus()
    page.keyboard.press("-")
    page.keyboard.press("-")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("did not come")
    page.unroute("**/papers/*")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(picture).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page.locator("[data-picture='arm.jpg']")).to_be_focused()

    # During the call likewise, which goes on.
    page.evaluate("window.same = document.querySelector('video[data-seat]')")
    page.locator(".desk [data-shown-beside]").first.click()
    expect(page.locator("[data-beside] h1")).to_contain_text("Indira, consultation of")
    page.locator("[data-beside] .govuk-back-link").click()
    expect(page.locator("#id_advice")).to_have_value("Keep it dry +")
    assert page.evaluate("window.same.isConnected")
    doctor.finish("advice")
