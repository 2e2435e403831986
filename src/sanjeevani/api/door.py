"""Signing in and out, and who is signed in."""

import uuid
from typing import Annotated, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import PUBLIC, ApiRequest, anonymous, patient, signed_in, staff_account
from sanjeevani.api.documentation import says
from sanjeevani.api.replies import nothing, polled, reply
from sanjeevani.api.types import PRINTABLE, Body, Id, OptionalLine, Reply, StateCode
from sanjeevani.directory.models import Post, Role
from sanjeevani.directory.permissions import is_beside_patients
from sanjeevani.directory.queries import posts_of, states
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, TooMany
from sanjeevani.identity import queries, services
from sanjeevani.identity.errors import (
    AccountInactive,
    CodeDead,
    ProofNeeded,
    WrongCode,
    WrongPassword,
    WrongProof,
)
from sanjeevani.identity.limits import limit_of
from sanjeevani.identity.mobiles import LONGEST_INPUT, parse_mobile
from sanjeevani.patients import handover
from sanjeevani.patients.services import choose_home

router = Router(tags=["Signing in"])

Device = Annotated[OptionalLine, Field(max_length=60)]


class CodeRequest(Body):
    """Where to send a sign-in code."""

    mobile: Annotated[str, Field(min_length=1, max_length=LONGEST_INPUT)]


class Challenge(Reply):
    """A code is on its way; what it is for takes it and this challenge."""

    challenge: uuid.UUID
    works_for_seconds: int
    again_in_seconds: int

    @classmethod
    def of(cls, challenge: uuid.UUID) -> "Challenge":
        """Show a challenge whose code was sent just now."""
        _allowed, again = limit_of("code_again")
        return cls(
            challenge=challenge,
            works_for_seconds=int(services.CODE_LIFE.total_seconds()),
            again_in_seconds=again,
        )


class PatientSignIn(Body):
    """The code as it stands in the message."""

    challenge: Id
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    device: Device = ""


class PatientProof(Body):
    """The year in which somebody was born who is registered with the mobile."""

    challenge: Id
    birth_year: Annotated[int, Field(ge=1880, le=2200)]
    device: Device = ""


class PatientAnew(Body):
    """The challenge of a right code, entered with a mobile that is new to its owner."""

    challenge: Id
    device: Device = ""


class StaffSignIn(Body):
    """User name and password."""

    login: Annotated[str, Field(min_length=1, max_length=60, pattern=PRINTABLE)]
    password: Annotated[str, Field(min_length=1, max_length=services.LONGEST_PASSWORD)]
    device: Device = ""


class PostReply(Reply):
    """A role at a facility. `at_spoke`: its holder sits beside the patients of a spoke."""

    state_id: int
    id: uuid.UUID
    role: Role
    facility: str
    at_spoke: bool

    @classmethod
    def of(cls, post: Post) -> "PostReply":
        """Show a post."""
        return cls(
            state_id=post.state_id,
            id=post.id,
            role=Role(post.role),
            facility=post.facility.name,
            at_spoke=is_beside_patients(post),
        )


class Posts(Reply):
    """The posts of an account."""

    items: list[PostReply]


class SessionReply(Reply):
    """A new session. The token is known nowhere else: keep it safe."""

    token: str
    kind: Literal["patient", "staff"]
    home_state_id: int | None
    posts: list[PostReply]
    post_id: uuid.UUID | None


class Me(Reply):
    """Who is signed in."""

    account_id: uuid.UUID
    kind: Literal["patient", "staff"]
    name: str
    language: str
    home_state_id: int | None
    post_state_id: int | None
    post_id: uuid.UUID | None


class HomeState(Body):
    """The state whose patients the account looks after."""

    state_id: StateCode


class ChosenPost(Body):
    """One of the account's posts."""

    state_id: StateCode
    id: Id


def language() -> str:
    """Return the reader's language."""
    return get_language() or settings.LANGUAGE_CODE


@router.post("/codes", auth=PUBLIC, response={202: Challenge}, openapi_extra=says(TooMany))
def request_code(request: HttpRequest, body: CodeRequest) -> HttpResponse:
    """Send a sign-in code by SMS."""
    challenge = services.request_code(
        anonymous(request), mobile=parse_mobile(body.mobile), language=language()
    )
    return reply(Challenge.of(challenge), 202)


@router.post(
    "/sessions",
    auth=PUBLIC,
    response={201: SessionReply},
    openapi_extra=says(WrongCode, CodeDead, AccountInactive, ProofNeeded),
)
def sign_in(request: HttpRequest, body: PatientSignIn) -> HttpResponse:
    """Sign a patient in by the code.

    `ProofNeeded`: the code was right, and the mobile may have changed hands. Ask for the age of one
    of the people registered with it (`/sessions/proof`), or begin with nothing (`/sessions/anew`).
    """
    signed = handover.sign_in(
        anonymous(request),
        challenge=body.challenge,
        code=body.code,
        language=language(),
        device=body.device,
    )
    return _signed_in(signed, [], None)


