"""The verbs of prescribing: the draft's lines, the signature, and the end of the consultation."""

import secrets
import uuid
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.queries import closest_mode, modes_used
from sanjeevani.consultation import services as consultations
from sanjeevani.consultation.models import Consultation, EncounterKind, Outcome
from sanjeevani.consultation.permissions import require_in_progress
from sanjeevani.consultation.queries import writing_of
from sanjeevani.directory.models import Line as DirectoryLine
from sanjeevani.directory.models import Practitioner
from sanjeevani.documents.signing import sign_statement
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.intake.queries import intake_of
from sanjeevani.prescription.content import (
    DiagnosisFacts,
    MedicineFacts,
    PatientFacts,
    PractitionerFacts,
    PrescriptionContent,
    statement,
)
from sanjeevani.prescription.dosing import dosing
from sanjeevani.prescription.errors import (
    DiagnosisMissing,
    MedicineRefused,
    NothingPrescribed,
    NotSigned,
    ReasonMissing,
    UnsignedDraft,
)
from sanjeevani.prescription.events import PrescriptionSigned
from sanjeevani.prescription.models import (
    DraftItem,
    EndKind,
    Prescription,
    PrescriptionEnd,
    PrescriptionNumber,
)
from sanjeevani.prescription.queries import DraftLine, draft_of, newest_prescription
from sanjeevani.prescription.rules import Finding, Weight
from sanjeevani.prescription.shorthand import ItemContent
from sanjeevani.terminology import dosage
from sanjeevani.terminology.queries import medicines_coded

LONGEST_DAYS = 90
LARGEST_DOSE = Decimal(100)
MOST_ITEMS = 20

_NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no letter looks like a digit


