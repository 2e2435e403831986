"""The clinics that a patient may ask: how long each takes, or why it cannot be asked now."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sanjeevani.consultation.models import Consultation
from sanjeevani.directory.models import Gender, Practitioner
from sanjeevani.directory.queries import OpenClinic, clinics_serving, practitioners
from sanjeevani.foundation import clock
from sanjeevani.intake.content import IntakeContent
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import age_in_months
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.queueing.queries import expected_waits, places_taken
from sanjeevani.roster.queries import who_is_on_duty
from sanjeevani.terminology.queries import recommended_speciality, symptoms_named


@dataclass(frozen=True)
class OnDuty:
    """The doctors who serve a line now, without their names."""

    doctors: int = 0
    women: int = 0
    languages: tuple[str, ...] = ()


def on_duty_of(people: Sequence[Practitioner]) -> OnDuty:
    """Return how many doctors these are, and what they speak."""
    return OnDuty(
        len(people),
        sum(person.gender == Gender.FEMALE for person in people),
        tuple(sorted({code for person in people for code in person.languages})),
    )


def on_duty_in(lines: Mapping[int, Iterable[uuid.UUID]]) -> dict[uuid.UUID, OnDuty]:
    """Return who serves each of these lines, by state; so many statements for any number of them.

    Whoever is gone from the register between two reads serves nothing any more.
    """
    serving: dict[uuid.UUID, list[tuple[int, uuid.UUID]]] = {}
    for state_id, line_ids in lines.items():
        serving |= who_is_on_duty(state_id, line_ids)
    people = practitioners({key for keys in serving.values() for key in keys})
    return {
        line_id: on_duty_of([people[one] for _state, one in keys if one in people])
        for line_id, keys in serving.items()
    }


@dataclass(frozen=True)
class Offer:
    """A clinic with its expected wait (None: no doctor on duty) for somebody who joins it now."""

    open_clinic: OpenClinic
    wait: WaitInterval | None
    is_full: bool
    is_recommended: bool
    on_duty: OnDuty = OnDuty()

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
    offers = _offers(clinics_serving(patient.state_id), recommended)
    on_duty = on_duty_in(_by_state([offer.open_clinic for offer in offers]))
    return sorted(
        (replace(one, on_duty=on_duty.get(one.open_clinic.line.id, OnDuty())) for one in offers),
        key=_order,
    )


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


def _by_state(clinics: list[OpenClinic]) -> dict[int, list[uuid.UUID]]:
    by_state: dict[int, list[uuid.UUID]] = {}
    for item in clinics:
        by_state.setdefault(item.line.state_id, []).append(item.line.id)
    return by_state


def _offers(clinics: list[OpenClinic], recommended: str | None) -> list[Offer]:
    waits: dict[uuid.UUID, WaitInterval | None] = {}
    taken: dict[uuid.UUID, int] = {}
    for state_id, line_ids in _by_state(clinics).items():
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
