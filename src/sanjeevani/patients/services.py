"""The verbs of the registry."""

import datetime
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.rows import Kept
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.services import require_home, set_home_state
from sanjeevani.patients.companions import last_day_as_minor
from sanjeevani.patients.consent import CURRENT_NOTICE
from sanjeevani.patients.errors import (
    AlreadyRegistered,
    InstitutionExists,
    NoticeChanged,
    WithdrawnSince,
)
from sanjeevani.patients.models import (
    AccessGrant,
    Bond,
    Consent,
    ConsentDecision,
    Institution,
    Patient,
    Relation,
    Representative,
)
from sanjeevani.patients.queries import (
    has_registered,
    institution_of,
    may_act_for,
    members_of,
    own_patient,
    own_record,
    records_agreed_to,
    records_of_person,
    withdrawn_since,
)

OLDEST_YEARS = 120
PATIENTS_PER_ACCOUNT = 12
RESIDENTS_PER_ACCOUNT = 3000
REPRESENTATIVES = 5
"""At most so many at a time."""


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
    decides_alone: bool = True
    room: str = ""


def require_possible(profile: Profile) -> None:
    """Let nobody be registered who cannot live today. Raises Invalid."""
    today = clock.today()
    if profile.birth_date > today:
        raise Invalid(_("The date of birth lies in the future."), field="birth_date")
    if profile.birth_date.year < today.year - OLDEST_YEARS:
        raise Invalid(_("Please check the year of birth."), field="birth_date")


@verb("patients.choose_home")
def choose_home(actor: Actor, *, account_id: uuid.UUID, home_state_id: int) -> None:
    """Choose the state where the account is at home: what is registered lives there.

    Tapped by mistake it is chosen anew, as long as nobody is registered. Raises NotPermitted.
    """
    before = (actor.state_id or None) if actor.kind == ActorKind.PERSON else None
    # It locks the account, and whoever registers somebody waits for that.
    set_home_state(actor, account_id=account_id, home_state_id=home_state_id, instead_of=before)
    if before not in (None, home_state_id) and has_registered(before, account_id):
        raise NotPermitted


@verb("patients.register")
def register(
    actor: Actor,
    *,
    state_id: int,
    account_id: uuid.UUID,
    profile: Profile,
    key: uuid.UUID | None = None,
    is_another: bool = False,
) -> Patient:
    """Register a person under an account, in the state where the account is at home.

    The holder does, or the staff of a spoke in their state.

    The same `key` again returns the first one. Raises AlreadyRegistered when the account has
    somebody very like this one, unless `is_another` says that it is somebody else; Invalid for
    another person under a key that was used.
    """
    at_spoke = actor.spoke_id is not None and actor.state_id == state_id
    if actor.account_id != account_id and not at_spoke:
        raise NotPermitted
    earlier = _registered_before(state_id, account_id, profile, key)
    if earlier is not None:
        return earlier
    if not at_spoke:
        require_home(account_id, state_id)
    require_possible(profile)
    require_room(state_id, account_id, profile.relation)
    if not is_another:
        alike = alike_in(state_id, account_id, profile)
        if alike is not None:
            raise AlreadyRegistered(alike)
    try:
        with transaction.atomic():
            patient = Patient.objects.create(
                state_id=state_id,
                id=uuid7(),
                account_id=account_id,
                registered_at=clock.now(),
                registration_key=key,
                **vars(profile),
            )
    except IntegrityError:
        # Sent twice at the same moment: the first one, by now committed, is the person.
        earlier = _registered_before(state_id, account_id, profile, key)
        if earlier is None:
            raise
        return earlier
    concerns(patient, patient_id=patient.id)
    return patient


