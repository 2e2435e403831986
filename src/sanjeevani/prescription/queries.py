"""Reads of drafts and prescriptions; the caller has read the consultation through its queries."""

import datetime
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from sanjeevani.calls.queries import PICTURES, modes_used
from sanjeevani.consultation.models import Consultation, EncounterKind, Note
from sanjeevani.consultation.queries import Writing, writing_of
from sanjeevani.directory.models import Gender
from sanjeevani.documents.signing import SignatureInvalid, verify_statement
from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.foundation.errors import NotFound
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import intake_of
from sanjeevani.intake.triage import PREGNANT
from sanjeevani.prescription.content import Statement, digest
from sanjeevani.prescription.dosing import dosing
from sanjeevani.prescription.earlier import earlier_of, joined
from sanjeevani.prescription.models import (
    DraftItem,
    EndKind,
    Prescription,
    PrescriptionEnd,
    PrescriptionNumber,
)
from sanjeevani.prescription.rules import Circumstances, Finding, Knowledge, Line, check
from sanjeevani.terminology.models import AllergyGroup, Ingredient, Interaction, Medicine
from sanjeevani.terminology.pregnancy import say_pregnant
from sanjeevani.terminology.queries import all_medicines, medicines_coded, reference_edition
from sanjeevani.terminology.vitals import HEIGHT, WEIGHT


@dataclass(frozen=True)
class DraftLine:
    """A line of the draft with its medicine and what speaks against it."""

    item: DraftItem
    medicine: Medicine
    findings: list[Finding]


_items = Compiled(
    lambda: DraftItem.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).order_by("position", "id")
)


def draft_of(
    consultation: Consultation,
    *,
    intake: IntakeContent | None = None,
    written: Writing | None = None,
    from_tables: bool = False,
) -> list[DraftLine]:
    """Return the draft's lines in order, each checked beside the others and what runs still.

    `intake` and `written`: those of the consultation, if the caller has just read them.
    `from_tables` reads the rule tables themselves, past the copy that this process keeps of them:
    for signing.
    """
    items = _items.all(state_id=consultation.state_id, consultation_id=consultation.id)
    if not items:
        return []
    # Nobody prescribes before a doctor has taken the patient.
    prescriber = consultation.practitioner_id
    earlier = earlier_of(prescriber, consultation) if prescriber else []
    codes = [item.medicine_code for item in items]
    taken = {course.code: None for one in earlier for course in one.courses if course.runs}
    tables = _read_rule_tables([*codes, *taken]) if from_tables else rule_tables()
    medicines = {code: tables.medicines[code] for code in codes}
    circumstances = replace(
        circumstances_of(consultation, intake=intake, written=written),
        allergies_before=list(dict.fromkeys(one.allergies for one in earlier if one.allergies)),
        # What has left the formulary since cannot be looked at.
        running=[tables.medicines[code] for code in taken if code in tables.medicines],
    )
    knowledge = tables.knowledge
    lines = []
    for item in items:
        medicine = medicines[item.medicine_code]
        daily = dosing(item.frequency, item.dose)
        others = [other for code, other in medicines.items() if code != medicine.code]
        checked = Line(
            medicine,
            daily.on_one_day if daily else None,
            daily.days_between if daily else None,
        )
        findings = check(checked, others, circumstances, knowledge)
        lines.append(DraftLine(item, medicine, findings))
    return lines


_WRITTEN = (
    "history",
    "allergies",
    "medicines",
    "findings",
    "investigations",
    "advice",
    "come_back",
    "height_cm",
    "weight_kg",
    "last_menstrual_period",
)
_PRESCRIBED = (
    "dose",
    "frequency",
    "duration_days",
    "instruction_code",
    "instructions",
    "override_reason",
)


