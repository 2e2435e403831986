"""What every view says about whom it admits, and where a request came from.

The marks decide nothing: the middleware of `web` and the bearer tokens of `api` do.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Audience(StrEnum):
    """Whom a view admits."""

    MACHINE = "machine"  # anybody, without asking who: probes, assets
    PUBLIC = "public"  # anybody; who has signed in is known
    SIGNED_IN = "signed_in"  # any account
    PATIENT = "patient"
    CARER = "carer"  # patients, and staff of a spoke for the patient beside them
    STAFF_ACCOUNT = "staff_account"  # staff, also before a post is chosen
    STAFF = "staff"  # staff acting in a post


@dataclass(frozen=True)
class Permission:
    """What a view says about whom it admits. No roles: staff in any role."""

    audience: Audience
    roles: frozenset[str] = frozenset()


View = TypeVar("View", bound=Callable[..., HttpResponseBase])

MAY_SEND = "sanjeevani.may_send"
"""In a request's environment: nothing is asked but whether a large form may come. 100: it may."""


def mark(permission: Permission) -> Callable[[View], View]:
    """Let a view say whom it admits."""

    def decorate(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return decorate


def permission_of(view: Callable[..., Any]) -> Permission | None:
    """Return what a view says about whom it admits; a structural test asks all routes."""
    permission = getattr(view, "permission", None)
    return permission if isinstance(permission, Permission) else None


def takes_files(view: View) -> View:
    """Let forms be as large as files are, from those whom the view admits."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


def machine(view: View) -> View:
    """Admit anybody without a look at the session: works with the database away."""
    return mark(Permission(Audience.MACHINE))(view)


def client_address(request: HttpRequest) -> str | None:
    """Return the address that the request came from, past as many proxies as are ours.

    What a client writes into X-Forwarded-For itself stands further left and is never believed.
    """
    candidate = request.META.get("REMOTE_ADDR", "")
    forwarded = request.headers.get("X-Forwarded-For")
    if settings.TRUSTED_PROXIES and forwarded:
        hops = forwarded.split(",")
        if len(hops) >= settings.TRUSTED_PROXIES:
            candidate = hops[-settings.TRUSTED_PROXIES]
    try:
        return str(ipaddress.ip_address(candidate.strip()))
    except ValueError:
        return None
