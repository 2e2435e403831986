"""Reads of accounts and sessions."""

import datetime
import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sanjeevani.foundation import clock, steady
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.identity.errors import InvitationDead
from sanjeevani.identity.models import (
    Account,
    AccountKind,
    Invitation,
    Login,
    OneTimeCode,
    Session,
)

TOKEN_LENGTH = 43
"""Characters of a session token: 256 random bits in URL-safe base64."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Who is signed in on this browser, as every request knows it from one query."""

    digest: str
    id: uuid.UUID
    account_id: uuid.UUID
    kind: str
    display_name: str
    language: str
    home_state_id: int | None
    post_state_id: int | None
    post_id: uuid.UUID | None
    device: str
    created_at: datetime.datetime
    last_seen_at: datetime.datetime

    @property
    def is_staff(self) -> bool:
        """Whether the account is one of staff."""
        return self.kind == AccountKind.STAFF


_FIELDS = tuple(SessionInfo.__dataclass_fields__)


def info_of(session: Session) -> SessionInfo:
    """Return a session's row as requests carry it."""
    return SessionInfo(*(getattr(session, name) for name in _FIELDS))


def signed_in_among(account_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return in which posts people are signed in now, by account; who is in none is left out."""
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    for account_id, post_id in Session.objects.filter(
        account_id__in=list(account_ids), expires_at__gt=clock.now()
    ).values_list("account_id", "post_id"):
        if post_id is not None:
            found.setdefault(account_id, set()).add(post_id)
    return found


def digest_of(token: str) -> str:
    """Return the key under which a session's token is stored.

    A plain SHA-256 is enough: 256 random bits cannot be guessed, with or without the digest.
    """
    return hashlib.sha256(token.encode()).hexdigest()


_living_session = Compiled(
    lambda: Session.objects.filter(digest=given("digest"), expires_at__gt=given("now")).values_list(
        *_FIELDS, steady.edition()
    )
)


def find_session(token: str) -> SessionInfo | None:
    """Return the living session of a token, in one query. What is steady is read by its edition."""
    if len(token) != TOKEN_LENGTH:
        return None
    row = _living_session.first(digest=digest_of(token), now=clock.now())
    if row is None:
        return None
    *fields, edition = row
    steady.begin(edition)
    return SessionInfo(*fields)


def actor_of(session: SessionInfo, address: str | None) -> Actor:
    """Return the actor of a session: staff act in their post's state, patients in their own."""
    return Actor(
        ActorKind.STAFF if session.is_staff else ActorKind.PERSON,
        account_id=session.account_id,
        post_id=session.post_id,
        state_id=(session.post_state_id if session.is_staff else session.home_state_id) or 0,
        address=address,
    )


def sessions_of(account_id: uuid.UUID) -> list[SessionInfo]:
    """Return the living sessions of an account, the last used first."""
    rows = Session.objects.filter(account_id=account_id, expires_at__gt=clock.now())
    return [SessionInfo(*row) for row in rows.order_by("-last_seen_at").values_list(*_FIELDS)]


_account = Compiled(lambda: Account.objects.filter(id=given("account_id")))


def find_account(account_id: uuid.UUID) -> Account | None:
    """Return an account by its id."""
    return _account.first(account_id=account_id)


def account_by_login(kind: AccountKind, login: str) -> Account | None:
    """Return the account that signs in by `login`: E.164 for patients, lower case for staff."""
    account_id = (
        Login.objects.filter(key=f"{kind}:{login}").values_list("account_id", flat=True).first()
    )
    # One query more or less would tell whether the login exists.
    return _account.first(account_id=account_id or uuid.UUID(int=0))


_code = Compiled(lambda: OneTimeCode.objects.filter(id=given("challenge")))


def find_code(challenge: uuid.UUID) -> OneTimeCode | None:
    """Return a code that was sent, dead or alive, while it is kept: for the page that asks."""
    return _code.first(challenge=challenge)


def accounts_by_id(account_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Account]:
    """Return the accounts that there are, by id."""
    return {account.id: account for account in Account.objects.filter(id__in=set(account_ids))}


def is_login_free(login: str) -> bool:
    """Tell whether no member of staff signs in by this name yet."""
    return not Login.objects.filter(key=f"{AccountKind.STAFF}:{login}").exists()


def invited_account(token: str) -> Account:
    """Return the account that a living invitation was sent for. Raises InvitationDead."""
    account_id = (
        Invitation.objects.filter(digest=digest_of(token), expires_at__gt=clock.now())
        .values_list("account_id", flat=True)
        .first()
    )
    account = Account.objects.filter(id=account_id, is_active=True).first() if account_id else None
    if account is None:
        raise InvitationDead
    return account


def is_seen_since(account_id: uuid.UUID | None, moment: datetime.datetime) -> bool:
    """Tell whether an account was seen in a signed-in browser or app since then."""
    if account_id is None:
        return False
    return Session.objects.filter(account_id=account_id, last_seen_at__gte=moment).exists()
