"""What granian serves: requests are taken in whole, then answered by Django in threads.

Django's views are synchronous and its threads few. Were they given requests as they arrive, some
clients that send a byte now and then would hold all of them; here such a client holds a buffer,
and only while it sends at the least rate. A form that grows beyond what forms without files have is
taken further only when its view takes files, and admits who sends it; so is a paper by the API.
"""

import asyncio
import contextlib
import gc
import io
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from sanjeevani.config.wsgi import application as django
from sanjeevani.foundation.access import MAY_SEND
from sanjeevani.foundation.problems import TooLarge, problem_response

THREADS = 4
LARGEST_BODY = 2_000_000
LARGEST_FORM = 110_000_000
"""A form with files: a state's list of staff may have 100 MB. What each view takes it decides."""
LARGEST_FOR_API = 1_000_000
LARGEST_PAPER_FOR_API = 12_000_000
"""A photo or paper, which the API takes as it is, in no form; it may have 10 MB."""
TAKES_A_FILE = ("/papers", "/presence/photo")
"""How the addresses of the API end that take one."""
WHO_IS_SIGNED_IN = "/api/v1/me"
IN_MEMORY = 100_000
SILENT_SECONDS = 30
"""Who sends nothing for so long has gone."""
GRACE_SECONDS = 60
LEAST_BYTES_A_SECOND = 500
"""Who has sent less on average, when the grace is over, only holds the connection. A poor 2G line
of 20 kbit/s carries five times as much: 10 MB in 70 minutes, for which it is given over five hours.
"""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]

_threads = ThreadPoolExecutor(THREADS, "django")
# The collector need not walk what was there at the start, nor so often what requests make.
gc.freeze()
gc.set_threshold(10_000, 20)


class _Gone(Exception):
    """The client ended the connection, or says nothing more."""


class _Refused(Exception):
    """The client need not send the rest: `answer` is final."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one request (ASGI, without lifespan)."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        # A proxy says X-Forwarded-For; to WSGI a client's own X_Forwarded_For would be the same.
        if b"_" not in name:
            key = name.decode("latin-1").upper().replace("-", "_")
            joint = ";" if key == "COOKIE" else ","
            text = value.decode("latin-1")
            headers[key] = f"{headers[key]}{joint}{text}" if key in headers else text
    declared = headers.get("CONTENT_LENGTH", "")
    path = _path(scope)
    unasked, most = _limits(path, headers.get("CONTENT_TYPE", ""))
    if declared.isdecimal() and int(declared) > most:
        await _send(send, _too_large())
        return
    has_body = declared not in ("", "0") or "TRANSFER_ENCODING" in headers
    with tempfile.SpooledTemporaryFile(IN_MEMORY) if has_body else io.BytesIO() as body:
        environ = _environ(scope, path, headers)
        try:
            if has_body:
                size = await _read(receive, body, unasked, most, environ)
                environ["CONTENT_LENGTH"] = str(size)
        except _Gone:
            return
        except _Refused as refused:
            await _send(send, refused.answer)
            return
        body.seek(0)
        answer = await _answer(environ | {"wsgi.input": body})
    await _send(send, answer)


def _path(scope: dict[str, Any]) -> str:
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return unquote_to_bytes(raw_path.partition(b"?")[0]).decode("latin-1")


def _limits(path: str, content_type: str) -> tuple[int, int]:
    """Return how much may be kept before anybody is asked who sends it, and at all."""
    if path.startswith("/api/"):
        takes_file = path.endswith(TAKES_A_FILE)
        return LARGEST_FOR_API, LARGEST_PAPER_FOR_API if takes_file else LARGEST_FOR_API
    is_form = content_type.startswith("multipart/form-data")
    return LARGEST_BODY, LARGEST_FORM if is_form else LARGEST_BODY


async def _read(
    receive: Receive, body: IO[bytes], unasked: int, most: int, environ: dict[str, Any]
) -> int:
    """Read the body into a buffer; return its size. Beyond `unasked` the view is asked first.

    A browser shows no answer before all is sent: what a refused client still sends is read, and
    forgotten.
    """
    size = 0
    refusal = None
    started = time.monotonic()
    while True:
        left = started + GRACE_SECONDS + size / LEAST_BYTES_A_SECOND - time.monotonic()
        try:
            async with asyncio.timeout(min(SILENT_SECONDS, left)):
                message = await receive()
        except TimeoutError:
            raise _Gone from None
        if message["type"] != "http.request":
            raise _Gone
        part = message.get("body", b"")
        if size <= unasked < size + len(part) <= most:
            refusal = await _ask(environ)
        size += len(part)
        if size > most:
            raise _Refused(_too_large())
        if refusal is None:
            body.write(part)
        if not message.get("more_body"):
            break
    if refusal is not None:
        raise _Refused(refusal)
    return size


async def _ask(environ: dict[str, Any]) -> Answer | None:
    """Ask the view whether it takes so much from this client; return its refusal.

    The API says who is signed in: whose paper it may be is asked when it has come.
    """
    if environ["PATH_INFO"].startswith("/api/"):
        answer = await _answer(environ | {"REQUEST_METHOD": "GET", "PATH_INFO": WHO_IS_SIGNED_IN})
        return None if answer[0] == HTTPStatus.OK else answer
    answer = await _answer(environ | {"REQUEST_METHOD": "HEAD", MAY_SEND: True})
    status = answer[0]
    if status == HTTPStatus.CONTINUE:
        return None
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise _Refused(_last(answer))
    # What admits anybody without a look, probes and assets, takes no forms.
    return answer if status >= HTTPStatus.MULTIPLE_CHOICES else _too_large()


def _environ(scope: dict[str, Any], path: str, headers: dict[str, str]) -> dict[str, Any]:
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        environ[name if name == "CONTENT_TYPE" else f"HTTP_{name}"] = value
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("HTTP_CONTENT_LENGTH", None)
    return environ


async def _answer(environ: dict[str, Any]) -> Answer:
    """Let Django answer, in one of its threads."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _django_answer, environ)


def _django_answer(environ: dict[str, Any]) -> Answer:
    head: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        head.append((status, headers))

    content: Iterable[bytes] = django(environ, start)
    try:
        whole = b"".join(content)
    finally:
        if hasattr(content, "close"):
            content.close()
    status, headers = head[-1]
    return (
        int(status[:3]),
        [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        whole,
    )


def _too_large() -> Answer:
    response = problem_response(TooLarge())
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    return _last((response.status_code, headers, response.content))


def _last(answer: Answer) -> Answer:
    """Make it the last answer on its connection: the client may go on sending what nobody reads."""
    status, headers, content = answer
    return status, [*headers, (b"connection", b"close")], content


async def _send(send: Send, answer: Answer) -> None:
    status, headers, content = answer
    if content and not any(name == b"content-length" for name, _value in headers):
        headers.append((b"content-length", str(len(content)).encode()))
    # The client may have gone meanwhile: what was done stays done.
    with contextlib.suppress(OSError, RuntimeError):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content, "more_body": False})
