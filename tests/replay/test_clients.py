"""Clients as bad lines and bad people make them, against the product's own web workers."""

import contextlib
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.product import Product

pytestmark = pytest.mark.xdist_group("product")

HEAD = (
    b"POST /api/v1/codes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)


@contextmanager
def begun(product: Product, size: int = 400) -> Iterator[socket.socket]:
    """Send a request's head and the first byte of its body."""
    with socket.create_connection(("127.0.0.1", product.port), timeout=30) as connection:
        connection.sendall(HEAD % size + b"{")
        yield connection


def test_slow_clients_hold_up_nobody(product: Product) -> None:
    """More of them than all web workers have threads."""
    with ExitStack() as stack:
        slow = [stack.enter_context(begun(product)) for _number in range(60)]
        for _byte in range(3):
            for connection in slow:
                connection.sendall(b" ")
            assert httpx.get(f"{product.url}/readyz", timeout=30).status_code == 200
        # They are answered all the same, when they are done.
        slow[0].sendall(b" " * 396)
        assert b" 400 " in slow[0].recv(1000).split(b"\r\n")[0]


def test_clients_that_leave_midway_leave_nothing_behind(product: Product) -> None:
    for _number in range(60):
        with begun(product):
            pass
    for _number in range(20):
        assert httpx.get(f"{product.url}/healthz", timeout=30).status_code == 200


@pytest.mark.verify
def test_a_byte_every_two_seconds_is_borne_for_a_minute(product: Product) -> None:
    started = time.monotonic()
    with begun(product) as connection, contextlib.suppress(ConnectionError):
        connection.settimeout(2)
        while time.monotonic() - started < 120:
            connection.sendall(b" ")
            with contextlib.suppress(TimeoutError):
                connection.recv(1000)
                break
    assert 55 < time.monotonic() - started < 90


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("chunked", [False, True])
def test_fifty_megabytes_are_refused(product: Product, chunked: bool, content_type: str) -> None:
    """Announced or not, whatever they claim to be."""
    part = b" " * 1_000_000
    headers = {"Content-Type": content_type}
    if not chunked:
        headers["Content-Length"] = str(50 * len(part))
    with httpx.Client(timeout=60) as client:
        try:
            answer = client.post(
                f"{product.url}/api/v1/codes",
                content=(part for _part in range(50)),
                headers=headers,
            )
        except httpx.WriteError:
            return  # refused and closed while it was still being sent
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:sanjeevani:problem:TooLarge"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 413),
        ("/people/00000000-0000-7000-8000-000000000001/papers", 303),
        ("/api/v1/profiles/00000000-0000-7000-8000-000000000001/papers", 401),
    ],
)
def test_a_large_form_of_a_stranger_is_not_kept(product: Product, path: str, status: int) -> None:
    files = {"files": ("photo.jpg", b" " * 3_000_000, "image/jpeg")}
    answer = httpx.post(f"{product.url}{path}", files=files, timeout=60)
    assert answer.status_code == status


def test_header_of_a_proxy_cannot_be_forged_by_an_underscore(product: Product) -> None:
    headers = {"Content_Length": "5", "X_Forwarded_For": "203.0.113.9"}
    assert httpx.get(f"{product.url}/healthz", headers=headers, timeout=30).status_code == 200


def test_address_is_not_garbled(product: Product) -> None:
    for path, status in (("/%FF", 404), ("/sign-in?next=/%E0%A4%86", 200), ("/static/../x", 404)):
        assert httpx.get(f"{product.url}{path}", timeout=30).status_code == status
