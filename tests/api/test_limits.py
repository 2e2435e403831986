"""How often somebody may ask, and what counts."""

import io
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pytest_django import Settings

from sanjeevani.api.limits import Pace
from sanjeevani.foundation.errors import TooMany
from tests.api.caller import BASE, Caller, asking, new_key, patient_caller, ready_profile
from tests.factories import ClinicFactory, LineFactory

pytestmark = pytest.mark.usefixtures("reference")

AT_ONCE, SECONDS = 300, 30


@given(st.lists(st.floats(0, 5), min_size=1, max_size=700))
def test_no_account_gets_more_than_its_bucket_and_what_flows_in(pauses: list[float]) -> None:
    pace, account = Pace("json_requests_per_account"), uuid.uuid4()
    at = 100.0
    for taken, pause in enumerate(pauses, start=1):
        at += pause / 20
        try:
            pace.keep(account, at)
        except TooMany as refused:
            # Who waits as long as said is let in.
            pace.keep(account, at + refused.retry_after)
            at += refused.retry_after
        assert taken <= AT_ONCE + (at - 100.0) * AT_ONCE / SECONDS + 1


def test_accounts_do_not_slow_each_other_and_the_oldest_are_forgotten() -> None:
    pace = Pace("json_requests_per_account", accounts=2)
    wild, calm, other = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    for _request in range(AT_ONCE):
        pace.keep(wild, 0)
    pace.keep(calm, 0)
    with pytest.raises(TooMany):
        pace.keep(wild, 0)
    pace.keep(other, 0)
    pace.keep(calm, 0)


def too_many(response: Any) -> None:
    assert response.status_code == 429, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    assert int(response.headers["Retry-After"]) >= 1


def test_a_program_run_wild_is_slowed(settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {"json_requests_per_account": (5, 60)}
    wild, calm = patient_caller(), patient_caller()
    answers = [wild.send("GET", "/me") for _request in range(7)]
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    too_many(answers[6])
    assert calm.send("GET", "/me").status_code == 200


def ask(patient: Caller, path: str, body: Any) -> Any:
    return patient.send("POST", path, body, Idempotency_Key=new_key())


def test_requests_that_are_refused_count(settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {"requests_per_account": (3, 600)}
    full = ClinicFactory(line=LineFactory(places_per_day=0))
    patient = patient_caller()
    path = f"/profiles/{ready_profile(patient)['id']}/consultations"
    for _try in range(3):
        refused = ask(patient, path, asking(full))
        assert refused.status_code == 409, refused.content
    too_many(ask(patient, path, asking(full)))


def test_a_request_sent_again_counts_once(settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {"requests_per_account": (1, 600)}
    patient, key = patient_caller(), new_key()
    path = f"/profiles/{ready_profile(patient)['id']}/consultations"
    body = asking(ClinicFactory())
    answers = [patient.send("POST", path, body, Idempotency_Key=key) for _try in range(5)]
    assert {answer.status_code for answer in answers} == {201}


def test_files_count_also_when_they_cannot_be_read(settings: Settings) -> None:
    settings.SIGN_IN_LIMITS = {"uploads_per_account": (2, 600)}
    patient = patient_caller()
    path = f"{BASE}/profiles/{ready_profile(patient)['id']}/papers"
    picture = io.BytesIO()
    Image.new("RGB", (20, 20)).save(picture, "PNG")

    def send(content: bytes) -> Any:
        return patient.client.post(
            path,
            content,
            content_type="image/png",
            headers={"Authorization": f"Bearer {patient.token}", "Idempotency-Key": new_key()},
        )

    assert send(b"no picture").status_code == 415
    assert send(picture.getvalue()).status_code == 201
    too_many(send(picture.getvalue()))
