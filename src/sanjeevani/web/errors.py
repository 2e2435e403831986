"""Turns refusals into pages, or into problem+json for programs."""

import logging
import uuid
from collections.abc import Callable

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted
from sanjeevani.foundation.problems import (
    DATABASE_AWAY,
    BadRequest,
    Broken,
    TooLarge,
    Unavailable,
    WrongMethod,
    problem_response,
)

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class StaleForm(DomainError):
    """The form's CSRF token does not fit."""

    status = 403
    message = _(
        "This page was open for too long, or your browser refuses cookies."
        " Go back, reload the page and send it again."
    )


def map_errors(get_response: GetResponse) -> GetResponse:
    """Middleware: gives every request an id, and every error of a view its answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.request_id = uuid.uuid4().hex[:16]  # type: ignore[attr-defined]
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = response.headers["Allow"]
            response = respond(request, WrongMethod())
            response.headers["Allow"] = allowed
        response.headers["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response

    middleware.process_exception = _process_exception  # type: ignore[attr-defined]
    return middleware


def _process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    if isinstance(exception, DomainError):
        return respond(request, exception)
    if isinstance(exception, PermissionDenied):
        return respond(request, NotPermitted())
    if isinstance(exception, DATABASE_AWAY):
        return unavailable(request, exception)
    # Django logs what nobody expected, and asks `server_error` for the page.
    return None


def unavailable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for a database that is away."""
    logger.error(
        "%s", "database", exc_info=exception, extra={"request": request, "status_code": 503}
    )
    return respond(request, Unavailable())


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a program asks: under /api/, or by its Accept header."""
    if request.path.startswith("/api/"):
        return True
    preferred = request.get_preferred_type(
        ["text/html", "application/json", "application/problem+json"]
    )
    return preferred is not None and preferred != "text/html"


def respond(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Return the error as a page (`errors/<status>.html`) or as problem+json (RFC 9457)."""
    response = problem_response(error) if wants_json(request) else _page(request, error)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, error: DomainError) -> HttpResponse:
    context = {
        "error": error,
        "message": error.message,
        "request_id": getattr(request, "request_id", ""),
    }
    try:
        return render(request, f"errors/{error.status}.html", context, status=error.status)
    except TemplateDoesNotExist:
        return render(request, "errors/400.html", context, status=error.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    large = isinstance(exception, RequestDataTooBig)
    return respond(request, TooLarge() if large else BadRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return respond(request, NotPermitted())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return respond(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Answers in plain text should the page itself be what fails."""
    try:
        return respond(request, Broken())
    except Exception:
        logger.exception("error page")
        return HttpResponse(str(Broken.message), status=500, content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    return respond(request, StaleForm())
