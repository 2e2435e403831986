"""The verbs of prescribing: the draft's lines, the signature, and the end of the consultation."""

import datetime
import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.queries import closest_mode, modes_used
from sanjeevani.consultation import services as consultations
from sanjeevani.consultation import transfers
from sanjeevani.consultation.letters import LetterContent
from sanjeevani.consultation.models import Consultation, EncounterKind, Note, Outcome
from sanjeevani.consultation.permissions import require_in_progress, require_practitioner
from sanjeevani.consultation.queries import writing_of
from sanjeevani.consultation.to_do import leave_changed
from sanjeevani.directory.models import Line as DirectoryLine
from sanjeevani.directory.models import Practitioner
from sanjeevani.directory.queries import HubChoice
from sanjeevani.documents.signing import sign_statement
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, Invalid, NotFound
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.rows import Kept
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.intake.queries import intake_of
from sanjeevani.prescription.content import (
    ConsentFacts,
    DiagnosisFacts,
    MedicineFacts,
    PatientFacts,
    PractitionerFacts,
    PrescriptionContent,
    statement,
)
from sanjeevani.prescription.dosing import dosing
from sanjeevani.prescription.errors import (
    AdviceChanged,
    AlreadyEnded,
    ChangedMeanwhile,
    CheckedOtherwise,
    DiagnosisChanged,
    DiagnosisMissing,
    MedicineRefused,
    NothingChanged,
    NothingPrescribed,
    NotSigned,
    ReasonMissing,
    RemovedButSigned,
    UnsignedDraft,
)
from sanjeevani.prescription.events import PrescriptionEnded, PrescriptionSigned
from sanjeevani.prescription.models import (
    DraftItem,
    EndKind,
    Prescription,
    PrescriptionEnd,
    PrescriptionNumber,
    SpokePrescription,
)
from sanjeevani.prescription.permissions import (
    require_cancellable,
    require_open_draft,
    require_prescriber,
    require_replaceable,
)
from sanjeevani.prescription.queries import (
    DraftLine,
    body_measures,
    draft_of,
    ending_of,
    expires_at,
    prescription_in_force,
    prescription_of,
    seal_of_draft,
    told_and_heard,
)
from sanjeevani.prescription.rules import Finding, Weight
from sanjeevani.prescription.shorthand import ItemContent
from sanjeevani.terminology import dosage
from sanjeevani.terminology.queries import medicines_coded

LONGEST_DAYS = 90
LARGEST_DOSE = Decimal(100)
MOST_ITEMS = 20
SHORTEST_REASON = 5
REASON_LENGTH = 300

_NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no letter looks like a digit


READ_BY_PATIENT = ("advice", "investigations", "come_back")
"""What of the note tells the patient what to do."""

_items = Kept(DraftItem, key=("state_id", "consultation_id", "medicine_code"))


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
    consultation = consultations.locked(state_id, consultation_id)
    require_open_draft(actor, practitioner, consultation)
    _check_item(item)
    concerns(consultation, patient_id=consultation.patient_id)
    positions: dict[str, int] = dict(
        DraftItem.objects.filter(state_id=state_id, consultation_id=consultation_id).values_list(
            "medicine_code", "position"
        )
    )
    if item.medicine_code not in positions and len(positions) >= MOST_ITEMS:
        raise Invalid(_("No more medicines fit on one prescription."), field="medicine")
    behind = max(positions.values(), default=-1) + 1
    values = vars(item) | {"position": positions.get(item.medicine_code, behind)}
    values.pop("medicine_code")
    _items.replace(
        DraftItem(
            state_id=state_id,
            consultation_id=consultation_id,
            medicine_code=item.medicine_code,
            **values,
        )
    )
    line = next(line for line in draft_of(consultation) if line.medicine.code == item.medicine_code)
    refused = [finding for finding in line.findings if finding.weight == Weight.REFUSED]
    if refused:
        raise MedicineRefused(refused)
    return line.findings


