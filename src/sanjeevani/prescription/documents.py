"""A signed prescription in a reader's language: as a PDF, and as the day plan on the screen."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone

from sanjeevani.documents.prescription_document import (
    ConsentBlock,
    DayPlan,
    DiagnosisLine,
    FacilityBlock,
    MedicineLine,
    PatientBlock,
    PractitionerBlock,
    PrescriptionDocument,
    age_text,
    days_text,
)
from sanjeevani.documents.typesetting import render
from sanjeevani.prescription.content import MedicineFacts, PrescriptionContent
from sanjeevani.prescription.dosing import dosing
from sanjeevani.prescription.models import Prescription
from sanjeevani.prescription.queries import ending_of
from sanjeevani.terminology import dosage
from sanjeevani.terminology.queries import diagnoses_coded, symptoms_named


@dataclass(frozen=True)
class MedicineReading:
    """One medicine in words. `by_slot`, and `units` for what each is counted in, are empty
    where the day's slots do not apply.

    `frequency` is empty where `dose` is written through the day (`1-0-2 tablets`).
    """

    name: str
    form: str
    strength: str
    route: str
    dose: str
    frequency: str
    duration: str
    instructions: str
    by_slot: dict[str, str]
    units: dict[str, str]


def medicines_in(prescription: Prescription, language: str) -> list[MedicineReading]:
    """Return the medicines of a prescription in a language, doses in Latin digits."""
    content = cast(PrescriptionContent, prescription.content)
    return [_reading(medicine, language) for medicine in content["medicines"]]


def _reading(medicine: MedicineFacts, language: str) -> MedicineReading:
    form = dosage.forms()[medicine["form"]]
    route = dosage.routes()[medicine["route"]]
    coded = dosage.instructions().get(medicine["instruction_code"])
    amount = Decimal(medicine["dose"])
    taken = dosing(medicine["frequency"], amount)
    dose, frequency = (
        taken.in_words(form, language)
        if taken
        else (f"{medicine['dose']} {form.unit_in(language, amount)}", medicine["frequency"])
    )
    by_slot = taken.by_slot if taken else {}
    return MedicineReading(
        name=medicine["generic_name"],
        form=form.name_in(language),
        strength=medicine["strength"],
        route=route.name_in(language),
        dose=dose,
        frequency=frequency,
        duration=days_text(medicine["duration_days"], language),
        instructions=". ".join(
            filter(None, [coded.name_in(language) if coded else "", medicine["instructions"]])
        ),
        by_slot={slot: f"{amount.normalize():f}" for slot, amount in by_slot.items()},
        units={slot: form.unit_in(language, amount) for slot, amount in by_slot.items()},
    )


def verification_address(prescription: Prescription) -> str:
    """Return the address that the QR code holds, with the signed statement."""
    return f"{settings.PUBLIC_URL}/verify?s={quote(prescription.signature)}"


def render_pdf(prescription: Prescription, language: str) -> bytes:
    """Return the prescription on paper, in a language."""
    return render(
        "prescription",
        document_of(prescription, language),
        language,
        issued_at=prescription.signed_at,
    )


def document_of(prescription: Prescription, language: str) -> PrescriptionDocument:
    """Return what the template prints."""
    content = cast(PrescriptionContent, prescription.content)
    patient = content["patient"]
    issued_on = datetime.date.fromisoformat(content["issued_on"])
    ending = ending_of(prescription)
    symptoms = symptoms_named(content["complaints"])
    plain = diagnoses_coded(diagnosis["code"] for diagnosis in content["diagnoses"])
    days = content["complaint_duration_days"]
    document = PrescriptionDocument(
        number=content["number"],
        issued_on=content["issued_on"],
        signed_at=timezone.localtime(prescription.signed_at).strftime("%Y-%m-%dT%H:%M"),
        mode=cast(Any, content["mode"]),
        encounter_kind=cast(Any, content["encounter_kind"]),
        facility=FacilityBlock(name=content["facility_name"], address=content["facility_address"]),
        practitioner=PractitionerBlock(**content["practitioner"]),
        patient=PatientBlock(
            name=patient["name"],
            age=age_text(datetime.date.fromisoformat(patient["birth_date"]), issued_on, language),
            gender=cast(Any, patient["gender"]),
            address=patient["address"],
            height_cm=patient["height_cm"],
            weight_kg=patient["weight_kg"],
            last_menstrual_period=patient["last_menstrual_period"],
        ),
        complaints=[
            symptoms[code].name_in(language) if code in symptoms else code
            for code in content["complaints"]
        ],
        complaint_text=content["complaint_text"],
        complaint_duration=days_text(days, language) if days else "",
        history=content["history"],
        allergies=content["allergies"],
        current_medicines=content["current_medicines"],
        findings=content["findings"],
        investigations=content["investigations"],
        diagnoses=[
            DiagnosisLine(
                code=diagnosis["code"],
                title=diagnosis["title"],
                name=_plain_name(plain.get(diagnosis["code"]), diagnosis["title"], language),
                provisional=diagnosis["provisional"],
            )
            for diagnosis in content["diagnoses"]
        ],
        medicines=[
            MedicineLine(
                name=reading.name,
                form=reading.form,
                strength=reading.strength,
                route=reading.route,
                dose=reading.dose,
                frequency=reading.frequency,
                day_plan=_day_plan(reading.by_slot),
                duration=reading.duration,
                instructions=reading.instructions,
            )
            for reading in medicines_in(prescription, language)
        ],
        advice=content["advice"],
        come_back=content["come_back"],
        verification_address=f"{settings.PUBLIC_URL}/verify",
        qr_content=verification_address(prescription),
        ended=cast(Any, ending.kind.value) if ending else "",
        ended_on=timezone.localtime(ending.at).date().isoformat() if ending else "",
        replaced_by=ending.successor if ending else "",
    )
    if "consent" in content:
        document["consent"] = ConsentBlock(**content["consent"])
    return document


def _plain_name(diagnosis: Any, title: str, language: str) -> str:
    """The service's own name of a diagnosis, unless it only repeats the title."""
    name = diagnosis.name_in(language) if diagnosis else ""
    return "" if name == title else name


def _day_plan(by_slot: Mapping[str, str]) -> DayPlan | None:
    if not by_slot:
        return None
    return DayPlan(
        morning=by_slot.get("morning", ""),
        noon=by_slot.get("noon", ""),
        evening=by_slot.get("evening", ""),
        night=by_slot.get("night", ""),
    )
