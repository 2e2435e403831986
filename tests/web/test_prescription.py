"""After the consultation: corrected, followed, shared and verified; also in a browser."""

import html
import re
from functools import cached_property
from typing import Any

import pytest
from django.test import Client

from sanjeevani.consultation.models import Outcome
from sanjeevani.documents.links import TRIES
from sanjeevani.identity.models import Account
from sanjeevani.prescription.models import Prescription
from sanjeevani.prescription.queries import prescription_in_force, prescriptions_of
from sanjeevani.prescription.services import conclude
from tests import factories
from tests.documents.test_typesetting import text_of as words_of
from tests.prescription.test_earlier import coming_back, seen_before
from tests.prescription.test_signing import COLD, Desk
from tests.web.looks import LANGUAGES, faults_in
from tests.web.test_desk import sign_in_doctor

pytestmark = [
    pytest.mark.django_db(databases=["default", "owner"]),
    pytest.mark.usefixtures("reference"),
]


class After(Desk):
    """A finished consultation with its patient's and its doctor's browsers."""

    def __init__(self) -> None:
        super().__init__()
        self.note(COLD)
        self.prescribe("pcm 650 1-1-1 5d after food")
        self.prescribe("cetirizine 10 0-0-1 5d")
        self.prescribe("ors 1 sos 2d")
        self.signed: Prescription = self.sign()
        self.year = str(self.consultation.patient_birth_date.year)
        conclude(self.actor, **self.at, outcome=Outcome.PRESCRIPTION)
        self.patient, self.doctor = Client(), Client()
        account = Account.objects.get(id=self.consultation.patient_account_id)
        factories.sign_in(self.patient, account)
        sign_in_doctor(self.doctor, self.practitioner)
        key = f"consultations/{self.consultation.state_id}/{self.consultation.id}"
        self.own, self.desk = f"/{key}", f"/desk/{key}"

    @cached_property
    def link(self) -> str:
        """Make a link on the patient's page; return its path."""
        page = self.patient.post(f"{self.own}/share", {"made_for": "Pharmacy"})
        found = re.search(r'id="link" value="[^"]*?(/shared/[^"]+)"', page.content.decode())
        assert found
        return found[1]

    def correct(self, **typed: str) -> Any:
        """Change a line at the desk, then sign in place of the old one."""
        page = f"{self.desk}/prescription/replace"
        assert self.doctor.get(page).status_code == 200
        changed = self.doctor.post(page, {"do": "add", "line": "pcm 650 1-0-1 3d after food"})
        given = {
            "do": "sign",
            "line": "",
            "reason": "Two tablets a day are enough",
            "seen": seen_on(changed),
        }
        return self.doctor.post(page, given | typed)


def _returning(language: str) -> Client:
    """The browser of a doctor whose patient told and was given things before."""
    patient = factories.PatientFactory.create(name="Kamla Devi")
    seen_before(patient, "ibuprofen 400 1-0-1 5d after food", allergies="पेनिसिलिन, लाल दाने")
    seen_before(patient, "pcm 650 1-0-1 3d", allergies="Penicillin")
    now = coming_back(
        patient,
        text="Cough for a week",
        complaints=["cough"],
        allergies="dust",
        vitals={"oxygen_saturation": 90.0, "respiratory_rate": 26.0, "heart_rate": 96.0},
    )
    now.prescribe("amoxicillin 500 1-1-1 5d")
    now.prescribe("enalapril 5 1-0-0 30d")
    doctor = Client()
    sign_in_doctor(doctor, now.practitioner)
    doctor.cookies["language"] = language
    return doctor


def seen_on(page: Any) -> str:
    """What a page to sign says that the doctor has looked at."""
    found = re.search(r'name="seen" value="(\w+)"', page.content.decode())
    assert found
    return found[1]


