"""Requests taken in whole: how large, and how slowly. Django's answers are given here."""

import asyncio
import io
import tempfile
import time
from collections.abc import Iterable
from typing import Any

import pytest

from sanjeevani.config import asgi
from sanjeevani.foundation.access import MAY_SEND

JSON = "application/json"
FORM = "multipart/form-data; boundary=x"
DOORS = {"/files": "100 Continue", "/stranger": "303 See Other", "/asset": "200 OK"}
"""What views say before a large form."""
PAPERS = "/api/v1/profiles/00000000-0000-7000-8000-000000000001/papers"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the bodies that were taken in."""
    sizes: list[int] = []

    def answer(environ: dict[str, Any], start: Any) -> list[bytes]:
        if MAY_SEND in environ:
            assert environ["REQUEST_METHOD"] == "HEAD"
            start(DOORS.get(environ["PATH_INFO"], "413 Too Large"), [])
            return [b"asked"]
        if environ["PATH_INFO"] == "/api/v1/me":
            known = environ.get("HTTP_AUTHORIZATION") == "Bearer known"
            start("200 OK" if known else "401 Unauthorized", [])
            return [b""]
        sizes.append(len(environ["wsgi.input"].read()))
        start("200 OK", [])
        return [b"taken"]

    monkeypatch.setattr(asgi, "django", answer)
    return sizes


def send(
    path: str,
    parts: Iterable[bytes],
    *,
    content_type: str = JSON,
    declared: int | None = None,
    bearer: str = "known",
    pause: float = 0,
) -> int | None:
    """Send a body in parts; return the status, nothing when the client was given up."""
    length = b"content-length", str(declared).encode()
    chunked = b"transfer-encoding", b"chunked"
    scope = {
        "method": "POST",
        "path": path,
        "query_string": b"",
        "http_version": "1.1",
        "headers": [
            (b"content-type", content_type.encode()),
            (b"authorization", f"Bearer {bearer}".encode()),
            chunked if declared is None else length,
        ],
    }
    rest = iter(parts)
    answered: list[int] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        part = next(rest, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def respond(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    asyncio.run(asgi.application(scope, receive, respond))
    return answered[0] if answered else None


@pytest.mark.parametrize(
    ("path", "content_type", "largest"),
    [
        ("/api/v1/codes", JSON, 1_000_000),
        ("/api/v1/codes", FORM, 1_000_000),
        ("/%61pi/v1/codes", FORM, 1_000_000),
        (PAPERS, "image/jpeg", 12_000_000),
        (PAPERS, FORM, 12_000_000),
        ("/sign-in", "application/x-www-form-urlencoded", 2_000_000),
        ("/papers", JSON, 2_000_000),
        ("/no-files", FORM, 2_000_000),
        ("/asset", FORM, 2_000_000),
        ("/files", FORM, 110_000_000),
    ],
)
def test_how_much_is_kept_is_known_by_the_address(
    kept: list[int], path: str, content_type: str, largest: int
) -> None:
    whole, rest = divmod(largest, 1_000_000)
    assert not rest
    parts = [bytes(1_000_000)] * whole
    assert send(path, parts, content_type=content_type) == 200
    assert kept == [largest]
    assert send(path, [*parts, b"x"], content_type=content_type) == 413
    too_large = 110_000_001 if content_type is FORM and "api" not in path else largest + 1
    assert send(path, [], content_type=content_type, declared=too_large) == 413
    assert kept == [largest]


def test_a_stranger_to_a_view_for_files_hears_so_when_all_is_sent_and_nothing_is_kept(
    kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No browser shows an answer before."""
    written: list[int] = []

    class Body(io.BytesIO):
        def __init__(self, _in_memory: int) -> None:
            super().__init__()

        def write(self, part: Any) -> int:
            written.append(len(part))
            return super().write(part)

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Body)
    parts = iter([bytes(1_000_000)] * 50)
    assert send("/stranger", parts, content_type=FORM) == 303
    assert next(parts, None) is None
    assert sum(written) == 2_000_000
    assert not kept


def test_a_paper_of_a_stranger_is_not_kept(kept: list[int]) -> None:
    parts = [bytes(1_000_000)] * 11
    assert send(PAPERS, parts, content_type="image/jpeg", bearer="made up") == 401
    assert not kept


def test_a_form_that_no_view_takes_is_refused_before_it_is_sent(kept: list[int]) -> None:
    parts = iter([bytes(1_000_000)] * 50)
    assert send("/no-files", parts, content_type=FORM) == 413
    assert len(list(parts)) == 47
    assert not kept


def test_what_is_announced_too_large_is_refused_before_a_byte_is_read(kept: list[int]) -> None:
    parts = iter([b"first"])
    assert send("/api/v1/codes", parts, content_type=FORM, declared=110_000_000) == 413
    assert next(parts) == b"first"
    assert not kept


def test_a_byte_now_and_then_holds_a_connection_for_the_grace_only(
    kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi, "GRACE_SECONDS", 0.3)
    begun = time.monotonic()
    assert send("/sign-in", [b" "] * 1000, pause=0.05) is None
    assert 0.3 <= time.monotonic() - begun < 10
    assert not kept


def test_a_poor_line_is_waited_for_beyond_the_grace(
    kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for the first part on a busy machine; each part then pays for ten seconds.
    monkeypatch.setattr(asgi, "GRACE_SECONDS", 1)
    assert send("/sign-in", [bytes(5_000)] * 10, pause=0.15) == 200
    assert kept == [50_000]


def test_who_falls_silent_is_given_up(kept: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "SILENT_SECONDS", 0.1)
    assert send("/files", [bytes(100_000)] * 2, content_type=FORM, pause=0.5) is None
    assert not kept
