"""Links to a prescription by JSON: the same to every retry, and kept nowhere to be read."""

import pytest
from django.conf import settings
from django.test import Client

from sanjeevani.documents.links import MOST_LINKS
from sanjeevani.documents.models import ShareLink
from sanjeevani.foundation.models import IdempotencyKey
from tests.api.caller import PROFILE, new_key
from tests.api.test_prescriptions import REASON, Meeting, meeting, signed

__all__ = ["meeting"]

pytestmark = pytest.mark.usefixtures("reference")

YEAR = PROFILE["birth_date"][:4]


def opened(address: str, year: str = YEAR) -> int:
    """Open a link as somebody else; return the status."""
    assert address.startswith(settings.PUBLIC_URL)
    path = address.removeprefix(settings.PUBLIC_URL)
    return Client().post(path, {"answer": year}).status_code


def test_a_link_is_made_listed_opened_and_ended(meeting: Meeting) -> None:
    signed(meeting)
    patient, links = meeting.patient, f"{meeting.path}/prescription/links"
    before = patient.send("GET", links)
    assert before.json() == {"items": []}
    made = patient.make(links, {"made_for": "The chemist"})
    assert opened(made["address"], "1901") == 422
    assert opened(made["address"]) == 200
    after = patient.send("GET", links, If_None_Match=before.headers["ETag"])
    (listed,) = after.json()["items"]
    assert "address" not in listed
    assert (listed["id"], listed["made_for"], listed["opened"], listed["tries_left"]) == (
        made["id"],
        "The chemist",
        1,
        4,
    )
    assert patient.send("DELETE", f"{links}/{made['id']}").status_code == 204
    assert patient.send("DELETE", f"{links}/{made['id']}").status_code == 204
    assert patient.get(links) == {"items": []}
    assert opened(made["address"]) == 404


def test_a_retry_is_told_the_same_link_which_is_kept_nowhere(meeting: Meeting) -> None:
    signed(meeting)
    links, key = f"{meeting.path}/prescription/links", new_key()
    first = meeting.patient.make(links, {"made_for": "My son"}, key=key)
    assert meeting.patient.make(links, {"made_for": "My son"}, key=key) == first
    assert opened(first["address"]) == 200
    other = meeting.patient.make(links, {"made_for": "My son"})
    assert other["address"] != first["address"]
    token = first["address"].rpartition("/")[2]
    assert len(token) == 43
    kept = [*IdempotencyKey.objects.values_list("body"), *ShareLink.objects.values_list()]
    assert token not in repr(kept)


def test_ten_links_at_most_and_none_to_nothing(meeting: Meeting) -> None:
    links = f"{meeting.path}/prescription/links"
    nothing = meeting.patient.send("POST", links, {"made_for": "My son"}, Idempotency_Key=new_key())
    assert nothing.status_code == 404
    signed(meeting)
    for number in range(MOST_LINKS):
        meeting.patient.make(links, {"made_for": f"Number {number}"})
    refused = meeting.patient.send(
        "POST", links, {"made_for": "One more"}, Idempotency_Key=new_key()
    )
    assert (refused.status_code, refused.json()["type"][-13:]) == (409, ":TooManyLinks")


def test_a_link_to_what_was_replaced_is_still_listed_and_ended(meeting: Meeting) -> None:
    """It opens what holds now, so whoever has it still reads."""
    number = signed(meeting)
    links = f"{meeting.path}/prescription/links"
    made = meeting.patient.make(links, {"made_for": "The chemist"})
    meeting.prescribe("TDS")
    seen = meeting.doctor.get(f"/staff{meeting.path}/to-sign")["seen"]
    body = {"number": number, "reason": REASON, "seen": seen}
    meeting.doctor.make(f"/staff{meeting.path}/prescription/replace", body)
    assert opened(made["address"]) == 200
    assert [one["id"] for one in meeting.patient.get(links)["items"]] == [made["id"]]
    assert meeting.patient.send("DELETE", f"{links}/{made['id']}").status_code == 204
    assert opened(made["address"]) == 404
