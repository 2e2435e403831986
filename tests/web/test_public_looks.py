"""The public pages in a real browser: accessible, in both languages, on phones and televisions."""

import contextlib
import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

from sanjeevani.directory.models import Role
from sanjeevani.foundation import clock
from sanjeevani.identity.models import Account
from tests import factories
from tests.web.public_world import PublicWorld, administrator, month_of_figures

pytestmark = pytest.mark.django_db

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RUN_AXE = """
() => axe.run(document, {resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(
        result => result.violations.map(
            violation => [violation.id, violation.nodes.map(node => node.html)]))
"""
ORIGIN = "https://public.test"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for a moment: Django refuses the database in a thread while one is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


def open_page(browser: Browser, answer: Any, width: int, height: int) -> Page:
    """Return an answer as a browser of this size draws it."""
    page = browser.new_page(viewport={"width": width, "height": height})

    def serve(route: Route, request: Request) -> None:
        path = request.url.removeprefix(ORIGIN)
        if path.startswith("/static/"):
            file = settings.STATIC_ROOT / path.removeprefix("/static/")
            kind = mimetypes.guess_type(file.name)[0] or "application/json"
            route.fulfill(body=file.read_bytes(), content_type=kind)
        elif path == "/page":
            route.fulfill(
                body=answer.content.decode(),
                headers={"Content-Security-Policy": answer.headers["Content-Security-Policy"]},
                content_type="text/html; charset=utf-8",
            )
        else:
            route.fulfill(status=404)

    page.route("**/*", serve)
    page.goto(f"{ORIGIN}/page")
    return page


def addresses() -> dict[str, str]:
    """Every page with something on it, by a name for its picture."""
    world = PublicWorld()
    month_of_figures(world.general)
    answered = factories.GrievanceFactory.create(
        status="answered",
        answer="We are sorry.\nIt will not happen again.",
        answered_at=clock.now(),
    )
    waiting = factories.GrievanceFactory.create(facility_id=world.hospital.id)
    held = factories.requested(world.children, patient := factories.PatientFactory.create())
    own = Client()
    factories.sign_in(own, Account.objects.get(id=patient.account_id))
    state_admin, observer, nation = Client(), Client(), Client()
    administrator(Role.STATE_ADMIN, 28, state_admin)
    administrator(Role.OBSERVER, 28, observer)
    administrator(Role.OBSERVER, 0, nation)
    CLIENTS.update({"own": own, "state_admin": state_admin, "observer": observer, "nation": nation})
    return {
        "landing": "/",
        "about": "/about",
        "how-to-use": "/how-to-use",
        "privacy": "/privacy",
        "timetable-form": "/timetable",
        "timetable": "/timetable?state=28",
        "timetable-wrong": "/timetable?state=99",
        "figures": "/figures",
        "earlier": "/figures/earlier",
        "board": world.board,
        "grievance": "/grievance",
        "grievance-wrong": "/grievance?number=28",
        "grievance-unknown": "/grievance/28-AAAA-BBBB-CCCC",
        "grievance-new": f"/grievance/{waiting.number}?new=1",
        "grievance-answered": f"/grievance/{answered.number}",
        "own:grievance-about": f"/consultations/28/{held.id}/grievance",
        "state_admin:grievances": "/grievances",
        "state_admin:grievance-one": f"/grievances/28/{waiting.id}",
        "observer:figures-state": "/figures/state",
        "nation:figures-nation": "/figures/nation",
    }


CLIENTS: dict[str, Client] = {}


@pytest.mark.parametrize("language", ["en", "hi"])
def test_every_page_is_accessible_and_fits(language: str) -> None:
    answers = {}
    for key, address in addresses().items():
        who, _, name = key.rpartition(":")
        client = CLIENTS[who] if who else Client()
        client.cookies["language"] = language
        answers[name] = client.get(address)
        assert answers[name].status_code in (200, 404, 422), (address, answers[name].status_code)
    with chromium() as browser:
        assert [
            fault for name in answers for fault in faults_of(browser, name, language, answers)
        ] == []


def faults_of(
    browser: Browser, name: str, language: str, answers: dict[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """Yield what is wrong with a page at the widths that it is read at."""
    sizes = [(360, 780), (1280, 800)] + ([(1920, 1080)] if name == "board" else [])
    page = open_page(browser, answers[name], *sizes[0])
    page.evaluate(AXE)
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        if shots := os.environ.get("GALLERY_SHOTS"):
            page.screenshot(path=f"{shots}/{name}-{language}-{width}.png", full_page=width != 1920)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            yield name, width, "scrolls sideways"
        for found in page.evaluate(RUN_AXE):
            yield name, width, *found
    page.close()


def test_the_board_fits_on_a_television() -> None:
    answer = Client().get(PublicWorld().board)
    with chromium() as browser:
        page = open_page(browser, answer, 1920, 1080)
        assert page.evaluate("document.documentElement.scrollHeight") <= 1080
        called = "getComputedStyle(document.querySelector('.board-line__now dd')).fontSize"
        assert page.evaluate(f"parseFloat({called})") >= 90
