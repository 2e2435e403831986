"""What a doctor can do when the way bends, over HTTP: and what the page says afterwards."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sanjeevani.consultation.interruptions import interrupt
from sanjeevani.consultation.models import Consultation, NoteTemplate, ReferralLetter
from sanjeevani.consultation.services import get, not_answered, token_of, withdraw_consent
from sanjeevani.consultation.transfers import move_on
from sanjeevani.directory.models import Clinic, ClinicHours
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.identity.models import Account
from sanjeevani.intake.queries import intake_of
from sanjeevani.patients.models import Patient
from sanjeevani.prescription.models import DraftItem
from tests import factories
from tests.web.looks import LANGUAGES, faults_in
from tests.web.test_desk import (
    Desk,
    called,
    desk,
    in_progress,
    note_of,
    sign_in_doctor,
    text_of,
)

__all__ = ["desk"]

pytestmark = pytest.mark.django_db


def of_state(state_id: int, **clinic: Any) -> Clinic:
    """A clinic of another state that serves the patient's."""
    factories.StateFactory.create(lgd_code=state_id)
    facility = factories.FacilityFactory.create(state_id=state_id)
    line = factories.LineFactory.create(facility=facility)
    made: Clinic = factories.ClinicFactory.create(line=line, serves=[28, state_id], **clinic)
    return made


def own_page(case: Consultation) -> Client:
    """The browser of the patient."""
    client = Client()
    factories.sign_in(client, Account.objects.get(id=case.patient_account_id))
    return client


def address_of(case: Consultation) -> str:
    return f"/consultations/{case.state_id}/{case.id}"


@pytest.mark.parametrize("answered", [False, True])
def test_a_redirect_says_where_why_and_keeps_the_note_and_the_wait(
    desk: Desk, answered: bool
) -> None:
    skin = of_state(33, name="Skin OPD")
    closed = of_state(33, name="Closed OPD", hours=())
    foreign = factories.ClinicFactory.create(name="Not for us", serves=[])
    case = in_progress(desk) if answered else called(desk)
    since = token_of(case).waiting_since
    offered = desk.write(case, "find_opd").content.decode()
    assert "Skin OPD" in offered
    assert "no doctor on duty now" in offered
    for other in (closed, foreign, desk.clinic):
        assert other.name not in offered
    note = {"history": "A rash", "allergies": "Latex", "findings": "Red <b>rings</b>"}
    note = note if answered else {}
    wrong = desk.write(
        case, "redirect", in_page=False, clinic=f"28.{foreign.id}", redirect_reason="", **note
    )
    assert wrong.status_code == 422
    assert "This OPD cannot be asked any more." in text_of(wrong)
    assert "Say why you send the patient there." in text_of(wrong)
    chosen = {"clinic": f"33.{skin.id}", "redirect_reason": "A skin doctor <now>", **note}
    sent = desk.write(case, "redirect", in_page=False, **chosen)
    # Pressed again over a slow link, it is done already.
    again = desk.write(case, "redirect", in_page=False, **chosen)
    assert again.headers["Location"] == sent.headers["Location"]
    assert sent.headers["Location"] == "/desk?sent=1"
    assert "waits in the other OPD now" in text_of(desk.client.get(sent.headers["Location"]))
    moved = Consultation.objects.get(state_id=33)
    assert token_of(moved).waiting_since == since
    if answered:
        assert note_of(case).history == "A rash"
    page = own_page(case).get(address_of(moved)).content.decode()
    assert "You have been sent on to this OPD" in page
    assert "A skin doctor &lt;now&gt;" in page
    # The next doctor reads why. The first one's second window is told that it is over.
    there = factories.on_duty(skin, state_id=33)
    sign_in_doctor(other := Client(), there)
    other.post(reverse("doctor:next"))
    page = other.get(reverse("doctor:desk")).content.decode()
    shown = text_of(other.get(reverse("doctor:desk")))
    assert "Sent on by Dr Asha Rao: “A skin doctor" in shown
    # What was written is before them, to read only, and the reading is on the audit trail.
    assert ("What Dr Asha Rao wrote" in shown) is answered
    rows = AuditEvent.objects.filter(
        state_id=28, verb="consultation.read", record_id=case.id, account_id=there.account_id
    )
    assert rows.exists() is answered
    if answered:
        assert "Findings Red &lt;b&gt;rings" in shown
        assert 'class="glance__danger"><dt>Allergies not told before' in page
        record = reverse("doctor:record", args=[case.state_id, case.id])
        assert record in page
        assert "Red &lt;b&gt;rings" in text_of(other.get(record))
    stale = desk.write(case, "redirect", clinic=f"33.{skin.id}", redirect_reason="Again")
    assert stale.status_code == 409
    assert Consultation.objects.filter(state_id=33).count() == 1


