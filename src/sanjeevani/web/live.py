"""Pages that change by themselves: where the gateway is, and tickets to hear it."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import JsonResponse

from sanjeevani.foundation.live import TICKET_SECONDS, issue_ticket
from sanjeevani.web.access import PortalRequest


def live_page(request: PortalRequest, topics: Mapping[str, str]) -> dict[str, Any]:
    """Return the context of a page that hears `topics`, with its first ticket.

    With it the gateway can say which topics moved since the page was begun; the others need no
    second look.
    """
    ticket = issue_ticket(_subject(request), topics, since=request.began)
    return {"live": settings.GATEWAY_URL, "live_ticket": ticket, "live_seconds": TICKET_SECONDS}


def ticket_reply(request: PortalRequest, topics: Mapping[str, str]) -> JsonResponse:
    """Return a ticket to a page that asks for another one."""
    return JsonResponse(
        {"ticket": issue_ticket(_subject(request), topics), "expires": TICKET_SECONDS}
    )


def _subject(request: PortalRequest) -> uuid.UUID | None:
    return request.actor.account_id
