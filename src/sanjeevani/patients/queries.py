"""Reads of the registry, each scoped to what the actor may see."""

import datetime
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.foundation.errors import NotFound
from sanjeevani.patients.consent import CURRENT_NOTICE
from sanjeevani.patients.errors import KeptElsewhere, OffTheList
from sanjeevani.patients.models import (
    AccessGrant,
    Consent,
    ConsentDecision,
    Institution,
    Patient,
    Relation,
    SpokePatient,
)


def members_of(state_id: int, account_id: uuid.UUID) -> QuerySet[Patient]:
    """Return the people in an account's care now, in the order of their registration."""
    return Patient.objects.filter(
        state_id=state_id, account_id=account_id, left_at__isnull=True, same_as_id__isnull=True
    ).order_by("registered_at", "id")


def patients_of(actor: Actor) -> QuerySet[Patient]:
    """Return the people in the care of the actor's own account."""
    if actor.kind != ActorKind.PERSON or actor.account_id is None:
        return Patient.objects.none()
    return members_of(actor.state_id, actor.account_id)


_own_patient = Compiled(
    lambda: Patient.objects.filter(
        state_id=given("state_id"), id=given("patient_id"), account_id=given("account_id")
    )
)


def own_patient(actor: Actor, patient_id: uuid.UUID) -> Patient:
    """Return a person in the care of the actor's own account.

    Raises NotFound: as OffTheList or KeptElsewhere for one who was, and may go on.
    """
    patient = own_record(actor, patient_id)
    if patient.same_as_id is not None:
        raise KeptElsewhere(patient.same_as_id)
    if patient.left_at is not None:
        raise OffTheList
    return patient


def own_record(actor: Actor, patient_id: uuid.UUID) -> Patient:
    """Return a record of the actor's account, also one that left or is another's double.

    For the staff of a spoke: of somebody whom they sit beside. Raises NotFound.
    """
    if actor.spoke_id is not None:
        return _patient_at_spoke(actor, patient_id)
    if actor.kind != ActorKind.PERSON or actor.account_id is None:
        raise NotFound
    patient = _own_patient.first(
        state_id=actor.state_id, account_id=actor.account_id, patient_id=patient_id
    )
    if patient is None:
        raise NotFound
    return patient


def kept_record(double: Patient) -> Patient | None:
    """Return the record under which a double is kept, for who may see the double; else None."""
    if double.same_as_id is None:
        return None
    return Patient.objects.filter(state_id=double.state_id, id=double.same_as_id).first()


_at_spoke = Compiled(
    lambda: SpokePatient.objects.select_related("patient").filter(
        state_id=given("state_id"),
        facility_id=given("facility_id"),
        patient_id=given("patient_id"),
    )
)


def _patient_at_spoke(actor: Actor, patient_id: uuid.UUID) -> Patient:
    row = _at_spoke.first(
        state_id=actor.state_id, facility_id=actor.spoke_id, patient_id=patient_id
    )
    if row is None:
        raise NotFound
    found: Patient = row.patient
    return found


def may_act_for(actor: Actor, patient: Patient) -> bool:
    """Tell whether the patient is in the actor's care: the account's, or the spoke's."""
    if actor.spoke_id is None:
        return actor.kind == ActorKind.PERSON and actor.account_id == patient.account_id
    return (
        actor.kind == ActorKind.STAFF
        and actor.state_id == patient.state_id
        and _at_spoke.first(
            state_id=actor.state_id, facility_id=actor.spoke_id, patient_id=patient.id
        )
        is not None
    )


def has_registered(state_id: int, account_id: uuid.UUID) -> bool:
    """Tell whether an account has anybody in a state, on its list or not, or an institution."""
    of_account: dict[str, Any] = {"state_id": state_id, "account_id": account_id}
    return (
        Patient.objects.filter(**of_account).exists()
        or Institution.objects.filter(**of_account).exists()
    )


def family_of(actor: Actor) -> QuerySet[Patient]:
    """Return the people in care who are no residents of an institution."""
    return patients_of(actor).exclude(relation=Relation.RESIDENT)


def residents_of(actor: Actor, words: str = "") -> QuerySet[Patient]:
    """Return the residents, by name; `words` are parts of the name or the room, all of them."""
    found = named(patients_of(actor).filter(relation=Relation.RESIDENT), words)
    return found.order_by("name", "room", "id")


MOST_WORDS = 6


def named(patients: QuerySet[Patient], words: str) -> QuerySet[Patient]:
    """Return those of an account's people whose name or room has all the words."""
    for word in words.split()[:MOST_WORDS]:
        patients = patients.filter(Q(name__icontains=word) | Q(room__iexact=word))
    return patients


def left_care(actor: Actor) -> QuerySet[Patient]:
    """Return who is no longer in the account's care, and the doubles, the newest first."""
    if actor.kind != ActorKind.PERSON or actor.account_id is None:
        return Patient.objects.none()
    return (
        Patient.objects.filter(state_id=actor.state_id, account_id=actor.account_id)
        .filter(Q(left_at__isnull=False) | Q(same_as_id__isnull=False))
        .order_by("-id")
    )


def institution_of(actor: Actor) -> Institution | None:
    """Return the institution that the actor's account belongs to, if any."""
    if actor.kind != ActorKind.PERSON or actor.account_id is None:
        return None
    return Institution.objects.filter(state_id=actor.state_id, account_id=actor.account_id).first()


