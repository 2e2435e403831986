"""The verbs by which people join: accounts, posts and practitioners in one step."""

import re
import uuid
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.errors import OwnAccount
from sanjeevani.directory.models import CLINICAL_ROLES, Post, Practitioner, Role
from sanjeevani.directory.permissions import (
    require_facility_admin,
    require_may_appoint,
    require_state_admin,
)
from sanjeevani.directory.queries import acting_post, entries_of, posts_of
from sanjeevani.directory.services import (
    FacilityDetails,
    PractitionerDetails,
    give_post,
    open_facility,
    register_practitioner,
    require_another_national_admin,
)
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.models import Account, AccountKind
from sanjeevani.identity.queries import account_by_login, find_account, is_login_free
from sanjeevani.identity.services import (
    create_staff_account,
    deactivate_account,
    invite,
    normal_login,
    reactivate_account,
)


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    """Somebody who gets an account. Without a `login`, one is made from the name.

    `mobile` in E.164: the link to choose a password goes there.
    """

    name: str
    mobile: str
    language: str
    login: str = ""


@verb("directory.appoint")
def appoint(
    actor: Actor, *, state_id: int, facility_id: uuid.UUID, role: Role, person: NewPerson
) -> Post:
    """Give somebody new an account and a post, and send the link to sign in.

    Doctors come as practitioners, see `enrol_practitioner`. Raises LoginTaken, AlreadyClosed.
    """
    require_may_appoint(actor, role, state_id, facility_id)
    if role in CLINICAL_ROLES:
        raise Invalid(_("Choose the practitioner."), field="practitioner")
    account = _account_of(actor, state_id, person)
    post = give_post(
        actor, state_id=state_id, facility_id=facility_id, account_id=account.id, role=role
    )
    concerns(post)
    return post


@verb("directory.appoint_state_admin")
def appoint_state_admin(
    actor: Actor, *, state_id: int, person: NewPerson, office: FacilityDetails
) -> Post:
    """Open a state's office and appoint its administrator there: the first step in a new state.

    Raises StateNotOpen, NameTaken, LoginTaken.
    """
    facility = open_facility(actor, state_id=state_id, details=office)
    post = appoint(
        actor,
        state_id=state_id,
        facility_id=facility.id,
        role=Role.STATE_ADMIN,
        person=person,
    )
    concerns(post)
    return post


@verb("directory.appoint_known")
def appoint_known(
    actor: Actor, *, state_id: int, facility_id: uuid.UUID, role: Role, login: str
) -> Post:
    """Give a post to somebody who signs in already, also in another state.

    Raises Invalid for a user name that nobody has, PostHeld, AlreadyClosed.
    """
    require_may_appoint(actor, role, state_id, facility_id)
    if role in CLINICAL_ROLES:
        raise Invalid(_("Choose the practitioner."), field="practitioner")
    account = account_by_login(AccountKind.STAFF, normal_login(login))
    if account is None:
        raise Invalid(_("Nobody signs in by this user name. Check it."), field="login")
    post = give_post(
        actor, state_id=state_id, facility_id=facility_id, account_id=account.id, role=role
    )
    concerns(post)
    return post


@verb("directory.enrol_practitioner")
def enrol_practitioner(
    actor: Actor, *, state_id: int, person: NewPerson, details: PractitionerDetails
) -> Practitioner:
    """Give a doctor an account and put the doctor on the state's list, to be verified.

    The link to sign in follows with the first post. Raises AlreadyRegistered, LoginTaken, Invalid.
    """
    require_facility_admin(actor, state_id)
    account = _account_of(actor, state_id, person)
    practitioner = register_practitioner(
        actor, state_id=state_id, account_id=account.id, details=details
    )
    concerns(practitioner)
    return practitioner


@verb("directory.invite_again")
def invite_again(
    actor: Actor, *, state_id: int, post_id: uuid.UUID, mobile: str | None = None
) -> Account:
    """Send the holder of a post a new link to choose a password, to `mobile` if it is given.

    The link opens everything that the person may do. Who may give this post, but not all the
    others that the person holds, can therefore not change the number; neither can who does not run
    the state on whose list the person waits for a first post as a doctor. Raises NoMobile, Invalid.
    """
    account = _holder(actor, state_id, post_id)
    if mobile is not None and mobile != account.mobile:
        _require_answers_for(actor, account.id)
    account = invite(actor, account_id=account.id, mobile=mobile)
    concerns(account)
    return account


@verb("directory.close_account")
def close_account(actor: Actor, *, state_id: int, post_id: uuid.UUID) -> Account:
    """Close the account of who holds a post: no password opens it, all devices are signed out.

    Posts stay as they are. Only who answers for all of the person's work may. Raises NotPermitted,
    LastAdministrator, OwnAccount.
    """
    account = _holder(actor, state_id, post_id)
    _require_answers_for(actor, account.id)
    if account.id == actor.account_id:
        raise OwnAccount
    if any(held.role == Role.NATIONAL_ADMIN for held in posts_of(account.id)):
        require_another_national_admin(account.id)
    deactivate_account(actor, account_id=account.id)
    concerns(account)
    return account


@verb("directory.reopen_account")
def reopen_account(actor: Actor, *, state_id: int, post_id: uuid.UUID) -> Account:
    """Open the closed account of who holds a post. Raises NotPermitted as `close_account` does."""
    account = _holder(actor, state_id, post_id)
    _require_answers_for(actor, account.id)
    reactivate_account(actor, account_id=account.id)
    concerns(account)
    return account


def _require_answers_for(actor: Actor, account_id: uuid.UUID) -> None:
    """Let those pass who may give all the posts that a person holds, and who run the states on
    whose lists the person waits for a first post as a doctor. Raises NotPermitted."""
    held = posts_of(account_id)
    for post in held:
        require_may_appoint(actor, post.role, post.state_id, post.facility_id)
    served = {post.practitioner_id for post in held}
    for entry in entries_of(account_id):
        if entry.id not in served:
            require_state_admin(actor, entry.state_id)


def answers_for(actor: Actor, account_id: uuid.UUID) -> bool:
    """Tell whether the actor may close a person's account."""
    try:
        _require_answers_for(actor, account_id)
    except NotPermitted:
        return False
    return True


def _holder(actor: Actor, state_id: int, post_id: uuid.UUID) -> Account:
    """Return who holds a post that the actor may give."""
    post = acting_post(state_id, post_id)
    require_may_appoint(actor, post.role, state_id, post.facility_id)
    account = find_account(post.account_id)
    if account is None:
        raise NotFound
    return account


def _account_of(actor: Actor, state_id: int, person: NewPerson) -> Account:
    return create_staff_account(
        actor,
        login=person.login or _free_login(person.name),
        display_name=person.name,
        mobile=person.mobile,
        language=person.language,
        home_state_id=state_id,
    )


def _free_login(name: str) -> str:
    """Make a user name of a person's: `Dr Asha Devi` is asha.devi, the next one asha.devi2."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    base = ".".join(word for word in words if word not in {"dr", "prof"})[:40] or "staff"
    number = 1
    login = base
    while not is_login_free(login):
        number += 1
        login = f"{base}{number}"
    return login