def seal_of(lines: Iterable[DraftLine], note: Note | None, diagnoses: Iterable[str]) -> str:
    """Return a short text that is another once something that will be signed has changed.

    `diagnoses`: their codes.
    """
    said = (
        [(one.medicine.code, [getattr(one.item, name) for name in _PRESCRIBED]) for one in lines],
        [getattr(note, name) for name in _WRITTEN] if note else [],
        sorted(diagnoses),
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()[:24]


def seal_of_draft(lines: Iterable[DraftLine], written: Writing) -> str:
    """Return `seal_of` a draft with all that is written beside it."""
    return seal_of(lines, written.note, [one.code for one in written.diagnoses])


@dataclass(frozen=True)
class RuleTables:
    """What the rules ask of the terminology: under a thousand rows."""

    knowledge: Knowledge
    medicines: Mapping[str, Medicine]


def rule_tables() -> RuleTables:
    """Return the rule tables, from this process's copy while they are of the same edition.

    They change only by `load_reference`, which writes the edition's digest in the transaction that
    changes them. Tables that nobody loaded (no digest) are read each time.
    """
    edition = reference_edition()
    return _rule_tables_of(edition) if edition else _read_rule_tables()


@lru_cache(maxsize=1)
def _rule_tables_of(edition: str) -> RuleTables:
    return _read_rule_tables()


def _read_rule_tables(codes: Sequence[str] | None = None) -> RuleTables:
    """Read the tables, of the formulary only the medicines with these codes if there are any."""
    return RuleTables(
        Knowledge(
            ingredients=Ingredient.objects.in_bulk(),
            allergy_groups=list(AllergyGroup.objects.all()),
            interactions=list(Interaction.objects.all()),
        ),
        all_medicines() if codes is None else medicines_coded(codes),
    )


@dataclass(frozen=True)
class BodyMeasures:
    """Height in cm and weight in kg, as they stand on paper; None when nobody knows."""

    height_cm: Decimal | None
    weight_kg: Decimal | None


def body_measures(note: Note | None, intake: IntakeContent) -> BodyMeasures:
    """Return what the doctor wrote, and where the doctor wrote nothing what the spoke measured."""
    return BodyMeasures(
        _or_measured(note.height_cm if note else None, intake, HEIGHT),
        _or_measured(note.weight_kg if note else None, intake, WEIGHT),
    )


def _or_measured(written: Decimal | None, intake: IntakeContent, code: str) -> Decimal | None:
    if written is None and code in intake.vitals:
        return Decimal(str(intake.vitals[code]))
    return written


def told_and_heard(
    name: Literal["history", "allergies", "medicines"], intake: IntakeContent, note: Note | None
) -> str:
    """Return what the patient told before the call, and below it what the doctor added."""
    return joined(getattr(intake, name), getattr(note, name, ""))


def circumstances_of(
    consultation: Consultation,
    *,
    intake: IntakeContent | None = None,
    written: Writing | None = None,
) -> Circumstances:
    """Return what of the patient and the consultation the rules look at."""
    intake = intake or intake_of(consultation.state_id, consultation.id)
    written = written or writing_of(consultation)
    weight = body_measures(written.note, intake).weight_kg
    birth, today = consultation.patient_birth_date, clock.today()
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    return Circumstances(
        is_follow_up=consultation.encounter_kind == EncounterKind.FOLLOW_UP,
        seen_by_video=not PICTURES.isdisjoint(
            modes_used(consultation.state_id, consultation.room_id)
        ),
        age_months=months,
        is_male=consultation.patient_gender == Gender.MALE,
        pregnant=_pregnant(intake, written),
        weight_kg=None if weight is None else float(weight),
        allergies=told_and_heard("allergies", intake, written.note),
        medicines=told_and_heard("medicines", intake, written.note),
    )


def _pregnant(intake: IntakeContent, written: Writing) -> bool | None:
    """Return what the doctor found, else what was answered, else what the complaint says."""
    if say_pregnant(diagnoses=[one.code for one in written.diagnoses]):
        return True
    answered = intake.answers.get(PREGNANT)
    if answered is None and say_pregnant(complaints=intake.complaints):
        return True
    return answered


@dataclass(frozen=True)
class Ending:
    """How and when a prescription stopped to hold; `successor` is the number that replaced it."""

    kind: EndKind
    at: datetime.datetime
    reason: str
    successor: str


@dataclass(frozen=True)
class Issued:
    """A signed prescription and, where it no longer holds, its ending."""

    prescription: Prescription
    ending: Ending | None


_signed = Compiled(
    lambda: Prescription.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).order_by("-id")
)
_ends = Compiled(
    lambda: PrescriptionEnd.objects.filter(
        state_id=given("state_id"), prescription_id=given_any("prescription_ids")
    )
)


def prescriptions_of(consultation: Consultation) -> list[Issued]:
    """Return all that was signed in a consultation, the newest first."""
    state_id = consultation.state_id
    signed = _signed.all(state_id=state_id, consultation_id=consultation.id)
    if not signed:
        return []
    successors = {one.supersedes_id: one.number for one in signed}
    ends = {
        end.prescription_id: _ending(end, successors.get(end.prescription_id, ""))
        for end in _ends.all(state_id=state_id, prescription_ids=[one.id for one in signed])
    }
    return [Issued(one, ends.get(one.id)) for one in signed]


def _ending(end: PrescriptionEnd, successor: str) -> Ending:
    return Ending(EndKind(end.kind), end.at, end.reason, successor)


