"""The counter of a spoke: verify, hand out, a slip of what is missing, and the stock by hand."""

import datetime
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.consultation.models import Consultation, SpokeToDo
from sanjeevani.consultation.services import call_next
from sanjeevani.directory.models import Role
from sanjeevani.foundation import clock
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.patients.models import Patient
from sanjeevani.prescription.content import MedicineFacts
from sanjeevani.prescription.counter import needed
from sanjeevani.prescription.models import (
    Dispensing,
    DraftItem,
    OutOfStock,
    Prescription,
    SpokePrescription,
)
from sanjeevani.prescription.queries import SHORTEST_VALIDITY, expires_at
from sanjeevani.prescription.services import cancel
from tests import factories
from tests.web.test_papers import at_desk
from tests.web.test_spoke import Spoke, sent

pytestmark = pytest.mark.django_db

LIST = "/spoke/medicines"
NOTE = {"client_key": "0190a6b5-7c1e-7000-8000-000000000015", "advice": "Rest"}


class Counter:
    """A spoke whose patient a doctor has prescribed nine tablets of paracetamol."""

    def __init__(self, client: Client, **practitioner: Any) -> None:
        self.spoke = Spoke(client)
        self.worker = client
        self.doctor = factories.serving_on(self.spoke.line, **practitioner)
        self.page = self.spoke.waits(mobile="9848012345")
        self.held = call_next(factories.doctor(self.doctor), practitioner=self.doctor)
        client.post(f"{self.page}/answer")
        self.desk = at_desk(self.doctor)
        self.do(do="add_line", line="pcm 500 1-1-1 3d")
        self.do(do="add_diagnosis:J00")
        assert self.desk.post(f"/desk/consultations/28/{self.held.id}/sign").status_code == 303

    def do(self, **what: str) -> Any:
        """Press a button at the doctor's desk."""
        return self.desk.post(f"/desk/consultations/28/{self.held.id}/write", NOTE | what)

    @property
    def signed(self) -> Prescription:
        return Prescription.objects.get(state_id=28)

    @property
    def code(self) -> str:
        code: str = self.signed.content["medicines"][0]["code"]
        return code

    @property
    def address(self) -> str:
        return f"{LIST}/28/{self.signed.id}"

    def pharmacist(self, facility: Any = None) -> Client:
        """A browser with a pharmacist signed in, of this spoke unless another is named."""
        client = Client()
        post = factories.worker_at(facility or self.spoke.facility, Role.PHARMACIST)
        factories.enter(client, post)
        return client


@pytest.fixture
def counter(client: Client, reference: None) -> Counter:
    return Counter(client)


def text(answer: Any) -> str:
    """What a page says."""
    page: str = answer.content.decode()
    return page


def test_handed_out_in_part_with_a_slip_of_what_is_missing(counter: Counter) -> None:
    pharmacist = counter.pharmacist()
    listed = text(pharmacist.get(LIST))
    assert "Waiting today" in listed
    assert "Sita Devi" in listed
    opened = pharmacist.post(LIST, {"shown": counter.signed.number.lower().replace("-", " ")})
    assert opened.headers["Location"] == counter.address
    page = text(pharmacist.get(counter.address))
    for said in ("Genuine and valid", counter.doctor.name, "The whole course is 9."):
        assert said in page
    for unsaid in ("J00", "High every evening"):
        assert unsaid not in page
    count = f"{counter.code}.given"
    for wrong, said in (
        ("", "Write how many"),
        ("0", "Write how many"),
        ("many", "Write how many"),
        ("9", "9 are all that the patient needs"),
    ):
        refused = pharmacist.post(counter.address, {counter.code: "part", count: wrong})
        assert (refused.status_code, said in text(refused)) == (422, True), wrong
    saved = pharmacist.post(counter.address, {counter.code: "part", count: "5"}, follow=True)
    assert "In part: 5" in text(saved)
    slip = text(pharmacist.get(f"{counter.address}/slip"))
    assert "4 of 9" in slip
    assert "<svg" in slip
    assert "The spoke has none of this" in text(counter.desk.get("/desk"))
    again = text(pharmacist.get(f"{LIST}/list"))
    assert "Something was missing" in again
    assert "Waiting today" not in again
    assert pharmacist.post(counter.address, {counter.code: "full"}).status_code == 303
    assert "Sita Devi" not in text(pharmacist.get(LIST))
    assert "Nothing is missing" in text(pharmacist.get(f"{counter.address}/slip"))


