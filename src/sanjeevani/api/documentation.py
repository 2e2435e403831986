"""What the OpenAPI document says beyond ninja's: every refusal as problem+json, headers, links."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sanjeevani.foundation.errors import DomainError, Invalid, NotFound, NotPermitted, TooMany
from sanjeevani.foundation.idempotency import KeyReused
from sanjeevani.foundation.problems import (
    MEDIA_TYPE,
    PROBLEM_TYPE,
    BadRequest,
    NotSignedIn,
    TooLarge,
    Unavailable,
    WrongContentType,
)
from sanjeevani.patients.errors import KeptElsewhere, OffTheList

REFUSALS = "x-refusals"
POLLED = "x-polled"
LINKS = "x-links"

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `type` is stable and meant for programs, `title` for readers.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "pattern": f"^{PROBLEM_TYPE}[A-Za-z]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "field": {"type": "string", "description": "The field that the refusal is about."},
        "patient_id": {
            "type": "string",
            "format": "uuid",
            "description": "Whom the account has registered already, or under whom a person who"
            " was joined with another is kept.",
        },
        "retry_after": {"type": "integer", "minimum": 0, "description": "Seconds."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

RETRY_AFTER = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}
}
ETAG = {"ETag": {"description": "Send it back as If-None-Match.", "schema": {"type": "string"}}}


def says(
    *refusals: type[DomainError],
    polled: bool = False,
    links: Mapping[str, Mapping[str, str]] | None = None,
    media_types: Sequence[str] = (),
    body_media_types: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what an operation says of itself, for ninja's `openapi_extra`.

    `refusals` beyond those that follow from its parameters and permission; `polled`: it has an
    ETag; `links`: by operation id, which parameter takes which part of the answer, as runtime
    expressions; `media_types` of an answer that is not JSON, `body_media_types` of such a body.
    """
    extra: dict[str, Any] = {REFUSALS: refusals, POLLED: polled, LINKS: links or {}}
    if media_types:
        extra["responses"] = {200: {"description": "OK", "content": _binary(media_types)}}
    if body_media_types:
        extra["requestBody"] = {"required": True, "content": _binary(body_media_types)}
    return extra


def _binary(media_types: Sequence[str]) -> dict[str, Any]:
    return {one: {"schema": {"type": "string", "format": "binary"}} for one in media_types}


def complete(document: dict[str, Any]) -> None:
    """Add to ninja's document what the operations said through `says`."""
    document["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in document["paths"].items():
        for operation in operations.values():
            refusals = {
                BadRequest,
                Unavailable,
                *operation.pop(REFUSALS, ()),
                *_implied(path, operation),
            }
            responses = operation["responses"]
            success = responses[min(responses)]
            if operation.pop(POLLED, False):
                success["headers"] = ETAG
                responses[304] = {"description": "You have it already.", "headers": ETAG}
            if links := operation.pop(LINKS, {}):
                success["links"] = {
                    target: {"operationId": target, "parameters": dict(parameters)}
                    for target, parameters in links.items()
                }
            for status in sorted({refusal.status for refusal in refusals}):
                kinds = [refusal for refusal in refusals if refusal.status == status]
                responses[status] = _refusal(kinds)


def _implied(path: str, operation: dict[str, Any]) -> Iterable[type[DomainError]]:
    parameters = operation["parameters"]
    if "security" in operation:
        yield from (NotSignedIn, NotPermitted, TooMany)
    if "{" in path:
        yield NotFound
    if "{patient_id}" in path:
        yield from (OffTheList, KeptElsewhere)
    if parameters:
        yield Invalid
    if any(parameter["name"] == "Idempotency-Key" for parameter in parameters):
        yield KeyReused
    if "requestBody" in operation:
        yield from (Invalid, TooLarge, WrongContentType)


def _refusal(kinds: Iterable[type[DomainError]]) -> dict[str, Any]:
    listed = sorted(kinds, key=lambda kind: kind.__name__)
    said = [f"{kind.__name__}: {(kind.__doc__ or '').partition(chr(10))[0]}" for kind in listed]
    response: dict[str, Any] = {
        "description": " ".join(said),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if any(kind in (TooMany, Unavailable) for kind in listed):
        response["headers"] = RETRY_AFTER
    return response
