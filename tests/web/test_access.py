"""Who asks, from where, and what happens when something fails."""

import io
import logging
from collections.abc import Iterator

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from pytest_django import Settings

from sanjeevani.config import urls as product
from sanjeevani.foundation.access import client_address
from sanjeevani.foundation.errors import NotPermitted, Stale, TooMany
from sanjeevani.foundation.logs import Formatter
from sanjeevani.web import access
from sanjeevani.web.access import public

SECRET = "Meena Devi +919876543210"


def unmarked(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("never")


@public
def broken(_request: HttpRequest, name: str) -> HttpResponse:
    try:
        raise ValueError(name)
    except ValueError as error:
        raise KeyError(SECRET) from error


@public
def away(_request: HttpRequest) -> HttpResponse:
    raise OperationalError(SECRET)


@public
def stale(_request: HttpRequest) -> HttpResponse:
    raise Stale


@public
def busy(_request: HttpRequest) -> HttpResponse:
    raise TooMany(42)


urlpatterns = [
    path("unmarked", unmarked),
    path("broken/<str:name>", broken, name="broken"),
    path("away", away),
    path("stale", stale),
    path("busy", busy),
    *product.urlpatterns,
]
handler500 = product.handler500


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the log says."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter("%(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def browser(settings: Settings) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


def test_a_view_without_a_permission_admits_nobody(browser: Client, lines: io.StringIO) -> None:
    response = browser.get("/unmarked")
    assert response.status_code == NotPermitted.status
    assert "test_access.unmarked states no permission" in lines.getvalue()


def test_a_fault_is_logged_by_its_place_and_without_the_person(
    browser: Client, lines: io.StringIO
) -> None:
    response = browser.get("/broken/Meena Devi")
    assert response.status_code == 500
    number = response["X-Request-ID"]
    assert number in response.content.decode()
    said = lines.getvalue()
    assert f"500 GET broken request={number}" in said
    assert "ValueError" in said
    assert "KeyError" in said
    assert "in broken" in said
    assert "Meena" not in said
    assert "98765" not in said


def test_a_database_that_is_away_is_no_fault_of_the_page(
    browser: Client, lines: io.StringIO
) -> None:
    response = browser.get("/away")
    assert response.status_code == 503
    assert response["Retry-After"] == "10"
    assert "OperationalError" in lines.getvalue()
    assert "Meena" not in lines.getvalue()


def test_the_session_look_up_may_find_the_database_away(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_token: str) -> None:
        raise OperationalError

    monkeypatch.setattr(access, "find_session", fail)
    browser.cookies["session"] = "x" * 43
    assert browser.get("/sign-in").status_code == 503
    assert browser.get("/healthz").status_code == 200


def test_named_refusals_keep_their_status(browser: Client) -> None:
    assert browser.get("/stale").status_code == 409
    response = browser.get("/busy", headers={"Accept": "application/json"})
    assert response.status_code == 429
    assert response["Retry-After"] == "42"
    assert response.json()["retry_after"] == 42


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "address"),
    [
        (0, "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (1, "10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "10.0.0.1", "198.51.100.1", "10.0.0.1"),
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "'; DROP TABLE", None),
        (1, "10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        (0, "", "", None),
    ],
)
def test_the_address_is_read_past_our_own_proxies_only(
    settings: Settings, proxies: int, remote: str, forwarded: str, address: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=remote)
    assert client_address(request) == address