def test_what_was_given_on_the_prescription_before_is_said(counter: Counter) -> None:
    """The doctor corrects the dose, or takes a medicine away, after the counter was quick."""
    counter.do(do="add_line", line="cetirizine 10 hs 5d")
    desk_sign = f"/desk/consultations/28/{counter.held.id}/sign"
    counter.desk.post(desk_sign)
    first = Prescription.objects.filter(state_id=28).latest("id")
    pharmacist = counter.pharmacist()
    codes = [line["code"] for line in first.content["medicines"]]
    given = pharmacist.post(f"{LIST}/28/{first.id}", dict.fromkeys(codes, "full"))
    assert given.status_code == 303

    paracetamol, cetirizine = DraftItem.objects.filter(state_id=28).order_by("position")
    counter.do(do=f"remove_item:{cetirizine.id}")
    counter.do(do="add_line", line="pcm 500 1-0-1 3d")
    counter.do(do="add_line", line="ors 1 els 2d")
    assert counter.desk.post(desk_sign).status_code == 303
    second = Prescription.objects.filter(state_id=28).latest("id")

    page = text(pharmacist.get(f"{LIST}/28/{second.id}"))
    assert "medicines of the prescription that this one replaces" in page
    assert "Cetirizine 10 mg Tablet" in page
    assert page.count("It is not prescribed any more") == 1
    chosen = re.findall(r'name="([^"]+)" type="radio" value="full" checked', page)
    assert [code.partition("-")[0] for code in chosen] == ["oral_rehydration_salts"]
    assert paracetamol.medicine_code in [line["code"] for line in second.content["medicines"]]


def test_every_reading_is_on_the_audit_trail(counter: Counter) -> None:
    pharmacist = counter.pharmacist()
    patient = Patient.objects.get(state_id=28)
    trail = AuditEvent.objects.filter(state_id=28, patient_id=patient.id)
    pharmacist.get(counter.address)
    pharmacist.get(f"{counter.address}/slip")
    assert trail.filter(verb="prescription.read_at_counter").count() == 2
    pharmacist.post(LIST, {"shown": counter.signed.number})
    assert trail.filter(verb="prescription.look_up").count() == 1
    pharmacist.post(LIST, {"shown": "0000-0000-0000"})
    assert AuditEvent.objects.filter(
        state_id=28, verb="prescription.look_up", record_type="facility"
    ).exists()


def test_the_printed_code_opens_it_at_a_spoke_of_another_state(counter: Counter) -> None:
    factories.StateFactory(lgd_code=33)
    elsewhere = counter.pharmacist(factories.FacilityFactory(state_id=33, is_spoke=True))
    assert elsewhere.get(counter.address).status_code == 404
    printed = f"https://example.org/verify?s={counter.signed.signature}"
    opened = elsewhere.post(LIST, {"shown": printed})
    assert opened.headers["Location"] == counter.address
    page = text(elsewhere.get(counter.address))
    assert "SD 19" in page
    assert "Sita" not in page + text(elsewhere.get(LIST))
    assert elsewhere.post(counter.address, {counter.code: "full"}).status_code == 303
    here = counter.pharmacist()
    told = text(here.get(counter.address))
    assert "Got in full elsewhere" in told
    assert f'name="{counter.code}"' not in told
    assert Dispensing.objects.filter(state_id=28).count() == 1


