"""Signing in and out: the verbs on accounts, codes and sessions."""

import base64
import datetime
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity import queries
from sanjeevani.identity.errors import (
    AccountInactive,
    AccountUsed,
    CodeDead,
    InvitationDead,
    LoginTaken,
    NoMobile,
    ProofNeeded,
    WeakPassword,
    WrongCode,
    WrongPassword,
)
from sanjeevani.identity.limits import (
    count_attempt,
    count_attempts,
    forget_attempts,
    limit_of,
    network_of,
    take_back_attempt,
)
from sanjeevani.identity.models import (
    Account,
    AccountKind,
    AttemptCounter,
    Invitation,
    Login,
    OneTimeCode,
    Session,
)
from sanjeevani.messaging.services import queue_message

CODE_DIGITS = 6
CODE_TRIES = 5
CODE_LIFE = datetime.timedelta(minutes=5)
# Who enters a right code and never sees the answer, on a poor link, enters it again.
CODE_AGAIN = datetime.timedelta(minutes=2)
# Long enough for the page to offer a new code to the same mobile.
CODE_KEPT = datetime.timedelta(hours=1)

PATIENT_IDLE = datetime.timedelta(days=90)
# An operator ends a number that is not used for 90 days, and gives it to somebody else after 90
# more at the earliest (rules of the regulator, unconfirmed).
UNUSED_FOR = datetime.timedelta(days=180)
PROOF_LIFE = datetime.timedelta(minutes=15)
# A working day on a tablet that many share, however busy it was.
STAFF_DAY = datetime.timedelta(hours=12)
SEEN_EVERY = datetime.timedelta(minutes=5)

LONGEST_PASSWORD = 200