def _registered_before(
    state_id: int, account_id: uuid.UUID, profile: Profile, key: uuid.UUID | None
) -> Patient | None:
    if key is None:
        return None
    earlier = Patient.objects.filter(
        state_id=state_id, account_id=account_id, registration_key=key
    ).first()
    if earlier is None:
        return None
    if (_letters(earlier.name), earlier.gender) != (_letters(profile.name), profile.gender):
        # Who goes back to a form that was sent and writes the next patient into it would go on
        # with the first, whose record the doctor would read.
        raise Invalid(
            _(
                "This form has registered %(name)s already. To register somebody else, open a new"
                " form. Correct %(name)s on their own page."
            )
            % {"name": earlier.name},
            field="name",
        )
    concerns(earlier, patient_id=earlier.id)
    return earlier


def require_room(state_id: int, account_id: uuid.UUID, relation: str) -> None:
    """Refuse residents without an institution, and more people than an account may hold."""
    members = members_of(state_id, account_id)
    if relation == Relation.RESIDENT:
        if not Institution.objects.filter(state_id=state_id, account_id=account_id).exists():
            raise Invalid(_("Register the institution first."), field="relation")
        if members.filter(relation=Relation.RESIDENT).count() >= RESIDENTS_PER_ACCOUNT:
            raise Invalid(_("No more residents can be registered under this mobile number."))
    elif members.exclude(relation=Relation.RESIDENT).count() >= PATIENTS_PER_ACCOUNT:
        raise Invalid(
            _(
                "No more people can be registered under this mobile number. Take somebody off the"
                " list first, or use another mobile number."
            )
        )


ALMOST_A_YEAR = datetime.timedelta(days=366)


def alike_in(state_id: int, account_id: uuid.UUID, profile: Profile) -> Patient | None:
    """Return the person of an account who has the same name and gender and is of the same age.

    Looks at this one account only: what others have registered is nobody's business here.
    """
    return alike_among(members_of(state_id, account_id), profile)


def alike_among(people: QuerySet[Patient], profile: Profile) -> Patient | None:
    """Return the one of these people who has the same name and gender and is of the same age."""
    of_this_age = people.filter(
        gender=profile.gender,
        birth_date__range=(
            profile.birth_date - ALMOST_A_YEAR,
            profile.birth_date + ALMOST_A_YEAR,
        ),
    )
    name = _letters(profile.name)
    for member in of_this_age:
        same_birth = member.birth_date == profile.birth_date
        guessed = member.birth_date_is_estimated or profile.birth_date_is_estimated
        another_room = member.room and profile.room and member.room != profile.room
        if _letters(member.name) == name and (same_birth or guessed) and not another_room:
            return member
    return None


def _letters(name: str) -> str:
    """Return what remains of a name without spaces, points, case and doubled letters."""
    kept = [
        character
        for character in unicodedata.normalize("NFKC", name).casefold()
        if unicodedata.category(character)[0] in "LM"
    ]
    return "".join(
        character
        for place, character in enumerate(kept)
        if place == 0 or character != kept[place - 1]
    )


@verb("patients.register_residents")
def register_residents(
    actor: Actor,
    *,
    state_id: int,
    account_id: uuid.UUID,
    profiles: Sequence[tuple[Profile, bool]],
    key: uuid.UUID,
) -> list[Patient]:
    """Register several residents in one sitting, all or none; `(profile, is_another)` each.

    The same `key` again returns the first ones. Raises what `register` raises.
    """
    institution = Institution.objects.filter(state_id=state_id, account_id=account_id).first()
    if institution is None or actor.account_id != account_id:
        raise NotPermitted
    registered = [
        register(
            actor,
            state_id=state_id,
            account_id=account_id,
            profile=profile,
            key=uuid.uuid5(key, str(place)),
            is_another=is_another,
        )
        for place, (profile, is_another) in enumerate(profiles)
    ]
    concerns(institution)
    return registered


