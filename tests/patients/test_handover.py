"""A mobile that has changed hands opens nobody's records."""

import datetime
import uuid
from functools import partial

import pytest
from django.test import Client

from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import TooMany
from sanjeevani.identity.errors import CodeDead, ProofNeeded, WrongProof
from sanjeevani.identity.models import Account, OneTimeCode, Session
from sanjeevani.identity.services import UNUSED_FOR, SignedIn, begin_anew, request_code
from sanjeevani.patients import handover
from sanjeevani.patients.models import Patient
from tests.factories import AccountFactory, PatientFactory, sign_in
from tests.identity.conftest import unlimited
from tests.identity.helpers import at_once, sent_code
from tests.identity.test_codes import MOBILE, NOBODY

__all__ = ["unlimited"]

pytestmark = pytest.mark.django_db
BORN = 1984


def made(**account: object) -> Account:
    """An account with one person, whom staff registered, or who was last here long ago."""
    account_of: Account = AccountFactory(
        mobile=MOBILE, login=MOBILE, **({"last_entered_at": None} | account)
    )
    PatientFactory(account_id=account_of.id, birth_date=datetime.date(BORN, 6, 1), name="Sita Devi")
    return account_of


def come() -> uuid.UUID:
    """Ask for a code and enter it rightly; return the challenge."""
    challenge = request_code(NOBODY, mobile=MOBILE, language="en")
    with pytest.raises(ProofNeeded):
        handover.sign_in(
            NOBODY, challenge=challenge, code=sent_code(MOBILE), language="en", device="Phone"
        )
    return challenge


@pytest.mark.parametrize("told", [BORN - 1, BORN, BORN + 1])
def test_who_knows_an_age_is_let_in_and_not_asked_again(told: int, unlimited: None) -> None:
    account = made()
    challenge = come()
    assert not Session.objects.exists()
    signed = handover.prove(NOBODY, challenge=challenge, birth_year=told)
    assert signed.session.account_id == account.id
    with pytest.raises(CodeDead):
        handover.prove(NOBODY, challenge=challenge, birth_year=told)
    Session.objects.all().delete()
    challenge = request_code(NOBODY, mobile=MOBILE, language="en")
    again = handover.sign_in(NOBODY, challenge=challenge, code=sent_code(MOBILE), language="en")
    assert again.session.account_id == account.id


def test_three_wrong_ages_end_it_for_the_day() -> None:
    made()
    challenge = come()
    for told in (BORN - 2, BORN + 2, BORN + 30):
        with pytest.raises(WrongProof):
            handover.prove(NOBODY, challenge=challenge, birth_year=told)
    with pytest.raises(TooMany):
        handover.prove(NOBODY, challenge=challenge, birth_year=BORN)
    assert not Session.objects.exists()


def test_to_whom_the_number_is_new_begins_with_nothing() -> None:
    old = made()
    challenge = come()
    signed = begin_anew(NOBODY, challenge=challenge, language="hi")
    assert signed.session.account_id != old.id
    assert signed.session.home_state_id is None
    old.refresh_from_db()
    # Nobody signs in to it, and no message about its people goes to the number.
    assert (old.mobile, old.login) == ("", "")
    assert Patient.objects.filter(state_id=28, account_id=old.id).exists()
    with pytest.raises(CodeDead):
        begin_anew(NOBODY, challenge=challenge, language="hi")


def test_nobody_is_asked_who_was_here_lately_or_has_nobody() -> None:
    account = made(last_entered_at=clock.now() - UNUSED_FOR + datetime.timedelta(days=1))
    challenge = request_code(NOBODY, mobile=MOBILE, language="en")
    signed = handover.sign_in(NOBODY, challenge=challenge, code=sent_code(MOBILE), language="en")
    assert signed.session.account_id == account.id
    account.refresh_from_db()
    assert account.last_entered_at
    assert account.last_entered_at > clock.now() - datetime.timedelta(minutes=1)