INVITATION_LIFE = datetime.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: `token` goes into the cookie and is known nowhere else."""

    token: str
    session: queries.SessionInfo


class CodePurpose(StrEnum):
    """What a code is for; one made for one purpose opens nothing else."""

    SIGN_IN = "sign_in_code"
    PRESENCE = "presence_code"
    MOBILE = "mobile_code"


_TEXTS = {
    CodePurpose.SIGN_IN: gettext_lazy(
        "%(code)s is your Sanjeevani sign-in code. It works for 5 minutes."
        " Do not tell it to anyone."
    ),
    CodePurpose.PRESENCE: gettext_lazy(
        "%(code)s: tell this code to the health worker beside you, to show that you are there."
    ),
    CodePurpose.MOBILE: gettext_lazy(
        "%(code)s: a health centre registers a patient with your mobile, who will see their"
        " consultations on it. Tell this code only if it is somebody of your family."
    ),
}


@dataclass(frozen=True)
class _Used:
    """A right code: the mobile that it was sent to, and whether it had been used before."""

    mobile: str
    again: bool


@verb("identity.request_code")
def request_code(actor: Actor, *, mobile: str, language: str) -> uuid.UUID:
    """Send a sign-in code to `mobile` (E.164); return the challenge that verifying needs.

    Does the same whether or not an account exists. Raises `TooMany`.
    """
    return _send_code(actor, mobile, language, CodePurpose.SIGN_IN)


@verb("identity.request_told_code")
def request_told_code(
    actor: Actor, *, mobile: str, language: str, purpose: CodePurpose
) -> uuid.UUID:
    """Send a code that whoever has the mobile tells the staff beside them; nobody signs in with it.

    Return the challenge that `confirm_told_code` needs. Raises `TooMany`.
    """
    return _send_code(actor, mobile, language, purpose)


def _send_code(actor: Actor, mobile: str, language: str, purpose: CodePurpose) -> uuid.UUID:
    network = network_of(actor.address)
    # A refusal takes back what is counted: it adds nothing to what is counted with others.
    count_attempts(
        ("code_again", f"{network} {mobile}"),
        ("codes_per_mobile", f"{network} {mobile}"),
        ("codes_per_mobile_and_day", f"{network} {mobile}"),
        ("codes_per_mobile_everywhere", mobile),
        ("codes_per_address", network),
    )
    challenge = uuid.uuid4()
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    at = clock.now()
    row = OneTimeCode.objects.create(
        id=challenge,
        mobile=mobile,
        digest=_code_digest(challenge, code, purpose),
        created_at=at,
        expires_at=at + CODE_LIFE,
    )
    with translation.override(language):
        text = str(_TEXTS[purpose]) % {"code": code}
    queue_message(mobile, text, purpose=purpose, language=language, valid_for=CODE_LIFE)
    concerns(row)
    return challenge


def _code_digest(
    challenge: uuid.UUID, code: str, purpose: CodePurpose = CodePurpose.SIGN_IN
) -> str:
    """A keyed digest: whoever reads the table cannot try the million codes without SECRET_KEY.

    argon2 would not help, a million tries are soon done, and the code is dead in five minutes; it
    would cost the server its work at each guess. The challenge keeps equal codes apart.
    """
    return salted_hmac(
        f"sanjeevani.identity.{purpose}", f"{challenge}:{code}", algorithm="sha256"
    ).hexdigest()


def seconds_until_resend(code: OneTimeCode) -> int:
    """Return how long the reader has to wait before another code may be asked for."""
    _allowed, seconds = limit_of("code_again")
    return max(0, round(seconds - (clock.now() - code.created_at).total_seconds()))


def verify_code(
    actor: Actor,
    *,
    challenge: uuid.UUID,
    code: str,
    language: str,
    device: str = "",
    replaces: str | None = None,
) -> SignedIn:
    """Sign a patient in by the code that was sent, making the account at the first time.

    `device` is shown in the list of devices; `replaces` is the token of the session that the
    browser had before. Entered again within `CODE_AGAIN`, as after an answer that was lost, a code
    answers with the session that it has opened, while there is one. Raises `WrongCode` or
    `CodeDead`, a wrong try is counted all the same; `ProofNeeded` where the mobile may have changed
    hands: then `enter_proven` or `begin_anew` goes on.
    """
    outcome = _verify_code(
        actor,
        challenge=challenge,
        code=code,
        language=language,
        device=device,
        replaces=replaces,
    )
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


@verb("identity.verify_code")
def _verify_code(
    actor: Actor,
    *,
    challenge: uuid.UUID,
    code: str,
    language: str,
    device: str,
    replaces: str | None,
) -> SignedIn | WrongCode | ProofNeeded:
    """Return a wrong try instead of raising it, because raising would undo its counting."""
    outcome = _use_code(challenge, code, CodePurpose.SIGN_IN)
    if isinstance(outcome, WrongCode):
        return outcome
    account = _patient_account(outcome.mobile, language, enters=True)
    token = _token_of_code(challenge, code)
    if outcome.again and (
        opened := Session.objects.filter(digest=queries.digest_of(token)).first()
    ):
        concerns(opened)
        return SignedIn(token, queries.info_of(opened))
    if _may_have_changed_hands(account):
        until = clock.now() + PROOF_LIFE
        OneTimeCode.objects.filter(id=challenge).update(proof_until=until)
        concerns(account)
        return ProofNeeded()
    if outcome.again:  # signed out since
        raise CodeDead
    return _enter(account, device, replaces, token)


def _may_have_changed_hands(account: Account) -> bool:
    # A session that lives says nothing: its browser does not need the number.
    entered = account.last_entered_at
    return entered is None or entered < clock.now() - UNUSED_FOR


def _enter(
    account: Account, device: str, replaces: str | None, token: str | None = None
) -> SignedIn:
    at = clock.now()
    if account.last_entered_at is None or account.last_entered_at < at - datetime.timedelta(days=1):
        Account.objects.filter(id=account.id).update(last_entered_at=at)
    return _open_session(account, PATIENT_IDLE, device, replaces, token)


def waits_for_proof(sent: OneTimeCode) -> bool:
    """Tell whether a code was right and its owner may still show that the records are theirs."""
    return sent.proof_until is not None and sent.proof_until > clock.now()


def account_to_prove(challenge: uuid.UUID) -> Account:
    """Return the account that a right code leads to once its owner has shown to be it.

    Raises `CodeDead` when nothing has to be shown, or not in time.
    """
    sent = queries.find_code(challenge)
    if sent is None or not waits_for_proof(sent):
        raise CodeDead
    account = queries.account_by_login(AccountKind.PATIENT, sent.mobile)
    if account is None:
        raise CodeDead
    return account


@verb("identity.enter_proven")
def enter_proven(
    _actor: Actor, *, challenge: uuid.UUID, device: str = "", replaces: str | None = None
) -> SignedIn:
    """Sign in whose code was right, once the caller has seen that the records are theirs.

    Raises `CodeDead`.
    """
    account = _proven(challenge)
    return _enter(account, device, replaces)


@verb("identity.begin_anew")
def begin_anew(
    _actor: Actor,
    *,
    challenge: uuid.UUID,
    language: str,
    device: str = "",
    replaces: str | None = None,
) -> SignedIn:
    """Sign in whose code was right with a new account, to whom the mobile is new.

    Nobody signs in to the old account any more, and no message about its people goes to the mobile.
    Raises `CodeDead`.
    """
    old = _proven(challenge)
    at = clock.now()
    account = Account.objects.create(
        kind=AccountKind.PATIENT,
        login=old.login,
        mobile=old.mobile,
        language=language,
        created_at=at,
        last_entered_at=at,
    )
    Login.objects.filter(key=f"{AccountKind.PATIENT}:{old.login}").update(account_id=account.id)
    Account.objects.filter(id=old.id).update(login="", mobile="")
    return _open_session(account, PATIENT_IDLE, device, replaces)


def _proven(challenge: uuid.UUID) -> Account:
    """Use up what a right code has left to prove; return the locked account."""
    account = account_to_prove(challenge)
    used, _by_model = OneTimeCode.objects.filter(id=challenge, proof_until__gt=clock.now()).delete()
    account = Account.objects.select_for_update(no_key=True).get(id=account.id)
    # Meanwhile somebody else may have done so, with another code.
    if not used or not account.mobile or not _may_have_changed_hands(account):
        raise CodeDead
    return account


def _token_of_code(challenge: uuid.UUID, code: str) -> str:
    """Return the token of the session that a code opens: always the same, so that there is one.

    The challenge, 122 random bits that only the browser has, and SECRET_KEY keep it secret.
    """
    digest = salted_hmac(
        "sanjeevani.identity.session", f"{challenge}:{code}", algorithm="sha256"
    ).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def confirm_told_code(
    actor: Actor, *, challenge: uuid.UUID, code: str, purpose: CodePurpose
) -> str:
    """Use a code that staff were told; return the mobile whose owner did.

    Raises `WrongCode` or `CodeDead`; a wrong try is counted all the same.
    """
    outcome = _confirm_told_code(actor, challenge=challenge, code=code, purpose=purpose)
    if isinstance(outcome, WrongCode):
        raise outcome
    return outcome.mobile


@verb("identity.confirm_told_code")
def _confirm_told_code(
    _actor: Actor, *, challenge: uuid.UUID, code: str, purpose: CodePurpose
) -> _Used | WrongCode:
    outcome = _use_code(challenge, code, purpose)
    concerns(OneTimeCode(id=challenge))
    return outcome


def _use_code(challenge: uuid.UUID, code: str, purpose: CodePurpose) -> _Used | WrongCode:
    """Return what a right code says; a wrong try is returned, and counted."""
    at = clock.now()
    with connection.cursor() as cursor:
        # One statement decides: parallel guesses wait for each other and see the tries before.
        cursor.execute(
            "UPDATE identity_onetimecode AS code SET tries = code.tries + 1, used_at = CASE"
            " WHEN code.digest = %(digest)s THEN coalesce(code.used_at, %(at)s::timestamptz)"
            " ELSE code.used_at END"
            " FROM (SELECT id, used_at FROM identity_onetimecode WHERE id = %(id)s FOR UPDATE)"
            " AS before"
            " WHERE code.id = before.id AND code.tries < %(tries)s AND code.expires_at > %(at)s"
            " AND (before.used_at IS NULL OR before.used_at > %(again)s)"
            " RETURNING code.mobile, code.digest = %(digest)s, code.tries,"
            " before.used_at IS NOT NULL",
            {
                "digest": _code_digest(challenge, code, purpose),
                "id": challenge,
                "at": at,
                "again": at - CODE_AGAIN,
                "tries": CODE_TRIES,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise CodeDead
    mobile, is_right, tries, again = row
    if not is_right:
        concerns(OneTimeCode(id=challenge))
        return WrongCode(CODE_TRIES - tries)
    return _Used(mobile, again)


def _patient_account(mobile: str, language: str, *, enters: bool = False) -> Account:
    """Return the account of a mobile, locked, made if there was none.

    `enters`: it is made by its owner, who is at the door.
    """
    key = f"{AccountKind.PATIENT}:{mobile}"
    login = Login.objects.filter(key=key).first()
    if login is None:
        account = Account(
            kind=AccountKind.PATIENT,
            login=mobile,
            mobile=mobile,
            language=language,
            created_at=clock.now(),
            last_entered_at=clock.now() if enters else None,
        )
        # Of two codes used at once for a new mobile, one makes the account, the other waits for it.
        Login.objects.bulk_create([Login(key=key, account_id=account.id)], ignore_conflicts=True)
        login = Login.objects.get(key=key)
        if login.account_id == account.id:
            account.save(force_insert=True)
            return account
    account = Account.objects.select_for_update(no_key=True).get(id=login.account_id)
    if not account.is_active:
        raise AccountInactive
    return account


@verb("identity.account_of_patient")
def account_of_patient(
    _actor: Actor, *, mobile: str, language: str, home_state_id: int, key: uuid.UUID
) -> Account:
    """Return the account of a patient who is registered by staff: of the mobile, made if need be.

    Without a mobile nobody can sign in to it; the same `key` again returns the first one.
    """
    if mobile:
        account = _patient_account(mobile, language)
        if account.home_state_id is None:
            account.home_state_id = home_state_id
            _settle(account.id, home_state_id)
    else:
        account, _created = Account.objects.get_or_create(
            id=key,
            kind=AccountKind.PATIENT,
            defaults={
                "language": language,
                "home_state_id": home_state_id,
                "created_at": clock.now(),
            },
        )
    concerns(account)
    return account


def _open_session(
    account: Account,
    lasts: datetime.timedelta,
    device: str,
    replaces: str | None,
    token: str | None = None,
) -> SignedIn:
    """Open a session of a locked account, in place of the browser's earlier one."""
    if replaces is not None:
        Session.objects.filter(digest=queries.digest_of(replaces)).delete()
    token = token or secrets.token_urlsafe(32)
    at = clock.now()
    session = Session.objects.create(
        digest=queries.digest_of(token),
        account_id=account.id,
        kind=account.kind,
        display_name=account.display_name,
        language=account.language,
        home_state_id=account.home_state_id,
        device=device[:60],
        created_at=at,
        last_seen_at=at,
        expires_at=at + lasts,
    )
    concerns(session)
    return SignedIn(token, queries.info_of(session))