def _check_item(item: ItemContent) -> None:
    if item.medicine_code not in medicines_coded([item.medicine_code]):
        raise Invalid(_("Choose a medicine from the list."), field="medicine")
    if not item.dose:  # a line of a medicine that has no usual dose
        raise Invalid(_("Write how much is taken at a time, like 1 or 0.5"), field="dose")
    if not 0 < item.dose <= LARGEST_DOSE:
        raise Invalid(_("Please check the dose."), field="dose")
    if item.dose != round(item.dose, 2):  # stored to two places, it would be another dose
        raise Invalid(
            _("Write the dose with at most two digits after the point, like 0.25"), field="dose"
        )
    if dosing(item.frequency, item.dose) is None:
        raise Invalid(_("Say how often, for example BD or 1-0-1."), field="frequency")
    if not 1 <= item.duration_days <= LONGEST_DAYS:
        raise Invalid(_("Say for how many days, from 1 to 90."), field="duration_days")
    if item.duration_days > 1 and dosage.is_single(item.frequency):
        raise Invalid(
            _("“Once, now” is for 1 day. Write 1 day, or choose how often it is taken."),
            field="duration_days",
        )
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
    consultation = consultations.locked(state_id, consultation_id)
    require_open_draft(actor, practitioner, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    deleted, _by_model = DraftItem.objects.filter(
        state_id=state_id, consultation_id=consultation_id, id=item_id
    ).delete()
    if not deleted:
        raise NotFound


@verb("prescription.sign")
def sign(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    seen: str = "",
) -> Prescription:
    """Sign the draft: check every rule, fix the content, insert. It never changes again.

    `seen`: the `seal_of` what the doctor looked at, where a screen showed it. A second signing in
    the same consultation supersedes the first; signed twice as it stands, it is one. Raises
    ChangedMeanwhile, NothingPrescribed, DiagnosisMissing, MedicineRefused, ReasonMissing.
    """
    consultation = consultations.locked(state_id, consultation_id)
    require_prescriber(actor, practitioner, consultation)
    require_in_progress(actor, practitioner, consultation)
    earlier = prescription_in_force(consultation)
    content = _content(consultation, practitioner, seen)
    if earlier is not None and _says_the_same(content, earlier):
        concerns(earlier, patient_id=consultation.patient_id)
        return earlier
    return _insert(consultation, practitioner, content, earlier)


@verb("prescription.supersede")
def supersede(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    prescription_id: uuid.UUID,
    reason: str,
    seen: str = "",
) -> Prescription:
    """Replace a signed prescription by the draft, also after the consultation; return the new one.

    `reason` is told to the patient; `seen` as for signing. Two at once: one is the successor, the
    other raises AlreadyEnded. Raises TooLateToReplace, NothingChanged, Invalid, and what signing
    raises.
    """
    earlier = prescription_of(state_id, prescription_id)
    consultation = consultations.locked(state_id, earlier.consultation_id)
    require_prescriber(actor, practitioner, consultation)
    _require_in_force(earlier)
    require_replaceable(consultation)
    reason = _reason(reason)
    content = _content(consultation, practitioner, seen)
    if _says_the_same(content, earlier):
        raise NothingChanged
    return _insert(consultation, practitioner, content, earlier, reason=reason)


@verb("prescription.cancel")
def cancel(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    prescription_id: uuid.UUID,
    reason: str,
) -> None:
    """Cancel a signed prescription: no pharmacy gives medicines on it any more.

    `reason` is told to the patient. Raises AlreadyEnded, TooLateToCancel, Invalid.
    """
    prescription = prescription_of(state_id, prescription_id)
    consultation = consultations.locked(state_id, prescription.consultation_id)
    require_prescriber(actor, practitioner, consultation)
    _require_in_force(prescription)
    require_cancellable(prescription)
    _end(consultation, prescription, EndKind.CANCELLED, _reason(reason))
    concerns(prescription, patient_id=consultation.patient_id)


def _require_in_force(prescription: Prescription) -> None:
    if ending_of(prescription) is not None:
        raise AlreadyEnded


def _reason(text: str) -> str:
    reason = text.strip()
    if len(reason) < SHORTEST_REASON:
        raise Invalid(_("Write why, in words that the patient understands."), field="reason")
    if len(reason) > REASON_LENGTH:
        raise Invalid(_("Please shorten the reason to 300 characters."), field="reason")
    return reason


def _says_the_same(content: PrescriptionContent, earlier: Prescription) -> bool:
    """Compare all but the number and the day of signing."""
    own = {"number": "", "issued_on": ""}
    return dict(content) | own == dict(earlier.content) | own


def _insert(
    consultation: Consultation,
    practitioner: Practitioner,
    content: PrescriptionContent,
    earlier: Prescription | None,
    *,
    reason: str = "",
) -> Prescription:
    """Insert the signed prescription, and the end of the one that it replaces."""
    prescription_id = uuid7()
    content["number"] = _new_number(consultation.state_id, prescription_id)
    prescription = Prescription.objects.create(
        state_id=consultation.state_id,
        id=prescription_id,
        consultation_id=consultation.id,
        number=content["number"],
        content=content,
        signature=sign_statement(dict(statement(content))),
        practitioner_id=practitioner.id,
        supersedes_id=earlier.id if earlier else None,
        signed_at=clock.now(),
    )
    if consultation.spoke_id is not None:
        _leave_to_spoke(consultation.spoke_id, consultation, prescription)
    if earlier is not None:
        _end(consultation, earlier, EndKind.SUPERSEDED, reason)
    concerns(prescription, patient_id=consultation.patient_id)
    publish(
        PrescriptionSigned(
            state_id=consultation.state_id,
            prescription_id=prescription_id,
            consultation_id=consultation.id,
        )
    )
    return prescription


def _leave_to_spoke(
    spoke_id: uuid.UUID, consultation: Consultation, prescription: Prescription
) -> None:
    """Let the spoke hand it out where the patient sits."""
    SpokePrescription.objects.create(
        state_id=consultation.patient_state_id,
        id=uuid7(),
        facility_id=spoke_id,
        prescription_state_id=prescription.state_id,
        prescription_id=prescription.id,
        consultation_id=consultation.id,
        since=prescription.signed_at,
        expires_at=expires_at(prescription),
        missing=[line["code"] for line in prescription.content["medicines"]],
    )


def _end(
    consultation: Consultation, prescription: Prescription, kind: EndKind, reason: str
) -> None:
    PrescriptionEnd.objects.create(
        state_id=prescription.state_id,
        id=uuid7(),
        prescription_id=prescription.id,
        kind=kind,
        reason=reason,
        at=clock.now(),
    )
    if consultation.spoke_id is not None:
        SpokePrescription.objects.filter(
            state_id=consultation.patient_state_id,
            facility_id=consultation.spoke_id,
            prescription_id=prescription.id,
        ).update(settled_at=clock.now())
        if not consultation.is_open:
            # The patient has gone home with it, often without a phone of their own.
            leave_changed(consultation, consultation.spoke_id)
    publish(
        PrescriptionEnded(
            state_id=prescription.state_id,
            prescription_id=prescription.id,
            consultation_id=consultation.id,
            how=kind.value,
            afterwards=not consultation.is_open,
        )
    )


@dataclass(frozen=True)
class Missing:
    """What keeps a draft from being signed: the refusal, and the line that it is about, if any."""

    error: DomainError
    line: DraftLine | None = None


def missing_for_signing(lines: Sequence[DraftLine], diagnoses: Collection[object]) -> list[Missing]:
    """Return all that keeps these lines from being signed; signing refuses with the first."""
    nothing = [] if lines else [Missing(NothingPrescribed())]
    refused, unexplained = [], []
    for line in lines:
        if found := _weighing(line, Weight.REFUSED):
            refused.append(Missing(MedicineRefused(found), line))
        elif not line.item.override_reason.strip() and (found := _weighing(line, Weight.REASON)):
            unexplained.append(Missing(ReasonMissing(found), line))
    undiagnosed = [] if diagnoses else [Missing(DiagnosisMissing())]
    return [*nothing, *refused, *unexplained, *undiagnosed]


def _weighing(line: DraftLine, weight: Weight) -> list[Finding]:
    return [finding for finding in line.findings if finding.weight == weight]


def _new_number(state_id: int, prescription_id: uuid.UUID) -> str:
    """Take a nation-wide number, grouped in fours: 60 random bits, so that none can be guessed."""
    digits = [secrets.choice(_NUMBER_ALPHABET) for _ in range(12)]
    number = "-".join("".join(digits[start : start + 4]) for start in (0, 4, 8))
    PrescriptionNumber.objects.create(
        number=number, prescription_state_id=state_id, prescription_id=prescription_id
    )
    return number


def _content(
    consultation: Consultation, practitioner: Practitioner, seen: str = ""
) -> PrescriptionContent:
    """Return what the draft says, checked against every rule, without a number yet."""
    intake = intake_of(consultation.state_id, consultation.id)
    writing = writing_of(consultation)
    note = writing.note
    lines = draft_of(consultation, intake=intake, written=writing, from_tables=True)
    if seen and seen != seal_of_draft(lines, writing):
        raise ChangedMeanwhile
    if missing := missing_for_signing(lines, writing.diagnoses):
        raise missing[0].error
    facility = (
        DirectoryLine.objects.select_related("facility")
        .get(state_id=consultation.state_id, id=consultation.line_id)
        .facility
    )
    used = modes_used(consultation.state_id, consultation.room_id)
    body = body_measures(note, intake)
    content = PrescriptionContent(
        number="",
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
            height_cm=_text(body.height_cm),
            weight_kg=_text(body.weight_kg),
            last_menstrual_period=_text(note.last_menstrual_period if note else None),
        ),
        complaints=intake.complaints,
        complaint_text=intake.text,
        complaint_duration_days=intake.duration_days,
        history=told_and_heard("history", intake, note),
        allergies=told_and_heard("allergies", intake, note),
        current_medicines=told_and_heard("medicines", intake, note),
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
    if consultation.spoke_id is not None and consultation.consented_at is not None:
        content["consent"] = ConsentFacts(
            obtained_by=consultation.consent_by,
            obtained_at=_moment(consultation.consented_at),
            confirmed_at=_moment(consultation.consent_confirmed_at),
        )
    return content


def _moment(at: datetime.datetime | None) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%dT%H:%M") if at else ""


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def _require_all_signed(consultation: Consultation, signed: Prescription | None) -> None:
    """Let nobody leave medicines behind that the doctor has written and not signed.

    `signed`: the prescription in force. Raises UnsignedDraft, or a PaperDiffers where the patient
    would hold another word on paper than the record has.
    """
    drafted = {
        (
            item.medicine_code,
            _text(item.dose),
            item.frequency,
            item.duration_days,
            item.instruction_code,
            item.instructions,
        )
        for item in DraftItem.objects.filter(
            state_id=consultation.state_id, consultation_id=consultation.id
        )
    }
    names = ("code", "dose", "frequency", "duration_days", "instruction_code", "instructions")
    held = {
        tuple(line[name] for name in names)
        for line in (signed.content["medicines"] if signed else [])
    }
    if drafted - held:
        raise UnsignedDraft
    if held - drafted:
        raise RemovedButSigned
    if signed is not None:
        writing = writing_of(consultation)
        printed = {one["code"] for one in signed.content["diagnoses"]}
        if printed != {one.code for one in writing.diagnoses}:
            raise DiagnosisChanged
        if any(
            signed.content[name].split() != getattr(writing.note, name, "").split()
            for name in READ_BY_PATIENT
        ):
            raise AdviceChanged
        _require_checked(consultation, signed, writing.note)


def _require_checked(consultation: Consultation, signed: Prescription, note: Note | None) -> None:
    """Raise CheckedOtherwise where the rules looked at something else than what is written now."""
    intake = intake_of(consultation.state_id, consultation.id)
    looked_at = (
        signed.content["allergies"],
        signed.content["current_medicines"],
        signed.content["patient"]["weight_kg"],
    )
    stands = (
        told_and_heard("allergies", intake, note),
        told_and_heard("medicines", intake, note),
        _text(body_measures(note, intake).weight_kg),
    )
    if [words.split() for words in looked_at] != [words.split() for words in stands]:
        raise CheckedOtherwise


@verb("prescription.conclude")
def conclude(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    outcome: Outcome,
    letter: LetterContent | None = None,
    follow_up_days: int | None = None,
) -> Consultation:
    """Complete the consultation. The outcome is a prescription exactly when one was signed.

    Raises NotSigned, UnsignedDraft, PaperDiffers, and what `consultation.complete` raises.
    """
    consultation = consultations.held(state_id, consultation_id)
    require_practitioner(actor, practitioner, consultation)
    signed = prescription_in_force(consultation)
    if outcome == Outcome.PRESCRIPTION and signed is None:
        raise NotSigned
    _require_all_signed(consultation, signed)
    if outcome == Outcome.ADVICE and signed is not None:
        outcome = Outcome.PRESCRIPTION
    return consultations.complete(
        actor,
        practitioner=practitioner,
        state_id=state_id,
        consultation_id=consultation_id,
        outcome=outcome,
        letter=letter,
        follow_up_days=follow_up_days,
    )


@verb("prescription.refer_up")
def refer_up(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    choice: HubChoice,
    reason: str,
) -> Consultation:
    """Complete the consultation, and let the patient go on to a hub; return what was opened there.

    Raises UnsignedDraft, PaperDiffers, and what `consultation.refer_up` raises.
    """
    consultation = consultations.held(state_id, consultation_id)
    require_practitioner(actor, practitioner, consultation)
    _require_all_signed(consultation, prescription_in_force(consultation))
    return transfers.refer_up(
        actor,
        practitioner=practitioner,
        state_id=state_id,
        consultation_id=consultation_id,
        choice=choice,
        reason=reason,
    )
