"""Answers: JSON with an ETag where clients poll, and first answers replayed to retries."""

import hashlib
import uuid
from collections.abc import Callable
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from ninja import Header
from pydantic import BaseModel

from sanjeevani.api.access import ApiRequest
from sanjeevani.foundation import idempotency

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_-]{8,64}$",
        description="Made by the client for one effect, and sent again with every retry of it.",
    ),
]


def reply(model: BaseModel, status: int = 200) -> HttpResponse:
    """Return a model as JSON."""
    return HttpResponse(model.model_dump_json(), status=status, content_type="application/json")


def nothing() -> HttpResponse:
    """Return 204."""
    return HttpResponse(status=204)


def polled(request: HttpRequest, model: BaseModel) -> HttpResponseBase:
    """Return a model with its ETag, or 304 to a client that has it already."""
    response = reply(model)
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def once(
    request: ApiRequest,
    key: str,
    make: Callable[[], BaseModel],
    *,
    content: bytes | None = None,
) -> HttpResponse:
    """Create something once per key: 201 with what `make` returns, the same to every retry.

    `content`: the body, where the operation has read it from the request itself.
    """
    body = request.body if content is None else content
    said = f"{request.method} {request.get_full_path()}\n".encode() + body

    def act() -> idempotency.Answer:
        return idempotency.Answer(201, make().model_dump_json())

    answer, replayed = idempotency.once(
        account_id=request.auth.session.account_id,
        key=key,
        digest=hashlib.sha256(said).hexdigest(),
        act=act,
    )
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def key_of(request: ApiRequest, key: str) -> uuid.UUID:
    """Return the key as the verbs know it: of one account, as a UUID."""
    return uuid.uuid5(request.auth.session.account_id, key)