def test_a_patient_sent_on_twice_brings_what_each_doctor_wrote(desk: Desk) -> None:
    skin, bones = of_state(33, name="Skin OPD"), of_state(32, name="Bones OPD")
    case = in_progress(desk)
    desk.write(case, "add_diagnosis:L30.9")
    at = {"clinic": f"33.{skin.id}", "redirect_reason": "A rash", "findings": "Rings"}
    desk.write(case, "redirect", in_page=False, **at)
    there = factories.on_duty(skin, state_id=33)
    sign_in_doctor(second := Client(), there)
    second.post(reverse("doctor:next"))
    moved = Consultation.objects.get(state_id=33)
    own_page(case).post(f"{address_of(moved)}/answer")
    at = {"clinic": f"32.{bones.id}", "redirect_reason": "Joints hurt", "advice": "Rest the knee"}
    Desk(second, skin, there).write(moved, "redirect", in_page=False, **at)
    last = factories.on_duty(bones, state_id=32)
    sign_in_doctor(third := Client(), last)
    third.post(reverse("doctor:next"))
    shown = text_of(third.get(reverse("doctor:desk")))
    assert "Joints hurt" in shown
    assert shown.index("Rest the knee") < shown.index("Why sent on A rash") < shown.index("Rings")
    # Consent withdrawn: the doctor who has the patient reads on, nothing of before.
    patient = Patient.objects.get(state_id=case.patient_state_id, id=case.patient_id)
    withdraw_consent(factories.person(patient.account_id), patient=patient, language="en")
    later = text_of(third.get(reverse("doctor:desk")))
    assert "Rest the knee" not in later


def test_asked_for_more_the_patient_answers_and_keeps_the_place(desk: Desk) -> None:
    factories.SymptomFactory.create()
    case = called(desk, complaints=["fever"])
    since = token_of(case).waiting_since
    assert desk.write(case, "return", in_page=False, missing=" ").status_code == 422
    assert desk.write(case, "return", in_page=False, missing="x" * 301).status_code == 422
    done = desk.write(case, "return", in_page=False, missing="Since when?")
    assert done.headers["Location"] == "/desk?returned=1"
    patient = own_page(case)
    page = patient.get(address_of(case)).content.decode()
    assert "Since when?" in page
    assert "time you waited is kept" in page
    typed = {"complaints": ["fever"], "text": "Since Monday", "duration": "2"}
    night = ClinicHours.objects.filter(state_id=28, clinic_id=desk.clinic.id)
    kept = list(night.values())
    night.delete()
    refused = patient.post(f"{address_of(case)}/again", typed | {"duration_unit": "days"})
    assert refused.status_code == 422
    assert "closed now" in refused.content.decode()
    assert "Since Monday" in refused.content.decode()
    for row in kept:
        night.create(**row)
    sent = patient.post(f"{address_of(case)}/again", typed | {"duration_unit": "days"})
    assert sent.headers["Location"] == address_of(case)
    waits_since = token_of(get(28, case.id)).waiting_since
    assert since <= waits_since <= since + datetime.timedelta(seconds=60)
    assert intake_of(28, case.id).text == "Since Monday"
    # Sent twice, from another window: once.
    again = patient.post(f"{address_of(case)}/again", typed | {"duration_unit": "days"})
    assert again.headers["Location"] == address_of(case)
    desk.post("next")
    assert "A doctor noted before: “Since when?”" in text_of(desk.get())


def test_handed_back_with_a_reason_the_next_doctor_reads_it(desk: Desk, client: Client) -> None:
    case = called(desk)
    assert desk.write(case, "hand_back", in_page=False).status_code == 422
    desk.write(case, "hand_back", in_page=False, hand_back_reason="My own sister")
    assert "passed you on to another one" in own_page(case).get(address_of(case)).content.decode()
    sign_in_doctor(other := Client(), factories.on_duty(desk.clinic))
    other.post(reverse("doctor:next"))
    assert "My own sister" in text_of(other.get(reverse("doctor:desk")))


