"""The clinics that a patient may ask: how long each takes, or why it cannot be asked now."""

import uuid
from dataclasses import dataclass

from sanjeevani.consultation.models import Consultation
from sanjeevani.directory.queries import OpenClinic, clinics_serving
from sanjeevani.foundation import clock
from sanjeevani.intake.content import IntakeContent
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import age_in_months
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.queueing.queries import expected_waits, places_taken
from sanjeevani.terminology.queries import recommended_speciality, symptoms_named


@dataclass(frozen=True)
class Offer:
    """A clinic with its expected wait (None: no doctor on duty) for somebody who joins it now."""

    open_clinic: OpenClinic
    wait: WaitInterval | None
    is_full: bool
    is_recommended: bool

    @property
    def can_be_asked(self) -> bool:
        """Whether a token can be had now."""
        return self.open_clinic.is_open and not self.is_full


def offers_for(patient: Patient, content: IntakeContent) -> list[Offer]:
    """Return the clinics that serve the patient's state.

    Those for the speciality that the complaints lead to come first, then those that can be asked,
    then the shortest waits.
    """
    named = symptoms_named(content.complaints)
    recommended = recommended_speciality(
        [named[code] for code in content.complaints if code in named],
        age_months=age_in_months(patient.birth_date, clock.today()),
    )
    return sorted(_offers(clinics_serving(patient.state_id), recommended), key=_order)


def destinations(consultation: Consultation) -> list[Offer]:
    """Return the open clinics that a doctor may send this patient to, the shortest waits first.

    A redirect takes no place of the day, so that a full clinic is one too.
    """
    clinics = [
        item
        for item in clinics_serving(consultation.patient_state_id)
        if item.is_open and item.line.id != consultation.line_id
    ]
    return sorted(
        _offers(clinics, None),
        key=lambda offer: (
            offer.wait.high if offer.wait else float("inf"),
            offer.open_clinic.clinic.name,
        ),
    )


def _offers(clinics: list[OpenClinic], recommended: str | None) -> list[Offer]:
    by_state: dict[int, list[uuid.UUID]] = {}
    for item in clinics:
        by_state.setdefault(item.line.state_id, []).append(item.line.id)
    waits: dict[uuid.UUID, WaitInterval | None] = {}
    taken: dict[uuid.UUID, int] = {}
    for state_id, line_ids in by_state.items():
        waits |= expected_waits(state_id, line_ids)
        taken |= places_taken(state_id, line_ids, clock.today())
    return [
        Offer(
            item,
            waits[item.line.id],
            taken[item.line.id] >= item.line.places_per_day,
            item.clinic.speciality_code == recommended,
        )
        for item in clinics
    ]


def _order(offer: Offer) -> tuple[bool, bool, float, str]:
    wait = offer.wait.high if offer.wait else float("inf")
    return not offer.is_recommended, not offer.can_be_asked, wait, offer.open_clinic.clinic.name