def sign_in_staff(
    actor: Actor, *, login: str, password: str, device: str = "", replaces: str | None = None
) -> SignedIn:
    """Sign staff in by user name and password.

    Takes the same time for unknown names. Raises `WrongPassword` or `TooMany`. Attempts are counted
    before the password is looked at and outside of its transaction, so that guesses sent at once
    cannot slip through and no row stays locked for as long as argon2 takes.
    """
    login = normal_login(login)
    _count_password(actor, login)
    account = queries.account_by_login(AccountKind.STAFF, login)
    has_password = account is not None and account.is_active and bool(account.password)
    stored = account.password if account is not None and has_password else _nobodys_password()
    is_right = check_password(password[: LONGEST_PASSWORD + 1], stored)
    if account is None or not has_password or not is_right:
        _refuse_staff(actor, account_id=account.id if account else uuid.UUID(int=0))
        raise WrongPassword
    signed_in = _open_staff_session(actor, account=account, device=device, replaces=replaces)
    _uncount_password(actor, login)
    return signed_in


def _count_password(actor: Actor, login: str) -> None:
    network = network_of(actor.address)
    # First: a network that is refused here adds nothing to what is counted together with others.
    count_attempt("passwords_per_login", f"{network} {login}")
    count_attempt("passwords_per_address", network)
    count_attempt("passwords_per_login_everywhere", login)


