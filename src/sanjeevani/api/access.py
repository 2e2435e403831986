"""Who asks: a session's token in the Authorization header, never a cookie, so that no page can
ask in somebody's name. Every operation states whom it admits; one that does not admits nobody."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer

from sanjeevani.api.limits import Pace
from sanjeevani.directory.models import (
    AT_THE_COUNTER,
    BESIDE_THE_PATIENT,
    CLINICAL_ROLES,
    Post,
    Practitioner,
)
from sanjeevani.directory.permissions import in_post, require_beside_patients, require_post
from sanjeevani.foundation.access import Audience, Permission, client_address
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted
from sanjeevani.foundation.problems import NotSignedIn
from sanjeevani.identity.queries import SessionInfo, actor_of, find_session
from sanjeevani.identity.services import touch


class PostNotChosen(DomainError):
    """Staff act in a post, and choose it after signing in."""

    status = 403
    message = _("Choose the post you act in first.")


class HomeStateMissing(DomainError):
    """Everything of a patient lives in the account's state, which is not known yet."""

    status = 409
    message = _("Choose your state first.")


@dataclass(frozen=True)
class Caller:
    """Who has signed in; `post` for operations of staff in a post."""

    actor: Actor
    session: SessionInfo
    post: Post | None = None


class ApiRequest(HttpRequest):
    """A request as operations see it. Public ones have no `auth`."""

    auth: Caller


PACE = Pace("json_requests_per_account")
"""An app that looks again at every hint, and sends what it could not send before, needs less."""


class Bearer(HttpBearer):
    """Admits the sessions that `permission` names.

    `beside_patients`: of staff only those who sit beside the patients of a spoke.
    """

    openapi_description = "The token that signing in returned."

    def __init__(self, permission: Permission, *, beside_patients: bool = False) -> None:
        super().__init__()
        self.permission = permission
        self.beside_patients = beside_patients

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Return the caller. Raises NotSignedIn, TooMany, PostNotChosen, NotPermitted."""
        session = find_session(token)
        if session is None:
            raise NotSignedIn
        PACE.keep(session.account_id)
        touch(session)
        caller = Caller(actor_of(session, client_address(request)), session)
        audience = self.permission.audience
        if audience is Audience.SIGNED_IN:
            return caller
        if audience is Audience.CARER:
            return self._in_post(caller) if session.is_staff else caller
        if session.is_staff is not (audience in (Audience.STAFF, Audience.STAFF_ACCOUNT)):
            raise NotPermitted
        return self._in_post(caller) if audience is Audience.STAFF else caller

    def _in_post(self, caller: Caller) -> Caller:
        session = caller.session
        if session.post_state_id is None or session.post_id is None:
            raise PostNotChosen
        try:
            post = require_post(
                session.account_id, session.post_state_id, session.post_id, self.permission.roles
            )
        except NotFound:
            raise PostNotChosen from None
        actor = in_post(caller.actor, post)
        if self.beside_patients:
            require_beside_patients(actor)
        return Caller(actor, session, post)


class Nobody(HttpBearer):
    """What operations get that state nothing."""

    def authenticate(self, request: HttpRequest, token: str) -> None:
        """Refuse."""
        raise NotPermitted


PUBLIC = None
"""Admits anybody; stated all the same."""

signed_in = Bearer(Permission(Audience.SIGNED_IN))
patient = Bearer(Permission(Audience.PATIENT))
staff_account = Bearer(Permission(Audience.STAFF_ACCOUNT))
carer = Bearer(Permission(Audience.CARER, BESIDE_THE_PATIENT), beside_patients=True)
"""Patients, and the staff of a spoke for whom they sit beside."""
at_spoke = Bearer(Permission(Audience.STAFF, BESIDE_THE_PATIENT), beside_patients=True)
at_counter = Bearer(Permission(Audience.STAFF, AT_THE_COUNTER))
"""Those who hand out medicines; the verbs ask whether it is a spoke."""
doctor = Bearer(Permission(Audience.STAFF, CLINICAL_ROLES))


def anonymous(request: HttpRequest) -> Actor:
    """Return the actor of a public operation."""
    return Actor(ActorKind.ANONYMOUS, address=client_address(request))


def at_home(request: ApiRequest) -> Actor:
    """Return the actor of the patient's side once the home state is known.

    The staff of a spoke act in its state. Raises HomeStateMissing.
    """
    actor = request.auth.actor
    if actor.spoke_id is None and request.auth.session.home_state_id is None:
        raise HomeStateMissing
    return actor


def practitioner_of(request: ApiRequest) -> Practitioner:
    """Return who acts in the post; posts of doctors and specialists always have one."""
    assert request.auth.post is not None
    practitioner: Practitioner = request.auth.post.practitioner
    return practitioner