def issued(consultation: Consultation, number: str = "") -> Issued | None:
    """Return the prescription of a number in a consultation; without one, the newest."""
    return next(
        (one for one in prescriptions_of(consultation) if number in ("", one.prescription.number)),
        None,
    )


def ending_of(prescription: Prescription) -> Ending | None:
    """Return how a prescription ended; None while it holds."""
    end = PrescriptionEnd.objects.filter(
        state_id=prescription.state_id, prescription_id=prescription.id
    ).first()
    if end is None:
        return None
    successor = successor_of(prescription) if end.kind == EndKind.SUPERSEDED else None
    return _ending(end, successor.number if successor else "")


def successor_of(prescription: Prescription) -> Prescription | None:
    """Return the prescription that replaced this one."""
    return Prescription.objects.filter(
        state_id=prescription.state_id, supersedes_id=prescription.id
    ).first()


def newest_after(prescription: Prescription) -> Prescription:
    """Return the last of the chain of replacements; the prescription itself if there is none."""
    successor = successor_of(prescription)
    return newest_after(successor) if successor else prescription


def with_replaced(prescription: Prescription) -> list[Prescription]:
    """Return the prescription and all that it replaces, one after the other, the newest first."""
    chain = [prescription]
    while chain[-1].supersedes_id is not None:
        chain.append(prescription_of(chain[-1].state_id, chain[-1].supersedes_id))
    return chain


def prescription_in_force(consultation: Consultation) -> Prescription | None:
    """Return the prescription of a consultation that holds; None if none was signed or is left."""
    found = issued(consultation)
    return found.prescription if found and found.ending is None else None


SHORTEST_VALIDITY = datetime.timedelta(days=30)
"""So long medicines may be given on a prescription, however short its courses. A rule of this
service, for a clinical lead to confirm."""


def expires_at(prescription: Prescription) -> datetime.datetime:
    """Return until when medicines may be given on a prescription: for its longest course."""
    longest = max(line["duration_days"] for line in prescription.content["medicines"])
    return prescription.signed_at + max(SHORTEST_VALIDITY, datetime.timedelta(days=longest))


class Validity(StrEnum):
    """What verification says of a prescription."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    ALTERED = "altered"  # our own record does not fit its signature
    FORGED = "forged"  # the statement was not signed by us
    UNKNOWN = "unknown"  # no such number
    EXPIRED = "expired"  # too old: `expires_at`


@dataclass(frozen=True)
class Verification:
    """The answer, with the signed statement where there is a genuine one."""

    validity: Validity
    statement: Statement | None = None
    ending: Ending | None = None


def _claimed(signed_statement: str) -> Statement:
    claimed = verify_statement(signed_statement)
    statement: Statement = {key: claimed[key] for key in Statement.__annotations__}  # type: ignore[assignment]
    return statement


def verify(signed_statement: str) -> Verification:
    """Verify the statement of a QR code: our signature, our unchanged record, still in force."""
    try:
        statement = _claimed(signed_statement)
    except SignatureInvalid:
        return Verification(Validity.FORGED)
    prescription = by_number(statement["number"])
    if prescription is None:
        return Verification(Validity.UNKNOWN, statement)
    return _worth(prescription, statement)


def _worth(prescription: Prescription, statement: Statement) -> Verification:
    if digest(prescription.content) != statement["digest"]:
        return Verification(Validity.ALTERED, statement)
    if ending := ending_of(prescription):
        return Verification(Validity(ending.kind), statement, ending)
    too_old = clock.now() > expires_at(prescription)
    return Verification(Validity.EXPIRED if too_old else Validity.VALID, statement)


def verify_record(prescription: Prescription) -> Verification:
    """Verify a prescription of ours by the signature kept with it."""
    try:
        statement = _claimed(prescription.signature)
    except SignatureInvalid:
        return Verification(Validity.ALTERED)
    return _worth(prescription, statement)


def verify_number(number: str) -> Verification:
    """Verify a typed number, by the statement kept with the record."""
    found = by_number(number)
    return verify_record(found) if found else Verification(Validity.UNKNOWN)


def by_number(number: str) -> Prescription | None:
    """Return the prescription of a nation-wide number; whoever knows it holds the paper."""
    where = PrescriptionNumber.objects.filter(number=number).first()
    if where is None:
        return None
    return Prescription.objects.filter(
        state_id=where.prescription_state_id, id=where.prescription_id
    ).first()


def prescription_of(state_id: int, prescription_id: uuid.UUID) -> Prescription:
    """Return a prescription. Raises NotFound. The caller checks its consultation."""
    found = Prescription.objects.filter(state_id=state_id, id=prescription_id).first()
    if found is None:
        raise NotFound
    return found
