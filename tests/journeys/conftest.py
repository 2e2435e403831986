"""Whole journeys: the product as `sanjeevani run` starts it, and people in real browsers."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browsers import CAMERA, DESK, PHONE, chromium, faults_of
from tests.journeys.people import Doctor, HealthWorker, Patient
from tests.product import Product

SHOTS = Path(os.environ.get("JOURNEY_SHOTS", ".build/journeys"))
PATIENCE = 60_000
"""Milliseconds. Speed is measured elsewhere: a busy machine must not fail a journey."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The whole product on scratch data. Pages learn of what happens by hints alone."""
    with Product(variables={"SANJEEVANI_LIVE_SAFETY_SECONDS": "3600"}) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium with a microphone and a camera that it makes up.

    Ends with the module: Playwright's event loop would refuse Django's queries after it.
    """
    with chromium(*CAMERA) as running:
        yield running


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser, product: Product) -> Iterator[NewPage]:
    """Make a page in a browser context of its own; a script error in it fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(*, language: str = "en", phone: bool = True, javascript: bool = True) -> Page:
        context = browser.new_context(
            base_url=product.url,
            viewport=PHONE if phone else DESK,
            locale=language,
            java_script_enabled=javascript,
        )
        context.add_cookies([{"name": "language", "value": language, "url": product.url}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def new_patient(new_page: NewPage, product: Product) -> Iterator[Callable[..., Patient]]:
    """Make a patient with a phone and a mobile number that nobody has.

    Who still waits at the end gives the token back: the next journey begins with empty lines.
    """
    made: list[Patient] = []

    def make(**options: object) -> Patient:
        made.append(Patient(new_page(**options), product.url))
        return made[-1]

    yield make
    for patient in made:
        patient.give_tokens_back()


@pytest.fixture
def new_doctor(new_page: NewPage, product: Product) -> Iterator[Callable[..., Doctor]]:
    """Make a doctor at a desk, by the login of the demo data; the desk is free afterwards."""

    made: list[Doctor] = []

    def make(login: str, **options: object) -> Doctor:
        made.append(Doctor(new_page(phone=False, **options), login, demo_password(product)))
        return made[-1]

    yield make
    for doctor in made:
        doctor.finish_what_is_open()


@pytest.fixture
def new_worker(new_page: NewPage, product: Product) -> Iterator[Callable[..., HealthWorker]]:
    """Make a health worker at a spoke's tablet, by the login of the demo data."""
    made: list[HealthWorker] = []

    def make(login: str, **options: object) -> HealthWorker:
        made.append(HealthWorker(new_page(**options), product.url, login, demo_password(product)))
        return made[-1]

    yield make
    for worker in made:
        worker.give_tokens_back()


def demo_password(product: Product) -> str:
    """Return the one password of the demo's staff."""
    text = (product.data_dir / "demo-sign-ins.txt").read_text()
    return text.split("password ", 1)[1].split()[0]


@pytest.fixture
def look() -> Callable[[Page, str], None]:
    """Keep a picture of a page; at its own width it is accessible, and it fits both widths."""

    def check(page: Page, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.evaluate("() => window.scrollTo(0, 0)")
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        own = page.viewport_size
        assert own
        other = DESK if own["width"] < DESK["width"] else PHONE
        # What a page is made of is the same in both languages; tests/web look at both.
        sizes = [own] if page.evaluate("document.documentElement.lang") == "en" else []
        assert list(faults_of(page, *sizes, also_fits=other)) == [], (name, page.url)
        page.set_viewport_size(own)

    return check
