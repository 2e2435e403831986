"""The letter of referral on paper, in a reader's language."""

from typing import Any, cast

from django.utils import timezone

from sanjeevani.calls.models import Mode
from sanjeevani.calls.queries import modes_used
from sanjeevani.consultation.asks import advice_in
from sanjeevani.consultation.models import Consultation, ReferralLetter
from sanjeevani.consultation.queries import writing_of
from sanjeevani.directory.queries import lines_by_id, registered_facility
from sanjeevani.documents.prescription_document import (
    AdviceBlock,
    DiagnosisLine,
    FacilityBlock,
    PatientBlock,
    PractitionerBlock,
    ReferralDocument,
    age_text,
    days_text,
)
from sanjeevani.documents.typesetting import render
from sanjeevani.intake.queries import intake_of
from sanjeevani.prescription.documents import medicines_in
from sanjeevani.prescription.queries import body_measures, prescriptions_of, told_and_heard
from sanjeevani.terminology.danger_signs import signs_told
from sanjeevani.terminology.queries import diagnoses_coded, symptoms_named
from sanjeevani.terminology.vitals import readings


def render_letter(consultation: Consultation, letter: ReferralLetter, language: str) -> bytes:
    """Return the letter as a PDF; an unknown language is set in English."""
    return render(
        "referral_letter",
        letter_document(consultation, letter, language),
        language,
        issued_at=letter.written_at,
    )


def letter_document(
    consultation: Consultation, letter: ReferralLetter, language: str
) -> ReferralDocument:
    """Return what the template prints: the note and the prescription as they were at the end."""
    intake = intake_of(consultation.state_id, consultation.id)
    writing = writing_of(consultation)
    note = writing.note
    signed = prescriptions_of(consultation)
    holds = signed[0].prescription if signed and signed[0].ending is None else None
    written = timezone.localtime(letter.written_at)
    key = (consultation.state_id, consultation.line_id)
    facility_id = lines_by_id([key])[consultation.line_id].facility_id
    facility = registered_facility(consultation.state_id, facility_id)
    symptoms = symptoms_named(intake.complaints)
    coded = diagnoses_coded(diagnosis.code for diagnosis in writing.diagnoses)
    names = {code: row.name_in(language) for code, row in coded.items()}
    used = modes_used(consultation.state_id, consultation.room_id)
    body = body_measures(note, intake)
    born = note.last_menstrual_period if note else None
    return ReferralDocument(
        number=letter.number,
        issued_on=written.date().isoformat(),
        signed_at=written.strftime("%Y-%m-%dT%H:%M"),
        mode=cast(Any, min(used, key=list(Mode).index)),
        urgency=cast(Any, letter.urgency),
        facility=FacilityBlock(
            name=facility.name, address=f"{facility.address}, {facility.district}"
        ),
        practitioner=PractitionerBlock(
            name=consultation.practitioner_name,
            qualification=consultation.practitioner_qualification,
            registration=consultation.practitioner_registration,
            address=letter.practitioner_address,
            contact=letter.practitioner_contact,
        ),
        patient=PatientBlock(
            name=consultation.patient_name,
            age=age_text(consultation.patient_birth_date, written.date(), language),
            gender=cast(Any, consultation.patient_gender),
            address=consultation.patient_address,
            height_cm=_number(body.height_cm),
            weight_kg=_number(body.weight_kg),
            last_menstrual_period=born.isoformat() if born else "",
        ),
        refer_to=letter.refer_to,
        reason=letter.reason,
        complaints=[
            symptoms[code].name_in(language) if code in symptoms else code
            for code in intake.complaints
        ],
        complaint_text=intake.text,
        complaint_duration=days_text(intake.duration_days, language)
        if intake.duration_days
        else "",
        danger_signs="; ".join(sign.question_in(language) for sign in signs_told(intake.answers)),
        measured="; ".join(
            f"{reading.name} {reading.shown}" for reading in readings(intake.vitals, language)
        ),
        history=told_and_heard("history", intake, note),
        allergies=told_and_heard("allergies", intake, note),
        current_medicines=told_and_heard("medicines", intake, note),
        findings=note.findings if note else "",
        investigations=note.investigations if note else "",
        diagnoses=[
            DiagnosisLine(
                code=diagnosis.code,
                title=diagnosis.title,
                name=""
                if names.get(diagnosis.code) == diagnosis.title
                else names.get(diagnosis.code, ""),
                provisional=diagnosis.provisional,
            )
            for diagnosis in writing.diagnoses
        ],
        treatment_given="\n".join(
            ", ".join(filter(None, [f"{line.name} {line.strength}", line.frequency, line.duration]))
            for line in (medicines_in(holds, language) if holds else [])
        ),
        advice=note.advice if note else "",
        colleagues=[
            AdviceBlock(
                name=ask.colleague_name,
                qualification=ask.colleague_qualification,
                registration=ask.colleague_registration,
                advice=ask.advice,
            )
            for ask in advice_in(consultation)
        ],
        verification_address="",
        qr_content="",
    )


def _number(value: Any) -> str:
    return "" if value is None else f"{value.normalize():f}"
