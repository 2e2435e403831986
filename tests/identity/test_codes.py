"""Sign-in codes: limits, races, and what the database keeps of them."""

import contextlib
import datetime
import uuid
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import TooMany
from sanjeevani.foundation.models import AuditEvent, OutboxFact
from sanjeevani.identity import services
from sanjeevani.identity.errors import AccountInactive, CodeDead, WrongCode
from sanjeevani.identity.limits import count_attempt, count_attempts, limit_of, network_of
from sanjeevani.identity.models import Account, AttemptCounter, Login, OneTimeCode, Session
from sanjeevani.messaging.models import OutgoingMessage
from tests.identity.helpers import at, at_once, sent_code

MOBILE = "+919876543210"
NOBODY = Actor(ActorKind.ANONYMOUS, address="203.0.113.7")


def from_network(number: int) -> Actor:
    return Actor(ActorKind.ANONYMOUS, address=f"198.51.100.{number}")


def ask(mobile: str = MOBILE, actor: Actor = NOBODY) -> uuid.UUID:
    return services.request_code(actor, mobile=mobile, language="en")


def enter(challenge: uuid.UUID, code: str) -> services.SignedIn:
    return services.verify_code(NOBODY, challenge=challenge, code=code, language="hi")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.mark.django_db
def test_the_first_code_makes_the_account_and_the_next_finds_it(unlimited: None) -> None:
    first = enter(ask(), sent_code(MOBILE))
    second = enter(ask(), sent_code(MOBILE))
    assert first.session.account_id == second.session.account_id
    assert first.token != second.token
    account = Account.objects.get()
    assert (account.mobile, account.language, account.kind) == (MOBILE, "hi", "patient")
    assert set(AuditEvent.objects.filter(state_id=0).values_list("verb", "actor_kind")) == {
        ("identity.request_code", "anonymous"),
        ("identity.verify_code", "anonymous"),
    }


@pytest.mark.django_db
def test_neither_code_nor_mobile_nor_token_is_kept_where_it_could_leak() -> None:
    challenge = ask()
    code = sent_code(MOBILE)
    signed = enter(challenge, code)
    row = OneTimeCode.objects.get()
    assert code not in row.digest
    assert len(row.digest) == 64
    assert Session.objects.get().digest != signed.token
    told = [
        *OutboxFact.objects.filter(state_id=0).values_list("payload", flat=True),
        *AuditEvent.objects.filter(state_id=0).values(),
        *AttemptCounter.objects.values_list("key", flat=True),
    ]
    assert not [line for line in map(str, told) if MOBILE[3:] in line or code in line]


@pytest.mark.django_db
def test_the_text_is_in_the_readers_language_and_short_enough() -> None:
    services.request_code(NOBODY, mobile=MOBILE, language="hi")
    message = OutgoingMessage.objects.get()
    assert message.language == "hi"
    assert message.purpose == "sign_in_code"
    assert message.expires_at - message.queued_at == services.CODE_LIFE
    assert len(message.text) <= 160


@pytest.mark.django_db
def test_five_wrong_tries_end_a_code() -> None:
    challenge = ask()
    code = sent_code(MOBILE)
    left = []
    for _ in range(5):
        with pytest.raises(WrongCode) as refused:
            enter(challenge, wrong(code))
        left.append(refused.value.tries_left)
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(CodeDead):
        enter(challenge, code)
    assert not Account.objects.exists()
    failed = AuditEvent.objects.filter(state_id=0, verb="identity.verify_code")
    assert failed.count() == 5


@pytest.mark.django_db
def test_a_code_dies_after_five_minutes(unlimited: None) -> None:
    start = timezone.now()
    with at(start):
        late, used = ask(), ask()
        code = sent_code(MOBILE)
    with at(start + datetime.timedelta(minutes=4, seconds=59)):
        # Both were queued at one instant: the message of either may be the newest.
        works, other = (used, late) if _fits(used, code) else (late, used)
        enter(works, code)
    with (
        at(start + datetime.timedelta(minutes=5)),
        pytest.raises(CodeDead),
    ):
        enter(other, "000000")


def _fits(challenge: uuid.UUID, code: str) -> bool:
    row = OneTimeCode.objects.get(id=challenge)
    return row.digest == services._code_digest(challenge, code)


