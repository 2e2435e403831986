"""Who asks, and whether the view lets them in. A view that names nobody admits nobody.

    @staff(Role.DOCTOR)
    def desk(request: PortalRequest) -> HttpResponse: ...

The decorators only mark a view; the middleware below decides, in one place.
"""

import logging
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from sanjeevani.consultation.models import Consultation
from sanjeevani.directory.models import BESIDE_THE_PATIENT, Post
from sanjeevani.directory.permissions import in_post, require_post
from sanjeevani.foundation.access import (
    MAY_SEND,
    Audience,
    Permission,
    View,
    client_address,
    mark,
    permission_of,
)
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted
from sanjeevani.foundation.problems import DATABASE_AWAY, NotSignedIn, TooLarge
from sanjeevani.identity.queries import SessionInfo, actor_of, find_session
from sanjeevani.identity.services import PATIENT_IDLE, STAFF_DAY, touch
from sanjeevani.web.errors import GetResponse, respond, unavailable, wants_json

logger = logging.getLogger(__name__)

SESSION_COOKIE = "session"


class PortalRequest(HttpRequest):
    """A request as views see it."""

    session_info: SessionInfo | None
    actor: Actor
    post: Post
    """The post acted in; only views under `staff` have it."""
    request_id: str
    cases: list[Consultation]
    """At a spoke its live cases, once somebody has asked for them: `spoke/turns.py`."""
    done: list[uuid.UUID]
    """The audit rows of what it has done so far."""
    began: float
    """When it was begun to be answered (Unix time): what is read for it is no older."""


def public(view: View) -> View:
    """Admit anybody."""
    return mark(Permission(Audience.PUBLIC))(view)


def signed_in(view: View) -> View:
    """Admit every account, patients and staff."""
    return mark(Permission(Audience.SIGNED_IN))(view)


def patient(view: View) -> View:
    """Admit patients; others are asked to sign in."""
    return mark(Permission(Audience.PATIENT))(view)


def carer(view: View) -> View:
    """Admit patients, and at a spoke the staff who sit beside them; others are asked to sign in."""
    return mark(Permission(Audience.CARER, BESIDE_THE_PATIENT))(view)


def staff_account(view: View) -> View:
    """Admit staff, also before they have chosen the post to act in."""
    return mark(Permission(Audience.STAFF_ACCOUNT))(view)


def staff(*roles: str) -> Callable[[View], View]:
    """Admit staff acting in a post of one of these roles (none: of any); sets `request.post`."""
    return mark(Permission(Audience.STAFF, frozenset(roles)))


def authenticate(get_response: GetResponse) -> GetResponse:
    """Middleware: finds out who asks, in one query if there is a session cookie, and decides."""

    def middleware(request: PortalRequest) -> HttpResponseBase:
        request.began = time.time()
        request.session_info = None
        request.actor = Actor(ActorKind.ANONYMOUS, address=client_address(request))
        response = get_response(request)
        _keep(request, response)
        return response

    middleware.process_view = _process_view  # type: ignore[attr-defined]
    return middleware  # type: ignore[return-value]


def _process_view(
    request: PortalRequest,
    view: Callable[..., HttpResponseBase],
    _args: tuple[Any, ...],
    _kwargs: dict[str, Any],
) -> HttpResponseBase | None:
    permission = permission_of(view)
    if permission is None:
        logger.error("%s.%s states no permission", view.__module__, view.__qualname__)
        return respond(request, NotPermitted())
    if permission.audience is Audience.MACHINE:
        return None
    try:
        _recognise(request)
        refusal = _refusal(request, permission)
    except DATABASE_AWAY as error:
        return unavailable(request, error)
    except DomainError as error:
        return respond(request, error)
    if refusal is None and MAY_SEND in request.META:
        return _may_send(request, view)
    return refusal


def _may_send(request: HttpRequest, view: Callable[..., HttpResponseBase]) -> HttpResponse:
    """Answer, before a large form is read, whether the view takes it."""
    if getattr(view, "takes_files", False):
        return HttpResponse(status=HTTPStatus.CONTINUE)
    return respond(request, TooLarge())


def _recognise(request: PortalRequest) -> None:
    token = request.COOKIES.get(SESSION_COOKIE)
    session = find_session(token) if token else None
    if session is None:
        return
    request.session_info = session
    request.actor = actor_of(session, request.actor.address)


def _keep(request: PortalRequest, response: HttpResponseBase) -> None:
    """Let a session that is in use live on, and its cookie with it."""
    session = request.session_info
    if session is not None and touch(session) and SESSION_COOKIE not in response.cookies:
        token = request.COOKIES[SESSION_COOKIE]
        set_session_cookie(response, token, is_staff=session.is_staff)


def _refusal(request: PortalRequest, permission: Permission) -> HttpResponseBase | None:
    """Return why the view is not to be called, or None; raises domain errors too."""
    audience = permission.audience
    if audience is Audience.PUBLIC:
        return None
    session = request.session_info
    for_staff = audience in (Audience.STAFF, Audience.STAFF_ACCOUNT)
    if session is None:
        return _ask(request, "sign-in:staff" if for_staff else "sign-in:mobile")
    if audience is Audience.SIGNED_IN:
        return None
    if audience is Audience.CARER:
        return _enter_spoke(request, session, permission) if session.is_staff else None
    if session.is_staff is not for_staff:
        raise NotPermitted
    if audience is Audience.STAFF:
        return _enter_post(request, session, permission)
    return None


def _enter_spoke(
    request: PortalRequest, session: SessionInfo, permission: Permission
) -> HttpResponseBase | None:
    elsewhere = _enter_post(request, session, permission)
    if elsewhere is None and request.actor.spoke_id is None:
        raise NotPermitted
    return elsewhere


def _enter_post(
    request: PortalRequest, session: SessionInfo, permission: Permission
) -> HttpResponseBase | None:
    if session.post_id is None or session.post_state_id is None:
        return _ask(request, "sign-in:post")
    try:
        request.post = require_post(
            session.account_id, session.post_state_id, session.post_id, permission.roles
        )
    except NotFound:
        return _ask(request, "sign-in:post")
    request.actor = in_post(request.actor, request.post)
    return None


def _ask(request: HttpRequest, route: str) -> HttpResponse:
    """Send the reader to sign in or to choose a post, and back again afterwards."""
    if wants_json(request):
        return respond(request, NotSignedIn())
    query = urlencode({"next": page_of(request)})
    return HttpResponseRedirect(f"{reverse(route)}?{query}", status=303)


def page_of(request: HttpRequest) -> str:
    """Return the page that the reader is on: this one, or for a sent form the one it stands on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, {request.get_host()}):
        return "/"
    parts = urlsplit(referrer)
    return safe_path(f"{parts.path}?{parts.query}" if parts.query else parts.path) or "/"


def safe_path(path: str | None) -> str | None:
    """Return `path` if it is one of this site, so that no link can lead readers elsewhere."""
    if (
        path
        and len(path) <= 2000
        and path.startswith("/")
        and path.isprintable()
        and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    ):
        return path
    return None


def set_session_cookie(response: HttpResponseBase, token: str, *, is_staff: bool) -> None:
    """Give the browser its session, for as long as it can last."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=STAFF_DAY if is_staff else PATIENT_IDLE,
        httponly=True,
        secure=settings.SECURE_COOKIES,
        samesite="Lax",
    )


def clear_session_cookie(response: HttpResponseBase) -> None:
    """Take the session from the browser; ending it on the server is `sign_out`'s work."""
    response.delete_cookie(SESSION_COOKIE, samesite="Lax")
