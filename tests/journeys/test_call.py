"""A consultation by video through the real pages, with what the server writes down of it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import Doctor, Patient, answered_late, photo
from tests.journeys.test_first_consultation import with_token

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewPatient = Callable[..., Patient]
NewDoctor = Callable[..., Doctor]
Look = Callable[[Page, str], None]

TAMIL_NADU = 33


ASKED_FOR_LONG = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
const allowed = new Promise((resolve) => { window.allow = resolve; });
window.asked = new Promise((resolve) => {
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        if (!wanted.video) return ask(wanted);
        resolve();
        await allowed;
        const stream = await ask(wanted);
        window.given = stream.getTracks()[0];
        return stream;
    };
});
"""
"""Lets the browser ask for the camera until `allow` is called, and notes what it gave."""

FILMED = """async () => {
    window.allow();
    const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
    while (!window.given) await pause();
    await pause();
    return window.given.readyState == "live";
}"""
"""Whether the camera runs after it was allowed."""


def shows_a_picture(page: Page) -> None:
    """Wait until the other side moves."""
    expect(page.locator("video[data-seat]").first).to_have_attribute("data-picture", "on")


def is_connected(page: Page) -> None:
    """Wait for the call."""
    expect(page.locator("[data-call-room]")).to_have_attribute("data-call-state", "connected")


def press(page: Page, do: str) -> None:
    """Press a button of the call."""
    page.locator(f"[data-call-room] button[value='{do}']").first.click()


def test_video_both_ways_and_down_the_ladder(
    new_patient: NewPatient, new_doctor: NewDoctor, look: Look, new_page: Callable[..., Page]
) -> None:
    """The check before the call, video, the steps down and up, a third seat, a break, the end."""
    patient = with_token(new_patient(), TAMIL_NADU, "Gauri")
    page = patient.page
    here = page.url
    page.goto(here + "/check")
    page.locator("[data-begin]").click()
    page.locator("[data-asks] button[value=works]").click()
    expect(page.locator("[data-finish]")).to_be_visible()
    look(page, "call-1-check")
    page.locator("[data-finish]").click()
    doctor = new_doctor("tamil-nadu.doctor1")
    desk = doctor.page
    doctor.go_on_duty()
    doctor.meet(patient)
    is_connected(page)
    is_connected(desk)
    doctor.diagnose("cold", "J00")
    shows_a_picture(desk)
    shows_a_picture(page)
    expect(desk.locator(".callbar__mode")).to_contain_text("ideo")
    look(page, "call-2-patient")
    look(desk, "call-3-desk")
    desk.evaluate("window.same = document.querySelector('video[data-seat]')")

    # The list that needs a picture is open from now on; nothing on the way breaks the call.
    doctor.prescribe("amoxicillin 500 cap tds 5d")
    doctor.check_prescription()
    expect(desk.locator("[data-beside] h1")).to_be_visible()
    look(desk, "call-4-check-beside")
    desk.locator("[data-beside] button.govuk-button").first.click()
    expect(desk.locator(".desk .signed")).to_be_visible()
    assert desk.evaluate("window.same.isConnected")
    is_connected(desk)

    desk.locator(".show-paper input[type=file]").set_input_files([photo("exercise.jpg")])
    expect(desk.locator(".desk-papers img")).to_be_visible()
    expect(desk.locator("[data-papers-state]")).to_contain_text("exercise.jpg")
    picture = page.locator("[data-live-src] .paper img")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    look(page, "call-8-shown")
    look(desk, "call-9-shows")

    # Down by one tap, up again only with a yes of the patient.
    desk.locator(".callbar__more summary").click()
    press(desk, "mode:audio")
    expect(desk.locator(".callbar__mode")).to_contain_text("Audio")
    expect(desk.locator("video[data-seat]")).to_have_attribute("data-picture", "off")
    press(desk, "mode:video")
    expect(page.locator(".room__asks")).to_be_visible()
    look(page, "call-5-asked")
    press(page, "mode:video")
    expect(desk.locator(".callbar__mode")).not_to_contain_text("at most")

    # A relative comes by the link, and goes.
    press(desk, "invite")
    expect(desk.locator("#call-link")).not_to_have_value("")
    relative = new_page()
    relative.goto(desk.locator("#call-link").input_value())
    relative.locator("input[name=name]").fill("Sita")
    relative.locator("main button.govuk-button").click()
    is_connected(relative)
    expect(page.locator("video[data-seat]")).to_have_count(2)
    expect(desk.locator(".callbar__mode")).to_contain_text("Sita")
    look(relative, "call-6-third")
    relative.locator("[data-call-leave]").click()
    expect(desk.locator("video[data-seat]")).to_have_count(1)

    # Out of the call nobody is offered what works in it only; one asks, and both are in it again.
    press(desk, "mode:chat")
    for out in (page, desk):
        expect(out.locator("[data-call-room]")).to_have_attribute("data-call-state", "ended")
        expect(out.locator("[data-call-mute]")).to_be_hidden()
        expect(out.locator("[data-call-notice]")).to_be_hidden()
    press(page, "mode:video")
    press(desk, "mode:video")
    is_connected(page)
    is_connected(desk)

    # Gone without a word: the grace begins, the doctor calls again, one tap brings both back.
    page.goto("about:blank")
    expect(desk.locator("[data-call=interrupted]")).to_be_visible()
    look(desk, "call-7-interrupted")
    press(desk, "ring")
    page.goto(here)
    expect(page.locator("[data-call-room]")).to_have_attribute("data-call-state", "connected")
    expect(desk.locator("[data-call=in_progress]")).to_be_visible()
    # What the patient takes home is not what the record says: one press leads to signing again.
    doctor.note(advice="Rest.")
    desk.locator("input[name=outcome][value=prescription]").check()
    desk.locator("button[name=do][value=done]").click()
    expect(desk.locator("#said-done")).to_contain_text("Sign again")
    desk.locator("#said-done button[value=sign]").click()
    expect(desk.locator("[data-beside] h1")).to_be_visible()
    desk.locator("[data-beside] button.govuk-button").first.click()
    expect(desk.locator(".desk .signed")).to_be_visible()
    doctor.finish("prescription")
    expect(page.locator(".day-plan").first).to_be_visible()
    expect(page.locator("[data-call-room]")).to_be_hidden()
    expect(page.locator("[data-papers-form]")).to_have_count(0)
    expect(page.locator("[data-papers]")).to_contain_text("belong to the next one")
    expect(page.locator("[data-stage-told]")).to_contain_text("What the doctor says")
    look(page, "call-8-after")


