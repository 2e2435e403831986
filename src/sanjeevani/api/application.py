"""The JSON API under /api/v1: the same verbs and queries as the pages, nothing of its own."""

from functools import cached_property
from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.urls import URLPattern
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from sanjeevani.api import (
    calling,
    care,
    colleagues,
    complaints,
    counter,
    desk,
    door,
    family,
    following,
    hubs,
    mobiles,
    note_templates,
    onward,
    papers,
    prescriptions,
    reference,
    sharing,
    spoke,
    vitals,
)
from sanjeevani.api.access import Nobody
from sanjeevani.api.documentation import complete
from sanjeevani.api.strict_json import StrictParser
from sanjeevani.foundation.access import Audience, Permission, mark
from sanjeevani.foundation.errors import DomainError, Invalid
from sanjeevani.foundation.problems import BadRequest, NotSignedIn

DESCRIPTION = """\
A patient signs in by a code, registers who is ill, answers the danger questions, says what the
trouble is, and asks a clinic: the answer is a token. A doctor signs in, goes on duty and calls the
next patient. Send the token of the session as `Authorization: Bearer`.

The staff of a spoke choose a post there (`at_spoke`), find or register the patient who sits before
them, and then do for that patient what patients do themselves: consent, danger questions,
complaint, papers, the call. What is theirs alone, measuring, asking a hub, showing presence, begins
with `/spoke`.

What creates something takes an `Idempotency-Key`: send the same key again until you have an answer.
What clients poll has an `ETag`. Refusals are `application/problem+json`; their `type` is stable.
Texts come in the language of `Accept-Language` (en, hi). Ids are pairs: a record's state (LGD code;
0 is National) and its UUID.
"""


class InvalidRequest(Invalid):
    """Values that the OpenAPI document does not allow; `errors` names them."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__()
        self._errors = errors

    @property
    def code(self) -> str:
        """One name for all that cannot be read."""
        return "Invalid"

    @property
    def details(self) -> dict[str, Any]:
        """Each field with what is wrong with it, without the value, which may be personal."""
        return {
            "errors": [
                {"field": ".".join(str(part) for part in error["loc"]), "message": error["msg"]}
                for error in self._errors
            ]
        }


class Api(NinjaAPI):
    """Ninja with our errors: they are raised on to Django, where one place turns all into JSON."""

    @cached_property
    def document(self) -> OpenAPISchema:
        """The OpenAPI document, made once."""
        document = super().get_openapi_schema()
        complete(document)
        return document

    def get_openapi_schema(self, **_: Any) -> OpenAPISchema:
        """Return the OpenAPI document."""
        return self.document

    def get_openapi_operation_id(self, operation: Any) -> str:
        """Name operations by their functions."""
        return str(operation.view_func.__name__)


api = Api(
    title="Sanjeevani",
    version="1",
    description=DESCRIPTION,
    auth=Nobody(),
    parser=StrictParser(),
    docs_url=None,
    urls_namespace="api",
)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> NoReturn:
    raise InvalidRequest(error.errors)


@api.exception_handler(AuthenticationError)
def _nobody(request: HttpRequest, error: AuthenticationError) -> NoReturn:
    raise NotSignedIn


@api.exception_handler(HttpError)
def _unread(request: HttpRequest, error: HttpError) -> NoReturn:
    """Ninja wraps whatever the parser raises."""
    raise error.__cause__ if isinstance(error.__cause__, DomainError) else BadRequest()


@api.exception_handler(UnreadablePostError)
def _broken_off(request: HttpRequest, error: UnreadablePostError) -> HttpResponse:
    raise BadRequest


api.add_router("", door.router)
api.add_router("", reference.router)
api.add_router("", family.router)
api.add_router("", following.router)
api.add_router("", care.router)
api.add_router("", calling.router)
api.add_router("", papers.router)
api.add_router("", prescriptions.router)
api.add_router("", sharing.router)
api.add_router("/staff", desk.router)
api.add_router("/staff", onward.router)
api.add_router("/staff", colleagues.router)
api.add_router("/staff", note_templates.router)
api.add_router("", spoke.router)
api.add_router("", vitals.router)
api.add_router("", hubs.router)
api.add_router("", mobiles.router)
api.add_router("", counter.router)
api.add_router("", complaints.router)

urlpatterns = api.urls[0]
for pattern in urlpatterns:
    if isinstance(pattern, URLPattern):
        # The operations' own permission decides; the middleware of pages looks at cookies only.
        mark(Permission(Audience.MACHINE))(pattern.callback)