@pytest.mark.django_db
def test_a_code_whose_answer_was_lost_opens_the_same_session_again_for_two_minutes() -> None:
    start = timezone.now()
    with at(start):
        challenge = ask()
        code = sent_code(MOBILE)
        with pytest.raises(WrongCode):
            enter(challenge, wrong(code))
        first = enter(challenge, code)
    with at(start + services.CODE_AGAIN - datetime.timedelta(seconds=1)):
        assert enter(challenge, code) == first
        assert Session.objects.count() == 1
        with pytest.raises(WrongCode):
            enter(challenge, wrong(code))
    with at(start + services.CODE_AGAIN), pytest.raises(CodeDead):
        enter(challenge, code)


@pytest.mark.django_db
def test_a_code_opens_nothing_again_once_its_session_is_signed_out() -> None:
    challenge = ask()
    code = sent_code(MOBILE)
    enter(challenge, code)
    Session.objects.all().delete()
    with pytest.raises(CodeDead):
        enter(challenge, code)
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_a_code_belongs_to_the_browser_that_asked(unlimited: None) -> None:
    mine = ask()
    code = sent_code(MOBILE)
    elsewhere = ask("+919876500000")
    with pytest.raises(WrongCode):
        enter(elsewhere, code)
    with pytest.raises(CodeDead):
        enter(uuid.uuid4(), code)
    assert enter(mine, code)


@pytest.mark.django_db
def test_limits_per_mobile() -> None:
    start = timezone.now()
    for minute in range(3):
        with at(start + datetime.timedelta(minutes=minute)):
            ask()
    with (
        at(start + datetime.timedelta(minutes=3)),
        pytest.raises(TooMany) as refused,
    ):
        ask()
    assert refused.value.retry_after == 7 * 60
    assert OneTimeCode.objects.count() == 3
    for hour in range(1, 8):
        with at(start + datetime.timedelta(hours=hour)):
            ask()
    with (
        at(start + datetime.timedelta(hours=8)),
        pytest.raises(TooMany) as refused,
    ):
        ask()
    assert refused.value.retry_after == 16 * 3600
    with at(start + datetime.timedelta(days=1, minutes=1)):
        ask()


@pytest.mark.django_db
def test_resending_waits_half_a_minute() -> None:
    start = timezone.now()
    with at(start):
        challenge = ask()
        code = OneTimeCode.objects.get(id=challenge)
        assert services.seconds_until_resend(code) == 30
    with at(start + datetime.timedelta(seconds=20)):
        assert services.seconds_until_resend(code) == 10
        with pytest.raises(TooMany) as refused:
            ask()
        assert refused.value.retry_after == 10
    with at(start + datetime.timedelta(seconds=30)):
        assert services.seconds_until_resend(code) == 0
        ask()


