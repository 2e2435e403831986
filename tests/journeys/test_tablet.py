"""A spoke's tablet loses the link at every step: nothing is lost, and nothing happens twice."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.journeys.conftest import demo_password
from tests.journeys.people import HealthWorker, photo, sign_in_staff
from tests.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewWorker = Callable[..., HealthWorker]
Look = Callable[[Page, str], None]
KEPT = "[data-outbox-told]"
STRIP = ".outbox__bar"
STORED = """async () => {
    const open = indexedDB.open("tablet");
    await new Promise((resolve) => { open.onsuccess = resolve; });
    const all = open.result.transaction("entries").objectStore("entries").getAll();
    await new Promise((resolve) => { all.onsuccess = resolve; });
    open.result.close();
    const texts = all.result.map(({ sealed }) => new TextDecoder().decode(sealed.text));
    return JSON.stringify(all.result.map((entry, index) => [entry, texts[index]]));
}"""
"""What the tablet holds, as somebody reads it who opens its storage."""

AGED = """async (days) => {
    const open = indexedDB.open("tablet");
    await new Promise((resolve) => { open.onsuccess = resolve; });
    const write = open.result.transaction("entries", "readwrite");
    const all = write.objectStore("entries").getAll();
    all.onsuccess = () => {
        for (const entry of all.result) {
            write.objectStore("entries").put({ ...entry, at: Date.now() - days * 86_400_000 });
        }
    };
    await new Promise((resolve) => { write.oncomplete = resolve; });
    open.result.close();
}"""
"""Lets what the tablet holds have been entered so many days ago."""


def at_tablet(worker: HealthWorker) -> Page:
    """Return the page once the tablet is ready to work without a link."""
    page = worker.page
    page.evaluate(
        """async () => {
            await navigator.serviceWorker.ready;
            while (!localStorage.getItem("tablet-pages")) {
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
        }"""
    )
    return page


def reopened(worker: HealthWorker) -> Page:
    """Close the tab while there is no link, open another, and let the link come back."""
    context = worker.page.context
    worker.page.close()
    page = worker.page = context.new_page()
    page.goto("/spoke")
    expect(page.locator("h1")).to_have_text("Kept on this tablet")
    context.set_offline(False)
    page.goto("/spoke")
    expect(page.locator("h1")).to_have_text("Today")
    while page.evaluate(STORED) != "[]":
        page.wait_for_timeout(50)
    return page


def test_the_page_that_was_asked_for_comes_with_the_link(new_worker: NewWorker) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    page.context.set_offline(True)
    page.goto("/spoke/find")
    expect(page.locator("h1")).to_have_text("Kept on this tablet")
    expect(page.locator("[data-outbox-away]")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("h1")).to_have_text("Find or register")
    expect(page).to_have_url(re.compile("/spoke/find$"))


def test_the_strip_says_when_the_service_last_answered(new_worker: NewWorker, look: Look) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    page.goto("/spoke/register")
    strip = page.locator(STRIP)
    expect(strip).to_be_hidden()
    # An answer still on its way would be heard later than what is put here.
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    expect(strip).to_contain_text("No link just now")
    expect(strip).to_contain_text("Last contact less than a minute ago.")
    page.evaluate(
        """() => {
            localStorage.setItem("tablet-heard", Date.now() - 12 * 60_000);
            dispatchEvent(new Event("offline"));
        }"""
    )
    expect(strip).to_contain_text("Last contact 12 minutes ago.")
    # Each minute would be said aloud.
    expect(strip.locator("[role=status]")).not_to_contain_text("Last contact")
    expect(strip.locator("a")).to_be_hidden()
    look(page, "tablet-7-no-link")
    page.goto("/spoke/visit")
    enter_visit(page, "Meenakshi")
    expect(strip).to_contain_text("1 entry is kept")
    expect(strip).to_contain_text("Last contact 12 minutes ago.")
    look(page, "tablet-8-waits")
    page.context.set_offline(False)
    expect(strip).to_be_hidden()
    expect(page.locator(".outbox__entry")).to_have_count(0)


@pytest.fixture
def answers_lost() -> Callable[[Page], Callable[[], None]]:
    """Let what is sent arrive, and its answer get lost on the way back, once."""

    def lose(page: Page) -> Callable[[], None]:
        lost: list[str] = []

        def answer(route: Route) -> None:
            if "idempotency-key" in route.request.headers and not lost:
                lost.append(route.fetch(max_redirects=0).headers.get("x-location", ""))
                route.abort("connectionreset")
            else:
                route.fallback()

        page.route("**/*", answer)

        def check() -> None:
            assert lost
            assert lost[0]
            page.unroute("**/*", answer)

        return check

    return lose


def test_the_link_is_lost_at_every_step(
    new_worker: NewWorker, answers_lost: Callable[[Page], Callable[[], None]]
) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    link = page.context.set_offline
    page.goto("/spoke/register")
    page.locator("input[name=name]").fill("Lakshmi Bai")
    page.locator("input[name=gender][value=female]").check()
    page.locator("input[name=age]").fill("47")
    page.locator("input[name=address]").fill("Near the well")
    link(True)
    worker.submit()
    expect(page.locator(KEPT)).to_be_visible()
    page = reopened(worker)
    page.reload()
    page.locator(".choice", has_text="Lakshmi Bai").first.locator("a").click()
    person = page.url
    page.goto(f"{person}/consent")

    link(True)
    worker.submit()
    expect(page.locator(KEPT)).to_be_visible()
    link(False)
    # The page goes on by itself.
    expect(page).to_have_url(re.compile("/danger$"))
    check = answers_lost(page)
    worker.no_danger()
    expect(page).to_have_url(re.compile("/trouble$"))
    check()

    link(True)
    worker.complain("fever", text="Every evening, with shivering", days=3)
    expect(page.locator(KEPT)).to_be_visible()
    assert page.evaluate("JSON.stringify(localStorage)").find("shivering") == -1
    page = reopened(worker)
    measure = f"/spoke/patients/{person.rsplit('/', 1)[1]}/measure"
    page.goto(measure)
    link(True)
    page.locator("input[name=body_temperature]").fill("100")
    worker.submit()
    expect(page.locator(KEPT)).to_be_visible()
    # Corrected before it is sent.
    page.goto("/spoke/kept")
    page.locator("[data-do=open]").click()
    expect(page.locator("input[name=body_temperature]")).to_have_value("100")
    page.locator("input[name=body_temperature]").fill("101.3")
    page.locator("[data-outbox-opened] button[type=submit]").click()
    expect(page.locator(KEPT)).to_be_visible()
    page = reopened(worker)
    page.goto(measure.replace("measure", "hubs"))
    page.locator(".choice a").first.click()
    expect(page).to_have_url(re.compile("/hubs/"))

    check = answers_lost(page)
    worker.submit()
    expect(page).to_have_url(re.compile("/presence$"))
    check()
    presence = page.url
    link(True)
    page.locator("input[name=photo]").set_input_files([photo("here.jpg")])
    expect(page.locator(KEPT)).to_be_visible()
    page.goto("/spoke/kept")
    page.locator("[data-do=open]").click()
    expect(page.locator("[data-outbox-opened]")).to_contain_text("here.jpg")
    page = reopened(worker)
    page.goto(presence)
    expect(page.locator(".token")).to_be_visible()
    page.goto("/spoke")
    expect(page.locator(".choice--live")).to_have_count(1)
    page.goto("/spoke/find")
    page.locator("input[name=sought]").fill("Lakshmi Bai")
    worker.submit()
    expect(page.locator(".choices .choice")).to_have_count(1)
    page.goto(f"{person}/consultations")
    expect(page.locator("main a[href*='/consultations/29/']")).to_have_count(1)


def test_what_is_refused_is_shown_without_sending_it_again(
    new_worker: NewWorker, look: Look
) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    worker.register("Gowri", age="36")
    worker.submit()
    worker.no_danger()
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    page.locator("textarea[name=text]").fill("Pain")
    submit = page.locator("main button[type=submit]").first
    submit.click()
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error:"))
    assert len([address for address in sent if address.endswith("/trouble")]) == 1
    look(page, "tablet-6-refused")
    # What was refused is in the draft as well.
    expect(page.locator("[data-draft-state]")).to_have_text("Saved.")
    worker.complain("fever", text="Pain every evening", days=3)
    expect(page).to_have_url(re.compile("/measure$"))
    for pressure in ("120", "80"):
        page.locator("input[name=systolic_blood_pressure]").fill("100")
        page.locator("input[name=diastolic_blood_pressure]").fill(pressure)
        submit.click()
        if pressure == "120":
            expect(page.locator(".govuk-error-message")).to_be_visible()
    expect(page).to_have_url(re.compile("/hubs$"))
    assert len([address for address in sent if address.endswith("/measure")]) == 2
    assert page.evaluate(STORED) == "[]"


def enter_visit(page: Page, name: str) -> None:
    """Fill in a visit, and save it."""
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=gender][value=female]").check()
    page.locator("input[name=age]").fill("31")
    page.locator("input[name=address]").fill("Behind the school")
    page.locator("input[name=complaints][value=fever]").check()
    page.locator("textarea[name=text]").fill("Fever since the fair")
    page.locator("input[name=duration]").fill("2")
    page.locator("input[name=heart_rate]").fill("88")
    page.locator("main button[type=submit]").last.click()
    expect(page.locator("h1")).to_have_text("Kept on this tablet")


@pytest.mark.verify
def test_whole_visits_without_a_link(new_worker: NewWorker, look: Look) -> None:
    worker = new_worker("tamil-nadu.worker1")
    page = at_tablet(worker)
    page.context.set_offline(True)
    page.goto("/spoke/find")
    expect(page.locator("[data-outbox-away]")).to_be_visible()
    look(page, "tablet-1-away")
    for name in ("Ponni", "Ponni", "Valli"):
        page.goto("/spoke/visit")
        enter_visit(page, name)
    expect(page.locator(STRIP)).to_contain_text("3 entries are kept")
    page.goto("/spoke/kept")
    expect(page.locator(".outbox__entry")).to_have_count(3)
    look(page, "tablet-3-kept")
    page.locator("[data-do=withdraw]").last.click()
    page.locator("[data-do=undo]:visible").click()
    expect(page.locator(".outbox__entry")).to_have_count(3)
    kept = page.evaluate(STORED)
    assert len(kept) > 100
    stored = kept + page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "Ponni" not in stored
    page.context.set_offline(False)
    # The second Ponni may be the first: that is asked, never decided.
    expect(page.locator(".outbox__entry")).to_have_count(1)
    expect(page.locator(STRIP)).to_contain_text("not accepted")
    page.locator("[data-do=open]").click()
    expect(page.locator("main")).to_contain_text("Is it Ponni")
    look(page, "tablet-4-alike")
    page.locator("button[name=same]").click()
    expect(page).to_have_url(re.compile("/consent$"))
    page.goto("/spoke")
    expect(page.locator(STRIP)).to_be_hidden()
    expect(page.locator("main")).to_contain_text("Entered without a link: continue")
    for name in ("Ponni", "Valli"):
        assert page.locator("[data-live-src] .choice", has_text=name).count() == 1
    look(page, "tablet-5-desk")


def test_another_person_reads_nothing_and_signing_out_asks(
    new_worker: NewWorker, product: Product
) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    context = page.context
    context.set_offline(True)
    page.goto("/spoke/visit")
    enter_visit(page, "Kaveri")
    session = [one for one in context.cookies() if one["name"] == "session"]
    # The service ended the session, and a colleague signs in.
    context.clear_cookies(name="session")
    context.set_offline(False)
    page.goto("/staff/sign-in")
    password = demo_password(product)
    sign_in_staff(page, "uttarakhand.worker1", password)
    expect(page).to_have_url(re.compile("/spoke$"))
    page.goto("/spoke/kept")
    expect(page.locator("[data-outbox-none]")).to_be_visible()
    expect(page.locator(STRIP)).to_be_hidden()
    # Who entered it gets it back.
    context.clear_cookies(name="session")
    context.add_cookies([{**session[0], "url": worker.url, "domain": None, "path": None}])
    page.route("**/spoke/visit", lambda route: route.abort())
    page.goto("/spoke/kept")
    expect(page.locator(".outbox__entry")).to_have_text(re.compile("Kaveri"))
    page.goto("/account")
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", refuse)
    with page.expect_event("dialog"):
        page.locator("form[action='/sign-out'] button").click()
    expect(page.locator("h1")).to_have_text("Your account")
    # A button that was pressed rests for a second.
    page.goto("/account")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("form[action='/sign-out'] button").click()
    expect(page).to_have_url(re.compile("/staff/sign-in"))
    assert "will be lost: 1" in asked[0]
    assert page.evaluate("caches.keys()") == []
    sign_in_staff(page, "karnataka.worker1", password)
    page.goto("/spoke/kept")
    expect(page.locator("[data-outbox-none]")).to_be_visible()


def test_what_is_corrected_while_the_first_words_are_on_their_way(new_worker: NewWorker) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    page.context.set_offline(True)
    page.goto("/spoke/visit")
    enter_visit(page, "Nagamma")
    expect(page.locator(".outbox__entry")).to_have_count(1)
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/spoke/visit", hold_first)
    page.context.set_offline(False)
    while not held:
        page.wait_for_timeout(50)
    page.locator("[data-do=open]").click()
    page.locator("[data-outbox-opened] textarea[name=text]").fill("Fever, and now a rash")
    page.locator("[data-outbox-opened] button[type=submit]").last.click()
    page.wait_for_timeout(1_000)
    held[0].continue_()
    expect(page.locator(".outbox__entry")).to_contain_text("was sent before, with other words")


def test_what_is_refused_stays_when_the_sign_in_has_run_out(new_worker: NewWorker) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    context = page.context
    context.set_offline(True)
    for _twice in range(2):
        page.goto("/spoke/visit")
        enter_visit(page, "Chinnamma")
    context.set_offline(False)
    # The second may be the first: that is asked.
    expect(page.locator(STRIP)).to_contain_text("not accepted")
    expect(page.locator(".outbox__entry")).to_have_count(1)
    session = [one for one in context.cookies() if one["name"] == "session"]
    context.clear_cookies(name="session")
    page.locator("[data-do=open]").click()
    expect(page).not_to_have_url(re.compile("/kept$"))
    context.add_cookies([{**session[0], "url": worker.url, "domain": None, "path": None}])
    page.goto("/spoke")
    expect(page.locator("h1")).to_have_text("Today")
    expect(page.locator(STRIP)).to_contain_text("not accepted")
    page.goto("/spoke/kept")
    page.locator("[data-do=open]").click()
    expect(page.locator("main")).to_contain_text("Is it Chinnamma")


@pytest.mark.verify
def test_what_waits_for_a_week_is_removed_and_said(new_worker: NewWorker) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    page.context.set_offline(True)
    page.goto("/spoke/visit")
    enter_visit(page, "Kaveri")
    for days, strip in (
        # By a clock that began in 1970, until the link set it right.
        (20_000, "1 entry is kept"),
        (6.9, "1 entry is kept"),
        (7.1, "older than 7 days were removed from this tablet without being sent: 1"),
    ):
        page.evaluate(AGED, days)
        page.reload()
        expect(page.locator(STRIP)).to_contain_text(strip)
    assert page.evaluate(STORED) == "[]"


def test_a_consent_withdrawn_since_is_obtained_anew(new_worker: NewWorker) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    worker.register("Shantamma", age="61")
    expect(page).to_have_url(re.compile("/consent$"))
    person = page.url.removesuffix("/consent")
    page.context.set_offline(True)
    worker.submit()
    expect(page.locator(KEPT)).to_be_visible()
    page.evaluate(AGED, 1)
    # Agreed to and withdrawn by a colleague's tablet meanwhile.
    other = new_worker("karnataka.worker1").page
    other.goto(f"{person}/consent")
    other.locator("main form[data-outbox] button").first.click()
    expect(other).to_have_url(re.compile("/danger$"))
    other.goto(f"{person}/consent/withdraw")
    other.locator("main form button").first.click()
    expect(other).to_have_url(person)
    page.context.set_offline(False)
    expect(page.locator(STRIP)).to_contain_text("not accepted")
    page.goto("/spoke/kept")
    page.locator("[data-do=open]").click()
    expect(page.locator("main")).to_contain_text("withdrawn after this was entered")
    worker.submit()
    expect(page).to_have_url(re.compile("/danger$"))
    assert page.evaluate(STORED) == "[]"


def test_what_was_answered_days_ago_is_asked_again(new_worker: NewWorker) -> None:
    worker = new_worker("karnataka.worker1")
    page = at_tablet(worker)
    worker.register("Savitri", age="52")
    worker.submit()
    expect(page).to_have_url(re.compile("/danger$"))
    page.context.set_offline(True)
    worker.no_danger()
    expect(page.locator(KEPT)).to_be_visible()
    page.evaluate(AGED, 3)
    page.context.set_offline(False)
    expect(page).to_have_url(re.compile(r"/danger\?late$"))
    expect(page.locator("main")).to_contain_text("more than a day old")
    worker.no_danger()
    expect(page).to_have_url(re.compile("/trouble$"))
    assert page.evaluate(STORED) == "[]"
