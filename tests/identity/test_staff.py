"""Staff at the door: passwords, sessions, and the end of both."""

import datetime
import uuid
from functools import partial

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotFound, NotPermitted, TooMany
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.identity import queries, services
from sanjeevani.identity.errors import LoginTaken, WeakPassword, WrongPassword
from sanjeevani.identity.limits import count_attempt
from sanjeevani.identity.models import Account, Session
from tests.identity.helpers import at, at_once

NOBODY = Actor(ActorKind.ANONYMOUS, address="203.0.113.7")


def own(account_id: uuid.UUID) -> Actor:
    """The actor of an account."""
    return Actor(ActorKind.STAFF, account_id=account_id)


PASSWORD = "monsoon kettle 41 lamp"
OTHER = "orchard bicycle 17 drum"


@pytest.fixture
def account(db: None) -> Account:
    return make()


def make(login: str = "Asha.Devi ") -> Account:
    return services.create_staff_account(
        NOBODY,
        login=login,
        display_name="Asha Devi",
        mobile="+919876543210",
        language="hi",
        home_state_id=28,
        password=PASSWORD,
    )


def sign_in(
    password: str = PASSWORD, login: str = "asha.devi", actor: Actor = NOBODY
) -> services.SignedIn:
    return services.sign_in_staff(actor, login=login, password=password, device="Chrome, Android")


def from_network(number: int) -> Actor:
    return Actor(ActorKind.ANONYMOUS, address=f"198.51.100.{number}")


def test_a_session_carries_what_a_request_needs_in_one_query(account: Account) -> None:
    signed = sign_in(login="  ASHA.devi")
    with CaptureQueriesContext(connection) as captured:
        found = queries.find_session(signed.token)
    assert len(captured) == 1
    assert found == signed.session
    assert (found.account_id, found.display_name, found.language) == (account.id, "Asha Devi", "hi")
    assert (found.is_staff, found.home_state_id, found.post_id) == (True, 28, None)
    assert queries.find_session("x" * 43) is None
    assert queries.find_session("short") is None


def test_wrong_names_and_wrong_passwords_cannot_be_told_apart(account: Account) -> None:
    with CaptureQueriesContext(connection) as known, pytest.raises(WrongPassword):
        sign_in("wrong")
    with CaptureQueriesContext(connection) as unknown, pytest.raises(WrongPassword):
        sign_in("wrong", "nobody")
    assert len(known) == len(unknown)
    refused = AuditEvent.objects.filter(state_id=0, verb="identity.refuse_staff")
    assert list(refused.order_by("id").values_list("record_id", flat=True)) == [
        account.id,
        uuid.UUID(int=0),
    ]


