"""The door as browsers see it."""

import datetime
import re
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from sanjeevani.directory.models import Post, Role
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.identity import services
from sanjeevani.identity.models import Account, Session
from sanjeevani.messaging.models import InboxMessage
from sanjeevani.messaging.services import send_queued
from tests.factories import (
    AccountFactory,
    FacilityFactory,
    PatientFactory,
    PostFactory,
    PractitionerFactory,
)
from tests.identity.helpers import at, lift_limits, sent_code
from tests.web.looks import LANGUAGES, faults_in

MOBILE = "+919876543210"
PASSWORD = "monsoon kettle 41 lamp"

pytestmark = pytest.mark.django_db


@pytest.fixture
def unlimited(settings: Settings) -> None:
    """Nobody asks or guesses too often."""
    lift_limits(settings)


def text_of(response: Any) -> str:
    return str(response.content.decode())


def ask(client: Client, typed: str = "98765 43210", query: str = "") -> Any:
    return client.post(f"/sign-in{query}", {"mobile": typed})


def sign_in(client: Client) -> Any:
    ask(client)
    return client.post("/sign-in/code", {"code": sent_code(MOBILE)})


def make_staff(**kwargs: Any) -> Account:
    return services.create_staff_account(
        SYSTEM,
        login="asha",
        display_name="Asha Devi",
        mobile=MOBILE,
        language="hi",
        password=PASSWORD,
        **kwargs,
    )


def staff_sign_in(client: Client, password: str = PASSWORD, query: str = "") -> Any:
    return client.post(f"/staff/sign-in{query}", {"login": "Asha", "password": password})


def test_a_patient_signs_in_with_a_code_and_goes_where_she_wanted(client: Client) -> None:
    response = client.get("/people?x=1", follow=True)
    assert response.redirect_chain == [("/sign-in?next=%2Fpeople%3Fx%3D1", 303)]
    response = ask(client, query="?next=%2Fpeople%3Fx%3D1")
    assert (response.status_code, response["Location"]) == (
        303,
        "/sign-in/code?next=%2Fpeople%3Fx%3D1",
    )
    page = text_of(client.get(response["Location"]))
    assert "98765 43210" in page
    assert 'autocomplete="one-time-code"' in page
    assert "You can ask for a new code in 30 seconds" in page
    assert 'href="/inbox?mobile=%2B919876543210"' in page
    grouped = f"{sent_code(MOBILE)[:3]} {sent_code(MOBILE)[3:]}"
    response = client.post(response["Location"], {"code": grouped})
    assert (response.status_code, response["Location"]) == (303, "/people?x=1")
    cookie = response.cookies["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 90 * 86_400
    assert response.cookies["challenge"]["max-age"] == 0
    assert client.get("/sign-in")["Location"] == "/people"


def test_the_session_costs_one_query_and_strangers_cost_none(client: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        client.get("/sign-in")
    assert len(captured) == 0
    sign_in(client)
    with CaptureQueriesContext(connection) as captured:
        client.get("/staff/sign-in")
    assert len(captured) == 1
    with CaptureQueriesContext(connection) as captured:
        client.get("/nowhere")
        client.get("/healthz")
    assert len(captured) == 0


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Enter your mobile number."),
        ("abc", "only digits"),
        ("987654321", "You entered 9."),
        ("98765432101", "You entered 11."),
        ("+1 212 555 0100", "without +1"),
        ("98765\x0043210", "only digits"),
        ("9" * 900_000, "too long"),
        ("<script>alert(1)</script>", "only digits"),
        ("मेरा नंबर", "only digits"),
    ],
)
def test_a_wrong_mobile_is_explained_beside_the_field(
    client: Client, typed: str, says: str
) -> None:
    response = ask(client, typed)
    assert response.status_code == 422
    page = text_of(response)
    assert page.count(says) == 2
    assert 'href="#id_mobile"' in page
    assert "<script>alert" not in page
    if typed and len(typed) < 100 and "\x00" not in typed and "<" not in typed:
        assert f'value="{typed}"' in page


