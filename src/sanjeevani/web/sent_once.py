"""Forms that a spoke's tablet keeps and sends again until it hears an answer: each has one effect.

    @at_spoke
    @sent_once
    def register(request: PortalRequest) -> HttpResponse: ...

A view that took a form leads on by 303; one that leads elsewhere first, and took nothing, by 302.
"""

import datetime
import functools
import hashlib
import re
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation import clock, idempotency
from sanjeevani.foundation.errors import DomainError
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.errors import respond

P = ParamSpec("P")
View = Callable[Concatenate[PortalRequest, P], HttpResponse]

KEY = "Idempotency-Key"
AGE = "Kept-For"
AGE_FIELD = "kept_for"
"""How many seconds a form was kept, by two readings of a clock that may be wrong: in a header, so
that a form sent again says the same; in a field where a browser sends the form itself."""

SET_RIGHT = 60
"""By fewer seconds a clock is set right all the time; that says nothing."""


def entered_at(
    request: PortalRequest, told_by_form: datetime.datetime | None = None
) -> datetime.datetime:
    """Return when a form was entered: now, unless a tablet has kept it.

    Where the tablet's clock was set back meanwhile nobody knows, and it counts as too old.
    `told_by_form` is the time by the tablet's clock, of a tablet that does not say how long it was.
    """
    now, told = clock.now(), request.headers.get(AGE) or request.POST.get(AGE_FIELD)
    if not told:
        return min(told_by_form or now, now)
    kept_for = idempotency.KEPT_FOR
    if re.fullmatch(r"-?[0-9]{1,9}", told) and int(told) > -SET_RIGHT:
        kept_for = min(datetime.timedelta(seconds=max(int(told), 0)), kept_for)
    return now - kept_for


STILL_HERE = datetime.timedelta(hours=1)
"""So long a patient is taken to sit at the spoke while its tablet has no link. A rule of this
service, for a clinical lead to confirm."""


class PerhapsGone(DomainError):
    """Asked so long ago that a doctor might ring somebody who has gone home."""

    status = 409
    message = _(
        "The tablet kept this for more than an hour. Is the patient still here? Then ask again."
    )


def require_still_here(request: PortalRequest) -> None:
    """Let only a form be taken whose patient can still sit here. Raises PerhapsGone."""
    if clock.now() - entered_at(request) > STILL_HERE:
        raise PerhapsGone


class SentBefore(DomainError):
    """The first words arrived, unheard; the tablet sends others under the same key."""

    status = 409
    message = _(
        "This was sent before, with other words, and arrived."
        " Open the patient and correct it there. Then withdraw this."
    )


class NotYet(DomainError):
    """Something comes first: consent, or what is missing."""

    status = 409
    message = _("Something has to be done for this patient first. Open this to see what.")


class _NotTakenError(Exception):
    """What was sent was not taken: nothing of it stays, and it may be sent again."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def sent_once(view: View[P]) -> View[P]:
    """Let a form that comes with a key have one effect; 204 and `X-Location` say it was taken."""

    @functools.wraps(view)
    def send(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        key = request.headers.get(KEY, "")[:64]
        account_id = request.actor.account_id
        if request.method != "POST" or not key or account_id is None:
            return view(request, *args, **kwargs)

        def act() -> idempotency.Answer:
            response = view(request, *args, **kwargs)
            if response.status_code == 302:
                response = _not_yet(request, response)
            if response.status_code != 303:
                raise _NotTakenError(response)
            return idempotency.Answer(response.status_code, response.headers["Location"])

        try:
            answer, _replayed = idempotency.once(
                account_id=account_id, key=key, digest=_digest(request), act=act
            )
        except _NotTakenError as refused:
            return refused.response
        except idempotency.KeyReused:
            raise SentBefore from None
        return HttpResponse(status=204, headers={"X-Location": answer.body})

    return send


def _not_yet(request: PortalRequest, elsewhere: HttpResponse) -> HttpResponse:
    response = respond(request, NotYet())
    response.headers["X-Location"] = elsewhere.headers["Location"]
    return response


def _digest(request: PortalRequest) -> str:
    said = f"{request.path}\n{request.POST.urlencode()}"
    return hashlib.sha256(said.encode()).hexdigest()
