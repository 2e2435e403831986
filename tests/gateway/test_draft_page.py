"""frontend/js/draft.js in a real browser: what is typed while an earlier state is on its way."""

import threading

from playwright.sync_api import Browser, expect

from tests.gateway.conftest import wait_until
from tests.gateway.site import Answer, Site


def test_an_older_state_never_arrives_after_a_newer_one(browser: Browser, site: Site) -> None:
    answered = threading.Event()
    arrived: list[int] = []

    def slow() -> Answer:
        arrived.append(1)
        if len(arrived) == 1:
            answered.wait(20)
        return 204, "text/plain", ""

    site.pages["/draft"] = slow
    site.page(
        "/trouble",
        """<!doctype html><html lang="en"><head><title>Trouble</title>
        <link rel="icon" href="data:,"><script type="module" src="/js/draft.js"></script></head>
        <body><form data-draft="/draft" data-kept="Saved." data-kept-here="Kept here.">
        <textarea name="text"></textarea><p data-draft-state></p></form></body></html>""",
    )
    page = browser.new_page()

    def has_arrived(times: int) -> bool:
        page.wait_for_timeout(200)
        return len(arrived) == times

    page.goto(f"{site.url}/trouble")
    text = page.locator("[name=text]")
    text.fill("Fever")
    wait_until(lambda: has_arrived(1))
    text.fill("Fever and a rash")
    # Longer than the pause after which it is sent.
    page.wait_for_timeout(6_000)
    assert len(arrived) == 1
    assert page.evaluate("localStorage.getItem('/draft')")
    answered.set()
    wait_until(lambda: has_arrived(2), 12)
    expect(page.locator("[data-draft-state]")).to_have_text("Saved.")
    page.wait_for_function("!localStorage.getItem('/draft')")
    bodies = [body for path, _status, body in site.requests if path == "/draft"]
    assert b"Fever and a rash" in bodies[-1]
    page.close()
