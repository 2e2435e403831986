"""The verbs of the registry."""

import datetime
import uuid
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.patients.consent import CURRENT_NOTICE
from sanjeevani.patients.models import AccessGrant, Consent, ConsentDecision, Patient

OLDEST_YEARS = 120
PATIENTS_PER_ACCOUNT = 12


@dataclass(frozen=True)
class Profile:
    """What a patient is registered with."""

    relation: str
    name: str
    gender: str
    birth_date: datetime.date
    birth_date_is_estimated: bool
    address: str
    district: str


def _check(profile: Profile) -> None:
    today = clock.today()
    if profile.birth_date > today:
        raise Invalid(_("The date of birth lies in the future."), field="birth_date")
    if profile.birth_date.year < today.year - OLDEST_YEARS:
        raise Invalid(_("Please check the year of birth."), field="birth_date")


@verb("patients.register")
def register(actor: Actor, *, state_id: int, account_id: uuid.UUID, profile: Profile) -> Patient:
    """Register a person under an account, in the state where the account is at home."""
    if actor.account_id != account_id:
        raise NotPermitted
    _check(profile)
    held = Patient.objects.filter(state_id=state_id, account_id=account_id)
    if held.count() >= PATIENTS_PER_ACCOUNT:
        raise Invalid(_("No more people can be registered under this mobile number."))
    patient = Patient.objects.create(
        state_id=state_id,
        id=uuid7(),
        account_id=account_id,
        registered_at=clock.now(),
        **vars(profile),
    )
    concerns(patient, patient_id=patient.id)
    return patient


@verb("patients.change_profile")
def change_profile(actor: Actor, *, state_id: int, patient_id: uuid.UUID, profile: Profile) -> None:
    """Correct a patient's profile. Consultations keep the facts as they were."""
    _check(profile)
    if actor.account_id is None:
        raise NotPermitted
    changed = Patient.objects.filter(
        state_id=state_id, id=patient_id, account_id=actor.account_id
    ).update(**vars(profile))
    if not changed:
        raise NotPermitted
    concerns(Patient(state_id=state_id, id=patient_id), patient_id=patient_id)


@verb("patients.decide_consent")
def decide_consent(
    actor: Actor,
    *,
    patient: Patient,
    decision: ConsentDecision,
    language: str,
) -> Consent:
    """Record that the holder of the account gave or withdrew consent to the current notice."""
    if actor.account_id != patient.account_id:
        raise NotPermitted
    consent = Consent.objects.create(
        state_id=patient.state_id,
        id=uuid7(),
        patient_id=patient.id,
        notice_version=CURRENT_NOTICE,
        language=language,
        decision=decision,
        decided_at=clock.now(),
    )
    concerns(consent, patient_id=patient.id)
    return consent


@verb("patients.grant_access")
def grant_access(
    actor: Actor,
    *,
    patient_state_id: int,
    patient_id: uuid.UUID,
    practitioner_id: uuid.UUID,
    consultation_state_id: int,
    consultation_id: uuid.UUID,
) -> None:
    """Let a practitioner read the patient's record because of a consultation."""
    grant, _created = AccessGrant.objects.get_or_create(
        state_id=patient_state_id,
        consultation_id=consultation_id,
        practitioner_id=practitioner_id,
        defaults={
            "id": uuid7(),
            "patient_id": patient_id,
            "consultation_state_id": consultation_state_id,
            "granted_at": clock.now(),
        },
    )
    concerns(grant, patient_id=patient_id)
