"""Reads of drafts and prescriptions; the caller has read the consultation through its queries."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sanjeevani.calls.models import Mode
from sanjeevani.calls.queries import modes_used
from sanjeevani.consultation.models import Consultation, EncounterKind, Note
from sanjeevani.directory.models import Gender
from sanjeevani.documents.signing import SignatureInvalid, verify_statement
from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import NotFound
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import intake_of
from sanjeevani.intake.triage import PREGNANT
from sanjeevani.prescription.content import Statement, digest
from sanjeevani.prescription.dosing import dosing
from sanjeevani.prescription.models import (
    DraftItem,
    Prescription,
    PrescriptionEnd,
    PrescriptionNumber,
)
from sanjeevani.prescription.rules import Circumstances, Finding, Knowledge, Line, check
from sanjeevani.terminology.models import AllergyGroup, Ingredient, Interaction, Medicine
from sanjeevani.terminology.queries import all_medicines, reference_edition


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
_newest_prescription = Compiled(
    lambda: Prescription.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).order_by("-id")[:1]
)


def draft_of(
    consultation: Consultation,
    *,
    intake: IntakeContent | None = None,
    note: Note | None = None,
    from_tables: bool = False,
) -> list[DraftLine]:
    """Return the draft's lines in order, each checked beside the others.

    `intake` and `note`: those of the consultation, if the caller has just read them. `from_tables`
    reads the rule tables themselves, past the copy that this process keeps of them: for signing.
    """
    items = _items.all(state_id=consultation.state_id, consultation_id=consultation.id)
    if not items:
        return []
    tables = _read_rule_tables() if from_tables else rule_tables()
    medicines = {item.medicine_code: tables.medicines[item.medicine_code] for item in items}
    circumstances = circumstances_of(consultation, intake=intake, note=note)
    knowledge = tables.knowledge
    lines = []
    for item in items:
        medicine = medicines[item.medicine_code]
        taken = dosing(item.frequency, item.dose)
        others = [other for code, other in medicines.items() if code != medicine.code]
        findings = check(
            Line(medicine, taken.per_day if taken else None), others, circumstances, knowledge
        )
        lines.append(DraftLine(item, medicine, findings))
    return lines


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


def _read_rule_tables() -> RuleTables:
    return RuleTables(
        Knowledge(
            ingredients=Ingredient.objects.in_bulk(),
            allergy_groups=list(AllergyGroup.objects.all()),
            interactions=list(Interaction.objects.all()),
        ),
        all_medicines(),
    )


def circumstances_of(
    consultation: Consultation, *, intake: IntakeContent | None = None, note: Note | None = None
) -> Circumstances:
    """Return what of the patient and the consultation the rules look at."""
    intake = intake or intake_of(consultation.state_id, consultation.id)
    weight = (
        note.weight_kg
        if note
        else Note.objects.filter(state_id=consultation.state_id, consultation_id=consultation.id)
        .values_list("weight_kg", flat=True)
        .first()
    )
    birth, today = consultation.patient_birth_date, clock.today()
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    return Circumstances(
        is_follow_up=consultation.encounter_kind == EncounterKind.FOLLOW_UP,
        seen_by_video=Mode.VIDEO in modes_used(consultation.state_id, consultation.room_id),
        age_months=months,
        is_female=consultation.patient_gender == Gender.FEMALE,
        pregnant=intake.answers.get(PREGNANT),
        weight_kg=float(weight) if weight is not None else None,
        allergies=intake.allergies,
        medicines=intake.medicines,
    )


def newest_prescription(consultation: Consultation) -> Prescription | None:
    """Return the prescription signed last in a consultation."""
    return _newest_prescription.first(
        state_id=consultation.state_id, consultation_id=consultation.id
    )


class Validity(StrEnum):
    """What verification says of a prescription."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    ALTERED = "altered"  # our own record does not fit its signature
    FORGED = "forged"  # the statement was not signed by us
    UNKNOWN = "unknown"  # no such number


@dataclass(frozen=True)
class Verification:
    """The answer, with the signed statement where there is a genuine one."""

    validity: Validity
    statement: Statement | None = None


def verify(signed_statement: str) -> Verification:
    """Verify the statement of a QR code: our signature, our unchanged record, still in force."""
    try:
        claimed = verify_statement(signed_statement)
    except SignatureInvalid:
        return Verification(Validity.FORGED)
    statement = Statement(**{key: claimed[key] for key in Statement.__annotations__})  # type: ignore[typeddict-item]
    return Verification(_validity(statement["number"], statement["digest"]), statement)


def verify_number(number: str) -> Verification:
    """Verify a typed number, by the statement kept with the record."""
    found = _by_number(number)
    return verify(found.signature) if found else Verification(Validity.UNKNOWN)


def _validity(number: str, signed_digest: str) -> Validity:
    prescription = _by_number(number)
    if prescription is None:
        return Validity.UNKNOWN
    if digest(prescription.content) != signed_digest:
        return Validity.ALTERED
    end = PrescriptionEnd.objects.filter(
        state_id=prescription.state_id, prescription_id=prescription.id
    ).first()
    return Validity(end.kind) if end else Validity.VALID


def _by_number(number: str) -> Prescription | None:
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
