"""Refusals of the protocol itself, and every refusal as problem+json (RFC 9457)."""

import json
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError

PROBLEM_TYPE = "urn:sanjeevani:problem:"
MEDIA_TYPE = "application/problem+json"


class NotSignedIn(DomainError):
    """The page or interface needs somebody who has signed in."""

    status = 401
    message = _("Please sign in first.")


class BadRequest(DomainError):
    """A request that no browser sends by itself."""

    status = 400
    message = _("We could not read what your browser sent. Please go back and try again.")


class TooLarge(DomainError):
    """More than a form may carry."""

    status = 413
    message = _("This is too much at once. Please send less, or smaller files.")


class WrongContentType(DomainError):
    """A body in another format than the one that is read here."""

    status = 415
    message = _("Send the body as application/json.")


class WrongMethod(DomainError):
    """An address that takes forms was opened, or the other way round."""

    status = 405
    message = _("This address cannot be opened like this.")


class Unavailable(DomainError):
    """The database is away for the moment."""

    status = 503
    message = _("The service is interrupted for a moment. Please try again in a minute.")
    retry_after = 10


class Broken(DomainError):
    """A fault of ours."""

    status = 500
    message = _("Something went wrong on our side. Please try again in a minute.")


DATABASE_AWAY = (OperationalError, InterfaceError)


def problem(error: DomainError) -> dict[str, Any]:
    """Return an error as the object of RFC 9457; `type` is stable and meant for programs."""
    body: dict[str, Any] = {
        "type": f"{PROBLEM_TYPE}{error.code}",
        "title": str(error.message),
        "status": error.status,
    }
    if error.field is not None:
        body["field"] = error.field
    return body | error.details


def problem_response(error: DomainError) -> HttpResponse:
    """Return the error as a response for programs."""
    response = HttpResponse(
        json.dumps(problem(error), ensure_ascii=False),
        status=error.status,
        content_type=MEDIA_TYPE,
    )
    if isinstance(error, NotSignedIn):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
