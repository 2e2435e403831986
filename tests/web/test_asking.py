"""A specialist is asked in: the list, the answer, the page to read, the advice, the objection."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from joserfc import jwt
from joserfc.jwk import OctKey

from sanjeevani.consultation.models import Ask, AskStatus, Consultation
from sanjeevani.consultation.services import call_next
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation.live import hints_for
from sanjeevani.foundation.outbox import number_facts
from tests import factories
from tests.web.looks import LANGUAGES, faults_in
from tests.web.test_papers import at_desk, photo, scratch
from tests.web.test_spoke import Spoke

pytestmark = pytest.mark.django_db

__all__ = ["scratch"]


class Asking:
    """A call of a hub's doctor with a patient at a spoke, and a specialist on duty there."""

    def __init__(self, client: Client, language: str = "en", **colleague: Any) -> None:
        self.worker = client
        self.spoke = Spoke(client)
        self.host = factories.serving_on(self.spoke.line, name="Dr Asha Rao")
        self.page = self.spoke.waits()
        call_next(factories.doctor(self.host), practitioner=self.host)
        assert client.post(f"{self.page}/answer").status_code == 303
        self.held = Consultation.objects.get(state_id=28)
        self.colleague = factories.serving_on(self.spoke.line, name="Dr Kavita Iyer", **colleague)
        self.desk, self.guest = self._at(self.host, language), self._at(self.colleague, language)

    @staticmethod
    def _at(practitioner: Practitioner, language: str) -> Client:
        client = at_desk(practitioner)
        client.cookies["language"] = language
        return client

    @property
    def one(self) -> str:
        return f"/desk/consultations/28/{self.held.id}"

    def do(self, what: str) -> Any:
        """Press a button of the doctor's desk, by its script."""
        return self.desk.post(f"{self.one}/write", {"do": what}, headers={"HX-Request": "true"})

    def ask(self) -> str:
        """Ask the specialist in; return the address of the specialist's page."""
        self.do(f"ask_in:{self.spoke.line.id}.{self.colleague.id}")
        ask = Ask.objects.get(state_id=28, status=AskStatus.ASKED)
        return f"/desk/asked/28/{ask.id}"


@pytest.fixture
def asking(client: Client, reference: None) -> Asking:
    return Asking(client)


def text(answer: Any) -> str:
    """What an answer says."""
    content: str = answer.content.decode()
    return content


def test_from_the_list_to_the_advice_in_the_record(asking: Asking) -> None:
    assert "Ask a specialist in" in text(asking.desk.get("/desk"))
    found = text(asking.do("find_colleague"))
    assert "Dr Kavita Iyer" in found
    assert "Free" in found
    assert "asks you in" not in text(asking.guest.get("/desk/lines"))
    page = asking.ask()
    assert "An answer can come until" in text(asking.desk.get(f"{asking.one}/asks"))
    card = text(asking.guest.get("/desk/lines"))
    for shown in ("Dr Asha Rao asks you in", "40", "female", "Read the case"):
        assert shown in card
    assert "Sita Devi" not in card
    assert "Dr Kavita Iyer" in text(asking.worker.get(f"{asking.page}/call"))

    assert asking.guest.get(f"{page}/seat").status_code == 410
    assert "Do you come?" in text(asking.guest.get(page))
    came = asking.guest.post(page, {"do": "come"})
    assert (came.status_code, came.headers["Location"]) == (303, page)
    read = text(asking.guest.get(page))
    for shown in ("Sita Devi", "High every evening", "data-call-room"):
        assert shown in read
    assert asking.guest.get(f"{page}/seat").status_code == 200
    assert 'data-call-mode="video"' in text(asking.guest.get(f"{page}/state"))
    assert "has come in" in text(asking.worker.get(f"{asking.page}/call"))
    asking.desk.post(f"{asking.one}/write", {"do": "save", "findings": "Chest is clear"})
    assert "Chest is clear" in text(asking.guest.get(f"{page}/notes"))

    advised = asking.guest.post(page, {"do": "advise", "advice": "Do a malaria test"})
    assert advised.status_code == 303
    assert "Do a malaria test" in text(asking.desk.get(f"{asking.one}/asks"))
    asking.desk.post(f"{asking.one}/write", {"do": "save", "advice": "Rest"})
    asking.desk.post(f"{asking.one}/write", {"do": "confirm_consent:done", "outcome": "advice"})
    record = text(asking.desk.get(asking.one))
    assert "Advice of Dr Kavita Iyer" in record
    assert "Do a malaria test" in text(asking.worker.get(asking.page))
    assert asking.guest.get(f"{page}/seat").status_code == 410
    assert "finish your advice" in text(asking.guest.get(page))
    assert asking.guest.get(asking.one).status_code == 404


