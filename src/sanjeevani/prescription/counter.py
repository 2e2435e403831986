"""Reads of a spoke's counter: what waits there, what was given, what is out of stock."""

import math
import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet

from sanjeevani.consultation.models import SpokeToDo, ToDoKind
from sanjeevani.consultation.services import get
from sanjeevani.directory.models import Post
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.verbs import concern_of, write_audit
from sanjeevani.prescription.content import MedicineFacts, initials
from sanjeevani.prescription.documents import MedicineReading, medicines_in
from sanjeevani.prescription.dosing import dosing
from sanjeevani.prescription.models import (
    Dispensing,
    Handing,
    OutOfStock,
    Prescription,
    PrescriptionEnd,
    SpokePrescription,
)
from sanjeevani.prescription.permissions import CANCELLING, require_dispenser
from sanjeevani.prescription.queries import (
    Verification,
    prescription_of,
    verify_record,
    with_replaced,
)
from sanjeevani.terminology import dosage

MOST_SHOWN = 60


def needed(line: MedicineFacts) -> int | None:
    """Return how many units of the form a course takes; None where it is taken as needed."""
    frequency, dose = line["frequency"], Decimal(line["dose"])
    taken = dosing(frequency, dose)
    if taken is None or taken.per_day is None:
        return None
    coded = dosage.frequencies().get(frequency)
    if coded is None or coded.times_per_day is None:
        # Doses are written to two places: what is less comes from the binary fraction.
        return math.ceil(round(taken.per_day * line["duration_days"], 2))
    days = 1 if coded.single_dose else line["duration_days"]
    # Nobody takes a part of a dose: four tablets a week for thirty days are taken five times.
    return math.ceil(math.ceil(round(coded.times_per_day * days, 2)) * dose)


@dataclass(frozen=True)
class ToHandOut:
    """A medicine at the counter. `needed`: units of the form for the whole course, where known."""

    code: str
    reading: MedicineReading
    unit: str
    needed: int | None

    @property
    def name(self) -> str:
        """What stands on the box."""
        return " ".join(filter(None, [self.reading.name, self.reading.strength, self.reading.form]))


def to_hand_out(prescription: Prescription, language: str) -> list[ToHandOut]:
    """Return the medicines of a prescription, in a language."""
    return [
        ToHandOut(
            line["code"],
            reading,
            dosage.forms()[line["form"]].unit_in(language, needed(line) or 2),
            needed(line),
        )
        for line, reading in zip(
            prescription.content["medicines"], medicines_in(prescription, language), strict=True
        )
    ]


@dataclass(frozen=True)
class AtCounter:
    """A prescription at the counter, with what the patient has got of each medicine so far.

    `elsewhere`: the codes of what another place has handed out in full.
    """

    row: SpokePrescription
    prescription: Prescription
    verification: Verification
    given: dict[str, Dispensing]
    elsewhere: set[str]

    @property
    def patient(self) -> str:
        """The name of a patient of this spoke; of others initials and year of birth."""
        return shown_name(self.row, self.prescription)


def shown_name(row: SpokePrescription, prescription: Prescription) -> str:
    """Return how a patient is called at the counter: who is not of this spoke stays unnamed."""
    patient = prescription.content["patient"]
    if row.shown_to_post_id is None:
        return str(patient["name"])
    return initials(patient)


def at_counter(actor: Actor, state_id: int, prescription_id: uuid.UUID) -> AtCounter:
    """Return a prescription that stands on the spoke's list, verified, and audit the reading.

    Raises NotFound, NotPermitted, PharmacistHandsOut.
    """
    found = found_at_counter(require_dispenser(actor), state_id, prescription_id)
    consultation = get(state_id, found.prescription.consultation_id)
    write_audit(
        actor,
        "prescription.read_at_counter",
        concern_of(found.prescription, patient_id=consultation.patient_id),
    )
    return found


def found_at_counter(post: Post, state_id: int, prescription_id: uuid.UUID) -> AtCounter:
    """Return a prescription on the list of the post's spoke; the caller audits. Raises NotFound."""
    row = SpokePrescription.objects.filter(
        state_id=post.state_id,
        facility_id=post.facility_id,
        prescription_state_id=state_id,
        prescription_id=prescription_id,
    ).first()
    if row is None:
        raise NotFound
    prescription = prescription_of(state_id, prescription_id)
    given = dispensed(prescription)
    return AtCounter(
        row,
        prescription,
        verify_record(prescription),
        given,
        {
            code
            for code, one in given.items()
            if one.handing == Handing.FULL and one.facility_id != post.facility_id
        },
    )


