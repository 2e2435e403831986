"""Pages that change by themselves: where the gateway is, and tickets to hear it."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import JsonResponse
from django.http.response import HttpResponseBase

from sanjeevani.foundation.live import TICKET_SECONDS, issue_ticket
from sanjeevani.foundation.verbs import noting_what_is_done
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.errors import GetResponse

DONE_COOKIE = "done"
"""What this browser did last, as audit rows: every page that it loads afterwards shows it."""
DONE_SECONDS = 60
MOST_DONE = 8
CAUSE = re.compile(r"[0-9a-f]{32}")


def note_what_is_done(get_response: GetResponse) -> GetResponse:
    """Middleware: let the next page know what this request has done, and hear no hint of it."""

    def middleware(request: PortalRequest) -> HttpResponseBase:
        with noting_what_is_done() as done:
            request.done = done
            response = get_response(request)
        if done and request.session_info is not None:
            response.set_cookie(
                DONE_COOKIE,
                ".".join(cause.hex for cause in done[-MOST_DONE:]),
                max_age=DONE_SECONDS,
                httponly=True,
                secure=settings.SECURE_COOKIES,
                samesite="Lax",
            )
        return response

    return middleware  # type: ignore[return-value]


def live_page(request: PortalRequest, topics: Mapping[str, str]) -> dict[str, Any]:
    """Return the context of a page that hears `topics`, with its first ticket.

    With it the gateway can say which topics moved since the page was begun; the others need no
    second look, nor does what this browser itself did before.
    """
    ticket = issue_ticket(_subject(request), topics, since=request.began, seen=_seen(request))
    return {"live": settings.GATEWAY_URL, "live_ticket": ticket, "live_seconds": TICKET_SECONDS}


def ticket_reply(request: PortalRequest, topics: Mapping[str, str]) -> JsonResponse:
    """Return a ticket to a page that asks for another one."""
    return JsonResponse(
        {"ticket": issue_ticket(_subject(request), topics), "expires": TICKET_SECONDS}
    )


def _seen(request: PortalRequest) -> list[uuid.UUID]:
    kept = request.COOKIES.get(DONE_COOKIE, "").split(".")[-MOST_DONE:]
    seen = [uuid.UUID(hex=cause) for cause in kept if CAUSE.fullmatch(cause)]
    return seen + request.done[-MOST_DONE:]


def _subject(request: PortalRequest) -> uuid.UUID | None:
    return request.actor.account_id