ADDED_ELSEWHERE = """async (line) => {
    const form = document.querySelector("form[data-typed]");
    const body = new URLSearchParams(new FormData(form));
    body.set("line", line);
    body.set("do", "add_line");
    await fetch(form.action, { method: "POST", body });
}"""
"""Adds a medicine as another tab of the doctor does; this page does not hear of it."""


def test_what_speaks_against_it_is_said_while_a_call_runs(
    new_patient: NewPatient, new_doctor: NewDoctor
) -> None:
    """Errors stand and sound where the doctor looks, and are gone once they are mended."""
    patient = with_token(new_patient(), TAMIL_NADU, "Indu")
    doctor = new_doctor("tamil-nadu.doctor1")
    desk = doctor.page
    doctor.go_on_duty()
    doctor.meet(patient)
    is_connected(desk)
    doctor.diagnose("cold", "J00")
    doctor.prescribe("pcm 650 1-0-1 5d")
    desk.locator("[name=weight_kg]").fill("much")
    doctor.check_prescription()
    summary = desk.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    expect(desk).to_have_title(re.compile("Error: "))
    desk.locator("[name=weight_kg]").fill("54")
    doctor.check_prescription()
    expect(desk.locator("[data-beside] h1")).to_be_focused()
    expect(summary).to_have_count(0)

    desk.evaluate(ADDED_ELSEWHERE, "cetirizine 10 hs 5d")
    sign = desk.locator("main button[data-key=s]:not([name])")
    sign.click()
    changed = desk.locator(".notice--bad")
    expect(changed).to_be_in_viewport()
    expect(changed).to_contain_text("Look again")

    another = desk.context.new_page()
    another.goto("/desk")
    expect(desk.locator("[data-call-room]")).to_have_attribute("data-call-state", "elsewhere")
    another.close()
    sign.click()
    expect(desk.locator(".signed")).to_be_visible()