def test_devanagari_digits_work_everywhere(client: Client) -> None:
    assert ask(client, "९८७६५४३२१०").status_code == 303
    code = sent_code(MOBILE).translate(str.maketrans("0123456789", "०१२३४५६७८९"))
    assert client.post("/sign-in/code", {"code": code}).status_code == 303


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "1" * 900_000, "12345\x00"])
def test_a_code_of_the_wrong_form_costs_no_try(client: Client, typed: str) -> None:
    ask(client)
    response = client.post("/sign-in/code", {"code": typed})
    assert response.status_code == 422
    assert 'href="#id_code"' in text_of(response)
    assert client.post("/sign-in/code", {"code": sent_code(MOBILE)}).status_code == 303


def test_a_wrong_code_says_how_many_tries_are_left(client: Client) -> None:
    ask(client)
    wrong = f"{(int(sent_code(MOBILE)) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1):
        response = client.post("/sign-in/code", {"code": wrong})
        assert response.status_code == 422
        assert f"You can try {left} more time" in text_of(response)
    assert "Ask for a new one" in text_of(client.post("/sign-in/code", {"code": wrong}))
    assert "no longer works" in text_of(client.post("/sign-in/code", {"code": sent_code(MOBILE)}))
    assert not Session.objects.exists()


def test_asking_again_waits_and_says_so(client: Client) -> None:
    ask(client)
    refused = client.post("/sign-in/code/resend?next=/people")
    assert refused.status_code == 303
    # The browser's Back and reload fetch this page again without sending anything.
    response = client.get(refused["Location"])
    assert response.status_code == 429
    assert response["Retry-After"] in ("29", "30")
    assert "try again in 30 seconds" in text_of(response).replace("29", "30")
    assert "/sign-in/code?next=%2Fpeople" in text_of(response)
    assert client.get("/sign-in/code?wait=soon").status_code == 200
    assert client.get("/sign-in/code/resend?next=/people")["Location"] == (
        "/sign-in/code?next=%2Fpeople"
    )
    # The same number again leads on to the code that is under way.
    assert ask(client)["Location"] == "/sign-in/code"
    # Another browser is told to wait.
    assert ask(Client()).status_code == 429
    later = timezone.now() + datetime.timedelta(seconds=31)
    with at(later):
        assert client.post("/sign-in/code/resend")["Location"] == "/sign-in/code"


def test_the_code_page_without_a_code_leads_back(client: Client) -> None:
    assert client.get("/sign-in/code?next=%2Fpeople")["Location"] == "/sign-in?next=%2Fpeople"
    client.cookies["challenge"] = "nonsense"
    assert client.post("/sign-in/code", {"code": "123456"})["Location"] == "/sign-in"
    assert client.post("/sign-in/code/resend")["Location"] == "/sign-in"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x",
        "x" * 3000,
        "/\tevil",
    ],
)
def test_no_link_leads_elsewhere_after_signing_in(client: Client, elsewhere: str) -> None:
    ask(client)
    response = client.post(
        "/sign-in/code", {"code": sent_code(MOBILE)}, query_params={"next": elsewhere}
    )
    assert response.status_code == 303
    assert response["Location"] in ("/start", "/%0d%0aSet-Cookie:x")


def test_forms_without_a_token_are_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    response: HttpResponse = ask(client)
    assert response.status_code == 403
    assert "open for too long" in text_of(response)
    page = text_of(client.get("/sign-in"))
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    form = {"mobile": "98765 43210", "csrfmiddlewaretoken": token[1]}
    assert client.post("/sign-in", form).status_code == 303


def test_a_form_of_megabytes_is_refused(client: Client) -> None:
    response = ask(client, "9" * 1_100_000)
    assert response.status_code == 413
    assert "too much at once" in text_of(response)


def test_staff_with_one_post_act_in_it_at_once(client: Client) -> None:
    account = make_staff()
    post: Post = PostFactory(practitioner=PractitionerFactory(account_id=account.id))
    response = staff_sign_in(client)
    assert response["Location"] == "/desk"
    assert response.cookies["session"]["max-age"] == 12 * 3600
    assert response.cookies["language"].value == "hi"
    session = Session.objects.get()
    assert (session.post_state_id, session.post_id) == (post.state_id, post.id)


