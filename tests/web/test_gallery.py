"""Every component in a real browser: accessible, inside the content security policy, light."""

import gzip
import mimetypes
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.template import engines
from django.test import RequestFactory
from django.urls import clear_url_caches
from django.utils.translation import override
from playwright.sync_api import Browser, Page, Request, Route, ViewportSize
from pytest_django import Settings

from sanjeevani.web.fields import DatePartsField, PlainForm
from sanjeevani.web.middleware import security_headers
from tests.browsers import chromium, faults_of, keep_pictures

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
STATIC = ROOT / "src/sanjeevani/web/static"
ORIGIN = "https://gallery.test"
COMPLAINTS = """
    fever cough breathing headache stomach skin pregnancy child women eye ear tooth heart bone
    injury mind diabetes blood_pressure urine medicines other
"""
PICTURES = {name: name for name in COMPLAINTS.split()}


class Everything(PlainForm):
    """One field of every kind."""

    complaints = forms.MultipleChoiceField(
        label="What is the trouble?",
        help_text="Choose all that fit",
        choices=[(name, name.replace("_", " ").capitalize()) for name in PICTURES],
        widget=forms.CheckboxSelectMultiple,
    )
    who = forms.ChoiceField(
        label="Who needs the doctor?",
        choices=[("1", "Asha Devi"), ("2", "Ravi")],
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label="Full name", help_text="As on the ration card or Aadhaar")
    mobile = forms.CharField(
        label="Mobile number", widget=forms.TextInput(attrs={"type": "tel"}), max_length=15
    )
    code = forms.CharField(label="Code from the message", max_length=6)
    temperature = forms.DecimalField(label="Temperature", max_value=110)
    born = DatePartsField(label="Date of birth", help_text="Like 27 3 1984")
    since = forms.ChoiceField(
        label="Since when?",
        choices=[("today", "Today"), ("days", "Some days"), ("weeks", "Some weeks")],
        widget=forms.RadioSelect,
    )
    state = forms.ChoiceField(
        label="State", choices=[("", "Choose"), ("10", "Bihar"), ("29", "Karnataka")]
    )
    story = forms.CharField(label="Tell more, if you like", widget=forms.Textarea, required=False)
    papers = forms.FileField(label="Photos of papers", required=False)
    agree = forms.BooleanField(label="I agree that a doctor reads this")


GOOD = {
    "complaints": ["fever", "cough"],
    "who": "2",
    "name": "Asha Devi",
    "mobile": "98765 43210",
    "code": "482913",
    "temperature": "101.2",
    "born_day": "27",
    "born_month": "3",
    "born_year": "1994",
    "since": "days",
    "state": "10",
    "story": "नमस्ते, बुखार <b>तीन</b> दिन से है",
    "agree": "on",
}
BAD = GOOD | {
    "complaints": [],
    "who": "",
    "name": "",
    "temperature": "hot",
    "born_month": "",
    "since": "",
    "state": "99",
}


@pytest.fixture(autouse=True)
def _gallery(settings: Settings) -> Iterator[None]:
    settings.ROOT_URLCONF = "tests.web.gallery_urls"
    clear_url_caches()
    yield
    clear_url_caches()


def render(name: str, language: str = "en", **context: Any) -> HttpResponse:
    """Return a page of the gallery, or of the product, as a browser gets it."""
    request = RequestFactory().get("/gallery?x=1")
    engine = engines["jinja2"]
    own = HERE / "gallery" / name
    template = engine.from_string(own.read_text()) if own.exists() else engine.get_template(name)
    context = {"today": datetime(2026, 6, 21, 10, 35, tzinfo=UTC), **context}
    with override(language):
        body = template.render(context, request)
    response = security_headers(lambda _request: HttpResponse(body))(request)
    assert isinstance(response, HttpResponse)
    return response


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def open_page(browser: Browser, answer: HttpResponse, width: int) -> tuple[Page, list[str]]:
    """Return the page as drawn, and everything that its console complained about."""
    page = browser.new_page(viewport={"width": width, "height": 780})
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def serve(route: Route, request: Request) -> None:
        path = request.url.removeprefix(ORIGIN)
        if path.startswith("/static/"):
            file = settings.STATIC_ROOT / path.removeprefix("/static/")
            kind = mimetypes.guess_type(file.name)[0] or "application/json"
            route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            route.fulfill(
                body=answer.content.decode(),
                headers=dict(answer.headers),
                content_type="text/html; charset=utf-8",
            )

    page.route("**/*", serve)
    page.goto(f"{ORIGIN}/gallery")
    page.wait_for_function("document.body.classList.contains('js-enabled')")
    return page, complaints


