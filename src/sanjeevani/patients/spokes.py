"""Patients at a spoke: found again or registered by its staff, who then act for them.

Whom the staff may act for is a row of `SpokePatient`. It is made when they register somebody, or
take in somebody who is registered already and sits before them; each is on the audit trail.
"""

import datetime
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concern_of, concerns, verb, write_audit
from sanjeevani.identity.models import Account, AccountKind
from sanjeevani.identity.queries import account_by_login
from sanjeevani.identity.services import account_of_patient
from sanjeevani.patients.errors import AlreadyRegistered
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

    A whole mobile or ABHA number finds people of the whole state; a name, or a mobile that was only
    told, those who have been at this spoke. Raises NotPermitted.
    """
    spoke_id = spoke_of(actor)
    told: list[Patient] = []
    if sought.mobile:
        account = account_by_login(AccountKind.PATIENT, sought.mobile)
        found = members_of(actor.state_id, account.id) if account else Patient.objects.none()
        told = list(_told(actor.state_id, spoke_id, sought.mobile)[:MOST_FOUND])
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
    people = [*found[:MOST_FOUND], *told]
    for person in people:
        write_audit(actor, "patients.find", concern_of(person, patient_id=person.id))
    return people


def _with_number(state_id: int, abha_number: str) -> QuerySet[Patient]:
    """Return who has the number; where it stands on a double, the record that is kept."""
    records = Patient.objects.filter(state_id=state_id)
    holder = records.filter(abha_number=abha_number).values(kept=Coalesce("same_as_id", "id"))
    return records.filter(id__in=holder, left_at__isnull=True)


def _ids_known_at(state_id: int, spoke_id: uuid.UUID) -> QuerySet[SpokePatient, Any]:
    known = SpokePatient.objects.filter(state_id=state_id, facility_id=spoke_id)
    return known.values("patient_id")


def _known_at(state_id: int, spoke_id: uuid.UUID) -> QuerySet[Patient]:
    """Return who has been at a spoke."""
    return Patient.objects.filter(
        state_id=state_id,
        id__in=_ids_known_at(state_id, spoke_id),
        left_at__isnull=True,
        same_as_id__isnull=True,
    )


def _told(state_id: int, spoke_id: uuid.UUID, mobile: str) -> QuerySet[Patient]:
    """Return who has said at a spoke that this is their mobile, and has not shown it."""
    said = SpokePatient.objects.filter(state_id=state_id, facility_id=spoke_id, told_mobile=mobile)
    return _known_at(state_id, spoke_id).filter(id__in=said.values("patient_id")).order_by("id")


def told_mobiles(
    state_id: int, spoke_id: uuid.UUID, patient_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """Return the mobiles that patients of a spoke have told and not shown to be theirs."""
    rows = SpokePatient.objects.filter(
        state_id=state_id, facility_id=spoke_id, patient_id__in=patient_ids
    ).exclude(told_mobile="")
    return dict(rows.values_list("patient_id", "told_mobile"))


def alike_at_spoke(actor: Actor, profile: Profile) -> Patient | None:
    """Return who has been at the actor's spoke under the same name and at the same age."""
    return alike_among(_known_at(actor.state_id, spoke_of(actor)), profile)


@verb("patients.take_in")
def take_in(actor: Actor, *, patient_id: uuid.UUID) -> Patient:
    """Let the staff of the actor's spoke act for a patient of the state who sits before them.

    Raises NotFound, NotPermitted.
    """
    spoke_id = spoke_of(actor)
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

    A mobile that others use already is kept as told, and the patient is registered without it: who
    reads on that mobile must not read what a mistyped number brings. `consultation.give_mobile`
    joins them once its owner has agreed.

    The same `key` again returns the first one. Raises AlreadyRegistered, Invalid, NotPermitted.
    """
    spoke_id = spoke_of(actor)
    if profile.relation == Relation.RESIDENT:
        # An institution registers its residents itself.
        raise Invalid(field="relation")
    account = _account_of(actor, spoke_id, mobile, language, key)
    told = mobile if mobile != account.mobile else ""
    if told and not is_another:
        _refuse_alike(actor, spoke_id, told, profile, key)
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
    _note_visit(actor, spoke_id, patient, told_mobile=told)
    concerns(patient, patient_id=patient.id)
    return patient


def _account_of(
    actor: Actor, spoke_id: uuid.UUID, mobile: str, language: str, key: uuid.UUID
) -> Account:
    """Return the account to register somebody under: of the mobile, unless others use it."""
    made = partial(
        account_of_patient, actor, language=language, home_state_id=actor.state_id, key=key
    )
    if mobile:
        held = account_by_login(AccountKind.PATIENT, mobile)
        if held is None or not _is_anothers(actor.state_id, spoke_id, held, key):
            account = made(mobile=mobile)
            # Meanwhile its owner may have come in.
            if not _is_anothers(actor.state_id, spoke_id, account, key):
                return account
    return made(mobile="")


def _is_anothers(state_id: int, spoke_id: uuid.UUID, account: Account, key: uuid.UUID) -> bool:
    """Tell whether others use an account: who signs in to it, or was registered elsewhere.

    Not once this registration is in it.
    """
    registered = Patient.objects.filter(state_id=state_id, account_id=account.id)
    if registered.filter(registration_key=key).exists():
        return False
    if account.last_entered_at is not None or not account.is_active:
        return True
    if account.home_state_id not in (None, state_id):
        return True
    return registered.exclude(id__in=_ids_known_at(state_id, spoke_id)).exists()


def _refuse_alike(
    actor: Actor, spoke_id: uuid.UUID, mobile: str, profile: Profile, key: uuid.UUID
) -> None:
    """Raise AlreadyRegistered for somebody alike who uses the mobile, or told it here before."""
    account = account_by_login(AccountKind.PATIENT, mobile)
    alike = account and alike_among(members_of(actor.state_id, account.id), profile)
    before = _told(actor.state_id, spoke_id, mobile).exclude(registration_key=key)
    alike = alike or alike_among(before, profile)
    if alike:
        raise AlreadyRegistered(alike)


def spoke_of(actor: Actor) -> uuid.UUID:
    """Return the spoke that the actor is staff of. Raises NotPermitted."""
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


def _note_visit(
    actor: Actor, spoke_id: uuid.UUID, patient: Patient, *, told_mobile: str = ""
) -> None:
    if actor.post_id is None:
        raise NotPermitted
    now = clock.now()
    told = {"told_mobile": told_mobile} if told_mobile else {}
    SpokePatient.objects.update_or_create(
        state_id=patient.state_id,
        facility_id=spoke_id,
        patient_id=patient.id,
        defaults={"since": now, "by_post_id": actor.post_id, **told},
        create_defaults={"id": uuid7(), "since": now, "by_post_id": actor.post_id, **told},
    )


def recent_patients(actor: Actor, limit: int = 10) -> list[Patient]:
    """Return who was at the actor's spoke last, of those who are on their account's list."""
    spoke_id = spoke_of(actor)
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