def test_what_another_place_gave_in_part_is_not_forgotten(counter: Counter) -> None:
    elsewhere = counter.pharmacist(factories.FacilityFactory(is_spoke=True))
    elsewhere.post(LIST, {"shown": counter.signed.number})
    count = f"{counter.code}.given"
    elsewhere.post(counter.address, {counter.code: "part", count: "5"})
    here = counter.pharmacist()
    fewer = here.post(counter.address, {counter.code: "part", count: "4"})
    assert "got 5 already" in text(fewer)
    assert here.post(counter.address, {counter.code: "none"}).status_code == 303
    assert "4 of 9" in text(here.get(f"{counter.address}/slip"))


def test_what_does_not_hold_is_not_handed_out_and_it_is_said_why(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    pharmacist = counter.pharmacist()
    number = counter.signed.number
    assert pharmacist.post(LIST, {"shown": "12"}).status_code == 422
    assert "no such prescription" in text(pharmacist.post(LIST, {"shown": "0000-0000-0000"}))
    forged = counter.signed.signature[:-4] + "AAAA"
    assert "not a prescription of this service" in text(pharmacist.post(LIST, {"shown": forged}))
    late = clock.now() + SHORTEST_VALIDITY + datetime.timedelta(hours=1)
    with monkeypatch.context() as later:
        later.setattr("sanjeevani.prescription.counter.clock.now", lambda: late)
        assert "has expired" in text(pharmacist.get(counter.address))
        assert pharmacist.post(counter.address, {counter.code: "full"}).status_code == 409
    cancel(
        factories.doctor(counter.doctor),
        practitioner=counter.doctor,
        state_id=28,
        prescription_id=counter.signed.id,
        reason="It does harm",
    )
    told = text(pharmacist.post(LIST, {"shown": number}))
    assert "was cancelled" in told
    assert "Sita Devi" not in told
    assert "was cancelled" in text(pharmacist.get(counter.address))
    assert pharmacist.post(counter.address, {counter.code: "full"}).status_code == 409
    assert pharmacist.get(f"{counter.address}/slip").status_code == 404
    assert not Dispensing.objects.filter(state_id=28).exists()


def test_a_health_worker_hands_out_only_while_no_pharmacist_is_there(counter: Counter) -> None:
    worker = counter.worker
    assert worker.get(counter.address).status_code == 200
    counter.do(do="confirm_consent:done", outcome="prescription")
    assert counter.address in text(worker.get(counter.page))
    pharmacist = counter.pharmacist()
    assert worker.get(LIST).headers["Location"] == "/spoke/stock"
    for refused in (
        worker.get(counter.address),
        worker.post(counter.address, {counter.code: "full"}),
        worker.post(LIST, {"shown": counter.signed.number}),
    ):
        assert refused.status_code == 403
    shown = text(worker.get(counter.page))
    assert counter.address not in shown
    assert "the pharmacist hands out" in shown
    patient = Patient.objects.get(state_id=28)
    for page in ("/spoke", "/spoke/find", "/spoke/register", counter.page):
        assert pharmacist.get(page).status_code == 403, page
    assert pharmacist.post(f"/spoke/patients/{patient.id}/take-in").status_code == 403
    assert pharmacist.post("/sign-out").status_code == 303
    assert worker.get(counter.address).status_code == 200


def test_medicines_are_handed_out_once_however_often_the_tablet_sends_it(counter: Counter) -> None:
    for _again in range(2):
        answer = sent(counter.worker, counter.address, {counter.code: "full"})
        assert answer.status_code == 204, answer.content.decode()
    assert Dispensing.objects.filter(state_id=28).count() == 1
    take_in = f"/spoke/patients/{counter.held.patient_id}/take-in"
    for _again in range(2):
        assert sent(counter.worker, take_in, {}, "in").status_code == 204


def test_the_lists_cost_the_same_for_any_number(counter: Counter) -> None:
    pharmacist = counter.pharmacist()
    counter.do(do="confirm_consent:done", outcome="prescription", follow_up_days="3")

    def statements(client: Client, page: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        return len(captured)

    before = statements(pharmacist, LIST), statements(counter.worker, "/spoke")
    row = SpokePrescription.objects.get(state_id=28)
    to_do = SpokeToDo.objects.get(state_id=28)
    patient = Patient.objects.get(state_id=28)
    for _more in range(3):
        clinic = factories.ClinicFactory()
        other = factories.requested(clinic, factories.PatientFactory())
        Consultation.objects.filter(state_id=28, id=other.id).update(spoke_id=row.facility_id)
        signed = Prescription.objects.filter(state_id=28).latest("id")
        copy = Prescription.objects.create(
            state_id=28,
            consultation_id=other.id,
            number=f"0000-0000-000{_more}",
            content=signed.content,
            signature=signed.signature,
            practitioner_id=signed.practitioner_id,
            signed_at=signed.signed_at,
        )
        SpokePrescription.objects.create(
            state_id=28,
            facility_id=row.facility_id,
            prescription_state_id=28,
            prescription_id=copy.id,
            consultation_id=other.id,
            since=row.since,
            expires_at=row.expires_at,
            missing=row.missing,
        )
        SpokeToDo.objects.create(
            state_id=28,
            facility_id=to_do.facility_id,
            kind="call_back",
            consultation_state_id=28,
            consultation_id=other.id,
            patient_id=patient.id,
            due_on=clock.today(),
        )
    assert (statements(pharmacist, LIST), statements(counter.worker, "/spoke")) == before


def test_stock_is_said_by_hand_and_taken_back(counter: Counter) -> None:
    worker = counter.worker
    found = text(worker.get("/spoke/stock", {"q": "paracetamol 500"}))
    assert "Paracetamol 500 mg" in found
    change = "/spoke/stock?q=para&only="
    said = worker.post(change, {"medicine": counter.code, "to": "out"}, follow=True)
    assert "is out of stock" in text(said)
    assert ">Undo<" in text(said)
    assert "The spoke has none of this" in text(counter.desk.get("/desk"))
    first = OutOfStock.objects.get(state_id=28)
    assert first.by_post_id == counter.spoke.worker.post_id
    worker.post(change, {"medicine": counter.code, "to": "out"})
    assert OutOfStock.objects.get(state_id=28).since == first.since
    out = text(worker.get("/spoke/stock", {"only": "out"}))
    assert "Out since" in out
    assert "1 medicine" in out
    worker.post(change, {"medicine": counter.code, "to": "in"})
    assert "The spoke has none of this" not in text(counter.desk.get("/desk"))
    assert "In stock again since" in text(worker.get("/spoke/stock", {"q": "paracetamol 500"}))
    assert "Nothing is out of stock" in text(worker.get("/spoke/stock", {"only": "out"}))
    assert worker.post(change, {"medicine": "x", "to": "in"}).status_code == 422
    assert worker.post(change, {"medicine": counter.code, "to": "y"}).status_code == 422
    assert "No such medicine" in text(worker.get("/spoke/stock", {"q": "qqqq"}))


def tick(client: Client, page: str, to: str) -> int:
    """Press the one button of this kind; return how many there were."""
    found = re.findall(
        rf'name="consultation" value="([^"]+)"><input type="hidden" name="kind" value="([^"]+)">'
        rf'\s*<button type="submit" name="to" value="{to}"',
        page,
    )
    for consultation, kind in found:
        sent = {"consultation": consultation, "kind": kind, "to": to}
        assert client.post("/spoke/to-do", sent).status_code == 303
    return len(found)


def test_who_went_home_with_a_prescription_is_told_that_it_was_cancelled(counter: Counter) -> None:
    """A patient of a spoke often has no phone that an SMS would reach."""
    assert counter.do(do="confirm_consent:done", outcome="prescription").status_code == 303
    said = "Tell the patient before the next dose"
    assert said not in text(counter.worker.get("/spoke"))

    cancelled = {"reason": "It is not safe for your kidneys"}
    page = f"/desk/consultations/28/{counter.held.id}/prescription/cancel"
    assert counter.desk.post(page, cancelled).status_code == 303

    assert said in text(counter.worker.get("/spoke"))
    assert tick(counter.worker, text(counter.worker.get("/spoke")), "done") == 1
    shown = text(counter.worker.get("/spoke"))
    assert said not in shown
    assert "The prescription was changed or cancelled: tell the patient" in shown


def test_a_medicine_that_is_back_and_a_follow_up_are_ticked_and_taken_back(
    counter: Counter,
) -> None:
    worker = counter.worker
    counter.do(do="confirm_consent:done", outcome="prescription", follow_up_days="3")
    assert "wants to see you again around" in text(worker.get(counter.page))
    desk = text(worker.get("/spoke"))
    assert "Follow-ups due" in desk
    assert "tel:+919848012345" in desk
    worker.post(counter.address, {counter.code: "none"})
    assert "In stock again" not in text(worker.get("/spoke"))
    worker.post("/spoke/stock", {"medicine": counter.code, "to": "in"})
    desk = text(worker.get("/spoke"))
    assert "Paracetamol" in desk
    assert tick(worker, desk, "done") == 2
    done = text(worker.get("/spoke"))
    assert "Done lately" in done
    assert "Follow-ups due" not in done
    assert "Speak to these patients" not in done
    assert tick(worker, done, "open") == 2
    assert tick(worker, text(worker.get("/spoke")), "done") == 2
    overdue = clock.today() - datetime.timedelta(days=2)
    SpokeToDo.objects.filter(state_id=28).update(done_at=None, due_on=overdue)
    assert "Overdue" in text(worker.get("/spoke"))
    stranger = Client()
    factories.enter(stranger, factories.worker_at(factories.FacilityFactory(is_spoke=True)))
    sent = {"consultation": str(counter.held.id), "kind": "follow_up", "to": "done"}
    assert stranger.post("/spoke/to-do", sent).status_code == 404
    assert worker.post("/spoke/to-do", {"to": "done"}).status_code == 422
    refused = counter.do(do="done", outcome="prescription", follow_up_days="5")
    assert refused.status_code in (409, 422)


def test_who_left_is_called_back_until_they_are_here_again(client: Client, reference: None) -> None:
    spoke = Spoke(client)
    page = spoke.waits()
    client.post(f"{page}/cancel")
    assert "Ring the patient" in text(client.get("/spoke"))
    spoke.ask(spoke.ready(), request_key="0190a6b5-7c1e-7000-8000-000000000022")
    assert Consultation.objects.filter(state_id=28).count() == 2
    shown = text(client.get("/spoke"))
    assert "Ring the patient" not in shown
    assert "Done lately" not in shown


@given(
    frequency=st.sampled_from(["OD", "BD", "TDS", "1-0-1", "0½-0-0½", "SOS"]),
    dose=st.sampled_from(["0.5", "1", "2", "5"]),
    days=st.integers(1, 90),
)
def test_a_course_is_never_counted_short(frequency: str, dose: str, days: int) -> None:
    line = MedicineFacts(frequency=frequency, dose=dose, duration_days=days)  # type: ignore[typeddict-item]
    count = needed(line)
    per_day = {"OD": 1, "BD": 2, "TDS": 3, "1-0-1": 2, "0½-0-0½": 1}.get(frequency)
    if per_day is None:
        assert count is None
    else:
        assert count is not None
        assert per_day * float(dose) * days <= count < per_day * float(dose) * days + 1
    signed = clock.now()
    held = Prescription(content={"medicines": [line]}, signed_at=signed)
    assert expires_at(held) >= signed + max(SHORTEST_VALIDITY, datetime.timedelta(days=days))


@pytest.mark.parametrize(
    ("frequency", "dose", "days", "count"),
    [
        ("STAT", "1", 56, 1),  # as it was signed before one dose was for one day
        ("STAT", "4", 1, 4),
        ("WEEKLY", "4", 28, 16),
        ("WEEKLY", "4", 30, 20),
        ("ALT", "2", 5, 6),
        ("MONTHLY", "1", 30, 1),
    ],
)
def test_a_dose_is_counted_whole(frequency: str, dose: str, days: int, count: int) -> None:
    line = MedicineFacts(frequency=frequency, dose=dose, duration_days=days)  # type: ignore[typeddict-item]
    assert needed(line) == count
