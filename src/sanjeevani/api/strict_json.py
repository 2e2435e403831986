"""Reading JSON bodies without guessing: what readers could understand differently is refused."""

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.parser import Parser

from sanjeevani.foundation.problems import BadRequest, TooLarge, WrongContentType

LARGEST_BODY = 64 * 1024
DEEPEST = 20


class UnreadableBody(BadRequest):
    """The body is not JSON as RFC 8259 and I-JSON (RFC 7493) have it."""

    message = _("We could not read the body. Send JSON in UTF-8, each name once.")


class StrictParser(Parser):
    """Parses JSON objects in UTF-8 without duplicate names, NaN, NUL or lone surrogates."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Return the object. Raises WrongContentType, TooLarge, UnreadableBody."""
        if request.content_type != "application/json":
            raise WrongContentType
        if len(request.body) > LARGEST_BODY:
            raise TooLarge
        return read(request.body)


def read(body: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises UnreadableBody."""
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise UnreadableBody from None
    if not isinstance(value, dict):
        raise UnreadableBody
    _check(value, DEEPEST)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check(value: Any, depth: int) -> None:
    """Refuse deep nesting, and text that no database or reader could take."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise UnreadableBody
    elif isinstance(value, dict | list):
        if not depth:
            raise UnreadableBody
        for item in value if isinstance(value, list) else [*value.keys(), *value.values()]:
            _check(item, depth - 1)