def same_person(state_id: Any, patient_id: Any) -> QuerySet[Patient, tuple[uuid.UUID]]:
    """Select the ids of all records that were said to be the same person, this one's among them.

    For a compiled query: alone, or as a part of one.
    """
    records = Patient.objects.filter(state_id=state_id)
    kept = records.filter(id=patient_id).values(kept=Coalesce("same_as_id", "id"))[:1]
    return records.filter(Q(id=kept) | Q(same_as_id=kept)).values_list("id")


_same_person = Compiled(lambda: same_person(given("state_id"), given("patient_id")))


def records_of_person(state_id: int, patient_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the ids of all records that were said to be the same person, this one's among them."""
    rows = _same_person.all(state_id=state_id, patient_id=patient_id)
    return [record for (record,) in rows] or [patient_id]


_newest_consent = Compiled(
    lambda: Consent.objects.filter(
        state_id=given("state_id"), patient_id=given("patient_id")
    ).order_by("-id")[:1]
)


def valid_consent(patient: Patient) -> Consent | None:
    """Return the patient's consent to the current notice, unless withdrawn or outdated."""
    newest = newest_decision(patient)
    return newest if newest is not None and _is_valid(newest) else None


def _is_valid(consent: Consent) -> bool:
    return consent.decision == ConsentDecision.GIVEN and consent.notice_version == CURRENT_NOTICE


def newest_decision(patient: Patient) -> Consent | None:
    """Return what was decided last, on whichever version of the notice."""
    newest: Consent | None = _newest_consent.first(state_id=patient.state_id, patient_id=patient.id)
    return newest


def has_withdrawn(state_id: int, patient_id: uuid.UUID) -> bool:
    """Tell whether the last decision on consent was to withdraw it."""
    newest = _newest_consent.first(state_id=state_id, patient_id=patient_id)
    return newest is not None and newest.decision == ConsentDecision.WITHDRAWN


def records_agreed_to(state_id: int, records: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of the records were agreed to last, to whichever version of the notice."""
    newest = (
        Consent.objects.filter(state_id=state_id, patient_id__in=list(records))
        .order_by("patient_id", "-id")
        .distinct("patient_id")
    )
    return {one.patient_id for one in newest if one.decision == ConsentDecision.GIVEN}


def withdrawn_since(state_id: int, records: Iterable[uuid.UUID], moment: datetime.datetime) -> bool:
    """Tell whether consent was withdrawn for one of the records after a moment."""
    return Consent.objects.filter(
        state_id=state_id,
        patient_id__in=list(records),
        decision=ConsentDecision.WITHDRAWN,
        decided_at__gt=moment,
    ).exists()


def may_withdraw(patient: Patient) -> bool:
    """Tell whether there is a consent to withdraw: to an earlier notice, too, or by a double."""
    records = records_of_person(patient.state_id, patient.id)
    return bool(records_agreed_to(patient.state_id, records))


def decisions_of(patient: Patient) -> QuerySet[Consent]:
    """Return the decisions on all versions of the notice, the newest first."""
    return Consent.objects.filter(state_id=patient.state_id, patient_id=patient.id).order_by("-id")


def with_valid_consent(state_id: int, patient_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of the patients have agreed to the current notice."""
    newest = (
        Consent.objects.filter(state_id=state_id, patient_id__in=list(patient_ids))
        .order_by("patient_id", "-id")
        .distinct("patient_id")
    )
    return {consent.patient_id for consent in newest if _is_valid(consent)}


_grants = Compiled(
    lambda: AccessGrant.objects.filter(
        state_id=given("state_id"),
        patient_id=given_any("records"),
        practitioner_id=given("practitioner_id"),
    ).values_list("expires_at")
)


def may_read(practitioner_id: uuid.UUID, *, patient_state_id: int, patient_id: uuid.UUID) -> bool:
    """Tell whether a consultation lets the practitioner read the patient's record."""
    records = records_of_person(patient_state_id, patient_id)
    return may_read_any(practitioner_id, patient_state_id, records)


def may_read_any(
    practitioner_id: uuid.UUID, patient_state_id: int, records: list[uuid.UUID]
) -> bool:
    """Tell whether a consultation lets the practitioner read one of the records of a person."""
    now = clock.now()
    grants = _grants.all(
        state_id=patient_state_id, records=records, practitioner_id=practitioner_id
    )
    return any(expires_at is None or expires_at > now for (expires_at,) in grants)


def read_because_of(
    practitioner_ids: Collection[uuid.UUID], state_id: int, consultation_ids: Collection[uuid.UUID]
) -> set[uuid.UUID]:
    """Return those of some consultations of a state's patients that let, or once let, one of the
    practitioners read the record: who was called by them, also where another went on."""
    return set(
        AccessGrant.objects.filter(
            state_id=state_id,
            consultation_id__in=consultation_ids,
            practitioner_id__in=practitioner_ids,
        ).values_list("consultation_id", flat=True)
    )


def readers_because_of(state_id: int, consultation_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the practitioners whom a consultation let read the record, the last who came last."""
    return list(
        AccessGrant.objects.filter(state_id=state_id, consultation_id=consultation_id)
        .order_by("granted_at", "id")
        .values_list("practitioner_id", flat=True)
    )


def age_in_years(patient_birth_date: datetime.date, on: datetime.date) -> int:
    """Return the completed years of age on a day."""
    before_birthday = (on.month, on.day) < (patient_birth_date.month, patient_birth_date.day)
    return on.year - patient_birth_date.year - before_birthday


def age_in_months(patient_birth_date: datetime.date, on: datetime.date) -> int:
    """Return the completed months of age on a day."""
    months = (on.year - patient_birth_date.year) * 12 + on.month - patient_birth_date.month
    return months - (on.day < patient_birth_date.day)