@router.post(
    "/sessions/proof",
    auth=PUBLIC,
    response={201: SessionReply},
    openapi_extra=says(WrongProof, CodeDead, TooMany),
)
def prove(request: HttpRequest, body: PatientProof) -> HttpResponse:
    """Sign in who knows when somebody was born who is registered with the mobile."""
    signed = handover.prove(
        anonymous(request),
        challenge=body.challenge,
        birth_year=body.birth_year,
        device=body.device,
    )
    return _signed_in(signed, [], None)


@router.post(
    "/sessions/anew", auth=PUBLIC, response={201: SessionReply}, openapi_extra=says(CodeDead)
)
def begin_anew(request: HttpRequest, body: PatientAnew) -> HttpResponse:
    """Sign in with a new account. Nobody opens the records of the old one with this mobile."""
    signed = services.begin_anew(
        anonymous(request), challenge=body.challenge, language=language(), device=body.device
    )
    return _signed_in(signed, [], None)


@router.post(
    "/staff/sessions",
    auth=PUBLIC,
    response={201: SessionReply},
    openapi_extra=says(WrongPassword, TooMany),
)
def sign_in_staff(request: HttpRequest, body: StaffSignIn) -> HttpResponse:
    """Sign staff in. Who has one post acts in it at once, others choose."""
    actor = anonymous(request)
    signed = services.sign_in_staff(
        actor, login=body.login, password=body.password, device=body.device
    )
    account_id = signed.session.account_id
    posts = posts_of(account_id)
    if len(posts) == 1:
        services.choose_post(
            Actor(ActorKind.STAFF, account_id=account_id, address=actor.address),
            session=signed.session,
            post_state_id=posts[0].state_id,
            post_id=posts[0].id,
        )
    return _signed_in(signed, posts, posts[0].id if len(posts) == 1 else None)


def _signed_in(
    signed: services.SignedIn, posts: list[Post], post_id: uuid.UUID | None
) -> HttpResponse:
    session = signed.session
    answer = SessionReply(
        token=signed.token,
        kind="staff" if session.is_staff else "patient",
        home_state_id=session.home_state_id,
        posts=[PostReply.of(post) for post in posts],
        post_id=post_id,
    )
    return reply(answer, 201)


@router.delete("/sessions/current", auth=signed_in, response={204: None})
def sign_out(request: ApiRequest) -> HttpResponse:
    """End this session."""
    session = request.auth.session
    services.sign_out(request.auth.actor, account_id=session.account_id, session_id=session.id)
    return nothing()


@router.get("/me", auth=signed_in, response=Me, openapi_extra=says(polled=True))
def me(request: ApiRequest) -> HttpResponse:
    """Say who is signed in."""
    return polled(request, _me(request.auth.session))


def _me(session: queries.SessionInfo) -> Me:
    return Me(
        account_id=session.account_id,
        kind="staff" if session.is_staff else "patient",
        name=session.display_name,
        language=session.language,
        home_state_id=session.home_state_id,
        post_state_id=session.post_state_id,
        post_id=session.post_id,
    )


@router.put("/me/home-state", auth=patient, response={204: None})
def set_home_state(request: ApiRequest, body: HomeState) -> HttpResponse:
    """Choose the state: what is registered lives there, so that it stays once somebody is."""
    session = request.auth.session
    if all(state.lgd_code != body.state_id for state in states()):
        raise Invalid(field="state_id")
    choose_home(request.auth.actor, account_id=session.account_id, home_state_id=body.state_id)
    return nothing()


@router.get("/staff/posts", auth=staff_account, response=Posts, openapi_extra=says(polled=True))
def list_posts(request: ApiRequest) -> HttpResponse:
    """List the posts that the account may act in."""
    found = posts_of(request.auth.session.account_id)
    return polled(request, Posts(items=[PostReply.of(post) for post in found]))


@router.put("/staff/post", auth=staff_account, response={204: None}, openapi_extra=says(NotFound))
def choose_post(request: ApiRequest, body: ChosenPost) -> HttpResponse:
    """Act in a post from now on."""
    session = request.auth.session
    if (body.state_id, body.id) not in {
        (post.state_id, post.id) for post in posts_of(session.account_id)
    }:
        raise NotFound
    services.choose_post(
        request.auth.actor, session=session, post_state_id=body.state_id, post_id=body.id
    )
    return nothing()