@verb("patients.change_profile")
def change_profile(actor: Actor, *, state_id: int, patient_id: uuid.UUID, profile: Profile) -> None:
    """Correct a patient's profile. Consultations keep the facts as they were."""
    require_possible(profile)
    before = Patient.objects.filter(state_id=state_id, id=patient_id).first()
    if before is None or not may_act_for(actor, before):
        raise NotPermitted
    if (before.relation == Relation.RESIDENT) is not (profile.relation == Relation.RESIDENT):
        raise Invalid(field="relation")
    Patient.objects.filter(state_id=state_id, id=patient_id).update(**vars(profile))
    concerns(Patient(state_id=state_id, id=patient_id), patient_id=patient_id)


@verb("patients.leave_care")
def leave_care(actor: Actor, *, patient_id: uuid.UUID) -> None:
    """Take a person off the account's list: moved out, released, died, or registered by mistake.

    The record stays, as the law asks, and can be taken back.
    """
    patient = own_patient(actor, patient_id)
    Patient.objects.filter(state_id=patient.state_id, id=patient.id).update(left_at=clock.now())
    concerns(patient, patient_id=patient.id)


@verb("patients.take_back")
def take_back(actor: Actor, *, patient_id: uuid.UUID) -> None:
    """Undo `leave_care` or `join`. Raises Invalid when the account is full."""
    patient = own_record(actor, patient_id)
    if patient.left_at is not None or patient.same_as_id is not None:
        require_room(patient.state_id, patient.account_id, patient.relation)
    Patient.objects.filter(state_id=patient.state_id, id=patient.id).update(
        left_at=None, same_as_id=None
    )
    concerns(patient, patient_id=patient.id)


@verb("patients.join")
def join(actor: Actor, *, patient_id: uuid.UUID, kept_id: uuid.UUID) -> Patient:
    """Say that two people of the account are the same; return the one that is kept.

    The other record leaves the list, its consultations are read under the kept one. Nothing is
    rewritten, so it can be undone; only what was withdrawn for one of them ends for the other, and
    stays ended. Raises NotFound, Invalid.
    """
    # Each kept under the other at the same moment, both would leave the list.
    _lock(actor.state_id, [patient_id, kept_id])
    double, kept = own_patient(actor, patient_id), own_patient(actor, kept_id)
    if double.id == kept.id:
        raise Invalid(field="kept")
    # What had been joined to the double follows it, so that one step leads to the kept record.
    Patient.objects.filter(state_id=double.state_id, same_as_id=double.id).update(
        same_as_id=kept.id
    )
    Patient.objects.filter(state_id=double.state_id, id=double.id).update(same_as_id=kept.id)
    _spread_withdrawal(actor, kept.state_id, records_of_person(kept.state_id, kept.id))
    concerns(double, patient_id=double.id)
    return kept


def _spread_withdrawal(actor: Actor, state_id: int, records: Sequence[uuid.UUID]) -> None:
    """Let what was withdrawn for one record count for all, as it would have if joined before."""
    decisions = list(
        Consent.objects.filter(state_id=state_id, patient_id__in=records).order_by("-id")
    )
    withdrawn = next((one for one in decisions if one.decision == ConsentDecision.WITHDRAWN), None)
    if withdrawn is None:
        return
    _end_grants(state_id, records, granted_until=withdrawn.decided_at)
    if withdrawn is decisions[0]:
        Consent.objects.bulk_create(
            _decision(
                actor, state_id, one, ConsentDecision.WITHDRAWN, withdrawn.language, clock.now()
            )
            for one in records_agreed_to(state_id, records)
        )


@dataclass(frozen=True)
class InstitutionDetails:
    """What an institution is registered with."""

    name: str
    kind: str
    address: str
    district: str
    area: str
    responsible_name: str
    responsible_role: str


@verb("patients.register_institution")
def register_institution(
    actor: Actor, *, state_id: int, account_id: uuid.UUID, details: InstitutionDetails
) -> Institution:
    """Let an account belong to an institution. Raises InstitutionExists."""
    if actor.account_id != account_id:
        raise NotPermitted
    require_home(account_id, state_id)
    try:
        with transaction.atomic():
            institution = Institution.objects.create(
                state_id=state_id,
                id=uuid7(),
                account_id=account_id,
                registered_at=clock.now(),
                **vars(details),
            )
    except IntegrityError as error:
        if "institution_once" in str(error):
            raise InstitutionExists from None
        raise
    concerns(institution)
    return institution


