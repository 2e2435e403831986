"""A health worker at a spoke brings a hub's doctor to the patient who sits there."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import demo_password
from tests.journeys.people import Doctor, HealthWorker, sign_in_staff
from tests.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewWorker = Callable[..., HealthWorker]
NewDoctor = Callable[..., Doctor]
Look = Callable[[Page, str], None]


@pytest.mark.parametrize(
    ("language", "state"),
    [("en", "karnataka"), pytest.param("hi", "uttar-pradesh", marks=pytest.mark.verify)],
    ids=["en", "hi"],
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
    look(page, f"spoke-{language}-5b-presence")
    worker.show_patient()
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
    # Asked once, in the call, which goes on: one press says that the patient agrees, and goes on.
    desk = doctor.page
    desk.evaluate("window.same = document.querySelector('video[data-seat]')")
    doctor.check_prescription()
    expect(desk.locator("[data-asks]")).to_be_focused()
    look(desk, f"spoke-{language}-7b-consent")
    assert desk.evaluate("window.same.isConnected")
    desk.locator("[data-asks]").press("Enter")
    expect(desk.locator("[data-beside] h1")).to_be_visible()
    doctor.sign()
    doctor.finish("prescription")
    expect(page.locator(".day-plan").first).to_be_visible()
    look(page, f"spoke-{language}-8-answered")
    printed = page.request.get(page.url + "/prescription.pdf")
    assert printed.body().startswith(b"%PDF")
    page.locator("a[href*='/spoke/medicines/']").click()
    look(page, f"spoke-{language}-10-hand-out")
    page.context.set_offline(True)
    worker.submit()
    expect(page.locator("[data-outbox-told]")).to_be_visible()
    page.context.set_offline(False)
    expect(page).to_have_url(re.compile(r"\?saved$"))
    page.goto("/spoke")
    expect(page.locator(".choice", has_text="Sita Devi").first).to_be_visible()
    look(page, f"spoke-{language}-9-desk")


def health_centre(page: Page) -> Locator:
    """The link to the primary health centre, whoever else is on duty."""
    return page.locator(".choice", has_text="Primary Health Centre").locator("a").first


def ready(worker: HealthWorker, name: str) -> None:
    """Register somebody and fill in what a hub's doctor needs."""
    page = worker.page
    worker.register(name, age="52")
    worker.submit()
    worker.no_danger()
    worker.complain("fever", text="Tired for weeks, fever every evening", days=20)
    page.locator("input[name=body_temperature]").fill("38.1")
    worker.submit()


def send_on(doctor: Doctor, hub: str, reason: str, press: str) -> None:
    """Choose a hub at the desk, say why, and press a button."""
    page = doctor.page
    page.locator("#find-opd").click()
    option = page.locator("select[name=clinic] option", has_text=hub).first
    page.locator("select[name=clinic]").select_option(option.get_attribute("value") or "")
    page.locator("[name=redirect_reason]").fill(reason)
    page.locator(press).click()
    expect(page.locator("button.next")).to_be_visible()


def test_three_tiers_and_a_wrong_speciality(
    new_worker: NewWorker, new_doctor: NewDoctor, look: Look
) -> None:
    """Sub-centre, primary health centre, district hospital; the patient stays where she sits."""
    worker = new_worker("tamil-nadu.worker1")
    page = worker.page
    ready(worker, "Selvi")
    first = new_doctor("tamil-nadu.phc1")
    first.go_on_duty()
    page.reload()
    health_centre(page).click()
    worker.submit()
    worker.show_patient()
    first.meet(worker)
    first.note(advice="Needs a specialist's opinion")
    send_on(first, "District Hospital", "Fever for three weeks", "#refer")
    page.locator("a.govuk-button", has_text="waiting room").click()
    expect(page.locator(".token")).to_be_visible()
    look(page, "tiers-1-waiting-for-the-specialist")

    second = new_doctor("tamil-nadu.doctor1")
    second.go_on_duty()
    second.next()
    patient = second.page.locator(".desk__patient")
    for told in ("Selvi", "Referred by", "Fever for three weeks", "38.1", "Tired for weeks"):
        expect(patient).to_contain_text(told)
    look(second.page, "tiers-2-the-specialist-sees-everything")
    worker.answer()
    second.expect_in_progress()
    send_on(second, "Women", "Wrong speciality", "#send-on")
    expect(page.locator(".token")).to_be_visible()
    expect(page.locator("main")).to_contain_text("The time you waited is kept")
    look(page, "tiers-3-sent-on")