def test_a_slow_link_while_a_call_runs(new_patient: NewPatient, new_doctor: NewDoctor) -> None:
    """The hint that the patient has gone comes before the answer that says where to."""
    patient = with_token(new_patient(), TAMIL_NADU, "Hansa")
    doctor = new_doctor("tamil-nadu.doctor2")
    desk = doctor.page
    doctor.go_on_duty()
    doctor.meet(patient)
    is_connected(desk)
    desk.locator("#find-opd").click()
    desk.locator("#id_clinic").select_option(index=1)
    desk.locator("#id_redirect_reason").fill("A colleague knows the patient")
    # Not sent at all, it says so and stays.
    desk.route("**/write", lambda route: route.abort())
    desk.locator("#send-on").click()
    expect(desk.locator("form [role=alert]")).to_have_text(re.compile("press again"))
    expect(desk.locator("#id_redirect_reason")).to_have_value("A colleague knows the patient")
    desk.unroute("**/write")
    desk.route("**/write", answered_late)
    desk.locator("#send-on").click()
    expect(desk.locator("main")).to_contain_text("waits in the other OPD now")


def test_the_call_ends_while_the_camera_is_asked_for(
    new_patient: NewPatient, new_doctor: NewDoctor
) -> None:
    """Who allows it afterwards is not filmed."""
    patient = with_token(new_patient(), TAMIL_NADU, "Gauri")
    page = patient.page
    page.add_init_script(ASKED_FOR_LONG)
    doctor = new_doctor("tamil-nadu.doctor2")
    doctor.go_on_duty()
    doctor.meet(patient)
    is_connected(page)
    page.evaluate("window.asked")
    page.locator("[data-call-leave]").click()
    expect(page.locator("[data-call-room]")).not_to_have_attribute("data-call-state", "connected")
    assert not page.evaluate(FILMED)


def test_another_language_while_a_call_runs(
    new_patient: NewPatient, new_doctor: NewDoctor, look: Look
) -> None:
    """The desk speaks it at once; the call goes on, and so does what was typed and pressed."""
    patient = with_token(new_patient(), TAMIL_NADU, "Indira")
    doctor = new_doctor("tamil-nadu.doctor3")
    desk = doctor.page
    doctor.go_on_duty()
    doctor.meet(patient)
    is_connected(desk)
    shows_a_picture(desk)
    desk.evaluate("window.same = document.querySelector('video[data-seat]')")
    desk.locator("[data-call-mute]").click()
    doctor.prescribe("pcm 650 tds 3d")
    doctor.check_prescription()
    desk.locator("[data-beside] a[href$='#id_diagnosis']").click()
    expect(desk.locator("#id_diagnosis")).to_be_focused()
    assert desk.evaluate("window.same.isConnected")
    doctor.diagnose("cold", "J00")
    doctor.check_prescription()
    desk.locator("#id_line").evaluate("field => { field.value = 'amox' }")

    desk.locator(".language__choice[hreflang=hi]").click()
    expect(desk.locator("html")).to_have_attribute("lang", "hi")
    expect(desk.locator("[data-beside] h1")).to_contain_text("पर्चे पर हस्ताक्षर")
    expect(desk.locator(".header__nav")).to_contain_text("आपका दिन")
    expect(desk.locator("[data-call-status]")).to_have_text("अब आप बात कर सकते हैं।")
    expect(desk.locator(".callbar__mode")).to_contain_text("अभी")
    expect(desk.locator("[data-call-mute] span")).to_have_text("माइक बंद")
    look(desk, "call-10-hindi-beside")
    desk.locator("[data-beside] .govuk-back-link").click()
    expect(desk.locator(".desk")).to_be_visible()
    look(desk, "call-11-hindi")
    assert desk.evaluate("window.same.isConnected")
    assert desk.locator("#id_line").input_value() == "amox"
    expect(desk.locator("[data-call-mute]")).to_have_attribute("aria-pressed", "true")
    is_connected(desk)
    is_connected(patient.page)
    assert len(desk.context.pages) == 1
    expect(desk.locator(".papers__send")).to_be_hidden()
    desk.set_viewport_size({"width": 360, "height": 740})
    patient_box = desk.locator("#patient-title").bounding_box()
    lines_box = desk.locator("#lines-title").bounding_box()
    assert patient_box
    assert lines_box
    assert patient_box["y"] < lines_box["y"]
    look(desk, "call-12-small-screen")
    for part in ("#finish", "#patient-title", "#prescription-title", "#notes-title"):
        desk.locator(f".desk__jump a[href='{part}']").click()
        expect(desk.locator(part)).to_be_in_viewport()
    assert desk.evaluate("window.same.isConnected")
    desk.set_viewport_size({"width": 1280, "height": 800})
    desk.locator("#id_line").fill("")
    doctor.note(advice="आराम")
    doctor.check_prescription()
    doctor.sign()
    doctor.finish("prescription")
