"""Answers: JSON with an ETag where clients poll, pages of lists that go on by cursor, and first
answers replayed to retries."""

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Protocol, TypeVar

from django.core.signing import BadSignature, Signer, b64_decode, b64_encode
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from ninja import Header
from pydantic import BaseModel

from sanjeevani.api.access import ApiRequest
from sanjeevani.api.limits import refusals_counted
from sanjeevani.foundation import idempotency
from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.limits import count_attempt

_KEY = r"^[A-Za-z0-9_-]{8,64}$"
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=_KEY,
        description="Made by the client for one effect, and sent again with every retry of it.",
    ),
]
MoveKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=_KEY,
        description="Made by the client for one effect. A retry with it is answered like the"
        " first; without one it is refused, since what it asks for is done already.",
    ),
]
"""For `moved`: what changes a state that does not come back by itself."""


def reply(model: BaseModel, status: int = 200) -> HttpResponse:
    """Return a model as JSON."""
    return HttpResponse(model.model_dump_json(), status=status, content_type="application/json")


def nothing() -> HttpResponse:
    """Return 204."""
    return HttpResponse(status=204)


def polled(request: ApiRequest, model: BaseModel) -> HttpResponse:
    """Return a model with its ETag, or 304 to a client that has it already.

    The client's own cache may keep it, and asks each time whether it still holds.
    """
    return _unless_known(
        request, model, {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
    )


def shared(request: HttpRequest, model: BaseModel) -> HttpResponse:
    """Return what is the same for everybody, like `polled`; every cache may keep it a minute."""
    # A browser's language stands in a cookie, see LocaleMiddleware.
    vary = "Accept-Language, Cookie"
    return _unless_known(request, model, {"Cache-Control": "public, max-age=60", "Vary": vary})


def _unless_known(request: HttpRequest, model: BaseModel, headers: dict[str, str]) -> HttpResponse:
    content = model.model_dump_json().encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers["ETag"] = etag
    # Django's get_conditional_response also answers If-Match, which is for changes, with a page.
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or etag in (one.removeprefix("W/") for one in known):
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(content, content_type="application/json", headers=headers)


class _Record(Protocol):
    @property
    def id(self) -> uuid.UUID: ...


Row = TypeVar("Row", bound=_Record)


def page_of(
    request: ApiRequest, found: Sequence[Row], limit: int
) -> tuple[Sequence[Row], str | None]:
    """Return a page of `limit` records of the caller's list, and the cursor of the following one.

    `found` has one more than the page when there is a following one; else the cursor is None.
    """
    page = found[:limit]
    if len(found) <= limit:
        return page, None
    place = request.auth.session.account_id.bytes + page[-1].id.bytes
    return page, _cursors(request).sign(b64_encode(place).decode())


def record_before(request: ApiRequest, cursor: str | None) -> uuid.UUID | None:
    """Return the record that a page follows, None for the first page.

    Raises Invalid for a cursor that is not of this list and this account.
    """
    if cursor is None:
        return None
    try:
        place = b64_decode(_cursors(request).unsign(cursor).encode())
    except BadSignature:
        raise Invalid(field="cursor") from None
    if place[:16] != request.auth.session.account_id.bytes:
        raise Invalid(field="cursor")
    return uuid.UUID(bytes=place[16:])


def _cursors(request: ApiRequest) -> Signer:
    return Signer(salt=f"cursor of {request.path}", sep=".")


def once(
    request: ApiRequest,
    key: str,
    make: Callable[[], BaseModel],
    *,
    content: bytes | None = None,
    limit: str = "",
) -> HttpResponse:
    """Create something once per key: 201 with what `make` returns, the same to every retry.

    `limit`: what the account's attempts count against, also those that are refused; a retry that
    finds its answer does not.

    `content`: the body, where the operation has read it from the request itself.
    """
    account_id = request.auth.session.account_id

    def act() -> idempotency.Answer:
        if limit:
            count_attempt(limit, str(account_id))
        return idempotency.Answer(201, make().model_dump_json())

    with refusals_counted(limit, account_id) if limit else contextlib.nullcontext():
        answer, replayed = _once(request, key, act, request.body if content is None else content)
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    return _replayed(response) if replayed else response


def moved(request: ApiRequest, key: str | None, go_on: Callable[[], object]) -> HttpResponse:
    """Move a state on: 204, and once per key, if there is one, also to every retry."""

    def act() -> idempotency.Answer:
        go_on()
        return idempotency.Answer(204, "")

    if key is None:
        go_on()
        return nothing()
    _answer, replayed = _once(request, key, act, request.body)
    return _replayed(nothing()) if replayed else nothing()


def _once(
    request: ApiRequest, key: str, act: Callable[[], idempotency.Answer], body: bytes
) -> tuple[idempotency.Answer, bool]:
    said = f"{request.method} {request.get_full_path()}\n".encode() + body
    return idempotency.once(
        account_id=request.auth.session.account_id,
        key=key,
        digest=hashlib.sha256(said).hexdigest(),
        act=act,
    )


def _replayed(response: HttpResponse) -> HttpResponse:
    response.headers["Idempotent-Replayed"] = "true"
    return response


def key_of(request: ApiRequest, key: str) -> uuid.UUID:
    """Return the key as the verbs know it: of one account, as a UUID."""
    return uuid.uuid5(request.auth.session.account_id, key)
