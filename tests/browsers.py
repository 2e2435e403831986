"""Debian's Chromium for the tests, and what is asked of every page in it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

PHONE: ViewportSize = {"width": 360, "height": 780}
DESK: ViewportSize = {"width": 1280, "height": 800}
TELEVISION: ViewportSize = {"width": 1920, "height": 1080}

CAMERA = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
"""A microphone and a camera that the browser makes up."""

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
_RUN_AXE = """
() => axe.run(document, {resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(
        result => result.violations.map(
            violation => [violation.id, violation.nodes.map(node => node.html)]))
"""


@contextlib.contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser without windows. Django refuses the database in a thread while one is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium-headless-shell",
            args=[
                "--no-sandbox",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                *arguments,
            ],
        )
        yield browser
        browser.close()


def faults_of(
    page: Page, *sizes: ViewportSize, also_fits: ViewportSize | None = None
) -> Iterator[tuple[Any, ...]]:
    """Yield what is wrong with a page at these sizes: WCAG 2.2 AA, good practice, overflow.

    At `also_fits` only the overflow is looked at.
    """
    # The page's policy refuses injected scripts, as it should: the checker comes by the back door.
    page.evaluate(_AXE)
    for size in [also_fits, *sizes] if also_fits else sizes:
        page.set_viewport_size(size)
        if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            yield size["width"], "scrolls sideways"
        if size is also_fits:
            continue
        for found in page.evaluate(_RUN_AXE):
            yield size["width"], *found


def keep_pictures(page: Page, name: str, *sizes: ViewportSize) -> None:
    """Keep pictures of a page in the folder that GALLERY_SHOTS names, if it does."""
    if folder := os.environ.get("GALLERY_SHOTS"):
        for size in sizes:
            page.set_viewport_size(size)
            page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)
