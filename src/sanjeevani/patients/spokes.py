"""Patients at a spoke: found again or registered by its staff, who then act for them.

Whom the staff may act for is a row of `SpokePatient`. It is made when they register somebody, or
take in somebody who is registered already and sits before them; each is on the audit trail.
"""

import datetime
import re
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concern_of, concerns, verb, write_audit
from sanjeevani.identity.models import AccountKind
from sanjeevani.identity.queries import account_by_login
from sanjeevani.identity.services import account_of_patient
from sanjeevani.patients.models import Patient, Relation, SpokePatient
from sanjeevani.patients.queries import members_of, named
from sanjeevani.patients.services import Profile, alike_among, register

MOST_FOUND = 20
ABHA_DIGITS = 14


def parse_abha(text: str) -> str:
    """Return the 14 digits of an ABHA number, however they are grouped. Raises Invalid."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(rf"[0-9]{{{ABHA_DIGITS}}}", digits):
        raise Invalid(_("An ABHA number has 14 digits."), field="abha_number")
    return digits


@dataclass(frozen=True)
class Sought:
    """What a patient says of themselves: one of mobile, ABHA number, or name with year of birth."""

    mobile: str = ""
    abha_number: str = ""
    name: str = ""
    birth_year: int | None = None


def find_patients(actor: Actor, sought: Sought) -> list[Patient]:
    """Return who that can be, and audit the search.

    A whole mobile or ABHA number finds people of the whole state; a name only those who have been
    at this spoke. Raises NotPermitted.
    """
    spoke_id = _require_spoke(actor)
    if sought.mobile:
        account = account_by_login(AccountKind.PATIENT, sought.mobile)
        found = members_of(actor.state_id, account.id) if account else Patient.objects.none()
    elif sought.abha_number:
        found = _with_number(actor.state_id, sought.abha_number)
    else:
        found = named(_known_at(actor.state_id, spoke_id), sought.name)
        if sought.birth_year is not None:
            # Years told are often a year off.
            found = found.filter(
                birth_date__range=(
                    datetime.date(sought.birth_year - 1, 1, 1),
                    datetime.date(sought.birth_year + 1, 12, 31),
                )
            )
        found = found.order_by("name", "id")
    people = list(found[:MOST_FOUND])
    for person in people:
        write_audit(actor, "patients.find", concern_of(person, patient_id=person.id))
    return people


def _with_number(state_id: int, abha_number: str) -> QuerySet[Patient]:
    """Return who has the number; where it stands on a double, the record that is kept."""
    records = Patient.objects.filter(state_id=state_id)
    holder = records.filter(abha_number=abha_number).values(kept=Coalesce("same_as_id", "id"))
    return records.filter(id__in=holder, left_at__isnull=True)


def _known_at(state_id: int, spoke_id: uuid.UUID) -> QuerySet[Patient]:
    """Return who has been at a spoke."""
    known = SpokePatient.objects.filter(state_id=state_id, facility_id=spoke_id)
    return Patient.objects.filter(
        state_id=state_id,
        id__in=known.values("patient_id"),
        left_at__isnull=True,
        same_as_id__isnull=True,
    )


def alike_at_spoke(actor: Actor, profile: Profile) -> Patient | None:
    """Return who has been at the actor's spoke under the same name and at the same age."""
    return alike_among(_known_at(actor.state_id, _require_spoke(actor)), profile)


@verb("patients.take_in")
def take_in(actor: Actor, *, patient_id: uuid.UUID) -> Patient:
    """Let the staff of the actor's spoke act for a patient of the state who sits before them.

    Raises NotFound, NotPermitted.
    """
    spoke_id = _require_spoke(actor)
    patient = Patient.objects.filter(
        state_id=actor.state_id, id=patient_id, left_at__isnull=True, same_as_id__isnull=True
    ).first()
    if patient is None:
        raise NotFound
    _note_visit(actor, spoke_id, patient)
    concerns(patient, patient_id=patient.id)
    return patient


@verb("patients.register_at_spoke")
def register_at_spoke(
    actor: Actor,
    *,
    profile: Profile,
    language: str,
    key: uuid.UUID,
    mobile: str = "",
    abha_number: str = "",
    is_another: bool = False,
) -> Patient:
    """Register a patient who sits before the staff, under their mobile if they have one.

    The same `key` again returns the first one. Raises AlreadyRegistered, Invalid, NotPermitted.
    """
    spoke_id = _require_spoke(actor)
    if profile.relation == Relation.RESIDENT:
        # An institution registers its residents itself.
        raise Invalid(field="relation")
    account = account_of_patient(
        actor, mobile=mobile, language=language, home_state_id=actor.state_id, key=key
    )
    patient = register(
        actor,
        state_id=actor.state_id,
        account_id=account.id,
        profile=profile,
        key=key,
        is_another=is_another,
    )
    if abha_number:
        _give_number(patient, abha_number)
    _note_visit(actor, spoke_id, patient)
    concerns(patient, patient_id=patient.id)
    return patient


def _require_spoke(actor: Actor) -> uuid.UUID:
    if actor.kind != ActorKind.STAFF or actor.spoke_id is None:
        raise NotPermitted
    return actor.spoke_id


def _give_number(patient: Patient, abha_number: str) -> None:
    try:
        with transaction.atomic():
            Patient.objects.filter(state_id=patient.state_id, id=patient.id).update(
                abha_number=abha_number
            )
    except IntegrityError as error:
        if "patient_abha_number" not in str(error):
            raise
        if _with_number(patient.state_id, abha_number).exists():
            message = _(
                "Somebody with this ABHA number is registered already. Search for the number."
            )
        else:
            message = _(
                "This ABHA number stands on a record that is no longer in use."
                " Register without the number."
            )
        raise Invalid(message, field="abha_number") from None
    patient.abha_number = abha_number


def _note_visit(actor: Actor, spoke_id: uuid.UUID, patient: Patient) -> None:
    if actor.post_id is None:
        raise NotPermitted
    now = clock.now()
    SpokePatient.objects.update_or_create(
        state_id=patient.state_id,
        facility_id=spoke_id,
        patient_id=patient.id,
        defaults={"since": now, "by_post_id": actor.post_id},
        create_defaults={"id": uuid7(), "since": now, "by_post_id": actor.post_id},
    )


def recent_patients(actor: Actor, limit: int = 10) -> list[Patient]:
    """Return who was at the actor's spoke last, of those who are on their account's list."""
    spoke_id = _require_spoke(actor)
    rows = (
        SpokePatient.objects.select_related("patient")
        .filter(
            state_id=actor.state_id,
            facility_id=spoke_id,
            patient__left_at__isnull=True,
            patient__same_as_id__isnull=True,
        )
        .order_by("-since")[:limit]
    )
    return [row.patient for row in rows]