def test_a_paper_that_is_shown_reaches_every_page_at_once(asking: Asking) -> None:
    page = asking.ask()
    asking.guest.post(page, {"do": "come"})
    number_facts()
    shown = asking.desk.post(f"{asking.one}/papers/show", {"files": photo("exercise.jpg")})
    assert shown.status_code == 303
    hints = set(hints_for(number_facts()))
    for client, address in (
        (asking.worker, asking.page),
        (asking.desk, "/desk"),
        (asking.guest, page),
    ):
        found = text(client.get(address))
        [source] = re.findall(r'data-live-ticket-url="([^"]+)"', found)
        ticket = jwt.decode(
            client.get(source).json()["ticket"], OctKey.import_key(settings.LIVE_SECRET)
        )
        heard = set(ticket.claims["topics"])
        parts = re.findall(r'data-live-topic="([^"]+)" data-live-src="([^"]+)"', found)
        assert all(heard.issuperset(topics.split()) for topics, _part in parts)
        told = [part for topics, part in parts if hints & set(topics.split())]
        assert any("exercise.jpg" in text(client.get(part)) for part in told), address


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(asking: Asking) -> None:
    page = asking.ask()
    refused = asking.guest.post(page, {"do": "decline", "word": " "})
    assert refused.status_code == 422
    assert "Say in a word why you cannot come." in text(refused)
    again = asking.do(f"ask_in:{asking.spoke.line.id}.{asking.colleague.id}")
    assert "asked in already" in text(again)
    asking.guest.post(page, {"do": "come"})
    long = "word " * 900
    too_long = asking.guest.post(page, {"do": "advise", "advice": long})
    assert too_long.status_code == 422
    assert "Shorten this" in text(too_long)
    assert long.strip() in text(too_long)
    assert asking.guest.post(page, {"do": "nonsense"}).status_code == 422


def test_later_declined_taken_back_and_objected_to(asking: Asking) -> None:
    page = asking.ask()
    assert asking.guest.post(page, {"do": "later:10"}).headers["Location"] == "/desk"
    assert "Comes at about" in text(asking.desk.get(f"{asking.one}/asks"))
    asking.guest.post(page, {"do": "decline", "word": "In theatre"})
    assert "In theatre" in text(asking.desk.get(f"{asking.one}/asks"))
    page = asking.ask()
    asking.do("take_ask_back")
    over = asking.guest.get(page)
    assert over.headers["Location"] == "/desk?ask-over=1"
    assert "This request has ended" in text(asking.guest.get("/desk?ask-over=1"))
    page = asking.ask()
    asking.guest.post(page, {"do": "come"})
    asking.worker.post(f"{asking.page}/call", {"do": "object"})
    late = asking.guest.post(page, {"do": "advise", "advice": "Do a malaria test"})
    assert late.status_code == 410
    assert "This request has ended" in text(late)
    assert "Do a malaria test" in text(late)
    assert asking.guest.get(f"{page}/seat").status_code == 410
    assert 'data-call-mode="off"' in text(asking.guest.get(f"{page}/state"))
    assert "does not want" in text(asking.desk.get(f"{asking.one}/asks"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits(reference: None, client: Client, language: str) -> None:
    asking = Asking(client, language)
    client.cookies["language"] = language
    listed = asking.desk.post(f"{asking.one}/write", {"do": "find_colleague"})
    page = asking.ask()
    answers = {
        "colleagues": listed,
        "desk-asks": asking.desk.get("/desk"),
        "desk-asked": asking.guest.get("/desk"),
        "asked": asking.guest.get(page),
        "decline-wrong": asking.guest.post(page, {"do": "decline"}),
    }
    asking.guest.post(page, {"do": "come"})
    asking.guest.post(page, {"do": "advise", "advice": "Do a malaria test"})
    answers |= {
        "asked-present": asking.guest.get(page),
        "advice-wrong": asking.guest.post(page, {"do": "advise", "advice": ""}),
        "desk-advised": asking.desk.get("/desk"),
        "call": client.get(asking.page),
    }
    assert faults_in(answers, language) == []
