"""What a browser reads from a page: forms, links, and the parts that change by themselves."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

_FORM = re.compile(r"<form\b.*?</form>", re.DOTALL | re.IGNORECASE)
_LIVE = re.compile(r"<[a-z]+[^>]*\bdata-live-src=[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'\b([a-z-]+)="([^"]*)"')


@dataclass
class Form:
    """A form: where it goes, what it holds, and which values its choices have."""

    action: str = ""
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def with_values(self, **changes: str) -> dict[str, str]:
        """Return what is sent; names with a dash or a colon are given through `values`."""
        return self.values | changes


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.form = Form()
        self._textarea: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name = found.get("name", "")
        if tag == "form":
            self.form.action = found.get("action", "")
        elif tag == "button":
            if name:
                self.form.choices.setdefault(name, []).append(found.get("value", ""))
        elif tag == "textarea":
            self._textarea = name
            self.form.values[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self.form.choices.setdefault(self._select, []).append(found.get("value", ""))
            if "selected" in found or self._select not in self.form.values:
                self.form.values[self._select] = found.get("value", "")
        elif tag == "input" and name:
            self._input(name, found)

    def _input(self, name: str, found: dict[str, str]) -> None:
        value = found.get("value", "")
        if found.get("type") in ("radio", "checkbox"):
            self.form.choices.setdefault(name, []).append(value)
            if "checked" not in found:
                return
        self.form.values[name] = value

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self.form.values[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = None
        elif tag == "select":
            self._select = None


def forms_in(page: str) -> list[Form]:
    """Return the forms of a page."""
    found = []
    for part in _FORM.findall(page):
        reader = _Reader()
        reader.feed(part)
        found.append(reader.form)
    return found


def form_with(page: str, name: str) -> Form | None:
    """Return the first form that has a field or button of this name."""
    for form in forms_in(page):
        if name in form.values or name in form.choices:
            return form
    return None


def form_to(page: str, ending: str) -> Form | None:
    """Return the first form whose address ends so."""
    return next((form for form in forms_in(page) if form.action.endswith(ending)), None)


def links(page: str, pattern: str) -> list[str]:
    """Return the addresses of links that match a pattern, in the page's order."""
    return [unescape(address) for address in re.findall(rf'href="({pattern})"', page)]


LEAST_SECONDS = 1.0
"""A page fetches a part at most once a second, unless it says otherwise."""


@dataclass
class Fragment:
    """A part of a page that is fetched again when one of its topics moves."""

    address: str
    topics: frozenset[str]
    poll_seconds: float
    least_seconds: float
    binds: frozenset[str]
    tag: str = ""
    wanted: bool = False
    not_before: float = 0
    due: float = 0


def fragments_in(page: str) -> list[Fragment]:
    """Return the live parts of a page."""
    found = []
    for match in _LIVE.finditer(page):
        attributes = dict(_ATTRIBUTE.findall(match.group()))
        following = page[match.end() : match.end() + 4000]
        found.append(
            Fragment(
                unescape(attributes["data-live-src"]),
                frozenset(attributes.get("data-live-topic", "").split()),
                float(attributes.get("data-live-poll", 5)),
                float(attributes.get("data-live-least", LEAST_SECONDS)),
                binds_in(following.split("data-live-src")[0]),
            )
        )
    return found


def binds_in(content: str) -> frozenset[str]:
    """Return which values a fragment takes from hints directly."""
    return frozenset(re.findall(r'data-live-bind="([a-z_]+)"', content))


def gateway_of(page: str) -> str:
    """Return the gateway's address that a page names, empty when it names none."""
    return attribute(page.partition('name="live-gateway"')[2], "content")


def attribute(page: str, name: str) -> str:
    """Return the first value of an attribute, empty without one."""
    found = re.search(rf'\b{name}="([^"]*)"', page)
    return unescape(found.group(1)) if found else ""