PAGES: dict[str, dict[str, Any]] = {
    "landing.html": {},
    "patient.html": {"pictures": PICTURES},
    "clinician.html": {},
    "prescription.html": {},
    "slip.html": {},
    "errors/404.html": {"message": "This page does not exist.", "request_id": "7f3a"},
    "errors/500.html": {},
    "offline.html": {},
}


CASES = [(name, "empty") for name in PAGES] + [
    ("patient.html", "refused"),
    ("clinician.html", "refused"),
]


@pytest.mark.parametrize(
    ("language", "width"),
    [
        ("hi", 360),
        ("en", 1280),
        pytest.param("en", 360, marks=pytest.mark.verify),
        pytest.param("hi", 1280, marks=pytest.mark.verify),
    ],
)
@pytest.mark.parametrize(("name", "state"), CASES)
def test_every_component_is_accessible_and_fits(
    browser: Browser, name: str, language: str, width: int, state: str
) -> None:
    form = Everything() if state == "empty" else Everything(BAD)
    page, complaints = open_page(browser, render(name, language, form=form, **PAGES[name]), width)
    stem = name.replace("/", "-").removesuffix(".html")
    size: ViewportSize = {"width": width, "height": 780}
    keep_pictures(page, f"{stem}-{language}-{state}", size)
    assert complaints == []
    assert list(faults_of(page, size)) == []
    page.close()


def test_the_first_page_is_light() -> None:
    files = ["css/patient.css", "js/page.js", "images/favicon.svg", "images/site.webmanifest"]
    weights = {name: len(gzip.compress((STATIC / name).read_bytes(), 6)) for name in files}
    weights["page"] = len(gzip.compress(render("landing.html", "hi").content, 6))
    assert weights["css/patient.css"] < 7 * 1024, weights
    # Headers of five answers come to about 4 KB.
    assert sum(weights.values()) < 16 * 1024, weights


def test_a_refused_form_keeps_what_was_typed_and_links_to_each_field() -> None:
    html = render("patient.html", form=Everything(BAD), pictures=PICTURES).content.decode()
    assert "<title>Error: What is the trouble? – Sanjeevani</title>" in html
    assert 'value="hot"' in html
    assert "बुखार &lt;b&gt;तीन&lt;/b&gt;" in html
    for anchor in ("id_complaints", "id_name", "id_temperature", "id_born_day", "id_since"):
        assert f'href="#{anchor}"' in html
        assert f'id="{anchor}"' in html
    assert "Write this as well: Month" in html
    assert "maxlength" not in html


def test_keys_work_unless_someone_types_or_switched_them_off(browser: Browser) -> None:
    page, _complaints = open_page(browser, render("clinician.html", form=Everything()), 1280)
    page.evaluate(
        "document.querySelector('[data-key=n]').addEventListener("
        "'click', (event) => { event.preventDefault(); document.title = 'next'; })"
    )
    page.locator("#id_story").press("n")
    assert page.title() != "next"
    page.locator("h1").click()
    page.keyboard.press("?")
    assert page.locator("dialog dd").all_inner_texts() == ["Next patient", "Sign"]
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    assert page.title() == "next"

    page.evaluate("document.title = ''; localStorage.setItem('keys', 'off')")
    page.keyboard.press("n")
    assert page.title() == ""
    page.close()


def test_the_first_error_gets_the_focus(browser: Browser) -> None:
    answer = render("patient.html", form=Everything(BAD), pictures=PICTURES)
    page, _complaints = open_page(browser, answer, 360)
    assert page.evaluate("document.activeElement.classList.contains('govuk-error-summary')")
    page.locator(".govuk-error-summary a", has_text="Month").click()
    assert page.evaluate("document.activeElement.id") == "id_born_day"
    page.close()