@verb("patients.change_institution")
def change_institution(actor: Actor, *, state_id: int, details: InstitutionDetails) -> None:
    """Correct what is registered about the account's institution. Raises NotFound."""
    institution = institution_of(actor)
    if institution is None or institution.state_id != state_id:
        raise NotFound
    Institution.objects.filter(state_id=state_id, id=institution.id).update(**vars(details))
    concerns(institution)


@dataclass(frozen=True)
class Authority:
    """Whom a patient names, and what for; `until` is the last day (None: until revoked)."""

    name: str
    bond: str
    mobile: str
    may_collect: bool
    may_speak: bool
    until: datetime.date | None = None


@verb("patients.name_representative")
def name_representative(actor: Actor, *, patient: Patient, authority: Authority) -> Representative:
    """Name somebody who may collect the patient's medicines or speak for the patient.

    For a minor until they are of age at most, unless they cannot decide alone then either: from
    then on they name for themselves. Raises Invalid.
    """
    if not may_act_for(actor, patient):
        raise NotPermitted
    today = clock.today()
    if not (authority.may_collect or authority.may_speak):
        raise Invalid(_("Choose what this person may do."), field="may")
    if authority.bond not in Bond.values or authority.bond == Bond.INSTITUTION:
        raise Invalid(field="bond")
    if authority.until is not None and authority.until < today:
        raise Invalid(_("This day has passed."), field="until")
    held = Representative.objects.filter(
        state_id=patient.state_id, patient_id=patient.id, revoked_at__isnull=True
    )
    if sum(one.until is None or one.until >= today for one in held) >= REPRESENTATIVES:
        raise Invalid(
            _("%(count)d people are named already. Take one off the list first.")
            % {"count": REPRESENTATIVES}
        )
    until = authority.until
    as_minor = last_day_as_minor(patient) if patient.decides_alone else None
    if as_minor is not None:
        until = min(until or as_minor, as_minor)
    representative = Representative.objects.create(
        state_id=patient.state_id,
        id=uuid7(),
        patient_id=patient.id,
        since=today,
        named_at=clock.now(),
        **vars(authority) | {"until": until},
    )
    concerns(representative, patient_id=patient.id)
    return representative


@verb("patients.revoke_representative")
def revoke_representative(actor: Actor, *, patient: Patient, representative_id: uuid.UUID) -> None:
    """End an authority at once. Ending it twice is once. Raises NotFound."""
    if not may_act_for(actor, patient):
        raise NotPermitted
    representative = Representative.objects.filter(
        state_id=patient.state_id, id=representative_id, patient_id=patient.id
    ).first()
    if representative is None:
        raise NotFound
    concerns(representative, patient_id=patient.id)
    Representative.objects.filter(
        state_id=patient.state_id, id=representative.id, revoked_at__isnull=True
    ).update(revoked_at=clock.now())