def test_broken_off_resumed_in_place_broken_off_and_given_up(desk: Desk) -> None:
    case = in_progress(desk)
    patient = own_page(case)
    desk.write(case, "interrupt", in_page=False, history="H")
    assert note_of(case).history == "H"
    shown = text_of(desk.get())
    assert "The connection to the patient is lost." in shown
    assert "What you wrote is kept." in shown
    assert "The doctor is still there" in patient.get(address_of(case)).content.decode()
    desk.write(case, "resume", in_page=False)
    assert get(28, case.id).status == "in_progress"
    assert desk.write(case, "not_reachable").status_code == 409
    interrupt(SYSTEM, state_id=28, consultation_id=case.id)
    gone = desk.write(case, "not_reachable", in_page=False)
    assert gone.headers["Location"] == "/desk?given-up=1"
    assert "the doctor could not reach you" in patient.get(address_of(case)).content.decode()
    assert "Sent on or not held today" in text_of(desk.get("today"))


def test_who_has_said_all_finishes_although_the_patient_is_lost(desk: Desk) -> None:
    case = in_progress(desk)
    patient = own_page(case)
    interrupt(SYSTEM, state_id=28, consultation_id=case.id)
    early = desk.write(case, "done", in_page=False, outcome="advice")
    assert early.status_code == 422
    done = desk.write(case, "done", in_page=False, outcome="advice", advice="Rest for a day.")
    assert done.status_code == 303
    assert get(28, case.id).status == "completed"
    assert "Rest for a day." in patient.get(address_of(case)).content.decode()
    sign_in_doctor(other := Client(), factories.on_duty(desk.clinic))
    other.post(reverse("doctor:next"))
    assert "Nobody is with you now" in text_of(other.get(reverse("doctor:desk")))


def test_a_call_rings_longer_once_and_no_answer_shows_at_the_next(desk: Desk) -> None:
    case = called(desk)
    assert desk.write(case, "ring_again", in_page=False).status_code == 303
    assert desk.write(case, "ring_again", in_page=False).status_code == 409
    later = clock.now() + datetime.timedelta(minutes=5)
    with clock.driven_by(lambda: later):
        not_answered(SYSTEM, state_id=28, token_id=case.token_id)
    desk.post("next")
    assert "Called before, no answer" in text_of(desk.get())


def test_the_desk_says_which_call_is_the_last_and_what_became_of_it(desk: Desk) -> None:
    """Nobody waits behind the next two after the second call: it ends."""
    case = called(desk)
    first = desk.get("call")
    assert 'data-gone="unanswered"' in first.content.decode()
    assert "is called once more" in text_of(first)
    later = clock.now() + datetime.timedelta(minutes=3)
    with clock.driven_by(lambda: later):
        not_answered(SYSTEM, state_id=28, token_id=case.token_id)
        desk.post("next")
    last = desk.get("call")
    assert 'data-gone="expired"' in last.content.decode()
    assert "This is the last call" in text_of(last)
    assert "is called once more" not in text_of(last)
    with clock.driven_by(lambda: later + datetime.timedelta(minutes=3)):
        not_answered(SYSTEM, state_id=28, token_id=case.token_id)
    assert get(28, case.id).status == "abandoned"
    assert "this request has ended" in text_of(desk.client.get("/desk?expired=1"))


def test_a_break_and_going_say_where_the_waiting_go(desk: Desk) -> None:
    case = factories.requested(desk.clinic, factories.PatientFactory.create())
    desk.post("duty", to="break")
    assert "they wait for you" in text_of(desk.get())
    assert "After five minutes they are taken" in text_of(desk.post("duty", to="off"))
    desk.post("duty", to="off", sure="yes")
    patient = own_page(case)
    page = patient.get(address_of(case)).content.decode()
    assert "If no doctor comes within five minutes" in page
    factories.on_duty(factories.ClinicFactory.create())
    moved = move_on(SYSTEM, state_id=28, token_id=case.token_id)
    assert moved
    page = patient.get(address_of(moved)).content.decode()
    assert "No doctor was left in your first OPD" in page


# Templates