def _uncount_password(actor: Actor, login: str) -> None:
    network = network_of(actor.address)
    forget_attempts("passwords_per_login", f"{network} {login}")
    take_back_attempt("passwords_per_address", network)
    take_back_attempt("passwords_per_login_everywhere", login)


def normal_login(login: str) -> str:
    """Return a staff user name as it is stored."""
    return login.strip().lower()


@cache
def _nobodys_password() -> str:
    return make_password(secrets.token_urlsafe(16))


@verb("identity.sign_in_staff")
def _open_staff_session(
    _actor: Actor, *, account: Account, device: str, replaces: str | None
) -> SignedIn:
    # Locked, and read again: a password changed meanwhile has already ended all sessions.
    current = (
        Account.objects.select_for_update(no_key=True)
        .filter(id=account.id, is_active=True, password=account.password)
        .first()
    )
    if current is None:
        raise WrongPassword
    return _open_session(current, STAFF_DAY, device, replaces)


@verb("identity.refuse_staff")
def _refuse_staff(_actor: Actor, *, account_id: uuid.UUID) -> None:
    concerns(Account(id=account_id))


def touch(session: queries.SessionInfo) -> bool:
    """Note that a session is in use, at most every five minutes; a patient's then lives on.

    Returns whether it lasts longer now, as its cookie should. Staff's ends with the day.

    No verb: nothing about the account changes, and an audit row per visit would say nothing.
    """
    at = clock.now()
    if at - session.last_seen_at < SEEN_EVERY:
        return False
    changes = {"last_seen_at": at}
    if not session.is_staff:
        changes["expires_at"] = at + PATIENT_IDLE
    Session.objects.filter(digest=session.digest).update(**changes)
    return not session.is_staff