def text_of(answer: Any) -> str:
    """The words of a page."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def test_a_link_opens_for_who_knows_the_year_until_it_is_ended() -> None:
    after = After()
    stranger = Client()
    asked = stranger.get(after.link)
    assert "Meena" not in asked.content.decode()
    assert asked.headers["X-Robots-Tag"].startswith("noindex")
    assert asked.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in asked.headers["Cache-Control"]
    refused = stranger.post(after.link, {"answer": "1901"})
    assert refused.status_code == 422
    assert f"You have {TRIES - 1} more tries" in text_of(refused)
    assert stranger.post(after.link, {"answer": "19"}).status_code == 422
    opened = stranger.post(after.link, {"answer": after.year})
    assert after.signed.number in text_of(opened)
    paper = stranger.post(after.link, {"answer": after.year, "pdf": "1"})
    assert paper.content.startswith(b"%PDF")
    assert paper.headers["Content-Disposition"].startswith("attachment")
    page = after.patient.get(f"{after.own}/share")
    assert "last opened" in text_of(page)
    assert after.link not in page.content.decode()
    (end,) = re.findall(r'action="([^"]+/end)"', page.content.decode())
    assert after.patient.post(end).status_code == 303
    assert stranger.post(after.link, {"answer": after.year}).status_code == 404


def test_a_link_to_what_was_replaced_can_be_ended() -> None:
    """It shows what holds now; the page said that nobody but the patient sees it."""
    after = After()
    stranger = Client()
    assert stranger.post(after.link, {"answer": after.year}).status_code == 200
    assert after.correct().status_code == 303
    assert stranger.post(after.link, {"answer": after.year}).status_code == 200
    page = after.patient.get(f"{after.own}/share").content.decode()
    (end,) = re.findall(r'action="([^"]+/end)"', page)
    assert after.patient.post(end).status_code == 303
    assert stranger.post(after.link, {"answer": after.year}).status_code == 404


def test_five_wrong_years_end_a_link() -> None:
    after = After()
    answers = [Client().post(after.link, {"answer": "1901"}).status_code for _ in range(TRIES)]
    assert answers == [422] * (TRIES - 1) + [404]
    assert Client().post(after.link, {"answer": after.year}).status_code == 404


def test_a_correction_is_seen_by_everybody() -> None:
    after = After()
    _ = after.link
    no_reason = after.correct(reason="")
    assert no_reason.status_code == 422
    assert after.correct(line="ors 1 sos").status_code == 422
    assert after.correct().status_code == 303
    new, old = (one.prescription for one in prescriptions_of(after.consultation))
    assert old.number == after.signed.number
    page = text_of(after.patient.get(after.own))
    assert "The doctor has changed your prescription" in page
    assert "Two tablets a day are enough" in page
    assert f"The earlier one, {old.number}" in page
    verified = Client().get("/verify", {"number": old.number})
    assert f"number={new.number}" in verified.content.decode()
    behind = text_of(Client().post(after.link, {"answer": after.year}))
    assert new.number in behind
    assert "There is a newer prescription" in behind
    assert "Two tablets" not in behind + text_of(verified)
    earlier = after.patient.get(f"{after.own}/prescription.pdf", {"number": old.number})
    assert words_of(earlier.content).count("REPLACED BY A NEWER PRESCRIPTION")
    assert new.number in words_of(earlier.content)
    record = text_of(after.doctor.get(after.desk))
    assert "Correct it" in record
    assert old.number in record


def test_a_correction_signs_only_what_the_doctor_has_looked_at() -> None:
    after = After()
    page = f"{after.desk}/prescription/replace"
    looked_at = {
        "do": "sign",
        "line": "",
        "reason": "Two tablets a day are enough",
        "seen": seen_on(after.doctor.post(page, {"do": "add", "line": "pcm 650 1-0-1 3d"})),
    }
    after.doctor.post(page, {"do": "add", "line": "cetirizine 10 HS 3d"})  # another window
    refused = after.doctor.post(page, looked_at)
    assert refused.status_code == 422
    assert "Something was changed after you looked at this" in text_of(refused)
    assert "Two tablets a day are enough" in text_of(refused)
    assert prescription_in_force(after.consultation) == after.signed
    again = after.doctor.post(page, looked_at | {"seen": seen_on(refused)})
    assert again.status_code == 303
    signed = prescription_in_force(after.consultation)
    assert signed
    assert [one["duration_days"] for one in signed.content["medicines"]] == [3, 3, 2]


def test_a_reason_typed_while_signing_a_correction_was_looked_at_too() -> None:
    after = After()
    page = f"{after.desk}/prescription/replace"
    asked = after.doctor.post(page, {"do": "add", "line": "pcm 650 2-2-2-2 2d"})
    (reason,) = re.findall(r'name="(reason_[^"]+)"', asked.content.decode())
    given = {"do": "sign", "line": "", "reason": "More is needed", "seen": seen_on(asked)}
    assert after.doctor.post(page, given | {reason: "High fever, watched"}).status_code == 303
    signed = prescription_in_force(after.consultation)
    assert signed
    assert signed != after.signed


def test_a_cancelled_one_leaves_nothing_to_take() -> None:
    after = After()
    _ = after.link
    page = f"{after.desk}/prescription/cancel"
    assert after.doctor.post(page, {"reason": ""}).status_code == 422
    assert after.doctor.post(page, {"reason": "The child is allergic"}).status_code == 303
    assert after.doctor.post(page, {"reason": "The child is allergic"}).status_code == 404
    own = text_of(after.patient.get(after.own))
    assert "The child is allergic" in own
    assert "How to take the medicines" not in own
    assert after.patient.get(f"{after.own}/plan").status_code == 303
    for seen in (
        Client().get("/verify", {"number": after.signed.number}),
        Client().post(after.link, {"answer": after.year}),
    ):
        assert "This prescription was cancelled" in text_of(seen)
        assert "allergic" not in text_of(seen)


def test_the_slip_is_for_who_waits() -> None:
    after = After()
    assert after.patient.get(f"{after.own}/slip").status_code == 404
    patient = factories.PatientFactory.create()
    held = factories.requested(factories.ClinicFactory.create(), patient)
    own = Client()
    factories.sign_in(own, Account.objects.get(id=patient.account_id))
    address = f"/consultations/28/{held.id}/slip"
    slip, printed = text_of(own.get(address)), words_of(own.get(f"{address}.pdf").content)
    assert "Your token 1 Meena Devi" in slip
    assert "Meena Devi" in printed
    # What rings is the page, not a phone that is merely near.
    for words in (slip, printed):
        assert "Keep the page of your token open" in words
    assert after.patient.get(address).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_accessible_and_fit(language: str) -> None:
    after, cancelled = After(), After()
    patient = factories.PatientFactory.create()
    held = factories.requested(factories.ClinicFactory.create(), patient)
    waiting = Client()
    factories.sign_in(waiting, Account.objects.get(id=patient.account_id))
    stranger = Client()
    for client in (after.patient, after.doctor, cancelled.patient, waiting, stranger):
        client.cookies["language"] = language
    replace = f"{after.desk}/prescription/replace"
    answers = {
        "share-new": after.patient.post(f"{after.own}/share", {"made_for": "My son"}),
        "shared-ask": stranger.get(after.link),
        "shared-wrong": stranger.post(after.link, {"answer": "1901"}),
        "shared": stranger.post(after.link, {"answer": after.year}),
        "shared-dead": stranger.get("/shared/x"),
        "plan": after.patient.get(f"{after.own}/plan"),
        "slip": waiting.get(f"/consultations/28/{held.id}/slip"),
        "offline": stranger.get("/verify/offline"),
        "replace": after.doctor.get(replace),
        "replace-refused": after.doctor.post(
            replace, {"do": "add", "line": "amoxicillin 500 tds 5d", "reason": ""}
        ),
        "cancel": after.doctor.post(f"{after.desk}/prescription/cancel", {"reason": ""}),
    }
    after.correct()
    cancelled.doctor.post(
        f"{cancelled.desk}/prescription/cancel", {"reason": "The child is allergic"}
    )
    answers |= {
        "after": after.patient.get(after.own),
        "after-cancelled": cancelled.patient.get(cancelled.own),
        "verify-replaced": stranger.get("/verify", {"number": after.signed.number}),
        "verify-cancelled": stranger.get("/verify", {"number": cancelled.signed.number}),
        "record": after.doctor.get(after.desk),
        "today": after.doctor.get("/desk/today"),
        "desk-before": _returning(language).get("/desk"),
    }
    for name, answer in answers.items():
        missing = (404,) if name == "shared-dead" else (200, 422)
        assert answer.status_code in missing, (name, answer.status_code)
    assert faults_in(answers, language) == []
