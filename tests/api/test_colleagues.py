"""A colleague is asked in, and a patient sent on to another hub, by JSON."""

from typing import Any

import pytest
from django.conf import settings
from joserfc import jwt
from joserfc.jwk import OctKey

from sanjeevani.directory.models import LineKind
from sanjeevani.foundation.models import AuditEvent
from tests.api.at_spoke import Spoke, asked_in, upload
from tests.api.caller import Caller, new_key
from tests.factories import FacilityFactory, HubLinkFactory, LineFactory

pytestmark = pytest.mark.usefixtures("reference")


class Held:
    """A call of a spoke's patient with the hub's doctor."""

    def __init__(self) -> None:
        self.spoke = Spoke()
        hospital = FacilityFactory(is_hub=True)
        self.heart = LineFactory(facility=hospital, kind=LineKind.HUB, speciality_code="cardiology")
        HubLinkFactory(spoke=self.spoke.facility, hub=hospital, position=2)
        self.path = self.spoke.asked()
        self.doctor.make("/staff/next")
        self.worker.post(f"{self.path}/answer")

    @property
    def doctor(self) -> Caller:
        return self.spoke.doctor

    @property
    def worker(self) -> Caller:
        return self.spoke.worker

    @property
    def asks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.doctor.get(f"/staff{self.path}/asks")["items"]
        return found

    def onward(self, **changes: Any) -> dict[str, Any]:
        [hub] = [
            one
            for one in self.doctor.get(f"/staff{self.path}/next-hubs")["items"]
            if one["speciality"] == "cardiology"
        ]
        return {
            "hub_state_id": hub["state_id"],
            "hub_id": hub["id"],
            "reason": "A murmur",
        } | changes


@pytest.fixture
def held() -> Held:
    return Held()


def refused(answer: Any) -> tuple[int, str]:
    """How an answer refuses."""
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_from_the_ask_to_the_advice_in_the_record(held: Held) -> None:
    paper = upload(held.worker, f"{held.path}/papers").json()["id"]
    colleague, ask = asked_in(held.spoke, held.path)
    one = f"/staff/asks/{ask['state_id']}/{ask['id']}"
    assert (ask["status"], ask["colleague_name"]) == ("asked", "Dr Kavita Iyer")
    shown = held.worker.get(held.path)["colleague"]
    assert (shown["name"], shown["has_come"]) == ("Dr Kavita Iyer", False)
    [card] = colleague.get("/staff/asks")["items"]
    assert [term["code"] for term in card["complaints"]] == ["fever"]
    assert "Sita Devi" not in str(card)
    assert refused(colleague.send("GET", f"{one}/seat")) == (410, "NotInCall")

    colleague.post(f"{one}/later", {"minutes": 5})
    assert [found["status"] for found in held.asks] == ["later"]
    colleague.post(f"{one}/come")
    colleague.post(f"{one}/come")
    assert held.worker.get(held.path)["colleague"]["has_come"]
    assert colleague.get(f"{one}/seat")["ticket"]
    assert colleague.get(one)["case"]["patient"]["name"] == "Sita Devi"
    assert [found["id"] for found in colleague.get(f"{one}/patient-papers")["items"]] == [paper]
    assert colleague.send("GET", f"{one}/patient-papers/{paper}").content.startswith(b"\xff\xd8")

    advised = colleague.put(f"{one}/advice", {"advice": "Do a malaria test"})
    assert advised["advice"] == held.asks[0]["advice"] == "Do a malaria test"
    colleague.post(f"{one}/leave")
    held.doctor.put(f"/staff{held.path}/note", {"advice": "Rest."})
    held.doctor.post(f"/staff{held.path}/conclude", {"outcome": "advice"})
    done = held.worker.get(held.path)
    assert done["colleague"] is None
    assert [found["advice"] for found in done["findings"]["colleagues"]] == ["Do a malaria test"]


