"""A signed prescription cannot be changed, and a forced change is found out."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError, connections, transaction

from sanjeevani.consultation.models import Consultation, Outcome
from sanjeevani.consultation.services import NoteContent, answer, call_next, write_note
from sanjeevani.documents.signing import sign_statement
from sanjeevani.foundation.errors import Invalid, NotPermitted
from sanjeevani.patients.models import Patient
from sanjeevani.prescription.content import statement as statement_of
from sanjeevani.prescription.documents import medicines_in
from sanjeevani.prescription.errors import (
    AdviceChanged,
    CheckedOtherwise,
    DiagnosisChanged,
    DiagnosisMissing,
    MedicineRefused,
    NothingPrescribed,
    NotSigned,
    ReasonMissing,
    RemovedButSigned,
    UnsignedDraft,
)
from sanjeevani.prescription.models import DraftItem, Prescription
from sanjeevani.prescription.queries import (
    Validity,
    circumstances_of,
    draft_of,
    rule_tables,
    verify,
    verify_number,
)
from sanjeevani.prescription.rules import Weight
from sanjeevani.prescription.services import MOST_ITEMS, add_item, conclude, remove_item, sign
from sanjeevani.prescription.shorthand import parse
from sanjeevani.web.verification.views import LONGEST_STATEMENT
from tests.factories import ClinicFactory, PatientFactory, doctor, on_duty, person, requested

pytestmark = [
    pytest.mark.django_db(databases=["default", "owner"]),
    pytest.mark.usefixtures("reference"),
]

COLD = [("J00", "Acute nasopharyngitis [common cold]")]


class Desk:
    """A consultation in progress, and what its doctor does."""

    def __init__(self, patient: Patient | None = None, **content: Any) -> None:
        clinic = ClinicFactory()
        requested(clinic, patient or PatientFactory(), **(content or {"text": "Fever"}))
        self.practitioner = on_duty(clinic)
        self.actor = doctor(self.practitioner)
        called = call_next(self.actor, practitioner=self.practitioner)
        self.consultation: Consultation = answer(
            person(called.patient_account_id),
            state_id=called.state_id,
            consultation_id=called.id,
        )
        self.at: dict[str, Any] = {
            "practitioner": self.practitioner,
            "state_id": called.state_id,
            "consultation_id": called.id,
        }

    def note(self, diagnoses: list[tuple[str, str]], **more: Any) -> None:
        """Write a note."""
        content = replace(NoteContent(advice="Rest", history="Since Sunday"), **more)
        write_note(self.actor, **self.at, content=content, diagnoses=diagnoses)

    def prescribe(self, line: str, **changes: Any) -> None:
        """Add a line as typed."""
        item = parse(line).item
        assert item
        add_item(self.actor, **self.at, item=type(item)(**{**vars(item), **changes}))

    def sign(self) -> Prescription:
        """Sign the draft."""
        return sign(self.actor, **self.at)


@pytest.fixture
def signed() -> Prescription:
    """A signed prescription."""
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    return desk.sign()


def test_a_line_of_a_full_draft_can_be_changed_and_keeps_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sanjeevani.prescription.services.MOST_ITEMS", 2)
    desk = Desk()
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.prescribe("cetirizine 10 OD 5d")
    first, second = (line.item.medicine_code for line in draft_of(desk.consultation))

    desk.prescribe("pcm 650 1-0-1 3d")

    lines = draft_of(desk.consultation)
    assert [line.item.medicine_code for line in lines] == [first, second]
    assert lines[0].item.duration_days == 3
    with pytest.raises(Invalid):
        desk.prescribe("ors")


def test_a_line_added_after_others_were_removed_comes_last() -> None:
    desk = Desk()
    for typed in ("pcm 650 1-0-1 5d", "cetirizine 10 OD 5d", "ors"):
        desk.prescribe(typed)
    for line in draft_of(desk.consultation)[:2]:
        remove_item(desk.actor, **desk.at, item_id=line.item.id)
    (left,) = draft_of(desk.consultation)

    desk.prescribe("pcm 650 1-0-1 5d")

    assert draft_of(desk.consultation)[0].medicine == left.medicine


def test_what_was_signed_is_verified_by_code_and_by_number(signed: Prescription) -> None:
    for verification in (verify(signed.signature), verify_number(signed.number)):
        assert verification.validity == Validity.VALID
        assert verification.statement
        assert verification.statement["number"] == signed.number
        assert "Meena Devi" not in str(verification.statement)


def test_what_a_pharmacy_reads_names_the_form_and_the_unit() -> None:
    """Of one strength there are eye drops and ear drops; five is nothing without its unit."""
    desk = Desk()
    Consultation.objects.filter(state_id=desk.at["state_id"], id=desk.at["consultation_id"]).update(
        encounter_kind="follow_up"
    )
    desk.note(COLD)
    for line in (
        "ciplox ed 1 drop qid 5d",
        "cipro 0.3 ear drops 3 drops tds 5d",
        "pcm syp 125 5ml tds 3d",
        "cetirizine 10 hs 5d",
    ):
        desk.prescribe(line, override_reason="Borne well so far")
    statement = verify_number(desk.sign().number).statement
    assert statement
    assert statement["medicines"] == [
        "Ciprofloxacin 0.3 %, eye drops, 1 drop QID, 5d",
        "Ciprofloxacin 0.3 %, ear drops, 3 drops TDS, 5d",
        "Paracetamol 125 mg/5 mL, syrup, 5 mL TDS, 3d",
        "Cetirizine 10 mg, 1 tablet HS, 5d",
    ]


def test_doses_that_differ_through_the_day_are_not_read_as_one_of_them() -> None:
    """ "1 unit, 20-0-10" of insulin might be injected as one unit."""
    desk = Desk()
    Consultation.objects.filter(state_id=desk.at["state_id"], id=desk.at["consultation_id"]).update(
        encounter_kind="follow_up"
    )
    desk.note(COLD)
    desk.prescribe("insulin premix 20-0-10 30d")
    prescription = desk.sign()
    [read] = medicines_in(prescription, "en")
    assert (read.dose, read.frequency) == ("20-0-10 units", "")
    assert read.by_slot == {"morning": "20", "night": "10"}
    assert read.units == {"morning": "units", "night": "units"}
    [hindi] = medicines_in(prescription, "hi")
    assert hindi.dose == "20-0-10 यूनिट"
    statement = verify_number(prescription.number).statement
    assert statement
    [line] = statement["medicines"]
    assert line.endswith("20-0-10 units, 30d")


def test_the_longest_statement_is_read_by_every_door() -> None:
    """Twenty medicines with the longest lines, of a doctor whose name is long in Devanagari."""
    listed = sorted(
        rule_tables().medicines.values(),
        key=lambda one: -len(f"{one.generic_name}{one.strength}{one.form}"),
    )[:MOST_ITEMS]
    content: Any = {
        "number": "0000-0000-0000",
        "issued_on": "2026-11-28",
        "practitioner": {"name": "वि" * 60, "registration": "AP/2026/" + "9" * 40},
        "patient": {"name": "क ख ग", "birth_date": "1990-01-01"},
        "medicines": [
            {name: getattr(one, name) for name in ("generic_name", "strength", "form")}
            | {"dose": "12.25", "frequency": "EACH_STOOL", "duration_days": 90}
            for one in listed
        ],
    }
    assert len(sign_statement(dict(statement_of(content)))) < LONGEST_STATEMENT


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prescription_prescription SET content = '{}' WHERE state_id = %s AND id = %s",
        "DELETE FROM prescription_prescription WHERE state_id = %s AND id = %s",
        "SELECT 1 FROM prescription_prescription WHERE state_id = %s AND id = %s FOR UPDATE",
    ],
)
def test_the_serving_role_cannot_change_it(signed: Prescription, statement: str) -> None:
    connection = connections["default"]
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [signed.state_id, signed.id])


def test_a_changed_code_is_not_ours(signed: Prescription) -> None:
    middle = len(signed.signature) // 2
    changed = "A" if signed.signature[middle] != "A" else "B"
    forged = signed.signature[:middle] + changed + signed.signature[middle + 1 :]
    assert verify(forged).validity == Validity.FORGED


def test_signing_again_supersedes(signed: Prescription) -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    first = desk.sign()
    desk.prescribe("ors 1 els 2d")
    second = desk.sign()
    assert second.supersedes_id == first.id
    assert verify_number(first.number).validity == Validity.SUPERSEDED
    assert verify_number(second.number).validity == Validity.VALID
    assert verify_number(signed.number).validity == Validity.VALID


def test_what_has_to_stand_there_is_asked_for() -> None:
    desk = Desk()
    with pytest.raises(NothingPrescribed):
        desk.sign()
    desk.prescribe("pcm 650 1-0-1 5d")
    with pytest.raises(DiagnosisMissing):
        desk.sign()
    desk.note(COLD)
    with pytest.raises(NotSigned):
        conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION)
    with pytest.raises(UnsignedDraft):
        conclude(desk.actor, **desk.at, outcome=Outcome.ADVICE)
    desk.sign()
    done = conclude(desk.actor, **desk.at, outcome=Outcome.ADVICE)
    assert done.outcome == Outcome.PRESCRIPTION


@pytest.mark.parametrize(
    ("line", "findings"),
    [
        # Ten kilograms, 60 mg/kg: the note has no weight, the spoke has measured it.
        ("pcm syp 250 8 ml sos 3d", []),
        ("pcm syp 250 15 ml sos 3d", ["daily_dose"]),
        ("pcm syp 250 5 ml tds 3d", ["daily_dose"]),
        ("azithromycin 500 2 tab weekly 21d", ["daily_dose"]),
    ],
)
def test_a_limit_holds_for_the_day_and_by_the_weight_that_was_measured(
    line: str, findings: list[str]
) -> None:
    desk = Desk(text="Fever", vitals={"body_weight": 10.0})
    Consultation.objects.filter(state_id=desk.at["state_id"], id=desk.at["consultation_id"]).update(
        encounter_kind="follow_up"
    )
    desk.consultation.encounter_kind = "follow_up"
    desk.prescribe(line)
    (drafted,) = draft_of(desk.consultation)
    assert [one.code for one in drafted.findings] == findings


@pytest.mark.parametrize(("written", "printed"), [(None, "10.4"), (Decimal(11), "11")])
def test_the_weight_that_doses_were_checked_by_stands_on_the_paper(
    written: Decimal | None, printed: str
) -> None:
    """Whoever hands out the medicine checks a child's dose by it; the doctor's word goes first."""
    desk = Desk(text="Fever", vitals={"body_weight": 10.4, "body_height": 78.0})
    content = NoteContent(advice="Rest", weight_kg=written)
    write_note(desk.actor, **desk.at, content=content, diagnoses=COLD)
    desk.prescribe("cetirizine 10 hs 5d")
    patient = desk.sign().content["patient"]
    assert (patient["weight_kg"], patient["height_cm"]) == (printed, "78")


def test_what_was_removed_after_signing_is_not_left_to_the_patient_unsaid() -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.prescribe("cetirizine 10 hs 5d")
    desk.sign()
    remove_item(desk.actor, **desk.at, item_id=draft_of(desk.consultation)[1].item.id)
    with pytest.raises(RemovedButSigned):
        conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION)
    desk.sign()
    assert conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION).outcome


def test_a_diagnosis_changed_after_signing_is_signed_again() -> None:
    """The paper names the diagnosis to the next doctor, and to who pays."""
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.sign()
    desk.note([("J18.9", "Pneumonia, unspecified organism")])
    with pytest.raises(DiagnosisChanged):
        conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION)
    again = desk.sign()
    assert [one["code"] for one in again.content["diagnoses"]] == ["J18.9"]
    assert conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION).outcome


@pytest.mark.parametrize("name", ["advice", "investigations", "come_back"])
def test_what_tells_the_patient_what_to_do_is_signed_again(name: str) -> None:
    """At home the paper is what is read: new advice that is not on it is not followed."""
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.sign()
    desk.note(COLD, **{name: "If the fever stays for 3 days"})
    with pytest.raises(AdviceChanged):
        conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION)
    assert desk.sign().content[name] == "If the fever stays for 3 days"
    assert conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION).outcome


def test_a_space_or_a_line_in_the_doctors_own_notes_asks_for_no_other_signature() -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.sign()
    desk.note(COLD, advice="Rest \n", history="Since Sunday, no chills")
    assert conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION).outcome


@pytest.mark.parametrize(
    ("name", "value"),
    [("allergies", "penicillin"), ("medicines", "warfarin"), ("weight_kg", Decimal("9.5"))],
)
def test_medicines_are_checked_again_by_what_was_heard_after_signing(
    name: str, value: object
) -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.sign()
    desk.note(COLD, **{name: value})
    with pytest.raises(CheckedOtherwise):
        conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION)
    desk.prescribe("pcm 650 1-0-1 5d", override_reason="Looked at again")
    desk.sign()
    assert conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION).outcome


def test_who_has_said_neither_male_nor_female_may_be_pregnant() -> None:
    assert not circumstances_of(Desk(PatientFactory(gender="other")).consultation).is_male


def test_instructions_changed_after_signing_are_signed_again() -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.sign()
    desk.prescribe("pcm 650 1-0-1 5d only above 38.5")
    with pytest.raises(UnsignedDraft):
        conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION)


@pytest.mark.parametrize(
    ("line", "too_often"),
    [
        ("mtx 2.5 4t od 28d", True),
        ("mtx 2.5 4t 1-0-0 28d", True),
        ("mtx 2.5 4t alt 28d", True),
        ("mtx 2.5 4t twice weekly 28d", True),
        ("mtx 2.5 4t weekly 28d", False),
        ("vit d 60000 cap od 30d", True),
        ("vit d 60000 cap monthly 90d", False),
        ("vit d 60000 cap stat", False),
        ("pcm 650 q6h 3d", False),
    ],
)
def test_what_is_taken_once_a_week_is_not_signed_for_every_day_without_a_reason(
    line: str, too_often: bool
) -> None:
    """Methotrexate every day instead of every week has killed patients."""
    desk = Desk(PatientFactory(gender="male"), text="Pain in the joints")
    Consultation.objects.filter(state_id=desk.at["state_id"], id=desk.at["consultation_id"]).update(
        encounter_kind="follow_up"
    )
    desk.consultation.encounter_kind = "follow_up"
    desk.note([("M06.9", "Rheumatoid arthritis, unspecified")])
    desk.prescribe(line)
    (drafted,) = draft_of(desk.consultation)
    assert ("too_often" in {one.code for one in drafted.findings}) is too_often
    if too_often:
        with pytest.raises(ReasonMissing):
            desk.sign()


@pytest.mark.parametrize("code", ["Z34.9", "O21.0", "O99.0"])
@pytest.mark.parametrize("answers", [{}, {"pregnant": False}])
def test_a_pregnancy_that_the_doctor_found_asks_for_a_reason(
    code: str, answers: dict[str, bool]
) -> None:
    """She may not have known it, or not said it, when she was asked."""
    desk = Desk(PatientFactory(gender="female"), text="Sick every morning", answers=answers)
    desk.prescribe("povidone oint bd 5d")
    desk.note([(code, "What the doctor found")])
    (line,) = draft_of(desk.consultation)
    assert ("pregnancy", Weight.REASON) in [(one.code, one.weight) for one in line.findings]
    with pytest.raises(ReasonMissing):
        desk.sign()
    desk.note([("O92.1", "Cracked nipple associated with childbirth")])
    assert desk.sign()


def test_who_comes_for_care_in_pregnancy_is_pregnant_unless_she_says_no() -> None:
    for answers, weighed in (({}, True), ({"pregnant": False}, False)):
        desk = Desk(PatientFactory(gender="female"), complaints=["pregnancy_care"], answers=answers)
        desk.prescribe("povidone oint bd 5d")
        (line,) = draft_of(desk.consultation)
        assert any(one.weight == Weight.REASON for one in line.findings) is weighed


def test_whose_registration_is_not_verified_any_more_does_not_sign() -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.practitioner.verified_at = None
    with pytest.raises(NotPermitted):
        desk.sign()


@pytest.mark.parametrize("dose", ["0.125", "0.375", "0.004"])
def test_a_dose_is_never_rounded_to_another(dose: str) -> None:
    desk = Desk()
    with pytest.raises(Invalid) as refused:
        desk.prescribe("pcm drops 1ml tds 3d", dose=Decimal(dose))
    assert refused.value.field == "dose"
    desk.prescribe("pcm drops 0.250ml tds 3d")
    (line,) = draft_of(desk.consultation)
    assert line.item.dose == Decimal("0.25")


def test_one_dose_is_not_written_for_several_days() -> None:
    """On paper it would say “once” and “five days”, and each reader would choose."""
    desk = Desk()
    with pytest.raises(Invalid) as refused:
        desk.prescribe("pcm 650 stat 5d")
    assert refused.value.field == "duration_days"
    desk.prescribe("pcm 650 stat")


def test_a_refused_medicine_leaves_nothing_in_the_draft() -> None:
    """In a first consultation by chat, list A needs the video."""
    desk = Desk()
    with pytest.raises(MedicineRefused) as refused:
        desk.prescribe("amoxicillin 500 tds 5d")
    assert [finding.code for finding in refused.value.findings] == ["list_a_needs_video"]
    assert not DraftItem.objects.filter(
        state_id=desk.at["state_id"], consultation_id=desk.at["consultation_id"]
    ).exists()


def test_an_override_stands_with_its_reason() -> None:
    desk = Desk(text="Fever", allergies="paracetamol")
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    with pytest.raises(ReasonMissing):
        desk.sign()
    desk.prescribe("pcm 650 1-0-1 5d", override_reason="Took it last week without any reaction")
    line = desk.sign().content["medicines"][0]
    assert line["overridden"] == ["allergy"]
    assert line["override_reason"] == "Took it last week without any reaction"