@verb("prescription.add_item")
def add_item(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    item: ItemContent,
) -> list[Finding]:
    """Put a medicine into the draft, or change its line; return what speaks against it.

    Raises MedicineRefused for what may never be signed here, Invalid for what cannot be read.
    """
    consultation = consultations.get(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    _check_item(item)
    concerns(consultation, patient_id=consultation.patient_id)
    position = DraftItem.objects.filter(state_id=state_id, consultation_id=consultation_id).count()
    if position >= MOST_ITEMS:
        raise Invalid(_("No more medicines fit on one prescription."), field="medicine")
    values = vars(item) | {"position": position}
    values.pop("medicine_code")
    DraftItem.objects.update_or_create(
        state_id=state_id,
        consultation_id=consultation_id,
        medicine_code=item.medicine_code,
        defaults=values,
        create_defaults={"id": uuid7(), **values},
    )
    line = next(line for line in draft_of(consultation) if line.medicine.code == item.medicine_code)
    refused = [finding for finding in line.findings if finding.weight == Weight.REFUSED]
    if refused:
        raise MedicineRefused(refused)
    return line.findings


def _check_item(item: ItemContent) -> None:
    if item.medicine_code not in medicines_coded([item.medicine_code]):
        raise Invalid(_("Choose a medicine from the list."), field="medicine")
    if not 0 < item.dose <= LARGEST_DOSE:
        raise Invalid(_("Please check the dose."), field="dose")
    if dosing(item.frequency, item.dose) is None:
        raise Invalid(_("Say how often, for example BD or 1-0-1."), field="frequency")
    if not 1 <= item.duration_days <= LONGEST_DAYS:
        raise Invalid(_("Say for how many days, from 1 to 90."), field="duration_days")
    if item.instruction_code and item.instruction_code not in dosage.instructions():
        raise Invalid(_("Choose an instruction from the list."), field="instruction_code")


@verb("prescription.remove_item")
def remove_item(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    item_id: uuid.UUID,
) -> None:
    """Take a medicine out of the draft. Raises NotFound."""
    consultation = consultations.get(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    deleted, _by_model = DraftItem.objects.filter(
        state_id=state_id, consultation_id=consultation_id, id=item_id
    ).delete()
    if not deleted:
        raise NotFound


@verb("prescription.sign")
def sign(
    actor: Actor, *, practitioner: Practitioner, state_id: int, consultation_id: uuid.UUID
) -> Prescription:
    """Sign the draft: check every rule, fix the content, insert. It never changes again.

    A second signing in the same consultation supersedes the first. Raises NothingPrescribed,
    DiagnosisMissing, MedicineRefused, ReasonMissing.
    """
    consultation = consultations.get(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    lines = draft_of(consultation)
    _check_draft(lines)
    prescription_id = uuid7()
    number = _new_number(state_id, prescription_id)
    content = _content(consultation, practitioner, lines, number)
    earlier = newest_prescription(consultation)
    prescription = Prescription.objects.create(
        state_id=state_id,
        id=prescription_id,
        consultation_id=consultation_id,
        number=number,
        content=content,
        signature=sign_statement(dict(statement(content))),
        practitioner_id=practitioner.id,
        supersedes_id=earlier.id if earlier else None,
        signed_at=clock.now(),
    )
    if earlier is not None:
        PrescriptionEnd.objects.create(
            state_id=state_id,
            id=uuid7(),
            prescription_id=earlier.id,
            kind=EndKind.SUPERSEDED,
            reason=number,
            at=clock.now(),
        )
    concerns(prescription, patient_id=consultation.patient_id)
    publish(
        PrescriptionSigned(
            state_id=state_id, prescription_id=prescription_id, consultation_id=consultation_id
        )
    )
    return prescription


def _check_draft(lines: list[DraftLine]) -> None:
    if not lines:
        raise NothingPrescribed
    findings = [(line, finding) for line in lines for finding in line.findings]
    refused = [finding for _line, finding in findings if finding.weight == Weight.REFUSED]
    if refused:
        raise MedicineRefused(refused)
    unexplained = [
        finding
        for line, finding in findings
        if finding.weight == Weight.REASON and not line.item.override_reason.strip()
    ]
    if unexplained:
        raise ReasonMissing(unexplained)


def _new_number(state_id: int, prescription_id: uuid.UUID) -> str:
    """Take a nation-wide number, grouped in fours: 60 random bits, so that none can be guessed."""
    digits = [secrets.choice(_NUMBER_ALPHABET) for _ in range(12)]
    number = "-".join("".join(digits[start : start + 4]) for start in (0, 4, 8))
    PrescriptionNumber.objects.create(
        number=number, prescription_state_id=state_id, prescription_id=prescription_id
    )
    return number


def _content(
    consultation: Consultation,
    practitioner: Practitioner,
    lines: list[DraftLine],
    number: str,
) -> PrescriptionContent:
    intake = intake_of(consultation.state_id, consultation.id)
    writing = writing_of(consultation)
    note = writing.note
    if not writing.diagnoses:
        raise DiagnosisMissing
    facility = (
        DirectoryLine.objects.select_related("facility")
        .get(state_id=consultation.state_id, id=consultation.line_id)
        .facility
    )
    used = modes_used(consultation.state_id, consultation.room_id)
    return PrescriptionContent(
        number=number,
        issued_on=clock.today().isoformat(),
        mode=closest_mode(used),
        encounter_kind=EncounterKind(consultation.encounter_kind),
        facility_name=facility.name,
        facility_address=f"{facility.address}, {facility.district}",
        practitioner=PractitionerFacts(
            name=practitioner.name,
            qualification=practitioner.qualification,
            registration=consultation.practitioner_registration,
            address=practitioner.address,
            contact=practitioner.contact,
        ),
        patient=PatientFacts(
            name=consultation.patient_name,
            birth_date=consultation.patient_birth_date.isoformat(),
            gender=consultation.patient_gender,
            address=consultation.patient_address,
            height_cm=_text(note.height_cm if note else None),
            weight_kg=_text(note.weight_kg if note else None),
            last_menstrual_period=_text(note.last_menstrual_period if note else None),
        ),
        complaints=intake.complaints,
        complaint_text=intake.text,
        complaint_duration_days=intake.duration_days,
        history="\n".join(filter(None, [intake.history, note.history if note else ""])),
        allergies=intake.allergies,
        current_medicines=intake.medicines,
        findings=note.findings if note else "",
        investigations=note.investigations if note else "",
        diagnoses=[
            DiagnosisFacts(
                code=diagnosis.code, title=diagnosis.title, provisional=diagnosis.provisional
            )
            for diagnosis in writing.diagnoses
        ],
        medicines=[
            MedicineFacts(
                code=line.medicine.code,
                generic_name=line.medicine.generic_name,
                form=line.medicine.form,
                strength=line.medicine.strength,
                route=line.medicine.route,
                dose=_text(line.item.dose),
                frequency=line.item.frequency,
                duration_days=line.item.duration_days,
                instruction_code=line.item.instruction_code,
                instructions=line.item.instructions,
                overridden=[
                    finding.code for finding in line.findings if finding.weight == Weight.REASON
                ],
                override_reason=line.item.override_reason,
            )
            for line in lines
        ],
        advice=note.advice if note else "",
        come_back=note.come_back if note else "",
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


@verb("prescription.conclude")
def conclude(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    outcome: Outcome,
) -> Consultation:
    """Complete the consultation. The outcome is a prescription exactly when one was signed.

    Raises NotSigned, UnsignedDraft, and what `consultation.complete` raises.
    """
    consultation = consultations.get(state_id, consultation_id)
    signed = newest_prescription(consultation)
    drafted = {
        (item.medicine_code, _text(item.dose), item.frequency, item.duration_days)
        for item in DraftItem.objects.filter(state_id=state_id, consultation_id=consultation_id)
    }
    if outcome == Outcome.PRESCRIPTION and signed is None:
        raise NotSigned
    held = {
        (line["code"], line["dose"], line["frequency"], line["duration_days"])
        for line in (signed.content["medicines"] if signed else [])
    }
    if drafted - held:
        raise UnsignedDraft
    if outcome == Outcome.ADVICE and signed is not None:
        outcome = Outcome.PRESCRIPTION
    return consultations.complete(
        actor,
        practitioner=practitioner,
        state_id=state_id,
        consultation_id=consultation_id,
        outcome=outcome,
    )