def test_argon2_guards_the_password(account: Account) -> None:
    assert account.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "10 characters"),
        ("password123", "easily guessed"),
        ("836401926384", "not only digits"),
        ("x" * 201, "200 characters"),
    ],
)
def test_weak_passwords_are_refused_in_words(account: Account, password: str, says: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        services.set_password(own(account.id), account_id=account.id, password=password)
    assert says in str(refused.value.message)


def test_a_login_is_given_once(account: Account) -> None:
    with pytest.raises(LoginTaken):
        make("ASHA.DEVI")
    assert Account.objects.count() == 1


def test_guessing_is_limited_per_login_and_a_success_starts_afresh(account: Account) -> None:
    for _ in range(7):
        with pytest.raises(WrongPassword):
            sign_in("wrong")
    sign_in()
    for _ in range(8):
        with pytest.raises(WrongPassword):
            sign_in("wrong")
    with pytest.raises(TooMany) as refused:
        sign_in()
    assert 890 <= refused.value.retry_after <= 900
    with at(timezone.now() + datetime.timedelta(minutes=15, seconds=1)):
        sign_in()


def test_guessing_is_limited_per_address(account: Account, settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {"passwords_per_address": (10, 900)}
    for number in range(10):
        with pytest.raises(WrongPassword):
            sign_in("wrong", f"nobody{number}")
    with pytest.raises(TooMany):
        sign_in()


def test_wrong_passwords_from_elsewhere_keep_nobody_out(account: Account) -> None:
    """However long one network goes on, it uses up a small part of what all may."""
    for _ in range(8):
        with pytest.raises(WrongPassword):
            sign_in("wrong", actor=from_network(1))
    for _ in range(120):
        with pytest.raises(TooMany):
            sign_in("wrong", actor=from_network(1))
    sign_in()


def test_guessing_is_limited_per_login_over_all_networks(account: Account) -> None:
    for _ in range(99):
        count_attempt("passwords_per_login_everywhere", "asha.devi")
    sign_in()
    with pytest.raises(WrongPassword):
        sign_in("wrong")
    with pytest.raises(TooMany):
        sign_in()


def test_right_passwords_do_not_use_up_an_address(account: Account, settings: Settings) -> None:
    """A hub's doctors begin their shift behind one address, and some mistype."""
    settings.SIGN_IN_LIMITS = {"passwords_per_address": (2, 900)}
    for number in range(4):
        make(f"doctor{number}")
    with pytest.raises(WrongPassword):
        sign_in("wrong")
    for number in range(4):
        sign_in(login=f"doctor{number}")
    # Nor do they give an attacker with an account of their own a fresh start.
    with pytest.raises(WrongPassword):
        sign_in("wrong")
    with pytest.raises(TooMany):
        sign_in("wrong")


def test_the_present_password_cannot_be_guessed_either(account: Account) -> None:
    actor = Actor(ActorKind.STAFF, account_id=account.id, address="203.0.113.7")
    change = partial(services.change_password, actor, account_id=account.id, password=OTHER)
    for _ in range(8):
        with pytest.raises(WrongPassword):
            change(current="wrong")
    with pytest.raises(TooMany):
        change(current=PASSWORD)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_guesses_sent_at_once_do_not_slip_through() -> None:
    make()
    results = at_once([partial(sign_in, f"wrong {number}") for number in range(24)])
    assert sum(isinstance(result, WrongPassword) for result in results) == 8
    assert sum(isinstance(result, TooMany) for result in results) == 16


def test_a_new_password_ends_all_sessions(account: Account) -> None:
    tokens = [sign_in().token, sign_in().token]
    services.change_password(
        own(account.id), account_id=account.id, current=PASSWORD, password=OTHER
    )
    assert [queries.find_session(token) for token in tokens] == [None, None]
    with pytest.raises(WrongPassword):
        sign_in()
    assert sign_in(OTHER)


def test_the_present_password_is_asked_for(account: Account) -> None:
    token = sign_in().token
    with pytest.raises(WrongPassword):
        services.change_password(NOBODY, account_id=account.id, current="wrong", password=OTHER)
    assert queries.find_session(token)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_no_session_survives_a_password_that_changes_meanwhile(unlimited: None) -> None:
    account = make()
    change = partial(services.set_password, own(account.id), account_id=account.id, password=OTHER)
    results = at_once([*[sign_in] * 6, change, *[sign_in] * 6])
    assert not [
        result
        for result in results
        if isinstance(result, Exception) and not isinstance(result, WrongPassword)
    ]
    # Whoever came in by the old password did so before the change, which then signed them out.
    assert not Session.objects.exists()


def test_a_closed_account_is_out_everywhere(account: Account) -> None:
    token = sign_in().token
    services.deactivate_account(NOBODY, account_id=account.id)
    assert queries.find_session(token) is None
    with pytest.raises(WrongPassword):
        sign_in()


def test_signing_in_takes_the_place_of_the_browsers_session(account: Account) -> None:
    first, elsewhere = sign_in(), sign_in()
    second = services.sign_in_staff(
        NOBODY, login="asha.devi", password=PASSWORD, replaces=first.token
    )
    assert queries.find_session(first.token) is None
    assert queries.find_session(second.token)
    assert queries.find_session(elsewhere.token)


def test_signing_out_here_there_and_everywhere(account: Account) -> None:
    here, there, third = sign_in(), sign_in(), sign_in()
    services.sign_out(own(account.id), account_id=account.id, session_id=here.session.id)
    assert queries.find_session(here.token) is None
    stranger = uuid.uuid4()
    with pytest.raises(NotFound):
        services.sign_out(own(stranger), account_id=stranger, session_id=there.session.id)
    with pytest.raises(NotPermitted):
        services.sign_out(own(stranger), account_id=account.id, session_id=there.session.id)
    assert len(queries.sessions_of(account.id)) == 2
    services.sign_out_everywhere(own(account.id), account_id=account.id)
    assert queries.find_session(there.token) is None
    assert queries.find_session(third.token) is None


def test_a_staff_session_ends_with_the_day_however_busy(account: Account) -> None:
    start = timezone.now()
    with at(start):
        token = sign_in().token
    for hours in (4, 8, 11):
        with at(start + datetime.timedelta(hours=hours)):
            found = queries.find_session(token)
            assert found
            assert services.touch(found) is False
    with at(start + datetime.timedelta(hours=12)):
        assert queries.find_session(token) is None


def test_use_is_written_at_most_every_five_minutes(account: Account) -> None:
    start = timezone.now()
    with at(start):
        session = sign_in().session
    with (
        at(start + datetime.timedelta(minutes=4)),
        CaptureQueriesContext(connection) as captured,
    ):
        services.touch(session)
    assert len(captured) == 0
    with at(start + datetime.timedelta(minutes=5)):
        services.touch(session)
        assert Session.objects.get().last_seen_at == clock.now()


def test_a_password_changed_meanwhile_is_not_changed_by_who_knows_the_old_one(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, theirs = own(account.id), "harbour violin 8 frost"

    def owner_is_faster(given: str, stored: str) -> bool:
        monkeypatch.setattr(services, "check_password", check_password)
        services.change_password(actor, account_id=account.id, current=PASSWORD, password=OTHER)
        return check_password(given, stored)

    monkeypatch.setattr(services, "check_password", owner_is_faster)
    with pytest.raises(WrongPassword):
        services.change_password(actor, account_id=account.id, current=PASSWORD, password=theirs)
    assert services.sign_in_staff(actor, login=account.login, password=OTHER)