@verb("patients.decide_consent")
def decide_consent(
    actor: Actor,
    *,
    patient: Patient,
    decision: ConsentDecision,
    language: str,
    read: str = CURRENT_NOTICE,
    decided_at: datetime.datetime | None = None,
) -> Consent:
    """Record that consent to the current notice was given or withdrawn, and who obtained it.

    `read` is the version that stood before the reader; `decided_at` when the patient agreed, where
    that arrives later. Withdrawn, no doctor reads more than the consultations that they held
    themselves; it counts for all records of the person. Raises NoticeChanged, WithdrawnSince.
    """
    if not may_act_for(actor, patient):
        raise NotPermitted
    if read != CURRENT_NOTICE:
        raise NoticeChanged
    now = clock.now()
    others: set[uuid.UUID] = set()
    if decision == ConsentDecision.GIVEN and decided_at is not None:
        # Who withdraws at the same moment does so before or after.
        _lock(patient.state_id, [patient.id])
        records = records_of_person(patient.state_id, patient.id)
        if withdrawn_since(patient.state_id, records, decided_at):
            raise WithdrawnSince
    if decision == ConsentDecision.WITHDRAWN:
        # Records that are being joined at the same moment are joined before or after.
        _lock(patient.state_id, [patient.id])
        records = records_of_person(patient.state_id, patient.id)
        _end_grants(patient.state_id, records, granted_until=now)
        others = records_agreed_to(patient.state_id, records) - {patient.id}
    consent = _decision(actor, patient.state_id, patient.id, decision, language, now)
    Consent.objects.bulk_create(
        [
            *(_decision(actor, patient.state_id, one, decision, language, now) for one in others),
            consent,
        ]
    )
    concerns(consent, patient_id=patient.id)
    return consent


def _decision(
    actor: Actor,
    state_id: int,
    patient_id: uuid.UUID,
    decision: ConsentDecision,
    language: str,
    at: datetime.datetime,
) -> Consent:
    return Consent(
        state_id=state_id,
        id=uuid7(),
        patient_id=patient_id,
        notice_version=CURRENT_NOTICE,
        language=language,
        decision=decision,
        decided_at=at,
        obtained_by_post_id=actor.post_id,
    )


def _end_grants(
    state_id: int, records: Sequence[uuid.UUID], *, granted_until: datetime.datetime
) -> None:
    _end(
        AccessGrant.objects.filter(
            state_id=state_id, patient_id__in=records, granted_at__lte=granted_until
        )
    )


def end_access(state_id: int, account_id: uuid.UUID, practitioner_id: uuid.UUID) -> None:
    """Let a practitioner read nothing more of the patients in an account's care: part of the verb
    that parts them. What the practitioner held to its end stays their own."""
    patients = Patient.objects.filter(state_id=state_id, account_id=account_id)
    _end(
        AccessGrant.objects.filter(
            state_id=state_id,
            patient_id__in=list(patients.values_list("id", flat=True)),
            practitioner_id=practitioner_id,
        )
    )


def end_access_by(
    patient_state_id: int, consultation_id: uuid.UUID, practitioner_id: uuid.UUID
) -> None:
    """Let a practitioner read nothing more because of a consultation that they did not hold: part
    of the verbs by which a call comes to nothing."""
    _end(
        AccessGrant.objects.filter(
            state_id=patient_state_id,
            consultation_id=consultation_id,
            practitioner_id=practitioner_id,
        )
    )


def _end(grants: QuerySet[AccessGrant]) -> None:
    now = clock.now()
    grants.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now)).update(expires_at=now)


def _lock(state_id: int, patient_ids: Sequence[uuid.UUID]) -> None:
    """Let whoever joins these records, or withdraws consent for one, wait for each other."""
    rows = Patient.objects.select_for_update(no_key=True).filter(
        state_id=state_id, id__in=patient_ids
    )
    list(rows.order_by("id").values_list("id"))


_grants = Kept(AccessGrant, key=("state_id", "consultation_id", "practitioner_id"))


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
    """Let a practitioner read the patient's record because of a consultation; called again,
    anew."""
    grant = AccessGrant(
        state_id=patient_state_id,
        consultation_id=consultation_id,
        practitioner_id=practitioner_id,
        patient_id=patient_id,
        consultation_state_id=consultation_state_id,
        granted_at=clock.now(),
    )
    if not _grants.add(grant):
        grant = AccessGrant.objects.get(
            state_id=patient_state_id,
            consultation_id=consultation_id,
            practitioner_id=practitioner_id,
        )
        AccessGrant.objects.filter(state_id=grant.state_id, id=grant.id).update(
            granted_at=clock.now(), expires_at=None
        )
    concerns(grant, patient_id=patient_id)