def test_what_stands_on_the_desk_is_kept_and_put_in_again(desk: Desk, reference: None) -> None:
    first = in_progress(desk)
    desk.write(first, "add_diagnosis:J06.9", advice="Steam twice a day")
    desk.write(first, "add_line", line="pcm 650 1-0-1 5d after food")
    assert desk.write(first, "keep_template", shorthand="two words").status_code == 422
    kept = desk.write(first, "keep_template", shorthand="URI", advice="Steam twice a day")
    assert kept.headers["X-Taken"] == "shorthand"
    assert "Kept as uri" in text_of(kept)
    assert desk.write(first, "keep_template", shorthand="uri").status_code == 422
    desk.write(first, "remove_item:" + str(DraftItem.objects.get(state_id=28).id))
    desk.write(first, "done", in_page=False, outcome="advice")

    second = in_progress(desk)
    assert desk.write(second, "use_template", template="nothing").status_code == 422
    put = desk.write(second, "use_template", template="uri ", advice="Rest")
    assert put.status_code == 200, text_of(put)
    assert put.headers["X-Taken"] == "template"
    assert "Rest\nSteam twice a day" in put.content.decode()
    assert note_of(second).advice == "Rest\nSteam twice a day"
    assert "remove_diagnosis:J06.9" in put.content.decode()
    item = DraftItem.objects.get(state_id=28, consultation_id=second.id)
    assert (item.medicine_code, item.frequency, item.duration_days, item.instruction_code) == (
        "paracetamol-tablet-650mg",
        "BD",
        5,
        "after_food",
    )
    desk.write(second, "use_template:uri", advice="Rest\nSteam twice a day")
    assert note_of(second).advice == "Rest\nSteam twice a day"


@pytest.mark.parametrize(
    ("code", "words", "printed"),
    [
        (
            "for_fever_or_pain",
            "only above 38.5, never more than 4",
            "only above 38.5, never more than 4",
        ),
        ("after_food", "stop if there is a rash", "after food stop if there is a rash"),
    ],
)
def test_a_template_keeps_the_doctors_own_words_beside_the_phrase(
    desk: Desk, reference: None, code: str, words: str, printed: str
) -> None:
    first = in_progress(desk)
    line: Any = {
        "medicine_code": "paracetamol-tablet-650mg",
        "dose": "1",
        "frequency": "BD",
        "duration_days": "5",
        "instruction_code": code,
        "instructions": words,
    }
    desk.write(first, "add_item", **line)
    desk.write(first, "keep_template", shorthand="fever")
    desk.write(first, "remove_item:" + str(DraftItem.objects.get(state_id=28).id))
    desk.write(first, "use_template", template="fever")
    item = DraftItem.objects.get(state_id=28)
    assert item.instructions == printed
    assert item.instruction_code == "for_fever_or_pain"


def test_templates_are_changed_and_deleted_by_their_own_doctor_only(
    desk: Desk, reference: None
) -> None:
    empty = desk.post("templates", shorthand="uri")
    assert empty.status_code == 422
    wrong = desk.post("templates", shorthand="uri", diagnosis_codes="XX9", lines="unheardof 1-0-1")
    assert "XX9 is no code" in text_of(wrong)
    assert "Write this line with one medicine" in text_of(wrong)
    too_many = ", ".join(["J06.9"] * 3)
    made = desk.post("templates", shorthand="uri", advice="Steam", diagnosis_codes=too_many)
    assert made.status_code == 303
    template = NoteTemplate.objects.get(state_id=28)
    assert template.diagnosis_codes == ["J06.9"]
    assert desk.post("templates", shorthand="Uri", advice="x").status_code == 422
    desk.post("template", template.id, shorthand="cold", advice="Steam", favourite="on")
    assert NoteTemplate.objects.get(state_id=28).shorthand == "cold"
    sign_in_doctor(other := Client(), factories.on_duty(desk.clinic))
    assert other.get(reverse("doctor:template", args=[template.id])).status_code == 404
    other.post(reverse("doctor:template-delete", args=[template.id]))
    assert "cold" not in other.get(reverse("doctor:templates")).content.decode()
    assert NoteTemplate.objects.filter(state_id=28).exists()
    for _twice in range(2):
        gone = desk.post("template-delete", template.id)
        assert gone.headers["Location"] == "/desk/templates?deleted=1"
    assert not NoteTemplate.objects.filter(state_id=28).exists()


# Letters