def test_staff_with_several_posts_choose(client: Client) -> None:
    account = make_staff()
    practitioner = PractitionerFactory(account_id=account.id)
    first = PostFactory(practitioner=practitioner)
    second: Post = PostFactory(
        practitioner=practitioner, facility=FacilityFactory(name="Referral Hospital")
    )
    stranger = PostFactory()
    assert staff_sign_in(client, query="?next=%2Fdesk%2Ftoday")["Location"] == (
        "/staff/post?next=%2Fdesk%2Ftoday"
    )
    client.cookies["language"] = "en"
    assert client.get("/desk")["Location"] == "/staff/post?next=%2Fdesk"
    page = text_of(client.get("/staff/post"))
    assert "Referral Hospital" in page
    assert str(first.id) in page
    for wrong in ("", "x", str(stranger.id)):
        assert client.post("/staff/post", {"post": wrong}).status_code == 422
    response = client.post("/staff/post?next=%2Fdesk%2Ftoday", {"post": str(second.id)})
    assert response["Location"] == "/desk/today"
    assert Session.objects.get().post_id == second.id
    second.ended_at = timezone.now()
    second.save(update_fields=["ended_at"])
    assert client.get("/desk")["Location"] == "/staff/post?next=%2Fdesk"


def test_staff_without_a_post_are_told_whom_to_ask(client: Client) -> None:
    make_staff()
    assert staff_sign_in(client)["Location"] == "/staff/post"
    client.cookies["language"] = "en"
    assert "Ask the administrator" in text_of(client.get("/staff/post"))


def test_a_role_opens_only_its_own_pages(client: Client) -> None:
    account = make_staff()
    PostFactory(practitioner=PractitionerFactory(account_id=account.id), role=Role.HEALTH_WORKER)
    client.cookies["language"] = "en"
    staff_sign_in(client)
    assert client.get("/desk").status_code == 403
    assert client.get("/people").status_code == 403
    assert client.get("/account").status_code == 200


def test_a_patient_gets_no_desk_and_a_stranger_is_asked_in(client: Client) -> None:
    assert client.get("/desk")["Location"] == "/staff/sign-in?next=%2Fdesk"
    assert client.get("/account")["Location"] == "/sign-in?next=%2Faccount"
    sign_in(client)
    assert client.get("/desk").status_code == 403
    assert client.get("/staff/post").status_code == 403
    assert client.get("/account/password").status_code == 403


def test_programs_get_problems_instead_of_pages(client: Client) -> None:
    response = client.get("/people", headers={"Accept": "application/json"})
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:sanjeevani:problem:NotSignedIn",
        "title": "Please sign in first.",
        "status": 401,
    }
    assert client.get("/api/nothing").json()["status"] == 404
    assert len(response["X-Request-ID"]) == 16


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client: Client) -> None:
    response = client.post(
        "/account/sign-out-everywhere", headers={"Referer": "http://testserver/account?x=1"}
    )
    assert response["Location"] == "/sign-in?next=%2Faccount%3Fx%3D1"
    response = client.post(
        "/account/sign-out-everywhere", headers={"Referer": "https://evil.example/a"}
    )
    assert response["Location"] == "/sign-in?next=%2F"


@pytest.mark.parametrize(
    ("login", "password"),
    [("asha", "wrong"), ("nobody", PASSWORD), ("x" * 1000, PASSWORD), ("asha", "x" * 100_000),
     ("", ""), ("asha\x00", PASSWORD), ("आशा", "आशा")],
)  # fmt: skip
def test_wrong_passwords_are_refused_kindly(client: Client, login: str, password: str) -> None:
    make_staff()
    response = client.post("/staff/sign-in", {"login": login, "password": password})
    assert response.status_code == 422
    page = text_of(response)
    assert "There is a problem" in page
    assert PASSWORD not in page
    assert not Session.objects.exists()


def test_too_many_passwords_wait(client: Client) -> None:
    make_staff()
    for _ in range(8):
        staff_sign_in(client, "wrong")
    response = staff_sign_in(client)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 800
    assert "try again in 1" in text_of(response)


def test_changing_the_password_signs_out_everywhere(client: Client) -> None:
    account = make_staff()
    PostFactory(practitioner=PractitionerFactory(account_id=account.id))
    client.cookies["language"] = "en"
    staff_sign_in(client)
    wrong = {"current": "wrong", "password": "orchard bicycle 17 drum"}
    response = client.post("/account/password", wrong)
    assert response.status_code == 422
    assert "not your present password" in text_of(response)
    response = client.post("/account/password", {"current": PASSWORD, "password": "short"})
    assert "at least 10 characters" in text_of(response)
    response = client.post(
        "/account/password", {"current": PASSWORD, "password": wrong["password"]}
    )
    assert response["Location"] == "/staff/sign-in?changed=password"
    assert response.cookies["session"]["max-age"] == 0
    assert "Your password is changed" in text_of(client.get(response["Location"]))
    assert not Session.objects.exists()


