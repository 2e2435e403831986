"""Answers of the test client as a real browser draws them."""

import mimetypes
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, Page, Request, Route

from tests.browsers import DESK, PHONE, TELEVISION, chromium, faults_of, keep_picture

ORIGIN = "https://public.test"


def open_page(browser: Browser, answer: Any) -> Page:
    """Return an answer as a browser draws it, inside its content security policy."""
    page = browser.new_page(viewport=PHONE)

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


def faults_in(answers: Mapping[str, Any], language: str) -> list[tuple[Any, ...]]:
    """Return what is wrong with pages at the widths that they are read at, by their names."""
    faults: list[tuple[Any, ...]] = []
    with chromium() as browser:
        for name, answer in answers.items():
            page = open_page(browser, answer)
            sizes = [PHONE, DESK] + ([TELEVISION] if name == "board" else [])
            faults += [(name, *fault) for fault in faults_of(page, *sizes)]
            keep_picture(page, "GALLERY_SHOTS", f"{name}-{language}")
            page.close()
    return faults
