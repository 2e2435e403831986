"""Every route states whom it admits, and admits nobody else."""

import inspect
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import pytest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from sanjeevani.directory.models import BESIDE_THE_PATIENT, Role
from sanjeevani.foundation.access import MAY_SEND, Audience, Permission, permission_of
from sanjeevani.identity.models import Account, Session
from tests.factories import AccountFactory, FacilityFactory, PostFactory, sign_in

VALUES: dict[str, Any] = {"IntConverter": 29, "UUIDConverter": uuid.UUID(int=7)}


@dataclass(frozen=True)
class Route:
    """A route with a path that leads to it, its placeholders filled in."""

    path: str
    view: Any

    @property
    def permission(self) -> Permission:
        """What the view states."""
        stated = permission_of(self.view)
        assert stated, f"{self.path}: {self.view.__module__}.{self.view.__qualname__}"
        return stated


def routes(
    patterns: Any = None, before: str = "/", named: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[Route]:
    """Yield every route that the resolver knows, filled in by name, or else by kind."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = before + str(pattern.pattern)
        for name, converter in pattern.pattern.converters.items():
            kind = type(converter).__name__
            value = named.get(name, VALUES.get(kind, "x"))
            for written in (f"<{name}>", f"<{kind.removesuffix('Converter').lower()}:{name}>"):
                path = path.replace(written, str(value))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path, named)
        elif isinstance(pattern, URLPattern):
            yield Route(path, pattern.callback)


ROUTES = list(routes())
every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
METHODS = ("get", "post")


@every_route
def test_states_its_permission(route: Route) -> None:
    assert route.permission


@every_route
def test_large_forms_are_for_views_that_read_files_from_those_they_know(route: Route) -> None:
    view = inspect.unwrap(route.view)
    of_pages = view.__module__.startswith("sanjeevani.web")
    reads = of_pages and re.search(r"\brequest\.FILES\b|\btake\(", inspect.getsource(view))
    assert getattr(route.view, "takes_files", False) is bool(reads)
    assert not reads or route.permission.audience in NEEDS_ACCOUNT


def answers(client: Client, route: Route) -> list[HttpResponse]:
    """Ask for the route by every method that a browser uses."""
    return [getattr(client, method)(route.path) for method in METHODS]


def is_sent_to_sign_in(answer: HttpResponseBase) -> bool:
    """Tell whether the answer asks who is there: a page to sign in at, or 401."""
    return answer.status_code == 401 or (
        answer.status_code == 303 and "next=" in answer.headers["Location"]
    )


def assert_refused(client: Client, route: Route, reason: str) -> None:
    """Nobody who is not admitted gets past the door, whatever the method."""
    for answer in answers(client, route):
        assert is_sent_to_sign_in(answer) if reason == "unknown" else answer.status_code == 403, (
            route.path,
            answer.status_code,
        )


def assert_admitted(client: Client, route: Route) -> None:
    """The door opens: what the view then says to a made-up id is its own, but never a fault."""
    for answer in answers(client, route):
        assert answer.status_code < 500, (route.path, answer.status_code)
        assert not is_sent_to_sign_in(answer), route.path


NEEDS_ACCOUNT = (
    Audience.SIGNED_IN,
    Audience.PATIENT,
    Audience.CARER,
    Audience.STAFF,
    Audience.STAFF_ACCOUNT,
)


def admitting(*audiences: Audience) -> Any:
    """Parametrize by the routes for some audiences."""
    return pytest.mark.parametrize(
        "route",
        [
            route
            for route in ROUTES
            if (permission_of(route.view) or Permission(Audience.MACHINE)).audience in audiences
        ],
        ids=lambda route: route.path,
    )


@admitting(*NEEDS_ACCOUNT)
@pytest.mark.django_db
def test_strangers_are_asked_to_sign_in(client: Client, route: Route) -> None:
    assert_refused(client, route, "unknown")


@admitting(Audience.PUBLIC)
@pytest.mark.django_db
def test_public_routes_admit_strangers(client: Client, route: Route) -> None:
    assert_admitted(client, route)


@admitting(Audience.MACHINE)
@pytest.mark.django_db
def test_machine_routes_look_at_no_session(client: Client, route: Route) -> None:
    """Probes and the JSON API, which knows bearer tokens only: a cookie opens nothing there."""
    sign_in(client, AccountFactory())
    answer = client.get(route.path)
    client.cookies.clear()
    assert client.get(route.path).status_code == answer.status_code


@pytest.fixture
def patient_client(client: Client, db: None) -> Client:
    """A browser with a patient signed in."""
    sign_in(client, AccountFactory())
    return client


def staff_client(role: Role, *, is_spoke: bool = False) -> Client:
    """A browser with a member of staff who acts in a post of the role."""
    client = Client()
    post = PostFactory(role=role, facility=FacilityFactory(is_spoke=is_spoke))
    sign_in(client, Account.objects.get(id=post.account_id))
    Session.objects.update(post_state_id=post.state_id, post_id=post.id)
    return client


@admitting(Audience.STAFF, Audience.STAFF_ACCOUNT)
def test_staff_routes_refuse_patients(patient_client: Client, route: Route) -> None:
    assert_refused(patient_client, route, "known")


@admitting(Audience.SIGNED_IN, Audience.PATIENT, Audience.CARER)
def test_patient_routes_admit_patients(patient_client: Client, route: Route) -> None:
    assert_admitted(patient_client, route)


@admitting(Audience.PATIENT)
@pytest.mark.django_db
def test_patient_routes_refuse_staff(route: Route) -> None:
    assert_refused(staff_client(Role.DOCTOR), route, "known")


@admitting(Audience.CARER)
@pytest.mark.django_db
def test_carers_are_patients_and_the_staff_beside_them(route: Route) -> None:
    for role in Role:
        if role in BESIDE_THE_PATIENT:
            assert_admitted(staff_client(role, is_spoke=True), route)
        else:
            assert_refused(staff_client(role, is_spoke=True), route, "known")
    assert_refused(staff_client(Role.DOCTOR), route, "known")


@pytest.mark.parametrize(
    "route", [r for r in ROUTES if hasattr(r.view, "takes_files")], ids=lambda route: route.path
)
def test_who_sends_files_is_asked_before_they_come(patient_client: Client, route: Route) -> None:
    asked: dict[str, Any] = {MAY_SEND: True}
    assert is_sent_to_sign_in(Client().head(route.path, **asked))
    if route.permission.audience is Audience.STAFF:
        assert patient_client.head(route.path, **asked).status_code == 403
        patient_client = staff_client(Role(min(route.permission.roles)))
    assert patient_client.head(route.path, **asked).status_code == HTTPStatus.CONTINUE
    assert patient_client.head("/", **asked).status_code == 413


@admitting(Audience.STAFF)
@pytest.mark.django_db
def test_staff_routes_ask_for_the_post_first(client: Client, route: Route) -> None:
    sign_in(client, AccountFactory(kind="staff", login="nobody"))
    assert_refused(client, route, "unknown")


@admitting(Audience.STAFF)
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.django_db
def test_staff_routes_admit_their_roles_only(route: Route, role: Role) -> None:
    if not route.permission.roles or role in route.permission.roles:
        assert_admitted(staff_client(role), route)
    else:
        assert_refused(staff_client(role), route, "known")


@pytest.mark.django_db
def test_an_ended_post_opens_nothing() -> None:
    from sanjeevani.directory.models import Post
    from sanjeevani.foundation.sharding import across_states

    client = staff_client(Role.DOCTOR)
    with across_states():
        Post.objects.update(ended_at="2026-01-01T00:00:00Z")
    for route in ROUTES:
        if route.permission.audience is Audience.STAFF:
            assert_refused(client, route, "unknown")


def test_the_middleware_refuses_a_view_without_permission(rf: RequestFactory) -> None:
    from sanjeevani.web.access import authenticate

    def unmarked(request: Any) -> HttpResponse:
        return HttpResponse("anything")

    middleware: Any = authenticate(unmarked)
    request = rf.get("/")
    middleware(request)
    assert middleware.process_view(request, unmarked, (), {}).status_code == 403