@pytest.mark.django_db
def test_limits_per_address_take_a_home_network_as_one(settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {"codes_per_address": (30, 600)}
    for number in range(30):
        ask(f"+9198765{number:05}", Actor(ActorKind.ANONYMOUS, address=f"2001:db8:1:2::{number}"))
    with pytest.raises(TooMany):
        ask("+919876599999", Actor(ActorKind.ANONYMOUS, address="2001:db8:1:2:ffff::1"))
    ask("+919876599999", Actor(ActorKind.ANONYMOUS, address="2001:db8:1:3::1"))


@pytest.mark.django_db
def test_nobody_elsewhere_keeps_a_patient_out() -> None:
    """A network that asks for all it may leaves the owner of the mobile theirs."""
    start = timezone.now()
    got = 0
    for minute in range(60):
        with at(start + datetime.timedelta(minutes=minute)), contextlib.suppress(TooMany):
            ask(actor=from_network(1))
            got += 1
    assert got == 10
    with at(start + datetime.timedelta(minutes=59)):
        enter(ask(), sent_code(MOBILE))


@pytest.mark.django_db
def test_a_mobile_gets_twenty_codes_an_hour_from_wherever_they_are_asked() -> None:
    start = timezone.now()
    with at(start):
        for number in range(20):
            ask(actor=from_network(number))
    with at(start + datetime.timedelta(minutes=30)), pytest.raises(TooMany) as refused:
        ask()
    assert refused.value.retry_after == 30 * 60
    assert OutgoingMessage.objects.count() == 20
    with at(start + datetime.timedelta(hours=1)):
        ask()


@pytest.mark.django_db
def test_an_address_may_ask_for_three_hundred_codes_in_ten_minutes(settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {}
    for _number in range(300):
        count_attempt("codes_per_address", "203.0.113.7")
    with pytest.raises(TooMany):
        ask()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (None, "unknown"),
    ],
)
def test_what_counts_as_one_address(address: str | None, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.django_db
def test_known_and_unknown_mobiles_get_the_same_work(unlimited: None) -> None:
    enter(ask(), sent_code(MOBILE))
    with CaptureQueriesContext(connection) as known:
        ask()
    with CaptureQueriesContext(connection) as unknown:
        ask("+919876500000")
    work = [line["sql"].split()[:3] for line in known if "SAVEPOINT" not in line["sql"]]
    assert work == [line["sql"].split()[:3] for line in unknown if "SAVEPOINT" not in line["sql"]]
    assert len(work) == 5  # its limits, the code, the message, audit row, fact


@pytest.mark.django_db
def test_the_first_limit_that_is_exceeded_is_told() -> None:
    for limit, subject in (("code_again", "one"), ("codes_per_mobile", "one")):
        for _attempt in range(3):
            with contextlib.suppress(TooMany):
                count_attempt(limit, subject)
    with pytest.raises(TooMany) as refused:
        count_attempts(("codes_per_mobile", "one"), ("code_again", "one"), ("code_again", "two"))
    assert refused.value.retry_after == pytest.approx(600, abs=5)
    # The others are counted with it.
    with pytest.raises(TooMany) as refused:
        count_attempts(("code_again", "two"), ("codes_per_mobile", "one"))
    assert refused.value.retry_after == pytest.approx(30, abs=5)


@pytest.mark.django_db
def test_a_clock_that_was_far_ahead_keeps_nobody_out_once_it_is_set() -> None:
    """Who had tried then would wait for that day to come."""
    allowed, seconds = limit_of("codes_per_mobile")
    with at(timezone.now() + datetime.timedelta(days=365)):
        for _attempt in range(allowed):
            count_attempt("codes_per_mobile", "one")
    for _attempt in range(allowed):
        count_attempt("codes_per_mobile", "one")
    with pytest.raises(TooMany) as refused:
        count_attempt("codes_per_mobile", "one")
    assert refused.value.retry_after <= seconds


@pytest.mark.django_db
def test_a_closed_account_stays_out() -> None:
    challenge = ask()
    code = sent_code(MOBILE)
    account = services.create_staff_account(
        NOBODY, login="x", display_name="X", mobile=MOBILE, language="en"
    )
    Login.objects.create(key=f"patient:{MOBILE}", account_id=account.id)
    services.deactivate_account(NOBODY, account_id=account.id)
    with pytest.raises(AccountInactive):
        enter(challenge, code)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_twenty_right_guesses_at_once_give_one_session() -> None:
    challenge = ask()
    code = sent_code(MOBILE)
    results = at_once([partial(enter, challenge, code) for _ in range(20)])
    opened = [result for result in results if isinstance(result, services.SignedIn)]
    assert len(opened) == services.CODE_TRIES
    assert len({result.token for result in opened}) == 1
    assert sum(isinstance(result, CodeDead) for result in results) == 20 - services.CODE_TRIES
    assert Session.objects.count() == Account.objects.count() == Login.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_fifty_wrong_guesses_at_once_count_as_five() -> None:
    challenge = ask()
    code = sent_code(MOBILE)
    guesses = [f"{(int(code) + number) % 1_000_000:06d}" for number in range(1, 51)]
    results = at_once([partial(enter, challenge, guess) for guess in guesses])
    counted = [result.tries_left for result in results if isinstance(result, WrongCode)]
    assert sorted(counted) == [0, 1, 2, 3, 4]
    assert sum(isinstance(result, CodeDead) for result in results) == 45
    assert OneTimeCode.objects.get().tries == 5
    with pytest.raises(CodeDead):
        enter(challenge, code)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_codes_asked_for_at_once_are_limited_to_one() -> None:
    results = at_once([ask for _ in range(20)])
    assert sum(isinstance(result, uuid.UUID) for result in results) == 1
    assert sum(isinstance(result, TooMany) for result in results) == 19
    assert OutgoingMessage.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_two_codes_of_a_new_mobile_used_at_once_make_one_account(unlimited: None) -> None:
    pairs = []
    for _ in range(8):
        challenge = ask()
        pairs.append((challenge, sent_code(MOBILE)))
    results = at_once([partial(enter, challenge, code) for challenge, code in pairs])
    accounts = {
        result.session.account_id for result in results if isinstance(result, services.SignedIn)
    }
    assert not [result for result in results if isinstance(result, Exception)]
    assert accounts == {Account.objects.get().id}
    assert Session.objects.count() == 8