@pytest.mark.verify
def test_a_specialist_comes_in(new_worker: NewWorker, new_doctor: NewDoctor, look: Look) -> None:
    """Health worker, hub's doctor and specialist talk at once; the advice is in the record."""
    worker = new_worker("karnataka.worker1")
    ready(worker, "Savitri")
    host, specialist = new_doctor("karnataka.phc1"), new_doctor("karnataka.doctor1")
    host.go_on_duty()
    specialist.go_on_duty()
    worker.page.reload()
    health_centre(worker.page).click()
    worker.submit()
    worker.show_patient()
    host.meet(worker)
    desk, guest = host.page, specialist.page
    desk.locator("#find-colleague").click()
    look(desk, "third-1-who-is-on-duty")
    desk.locator("button[value^=ask_in]").first.click()
    expect(desk.locator("#asks")).to_contain_text("An answer can come until")
    look(guest, "third-2-asked")
    guest.locator("button[value=come]").click()
    for page, others in ((worker.page, 2), (desk, 2), (guest, 2)):
        expect(page.locator("[data-call-room]")).to_have_attribute("data-call-state", "connected")
        expect(page.locator("[data-call-remotes] video")).to_have_count(others)
    expect(worker.page.locator(".room__asks")).to_contain_text("has come in")
    look(worker.page, "third-3-at-the-spoke")
    look(guest, "third-4-the-specialist")
    guest.locator("textarea[name=advice]").fill("Do a malaria test today")
    guest.locator("button[value=advise]").click()
    expect(desk.locator(".ask-advice")).to_contain_text("Do a malaria test today")
    expect(guest.locator("[data-call-room]")).to_have_attribute("data-call-state", "connected")
    look(desk, "third-5-advised")
    host.note(advice="Malaria test at the centre")
    host.finish("advice")
    expect(worker.page.locator("main")).to_contain_text("Do a malaria test today")
    # Out of the call, the advice can be finished; a look at the desk costs no word of it.
    guest.locator("textarea[name=advice]").fill("Do a malaria test today, and a blood film")
    guest.goto("/desk")
    guest.locator("a[href*='/desk/asked/']").click()
    expect(guest.locator("textarea[name=advice]")).to_have_value(re.compile("and a blood film$"))


def test_asked_in_writing_and_answered_later(
    new_worker: NewWorker, new_doctor: NewDoctor, look: Look
) -> None:
    """The patient goes home; a doctor answers when there is time, and nobody is called."""
    worker = new_worker("uttarakhand.worker1")
    page = worker.page
    ready(worker, "Kamla")
    health_centre(page).click()
    page.locator("input[name=doctor][value=later]").check()
    worker.submit()
    expect(page.locator("main")).to_contain_text("A doctor answers in writing")
    look(page, "written-1-sent")
    doctor = new_doctor("uttarakhand.phc1")
    doctor.go_on_duty()
    look(doctor.page, "written-2-inbox")
    doctor.page.locator("button[form=take-written]").click()
    doctor.expect_in_progress()
    expect(doctor.page.locator(".desk__patient")).to_contain_text("A written request")
    look(doctor.page, "written-3-desk")
    doctor.note(advice="Blood test, then come back")
    doctor.finish("advice")
    expect(page.locator("main")).to_contain_text("Blood test, then come back")
    look(page, "written-4-answered")


@pytest.mark.verify
def test_a_pharmacist_hands_out_in_part_and_the_doctor_sees_it(
    new_worker: NewWorker,
    new_doctor: NewDoctor,
    new_page: Callable[..., Page],
    product: Product,
    look: Look,
) -> None:
    """At the health centre its own doctor sits beside the patient; the hospital prescribes."""
    beside = new_worker("tamil-nadu.phc1")
    ready(beside, "Harjit Kaur")
    doctor = new_doctor("tamil-nadu.doctor1")
    doctor.go_on_duty()
    beside.page.reload()
    hospital = beside.page.locator(".choice", has_text="District Hospital")
    hospital.locator("a").first.click()
    beside.submit()
    beside.show_patient()
    doctor.meet(beside)
    doctor.diagnose("viral fever", "B34.9")
    doctor.prescribe("pcm 500 1-1-1 3d")
    expect(doctor.page.locator("main")).not_to_contain_text("The spoke has none of this")
    doctor.hear_consent()
    doctor.check_prescription()
    doctor.sign()
    signed = doctor.page.locator(".signed").inner_text()
    number = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", signed)
    assert number

    page = new_page()
    sign_in_staff(page, "tamil-nadu.pharmacist1", demo_password(product))
    expect(page).to_have_url(re.compile(r"/spoke/medicines$"))
    expect(page.locator(".choices")).to_contain_text("Harjit Kaur")
    look(page, "counter-1-waiting")
    page.locator("input[name=shown]").fill(number.group().replace("-", "").lower())
    page.keyboard.press("Enter")
    expect(page.locator(".notice--good")).to_contain_text("Genuine and valid")
    look(page, "counter-2-verified")
    page.locator("input[type=radio][value=part]").check()
    page.locator("input[name$='.given']").fill("5")
    page.locator("main button.govuk-button").first.click()
    expect(page.locator(".notice--good")).to_contain_text("In part: 5")
    look(page, "counter-3-in-part")
    page.locator("a[href$='/slip']").click()
    expect(page.locator(".sheet")).to_contain_text("4 of 9")
    page.evaluate("window.print = () => { document.title = 'printed'; }")
    page.locator("[data-print]").click()
    expect(page).to_have_title("printed")
    look(page, "counter-4-slip")
    doctor.page.reload()
    expect(doctor.page.locator("main")).to_contain_text("The spoke has none of this")
    doctor.finish("prescription")