def _require_own(actor: Actor, account_id: uuid.UUID) -> None:
    if actor.kind != ActorKind.SYSTEM and actor.account_id != account_id:
        raise NotPermitted


@verb("identity.choose_post")
def choose_post(
    actor: Actor, *, session: queries.SessionInfo, post_state_id: int, post_id: uuid.UUID
) -> None:
    """Act in a post from now on. The caller has checked that the post is the account's."""
    _require_own(actor, session.account_id)
    if not Session.objects.filter(digest=session.digest).update(
        post_state_id=post_state_id, post_id=post_id
    ):
        raise NotFound
    concerns(Session(id=session.id))


@verb("identity.sign_out")
def sign_out(actor: Actor, *, account_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """End one session of an account: this browser's or another device's."""
    _require_own(actor, account_id)
    if not Session.objects.filter(account_id=account_id, id=session_id).delete()[0]:
        raise NotFound
    concerns(Session(id=session_id))


@verb("identity.sign_out_everywhere")
def sign_out_everywhere(actor: Actor, *, account_id: uuid.UUID) -> None:
    """End all sessions of an account."""
    _require_own(actor, account_id)
    Session.objects.filter(account_id=account_id).delete()
    concerns(Account(id=account_id))


NOT_PRESENT = gettext_lazy("This is not your present password.")


def change_password(actor: Actor, *, account_id: uuid.UUID, current: str, password: str) -> None:
    """Set one's own password, knowing the present one.

    Ends all sessions, this one too, and a link to set a password that was sent. Raises
    `WrongPassword`, `WeakPassword` or `TooMany`.
    """
    account = queries.find_account(account_id)
    if account is None:
        raise NotFound
    _count_password(actor, account.login)
    if not check_password(current[: LONGEST_PASSWORD + 1], account.password):
        _refuse_staff(actor, account_id=account_id)
        raise WrongPassword(NOT_PRESENT)
    _uncount_password(actor, account.login)
    set_password(actor, account_id=account_id, password=password, present=account.password)


@verb("identity.set_password")
def set_password(
    actor: Actor, *, account_id: uuid.UUID, password: str, present: str | None = None
) -> None:
    """Set the password of a member of staff; all sessions end, and a link to set one.

    `present`: the stored one that must still be there, if any must. Raises `WeakPassword`,
    `WrongPassword` when it was changed meanwhile.
    """
    _require_own(actor, account_id)
    _keep_password(account_id, password, present)
    concerns(Account(id=account_id))


def _keep_password(account_id: uuid.UUID, password: str, present: str | None = None) -> None:
    encoded = _encoded(password)
    rows = Account.objects.filter(id=account_id, kind=AccountKind.STAFF)
    if present is not None:
        rows = rows.filter(password=present)
    if not rows.update(password=encoded):
        raise NotFound if present is None else WrongPassword(NOT_PRESENT)
    # A link that was sent before, perhaps to a number given up since, would set another one.
    Invitation.objects.filter(account_id=account_id).delete()
    Session.objects.filter(account_id=account_id).delete()


# Django's own messages are translated only with its app installed.
_WEAKNESS: dict[str, Promise] = {
    "password_too_short": gettext_lazy("Use at least 10 characters."),
    "password_too_common": gettext_lazy("This password is often used and easily guessed."),
    "password_entirely_numeric": gettext_lazy("Use not only digits."),
}


def _encoded(password: str) -> str:
    if len(password) > LONGEST_PASSWORD:
        raise WeakPassword(gettext_lazy("Use at most 200 characters."), field="password")
    try:
        validate_password(password)
    except ValidationError as error:
        code = error.error_list[0].code or ""
        raise WeakPassword(_WEAKNESS.get(code), field="password") from None
    return make_password(password)


@verb("identity.create_staff_account")
def create_staff_account(
    _actor: Actor,
    *,
    login: str,
    display_name: str,
    mobile: str,
    language: str,
    home_state_id: int | None = None,
    password: str | None = None,
) -> Account:
    """Give a member of staff an account; without a password it cannot sign in yet.

    Raises `LoginTaken` or `WeakPassword`.
    """
    login = normal_login(login)
    account = Account(
        kind=AccountKind.STAFF,
        login=login,
        mobile=mobile,
        password=_encoded(password) if password is not None else "",
        display_name=display_name,
        language=language,
        home_state_id=home_state_id,
        created_at=clock.now(),
    )
    key = f"{AccountKind.STAFF}:{login}"
    Login.objects.bulk_create([Login(key=key, account_id=account.id)], ignore_conflicts=True)
    if Login.objects.get(key=key).account_id != account.id:
        raise LoginTaken(field="login")
    account.save(force_insert=True)
    concerns(account)
    return account


@dataclass(frozen=True, kw_only=True)
class NewAccount:
    """An account to create; `login` as `normal_login` makes it, `mobile` in E.164 or empty."""

    id: uuid.UUID
    login: str
    display_name: str
    mobile: str
    language: str
    home_state_id: int


@verb("identity.create_staff_accounts")
def create_staff_accounts(_actor: Actor, *, accounts: Sequence[NewAccount]) -> None:
    """Give members of staff accounts that cannot sign in yet, all or none.

    Raises IntegrityError when a user name was taken in the meantime.
    """
    now = clock.now()
    rows = [
        Account(kind=AccountKind.STAFF, created_at=now, **vars(account)) for account in accounts
    ]
    Login.objects.bulk_create(
        Login(key=f"{AccountKind.STAFF}:{account.login}", account_id=account.id)
        for account in accounts
    )
    Account.objects.bulk_create(rows)
    if rows:
        concerns(rows[-1])


ACCOUNTS_AT_ONCE = 1000


@verb("identity.withdraw_accounts")
def withdraw_accounts(_actor: Actor, *, account_ids: Sequence[uuid.UUID]) -> None:
    """Delete accounts that nobody has used, with their invitations. Raises AccountUsed."""
    for start in range(0, len(account_ids), ACCOUNTS_AT_ONCE):
        ids = account_ids[start : start + ACCOUNTS_AT_ONCE]
        rows = Account.objects.select_for_update().filter(id__in=ids)
        keys = []
        for account in rows:
            if account.password:
                raise AccountUsed
            keys.append(f"{account.kind}:{account.login}")
        Invitation.objects.filter(account_id__in=ids).delete()
        Login.objects.filter(key__in=keys).delete()
        Account.objects.filter(id__in=ids).delete()
    if account_ids:
        concerns(Account(id=account_ids[-1]))


@verb("identity.invite")
def invite(_actor: Actor, *, account_id: uuid.UUID, mobile: str | None = None) -> Account:
    """Send a member of staff a link to set a password; the one sent before stops working.

    `mobile` (E.164) replaces the number on file. Whoever calls has checked that the actor may do
    this to the account. Raises NoMobile.
    """
    account = (
        Account.objects.select_for_update(no_key=True)
        .filter(id=account_id, kind=AccountKind.STAFF, is_active=True)
        .first()
    )
    if account is None:
        raise NotFound
    if mobile is not None and mobile != account.mobile:
        account.mobile = mobile
        account.save(update_fields=["mobile"])
    if not account.mobile:
        raise NoMobile
    token = secrets.token_urlsafe(32)
    at = clock.now()
    Invitation.objects.filter(account_id=account_id).delete()
    Invitation.objects.create(
        digest=queries.digest_of(token),
        account_id=account_id,
        created_at=at,
        expires_at=at + INVITATION_LIFE,
    )
    with translation.override(account.language):
        text = _(
            "Sanjeevani: choose your password here: %(link)s Your user name is %(login)s."
            " The link works for 3 days. Do not pass it on."
        ) % {
            "link": f"{settings.PUBLIC_URL}/staff/welcome/{token}",
            "login": account.login,
        }
    queue_message(
        account.mobile,
        text,
        purpose="staff_invitation",
        language=account.language,
        valid_for=INVITATION_LIFE,
    )
    concerns(account)
    return account


@verb("identity.accept_invitation")
def accept_invitation(actor: Actor, *, token: str, password: str) -> Account:
    """Set the password by the link that was sent; it works once. Ends all sessions.

    Raises InvitationDead, WeakPassword.
    """
    account = queries.invited_account(token)
    # Of two who use the link at once, the second finds it gone.
    if not Invitation.objects.filter(digest=queries.digest_of(token)).delete()[0]:
        raise InvitationDead
    _keep_password(account.id, password)
    concerns(account)
    return account


@verb("identity.sign_out_of_post")
def sign_out_of_post(
    _actor: Actor, *, account_id: uuid.UUID, post_state_id: int, post_id: uuid.UUID
) -> None:
    """End the sessions that act in a post, on all devices."""
    Session.objects.filter(
        account_id=account_id, post_state_id=post_state_id, post_id=post_id
    ).delete()
    concerns(Account(id=account_id))


@verb("identity.deactivate_account")
def deactivate_account(_actor: Actor, *, account_id: uuid.UUID) -> None:
    """Close an account and end all its sessions."""
    if not Account.objects.filter(id=account_id).update(is_active=False):
        raise NotFound
    Session.objects.filter(account_id=account_id).delete()
    concerns(Account(id=account_id))


@verb("identity.reactivate_account")
def reactivate_account(_actor: Actor, *, account_id: uuid.UUID) -> None:
    """Open an account that was closed: its password works again."""
    if not Account.objects.filter(id=account_id).update(is_active=True):
        raise NotFound
    concerns(Account(id=account_id))


@verb("identity.set_language")
def set_language(actor: Actor, *, account_id: uuid.UUID, language: str) -> None:
    """Remember the language that a person reads, on all devices."""
    _require_own(actor, account_id)
    if not Account.objects.filter(id=account_id).update(language=language):
        raise NotFound
    Session.objects.filter(account_id=account_id).update(language=language)
    concerns(Account(id=account_id))


@verb("identity.set_home_state")
def set_home_state(
    actor: Actor, *, account_id: uuid.UUID, home_state_id: int, instead_of: int | None = None
) -> None:
    """Remember the state whose patients the account looks after, once. Raises NotPermitted.

    `instead_of`: the state before, when the caller sees to it that nobody is registered in it.
    """
    _require_own(actor, account_id)
    may_be = Q(home_state_id=None) | Q(home_state_id=home_state_id)
    if instead_of is not None:
        may_be |= Q(home_state_id=instead_of)
    chosen = Account.objects.filter(may_be, id=account_id).select_for_update(no_key=True)
    if chosen.values_list("id").first() is None:
        raise NotPermitted
    _settle(account_id, home_state_id)
    concerns(Account(id=account_id))


def _settle(account_id: uuid.UUID, home_state_id: int) -> None:
    """Let an account, and who is signed in to it, be at home in a state."""
    Account.objects.filter(id=account_id).update(home_state_id=home_state_id)
    Session.objects.filter(account_id=account_id).update(home_state_id=home_state_id)


def lock_accounts(*account_ids: uuid.UUID) -> dict[uuid.UUID, Account]:
    """Hold accounts as they are until the verb is over, in one order for all."""
    rows = Account.objects.filter(id__in=account_ids).order_by("id")
    return {account.id: account for account in rows.select_for_update(no_key=True)}


def require_home(account_id: uuid.UUID, state_id: int) -> None:
    """Hold an account in its state until the verb that registers there is over.

    Raises NotPermitted when it is at home elsewhere by now.
    """
    there = Account.objects.filter(id=account_id, home_state_id=state_id)
    if there.select_for_update(no_key=True).values_list("id").first() is None:
        raise NotPermitted


def forget_expired() -> None:
    """Delete codes, counters and sessions whose time is over."""
    at = clock.now()
    OneTimeCode.objects.filter(expires_at__lt=at - CODE_KEPT).delete()
    AttemptCounter.objects.filter(expires_at__lt=at).delete()
    Invitation.objects.filter(expires_at__lt=at).delete()
    Session.objects.filter(expires_at__lt=at).delete()
