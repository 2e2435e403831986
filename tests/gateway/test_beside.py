"""frontend/js/beside.js in a real browser: what is fetched while a call runs, and fitted in."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.gateway.site import Site


def desk(consultation: str) -> str:
    """A desk with a consultation, whose call runs."""
    return f"""<!doctype html><html lang="en"><head><title>Desk of {consultation}</title>
    <link rel="icon" href="data:,"><script type="module" src="/js/beside.js"></script></head><body>
    <section data-call-room data-call-state="connected"></section>
    <a hreflang="hi" href="/desk?in=hi">Hindi</a>
    <main><div id="desk-said"></div><div class="desk"><h1>{consultation}</h1>
    <form action="/write/{consultation}" method="post" data-typed="{consultation}">
    <textarea name="advice" id="advice"></textarea>
    <button formaction="/check" id="check">Check</button></form></div>
    <div data-beside hidden></div></main></body></html>"""


CHECK = """<!doctype html><html lang="en"><head><title>Check</title></head><body>
<a class="govuk-back-link" href="/desk">Back</a><main><h1>Check</h1></main></body></html>"""


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """The desk of the first patient, who is told something, with a prescription beside."""
    site.page("/desk", desk("first"))
    site.page("/check", CHECK)
    opened = browser.new_page()
    opened.goto(f"{site.url}/desk")
    opened.locator("#advice").fill("Rest")
    opened.locator("#check").click()
    expect(opened.locator("[data-beside] h1")).to_have_text("Check")
    yield opened
    opened.close()


def test_back_at_the_desk_what_was_typed_is_there(page: Page) -> None:
    page.locator("[data-beside] a").click()
    expect(page.locator("[data-beside]")).to_be_hidden()
    expect(page.locator("#advice")).to_have_value("Rest")


@pytest.mark.parametrize("way", ["[data-beside] a", "[hreflang]"])
def test_what_was_typed_for_one_patient_never_comes_to_the_next(
    site: Site, page: Page, way: str
) -> None:
    """In another tab the doctor has ended this one, and called the next."""
    site.page("/desk", desk("second"))
    page.locator(way).click()
    expect(page.locator(".desk h1")).to_have_text("second")
    expect(page.locator("#advice")).to_have_value("")