def test_signing_out_here_elsewhere_and_everywhere(client: Client, unlimited: None) -> None:
    other = Client(headers={"User-Agent": "Mozilla/5.0 (Linux; Android 13) Chrome/120 Mobile"})
    sign_in(other)
    sign_in(client)
    sign_in(Client())
    page = text_of(client.get("/account"))
    assert "Chrome, Android" in page
    assert "This device" in page
    session = Session.objects.get(device="Chrome, Android")
    assert client.post(f"/account/devices/{session.id}/sign-out")["Location"] == "/account"
    assert client.post(f"/account/devices/{session.id}/sign-out").status_code == 404
    assert other.get("/account")["Location"] == "/sign-in?next=%2Faccount"
    assert client.get("/sign-out").status_code == 405
    response = client.post("/sign-out")
    assert response["Location"] == "/"
    assert response.cookies["session"]["max-age"] == 0
    assert Session.objects.count() == 1
    assert client.post("/sign-out").status_code == 303
    sign_in(client)
    client.post("/account/sign-out-everywhere")
    assert not Session.objects.exists()


def test_the_browsers_old_session_ends_when_another_begins(client: Client, unlimited: None) -> None:
    sign_in(client)
    make_staff()
    staff_sign_in(client)
    assert Session.objects.get().kind == "staff"


def test_use_prolongs_a_patients_session_and_its_cookie(client: Client) -> None:
    sign_in(client)
    for days in (80, 160, 240):
        with at(timezone.now() + datetime.timedelta(days=days)):
            response = client.get("/account")
            assert response.status_code == 200
            assert response.cookies["session"]["max-age"] == 90 * 86_400
            assert Session.objects.get().expires_at == clock.now() + services.PATIENT_IDLE
    with at(timezone.now() + datetime.timedelta(days=331)):
        assert client.get("/account").status_code == 303


def test_the_language_is_remembered_per_browser_and_person(client: Client, unlimited: None) -> None:
    sign_in(client)
    response = client.get("/language", {"language": "hi", "next": "/account"})
    assert (response.status_code, response["Location"]) == (303, "/account")
    assert Account.objects.get().language == Session.objects.get().language == "hi"
    assert 'lang="hi"' in text_of(client.get("/account"))
    elsewhere = Client()
    assert sign_in(elsewhere).cookies["language"].value == "hi"
    assert client.post("/language", {"language": "xx"}).status_code == 422
    assert client.get("/language", {"language": "en", "next": "//evil"})["Location"] == "/"


def test_the_inbox_shows_what_would_have_been_sent(client: Client, settings: Settings) -> None:
    ask(client)
    code = sent_code(MOBILE)
    send_queued()
    page = text_of(client.get("/inbox"))
    assert code in page
    assert "only in development" in page
    assert client.get("/inbox", {"mobile": "98765"}).status_code == 422
    assert code in text_of(client.get("/inbox", {"mobile": "098765 43210"}))
    assert code not in text_of(client.get("/inbox", {"mobile": "9876543211"}))
    messages = client.get("/inbox.json", {"mobile": MOBILE}).json()["messages"]
    assert [message["mobile"] for message in messages] == [MOBILE]
    assert code in messages[0]["text"]
    assert client.get("/inbox.json", {"mobile": "x"}).status_code == 422
    settings.DEVELOPMENT_INBOX = False
    assert "inbox" not in text_of(client.get("/sign-in/code"))
    assert client.get("/inbox").status_code == 404
    assert client.get("/inbox.json").status_code == 404
    assert InboxMessage.objects.count() == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_for_an_age_is_accessible_and_fits(client: Client, language: str) -> None:
    account = AccountFactory(mobile=MOBILE, login=MOBILE, last_entered_at=None)
    PatientFactory(account_id=account.id)
    client.cookies["language"] = language
    client.post("/sign-in", {"mobile": "9876543210"})
    client.post("/sign-in/code", {"code": sent_code(MOBILE)})
    answers = {
        "proof": client.get("/sign-in/proof"),
        "proof-wrong": client.post("/sign-in/proof", {"age": "3"}),
    }
    assert [answer.status_code for answer in answers.values()] == [200, 422]
    assert faults_in(answers, language) == []
