"""A dropped link, a reload, an expired sign-in: what was typed is still there."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.people import Doctor, Patient, answered_late

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

KARNATAKA = 29
KEPT_HERE = re.compile("kept on this phone")


@pytest.fixture
def patient(new_patient: Callable[..., Patient]) -> Patient:
    """Somebody who is asked what the trouble is."""
    patient = new_patient()
    patient.sign_in()
    patient.page.goto("/start")
    patient.live_in(KARNATAKA)
    patient.describe("Kamala")
    patient.agree()
    patient.no_danger()
    expect(patient.page.locator("#id_text")).to_be_visible()
    return patient


def test_complaints_survive_the_link_and_the_reload(patient: Patient) -> None:
    page = patient.page
    page.locator("input[value=fever]").check()
    page.locator("#id_text").fill("Three days, worse at night")
    page.context.set_offline(True)
    page.locator("#id_duration").fill("3")
    state = page.locator("[data-draft-state]")
    expect(state).to_have_text(KEPT_HERE)
    patient.submit()
    said = page.locator("form [role=alert]")
    expect(said).to_have_text(re.compile("press again when it is back"))
    expect(page.locator("#id_text")).to_have_value("Three days, worse at night")
    page.context.set_offline(False)
    expect(said).to_have_count(0)
    page.reload()
    expect(page.locator("#id_text")).to_have_value("Three days, worse at night")
    expect(page.locator("#id_duration")).to_have_value("3")
    expect(page.locator("input[value=fever]")).to_be_checked()
    expect(state).to_have_text("Saved.")
    # The server has it: nothing of it stays on a borrowed phone.
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    expect(page.locator("#id_text")).to_have_value("Three days, worse at night")


def test_complaints_survive_an_expired_sign_in(patient: Patient) -> None:
    page = patient.page
    page.locator("#id_text").fill("Typed while the sign-in ran out")
    address = page.url
    session = next(one["value"] for one in page.context.cookies() if one["name"] == "session")
    page.context.clear_cookies(name="session")
    patient.submit()
    expect(page.locator("input[name=mobile]")).to_be_visible()
    # Signed in again, and led back to the page that the form stands on.
    assert parse_qs(urlsplit(page.url).query)["next"] == [urlsplit(address).path]
    page.context.add_cookies([{"name": "session", "value": session, "url": patient.url}])
    page.goto(address)
    expect(page.locator("#id_text")).to_have_value("Typed while the sign-in ran out")
    patient.submit()
    expect(page).to_have_url(re.compile("/opds$"))
    assert page.evaluate("localStorage.length") == 0


def session_of(patient: Patient) -> dict[str, str]:
    """Return the cookie by which somebody is signed in."""
    cookies = patient.page.context.cookies()
    value = next(one["value"] for one in cookies if one["name"] == "session")
    return {"name": "session", "value": value, "url": patient.url}


def test_a_form_without_a_draft_survives_the_language_and_an_expired_sign_in(
    new_patient: Callable[..., Patient],
) -> None:
    """Only for who typed it."""
    patient, other = new_patient(), new_patient()
    other.sign_in()
    patient.sign_in()
    page = patient.page
    page.goto("/start")
    patient.live_in(KARNATAKA)
    address = page.url
    name, gender = page.locator("input[name=name]"), page.locator("input[name=gender][value=other]")
    name.fill("Kamala Devi")
    gender.check()
    page.locator(".language__choice").click()
    expect(page.locator("html")).to_have_attribute("lang", "hi")
    expect(name).to_have_value("Kamala Devi")
    expect(gender).to_be_checked()

    # Refused for what is missing, and then signed out meanwhile.
    patient.submit()
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    own = session_of(patient)
    page.context.clear_cookies(name="session")
    patient.submit()
    expect(page.locator("input[name=mobile]")).to_be_visible()
    page.context.add_cookies([own])  # type: ignore[list-item]
    page.goto(address)
    expect(name).to_have_value("Kamala Devi")
    expect(gender).to_be_checked()

    page.context.clear_cookies(name="session")
    patient.submit()
    expect(page.locator("input[name=mobile]")).to_be_visible()
    page.context.add_cookies([session_of(other)])  # type: ignore[list-item]
    page.goto(address)
    expect(page.locator("h1")).to_be_visible()
    assert "Kamala" not in page.content()
    assert page.locator("input[name=name]").evaluate_all("all => all.map(one => one.value)") in (
        [],
        [""],
    )


def test_a_message_half_written_is_there_when_the_turn_has_come(
    patient: Patient, new_doctor: Callable[..., Doctor]
) -> None:
    """The page of the call is another one; what was sent does not come back."""
    patient.complain("fever")
    patient.choose_first_opd()
    patient.take_token()
    text = patient.page.locator("#write [name=text]")
    patient.write("It has become worse")
    expect(text).to_have_value("")
    text.fill("And she has a ra")
    patient.page.reload()
    expect(text).to_have_value("And she has a ra")
    doctor = new_doctor("karnataka.doctor1")
    doctor.go_on_duty()
    doctor.meet(patient)
    expect(patient.page.locator("[data-call-room]")).to_be_visible()
    expect(text).to_have_value("And she has a ra")
    patient.page.locator("#write button[type=submit]").click()
    expect(text).to_have_value("")
    patient.page.reload()
    expect(text).to_have_value("")


def test_a_message_survives_the_link(patient: Patient) -> None:
    page = patient.page
    patient.complain("fever")
    patient.choose_first_opd()
    patient.take_token()
    page.context.set_offline(True)
    patient.write("It has become worse")
    expect(page.locator("[data-chat-error]")).to_have_text(re.compile("Not sent"))
    expect(page.locator("#write [name=text]")).to_have_value("It has become worse")
    page.context.set_offline(False)
    page.locator("#write button[type=submit]").click()
    expect(page.locator(".message__text")).to_have_text(["It has become worse"])
    expect(page.locator("#write [name=text]")).to_have_value("")


def test_what_is_typed_or_changed_while_a_message_is_on_its_way(patient: Patient) -> None:
    page = patient.page
    patient.complain("fever")
    patient.choose_first_opd()
    patient.take_token()
    text = page.locator("#write [name=text]")
    page.route("**/write", answered_late)
    patient.write("It has become worse")
    text.fill("And she has a rash")
    told = page.locator(".message__text")
    expect(told).to_have_text(["It has become worse"])
    expect(page.locator("#write button[type=submit]")).to_be_enabled()
    expect(text).to_have_value("And she has a rash")
    page.unroute("**/write", answered_late)

    def unheard(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/write", unheard)
    page.locator("#write button[type=submit]").click()
    expect(page.locator("[data-chat-error]")).to_have_text(re.compile("Not sent"))
    page.unroute("**/write", unheard)
    patient.write("And she has a rash since yesterday")
    expect(text).to_have_value("")
    expect(told).to_have_text(
        [
            "It has become worse",
            "And she has a rash",
            "And she has a rash since yesterday",
        ]
    )


def test_signed_out_in_another_tab_a_page_says_so_until_somebody_is_signed_in(
    patient: Patient,
) -> None:
    page = patient.page
    patient.complain("fever")
    patient.choose_first_opd()
    patient.take_token()
    state = page.locator("[data-live-status]")
    expect(state).to_have_text(re.compile("keeps itself up to date"))
    session = next(one["value"] for one in page.context.cookies() if one["name"] == "session")
    page.context.clear_cookies(name="session")
    page.evaluate("document.dispatchEvent(new CustomEvent('live:refresh'))")
    expect(state).to_have_text(re.compile("You are signed out"))
    page.context.add_cookies([{"name": "session", "value": session, "url": patient.url}])
    page.evaluate("document.dispatchEvent(new CustomEvent('visibilitychange'))")
    expect(state).to_have_text(re.compile("keeps itself up to date"))
