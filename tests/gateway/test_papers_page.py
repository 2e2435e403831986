"""frontend/js/papers.js in a real browser: files over a poor link, and after the end."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.gateway.site import Answer, Site

SECTION = """<section data-papers data-largest="9000" data-text-sending="Sending"
 data-text-added="Added" data-text-failed="Not sent." data-text-again="Send again"
 data-text-too-large="Too large" data-text-over="It is over.">{listed}
<form data-papers-form action="/papers" method="post"><input type="file" id="files" multiple>
<p data-papers-state role="status"></p></form></section>"""

PAPER: FilePayload = {"name": "rash.jpg", "mimeType": "image/jpeg", "buffer": b"a photo"}


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page with a way to add files."""
    site.page(
        "/consultation",
        f"""<!doctype html><html lang="en"><head><title>Papers</title>
        <link rel="icon" href="data:,">
        <script type="module" src="/js/papers.js"></script></head><body><div id="status"></div>
        {SECTION.format(listed="")}</body></html>""",
    )
    site.page("/papers", SECTION.format(listed="<p class=paper>rash.jpg</p>"))
    opened = browser.new_page()
    opened.clock.install()
    opened.goto(f"{site.url}/consultation")
    yield opened
    opened.close()


def test_a_file_on_a_link_that_has_died_is_given_up_and_sent_again(site: Site, page: Page) -> None:
    answers = site.pages["/papers"]
    given_up = threading.Event()

    def unanswered() -> Answer:
        given_up.wait(30)
        return answers()

    site.pages["/papers"] = unanswered
    state = page.locator("[data-papers-state]")
    page.locator("#files").set_input_files([PAPER])
    expect(state).to_contain_text("Sending: rash.jpg")
    # The name is said once, the parts only shown.
    expect(state.locator("span")).to_have_attribute("aria-hidden", "true")
    page.clock.fast_forward(121_000)
    expect(state).to_have_text("rash.jpg: Not sent.")
    expect(page.locator("#files")).to_be_enabled()
    given_up.set()
    site.pages["/papers"] = answers
    page.get_by_role("button", name="Send again").click()
    expect(state).to_have_text("Added: rash.jpg")
    expect(page.locator(".paper")).to_have_text("rash.jpg")
    expect(page.get_by_role("button", name="Send again")).to_have_count(0)


def test_nothing_is_offered_to_add_once_the_consultation_is_over(page: Page) -> None:
    page.evaluate(
        """document.querySelector('#status').innerHTML = '<span hidden data-over></span>';
        document.dispatchEvent(new CustomEvent('live:updated'));"""
    )
    expect(page.locator("[data-papers-form]")).to_have_count(0)
    expect(page.locator("[data-papers]")).to_have_text("It is over.")