def test_an_outcome_in_person_takes_a_letter_along(desk: Desk, reference: None) -> None:
    case = in_progress(desk)
    incomplete = desk.write(
        case, "done", in_page=False, outcome="in_person", advice="Rest", refer_to="PHC"
    )
    assert incomplete.status_code == 422
    assert "Write why the patient should go there." in text_of(incomplete)
    assert 'value="PHC"' in incomplete.content.decode()
    assert not ReferralLetter.objects.filter(state_id=28).exists()
    done = desk.write(
        case,
        "done",
        in_page=False,
        outcome="emergency",
        refer_to="District Hospital",
        letter_reason="Chest pain <now>",
    )
    assert done.headers["Location"] == "/desk?finished=1"
    letter = ReferralLetter.objects.get(state_id=28, consultation_id=case.id)
    assert letter.urgency == "emergency"
    patient = own_page(case)
    page = patient.get(address_of(case)).content.decode()
    assert "Take it to: District Hospital." in page
    assert "Go at once." in page
    for language in ("en", "hi"):
        paper = patient.get(f"{address_of(case)}/letter.pdf?language={language}")
        assert paper.content.startswith(b"%PDF")
        assert desk.client.get(
            reverse("doctor:letter", args=[28, case.id]), {"language": language}
        ).content.startswith(b"%PDF")
    stranger = own_page(factories.requested(desk.clinic, factories.PatientFactory.create()))
    assert stranger.get(f"{address_of(case)}/letter.pdf").status_code == 404


def test_advice_takes_no_letter_whatever_was_typed(desk: Desk) -> None:
    case = in_progress(desk)
    desk.write(
        case,
        "done",
        in_page=False,
        outcome="advice",
        advice="Rest",
        refer_to="X",
        letter_reason="Y",
    )
    assert not ReferralLetter.objects.filter(state_id=28).exists()
    assert own_page(case).get(f"{address_of(case)}/letter.pdf").status_code == 404


# Looks


def pages(desk: Desk, language: str) -> dict[str, Any]:
    """Every page of this file with something on it."""
    desk.client.cookies["language"] = language
    skin = of_state(33, name="Skin OPD")
    shown: dict[str, Any] = {}
    case = called(desk, complaints=["fever"])
    shown["desk-called"] = desk.write(case, "find_opd", in_page=False)
    shown["desk-return-wrong"] = desk.write(case, "return", in_page=False, missing="")

    def patients(one: Consultation) -> Any:
        client = own_page(one)
        client.cookies["language"] = language
        return client.get(address_of(one))

    desk.write(case, "return", in_page=False, missing="Since when is it swollen?")
    shown["patient-returned"] = patients(case)
    case = in_progress(desk, complaints=["fever"])
    desk.post("templates", shorthand="uri", favourite="on", advice="Steam", lines="")
    shown["templates"] = desk.get("templates")
    shown["template"] = desk.get("template", NoteTemplate.objects.get(state_id=28).id)
    shown["desk-in-progress"] = desk.write(
        case, "done", in_page=False, outcome="in_person", advice="Rest"
    )
    desk.write(case, "interrupt", in_page=False)
    shown["desk-interrupted"] = desk.get()
    shown["patient-interrupted"] = patients(case)
    desk.write(case, "resume", in_page=False)
    desk.write(
        case,
        "done",
        in_page=False,
        outcome="in_person",
        refer_to="District Hospital Guntur, chest clinic",
        letter_reason="An X-ray of the chest is needed.",
    )
    shown["patient-letter"] = patients(case)
    shown["doctor-record"] = desk.get("record", case.state_id, case.id)
    case = in_progress(desk, text="Rash", vitals={"heart_rate": 88.0, "body_temperature": 38.2})
    note = {"findings": "Red rings on both arms", "allergies": "Latex"}
    at = {"clinic": f"33.{skin.id}", "redirect_reason": "A skin doctor"}
    desk.write(case, "redirect", in_page=False, **at, **note)
    moved = Consultation.objects.get(state_id=33)
    shown["patient-sent-on"] = patients(moved)
    specialist = factories.on_duty(skin, state_id=33)
    sign_in_doctor(other := Client(), specialist)
    other.post(reverse("doctor:next"))
    other.cookies["language"] = language
    shown["desk-sent-on"] = other.get(reverse("doctor:desk"))
    factories.requested(desk.clinic, factories.PatientFactory.create())
    desk.post("duty", to="break")
    shown["desk-break"] = desk.get()
    shown["desk-leaving"] = desk.post("duty", to="off")
    shown["desk-day"] = desk.get("today")
    return shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits(desk: Desk, language: str) -> None:
    factories.SymptomFactory.create()
    answers = pages(desk, language)
    for name, answered in answers.items():
        assert answered.status_code in (200, 422), (name, answered.status_code)
    assert faults_in(answers, language) == []
