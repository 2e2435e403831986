"""A site of a few pages on a port of its own: what Django is to the gateway's browser modules."""

import hashlib
import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

SCRIPTS = Path(__file__).parents[2] / "frontend" / "js"

Answer = tuple[int, str, str]
"""Status, media type, body."""


class Site:
    """Serves the scripts of `frontend/js` and whatever a test puts under `pages`."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[], Answer]] = {}
        self.requests: list[tuple[str, int, bytes]] = []
        """Path, status and body of what was asked."""
        self.headers: list[Message] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site._answer(self)

            def do_POST(self) -> None:
                site._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self, path: str, body: str) -> None:
        """Put a page."""
        self.pages[path] = lambda: (200, "text/html; charset=utf-8", body)

    def asked(self, path: str) -> list[int]:
        """Return the statuses with which a path was answered."""
        return [status for asked, status, _body in self.requests if asked == path]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        sent = handler.rfile.read(int(handler.headers["Content-Length"] or 0))
        script = SCRIPTS / path.removeprefix("/js/")
        if path in self.pages:
            status, media_type, text = self.pages[path]()
        elif path.startswith("/js/") and script.is_file():
            status, media_type, text = 200, "text/javascript", script.read_text("utf-8")
        else:
            status, media_type, text = 404, "text/plain", ""
        body = text.encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if status == 200 and handler.headers["If-None-Match"] == tag:
            status, body = 304, b""
        self.requests.append((path, status, sent))
        self.headers.append(handler.headers)
        handler.send_response(status)
        handler.send_header("Content-Type", media_type)
        handler.send_header("ETag", tag)
        if status not in {204, 304}:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