def dispensed(prescription: Prescription) -> dict[str, Dispensing]:
    """Return what the patient got of each medicine so far, by its code."""
    rows = Dispensing.objects.filter(
        state_id=prescription.state_id, prescription_id=prescription.id
    ).order_by("id")
    return {row.medicine_code: row for row in rows}


@dataclass(frozen=True)
class Listed:
    """A prescription on the spoke's list. `gone`: it does not hold any more."""

    row: SpokePrescription
    number: str
    patient: str
    gone: bool


@dataclass(frozen=True)
class GivenBefore:
    """What the patient has on a prescription that was replaced. `goes_on`: it is prescribed still,
    perhaps in another dose."""

    code: str
    name: str
    row: Dispensing
    goes_on: bool


def given_before(prescription: Prescription, language: str) -> list[GivenBefore]:
    """Return what was handed out on the prescriptions that this one replaces, the newest first.

    It is in the patient's hands: whoever hands out again has to know, or it is given twice.
    """
    now = {line["code"] for line in prescription.content["medicines"]}
    found: list[GivenBefore] = []
    for replaced in with_replaced(prescription)[1:]:
        given = dispensed(replaced)
        found += [
            GivenBefore(one.code, one.name, given[one.code], one.code in now)
            for one in to_hand_out(replaced, language)
            if one.code in given and given[one.code].handing != Handing.NONE
        ]
    return found


def waiting_at_counter(actor: Actor) -> list[Listed]:
    """Return what waits to be handed out at the actor's spoke, the newest first.

    Only names, numbers and times. Raises NotPermitted, PharmacistHandsOut.
    """
    return _listed(require_dispenser(actor), Q(handed_at__isnull=True))


def missing_at_counter(actor: Actor) -> list[Listed]:
    """Return of what patients of the actor's spoke have not got everything, the newest first."""
    return _listed(require_dispenser(actor), Q(handed_at__isnull=False))


def _open_rows(state_id: int, facility_id: uuid.UUID, how_far: Q) -> QuerySet[SpokePrescription]:
    now = clock.now()
    return SpokePrescription.objects.filter(
        how_far,
        state_id=state_id,
        facility_id=facility_id,
        settled_at__isnull=True,
        since__gt=now - CANCELLING,
        expires_at__gt=now,
    ).order_by("-since")


def _listed(post: Post, how_far: Q) -> list[Listed]:
    rows = list(_open_rows(post.state_id, post.facility_id, how_far)[:MOST_SHOWN])
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for row in rows:
        ids_by_state.setdefault(row.prescription_state_id, []).append(row.prescription_id)
    found = {
        one.id: one
        for state_id, ids in ids_by_state.items()
        for one in Prescription.objects.filter(state_id=state_id, id__in=ids)
    }
    ended = {
        prescription_id
        for state_id, ids in ids_by_state.items()
        for prescription_id in PrescriptionEnd.objects.filter(
            state_id=state_id, prescription_id__in=ids
        ).values_list("prescription_id", flat=True)
    }
    return [
        Listed(
            row,
            found[row.prescription_id].number,
            shown_name(row, found[row.prescription_id]),
            row.prescription_id in ended,
        )
        for row in rows
    ]


def back_in_stock(
    state_id: int, facility_id: uuid.UUID
) -> list[tuple[SpokePrescription, list[str]]]:
    """Return for which of its patients a spoke has something now that was missing, and
    the codes of what.

    Without those who have been told.
    """
    out = out_of_stock(state_id, facility_id)
    told = SpokeToDo.objects.filter(
        state_id=state_id,
        facility_id=facility_id,
        kind=ToDoKind.MEDICINE,
        done_at__isnull=False,
    )
    rows = (
        _open_rows(state_id, facility_id, Q(handed_at__isnull=False))
        .filter(shown_to_post_id__isnull=True)
        .exclude(missing__contained_by=sorted(out))
        .exclude(consultation_id__in=told.values("consultation_id"))
    )
    return [(row, [code for code in row.missing if code not in out]) for row in rows[:MOST_SHOWN]]


def said_of_stock(state_id: int, facility_id: uuid.UUID) -> dict[str, OutOfStock]:
    """Return what was said last of each medicine that a spoke has ever had none of, by code."""
    rows = OutOfStock.objects.filter(state_id=state_id, facility_id=facility_id)
    return {row.medicine_code: row for row in rows}


def out_of_stock(state_id: int, facility_id: uuid.UUID) -> set[str]:
    """Return the codes of the medicines that a spoke has none of."""
    return set(
        OutOfStock.objects.filter(
            state_id=state_id, facility_id=facility_id, back_at__isnull=True
        ).values_list("medicine_code", flat=True)
    )