def test_an_account_without_people_is_opened_at_once() -> None:
    account = AccountFactory(mobile=MOBILE, login=MOBILE, last_entered_at=None)
    challenge = request_code(NOBODY, mobile=MOBILE, language="en")
    signed = handover.sign_in(NOBODY, challenge=challenge, code=sent_code(MOBILE), language="en")
    assert signed.session.account_id == account.id


def test_a_browser_that_stays_signed_in_does_not_show_whose_the_number_is() -> None:
    """Who has changed the number goes on to use the session; the code goes to somebody else."""
    account = made(last_entered_at=clock.now() - 2 * UNUSED_FOR)
    Session.objects.create(
        digest="x" * 64,
        account_id=account.id,
        kind="patient",
        language="en",
        device="Phone",
        created_at=clock.now(),
        last_seen_at=clock.now(),
        expires_at=clock.now() + datetime.timedelta(days=1),
    )
    challenge = request_code(NOBODY, mobile=MOBILE, language="en")
    with pytest.raises(ProofNeeded):
        handover.sign_in(NOBODY, challenge=challenge, code=sent_code(MOBILE), language="en")
    signed = begin_anew(NOBODY, challenge=challenge, language="en")
    assert signed.session.account_id != account.id
    assert Session.objects.filter(account_id=account.id).exists()


def test_who_is_still_signed_in_learns_that_the_number_is_gone(client: Client) -> None:
    account = made(last_entered_at=clock.now() - 2 * UNUSED_FOR)
    sign_in(client, account)
    begin_anew(NOBODY, challenge=come(), language="en")
    page = client.get("/account")
    assert page.status_code == 200
    assert "somebody else has the number now" in page.content.decode()
    assert client.get("/people").status_code == 200


def test_without_a_right_code_nothing_can_be_proven() -> None:
    made()
    challenge = request_code(NOBODY, mobile=MOBILE, language="en")
    for attempt in (
        partial(handover.prove, NOBODY, challenge=challenge, birth_year=BORN),
        partial(begin_anew, NOBODY, challenge=challenge, language="en"),
        partial(begin_anew, NOBODY, challenge=uuid.uuid4(), language="en"),
    ):
        with pytest.raises(CodeDead):
            attempt()
    used = come_late()
    with pytest.raises(CodeDead):
        handover.prove(NOBODY, challenge=used, birth_year=BORN)


def come_late() -> uuid.UUID:
    """A right code, entered a quarter of an hour ago."""
    OneTimeCode.objects.all().delete()
    start = clock.now() + datetime.timedelta(hours=1)
    with clock.driven_by(lambda: start):
        challenge = come()
    OneTimeCode.objects.update(proof_until=clock.now())
    return challenge


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_of_two_who_begin_anew_at_once_one_has_the_number(unlimited: None) -> None:
    made()
    challenges = [come(), come()]
    results = at_once(
        [partial(begin_anew, NOBODY, challenge=one, language="en") for one in challenges]
    )
    assert {type(result) for result in results} == {CodeDead, SignedIn}
    assert Account.objects.filter(mobile=MOBILE).count() == 1


def test_on_the_pages(client: Client) -> None:
    made()
    client.post("/sign-in", {"mobile": "98765 43210"})
    asked = client.post("/sign-in/code", {"code": sent_code(MOBILE)})
    assert asked.headers["Location"] == "/sign-in/proof"
    page = client.get("/sign-in/proof")
    assert "Sita" not in page.content.decode()
    for typed in ("", "x", "300", "-1", "१९"):
        assert client.post("/sign-in/proof", {"age": typed}).status_code == 422
    age = clock.today().year - BORN
    let_in = client.post("/sign-in/proof", {"age": str(age)})
    assert (let_in.status_code, let_in.headers["Location"]) == (303, "/people")
    assert "Sita" in client.get("/people").content.decode()
    assert client.get("/sign-in/proof").status_code == 303


def test_on_the_pages_with_a_new_number(client: Client) -> None:
    made()
    client.post("/sign-in", {"mobile": "98765 43210"})
    client.post("/sign-in/code", {"code": sent_code(MOBILE)})
    begun = client.post("/sign-in/anew")
    assert (begun.status_code, begun.headers["Location"]) == (303, "/start")
    assert "Sita" not in client.get("/people").content.decode()
