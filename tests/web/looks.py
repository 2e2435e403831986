"""Answers of the test client as a real browser draws them."""

import mimetypes
import os
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, Page, Request, Route

from tests.browsers import DESK, PHONE, TELEVISION, chromium, faults_of, keep_pictures

EVERYWHERE = "LOOK_EVERYWHERE" in os.environ
"""Both widths in both languages (`make verify`); else Hindi on a phone, where most goes wrong."""
LANGUAGES = ("en", "hi") if EVERYWHERE else ("hi",)
ORIGIN = "https://public.test"


def open_page(browser: Browser, answer: Any) -> Page:
    """Return an answer as a browser draws it, inside its content security policy."""
    page = browser.new_page(viewport=PHONE)
    show(page, answer)
    return page


def show(page: Page, answer: Any) -> None:
    """Show another answer on a page. A new page for each would start a new, cold process."""

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

    page.unroute_all(behavior="wait")
    page.route("**/*", serve)
    page.set_viewport_size(PHONE)
    page.goto(f"{ORIGIN}/page")


_MISNAMED = """
() => [...document.querySelectorAll(".data--cards td")].filter(cell => {
    const head = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
    return cell.dataset.head !== head.textContent.replace(/\\s+/g, " ").trim();
}).map(cell => cell.outerHTML)
"""
"""On a phone a cell stands alone: it says itself what its column's head says."""


def _faults(page: Page, name: str) -> Iterator[tuple[Any, ...]]:
    if name == "board":
        return faults_of(page, PHONE, DESK, TELEVISION)
    if EVERYWHERE:
        return faults_of(page, PHONE, DESK)
    return faults_of(page, PHONE, also_fits=DESK)


def faults_in(answers: Mapping[str, Any], language: str) -> list[tuple[Any, ...]]:
    """Return what is wrong with pages at the widths that they are read at, by their names."""
    faults: list[tuple[Any, ...]] = []
    with chromium() as browser:
        page = browser.new_page()
        for name, answer in answers.items():
            show(page, answer)
            faults += [(name, *fault) for fault in _faults(page, name)]
            faults += [(name, "column", cell) for cell in page.evaluate(_MISNAMED)]
            keep_pictures(page, f"{name}-{language}", PHONE, DESK)
    return faults