def test_a_ticket_is_no_reading(held: Held) -> None:
    """An app asks for one whenever it wakes: the trail said that the doctor read, each time."""
    colleague, _ask = asked_in(held.spoke, held.path)
    told = AuditEvent.objects.filter(state_id=28)
    before = told.count()
    for caller in (held.doctor, colleague):
        ticket = caller.get("/staff/ticket")["ticket"]
        claims = jwt.decode(ticket, OctKey.import_key(settings.LIVE_SECRET)).claims
        assert f"consultation.{held.path.rpartition('/')[2]}" in claims["topics"]
    assert told.count() == before


def test_one_at_a_time_and_taken_back(held: Held) -> None:
    _colleague, ask = asked_in(held.spoke, held.path)
    body = {"hub_id": str(held.spoke.line.id), "colleague_id": str(held.spoke.practitioner.id)}
    again = held.doctor.send("POST", f"/staff{held.path}/asks", body, Idempotency_Key=new_key())
    assert refused(again) == (409, "AlreadyAsked")
    held.doctor.post(f"/staff{held.path}/asks/take-back")
    assert [(found["id"], found["status"]) for found in held.asks] == [(ask["id"], "withdrawn")]


def test_who_is_not_on_duty_is_not_asked(held: Held) -> None:
    body = {"hub_id": str(held.heart.id), "colleague_id": str(held.spoke.practitioner.id)}
    asked = held.doctor.send("POST", f"/staff{held.path}/asks", body, Idempotency_Key=new_key())
    assert refused(asked) == (409, "ColleagueAway")


def test_the_patient_objects(held: Held) -> None:
    colleague, ask = asked_in(held.spoke, held.path)
    for _time in range(2):
        held.worker.post(f"{held.path}/object-to-colleague")
    assert [found["status"] for found in held.asks] == ["objected"]
    assert held.worker.get(held.path)["colleague"] is None
    gone = colleague.send("GET", f"/staff/asks/{ask['state_id']}/{ask['id']}")
    assert refused(gone) == (410, "AskOver")


def test_no_other_minutes_than_those_offered(held: Held) -> None:
    colleague, ask = asked_in(held.spoke, held.path)
    later = f"/staff/asks/{ask['state_id']}/{ask['id']}/later"
    assert refused(colleague.send("POST", later, {"minutes": 7})) == (422, "Invalid")


def test_who_is_referred_goes_on_at_the_next_hub(held: Held) -> None:
    held.doctor.put(f"/staff{held.path}/note", {"advice": "See the heart specialist."})
    opened = held.doctor.make(f"/staff{held.path}/refer", held.onward())
    done = held.worker.get(held.path)
    assert (done["outcome"], done["referred_to"]) == ("referred_up", opened)
    on = held.worker.get(f"/consultations/{opened['state_id']}/{opened['id']}")
    assert (on["hub"]["speciality"], on["status"]) == ("cardiology", "requested")


def test_nobody_is_referred_with_medicines_left_unsigned(held: Held) -> None:
    held.doctor.put(f"/staff{held.path}/note", {"advice": "See the heart specialist."})
    item = held.doctor.get("/staff/shorthand?q=cetirizine 1 hs 3d")["item"]
    held.doctor.post(f"/staff{held.path}/items", item)
    answer = held.doctor.send(
        "POST", f"/staff{held.path}/refer", held.onward(), Idempotency_Key=new_key()
    )
    assert refused(answer) == (422, "UnsignedDraft")
    assert held.worker.get(held.path)["status"] == "in_progress"


def test_sent_on_before_anything_else(held: Held) -> None:
    opened = held.doctor.make(f"/staff{held.path}/redirect-to-hub", held.onward())
    left = held.worker.get(held.path)
    assert left["status"] == "redirected"
    assert left["moved_to"] == opened | {"reason": "A murmur"}


def test_no_hub_but_those_beyond(held: Held) -> None:
    elsewhere = LineFactory(kind=LineKind.HUB)
    for way in ("refer", "redirect-to-hub"):
        answer = held.doctor.send(
            "POST",
            f"/staff{held.path}/{way}",
            held.onward(hub_id=str(elsewhere.id)),
            Idempotency_Key=new_key(),
        )
        assert refused(answer) == (404, "NotFound")
