"""Reads of the registry, each scoped to what the actor may see."""

import datetime
import uuid

from django.db.models import QuerySet

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import NotFound
from sanjeevani.patients.consent import CURRENT_NOTICE
from sanjeevani.patients.models import AccessGrant, Consent, ConsentDecision, Patient


def patients_of(actor: Actor) -> QuerySet[Patient]:
    """Return the people registered under the actor's own account."""
    if actor.kind != ActorKind.PERSON or actor.account_id is None:
        return Patient.objects.none()
    return Patient.objects.filter(state_id=actor.state_id, account_id=actor.account_id).order_by(
        "registered_at"
    )


_own_patient = Compiled(
    lambda: Patient.objects.filter(
        state_id=given("state_id"), id=given("patient_id"), account_id=given("account_id")
    )
)


def own_patient(actor: Actor, patient_id: uuid.UUID) -> Patient:
    """Return a patient of the actor's own account. Raises NotFound."""
    if actor.kind != ActorKind.PERSON or actor.account_id is None:
        raise NotFound
    patient = _own_patient.first(
        state_id=actor.state_id, account_id=actor.account_id, patient_id=patient_id
    )
    if patient is None:
        raise NotFound
    return patient


_newest_consent = Compiled(
    lambda: Consent.objects.filter(
        state_id=given("state_id"), patient_id=given("patient_id")
    ).order_by("-id")[:1]
)


def valid_consent(patient: Patient) -> Consent | None:
    """Return the patient's consent to the current notice, unless withdrawn or outdated."""
    newest = _newest_consent.first(state_id=patient.state_id, patient_id=patient.id)
    if (
        newest is None
        or newest.decision != ConsentDecision.GIVEN
        or newest.notice_version != CURRENT_NOTICE
    ):
        return None
    return newest


_grants = Compiled(
    lambda: AccessGrant.objects.filter(
        state_id=given("state_id"),
        patient_id=given("patient_id"),
        practitioner_id=given("practitioner_id"),
    ).values_list("expires_at")
)


def may_read(practitioner_id: uuid.UUID, *, patient_state_id: int, patient_id: uuid.UUID) -> bool:
    """Tell whether a consultation lets the practitioner read the patient's record."""
    now = clock.now()
    grants = _grants.all(
        state_id=patient_state_id, patient_id=patient_id, practitioner_id=practitioner_id
    )
    return any(expires_at is None or expires_at > now for (expires_at,) in grants)


def age_in_years(patient_birth_date: datetime.date, on: datetime.date) -> int:
    """Return the completed years of age on a day."""
    before_birthday = (on.month, on.day) < (patient_birth_date.month, patient_birth_date.day)
    return on.year - patient_birth_date.year - before_birthday


def age_in_months(patient_birth_date: datetime.date, on: datetime.date) -> int:
    """Return the completed months of age on a day."""
    months = (on.year - patient_birth_date.year) * 12 + on.month - patient_birth_date.month
    return months - (on.day < patient_birth_date.day)
