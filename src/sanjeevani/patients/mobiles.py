"""The mobile of a patient at a spoke: staff may find it out, its owner has to agree.

Whoever reads on a mobile would read what a mistyped number brings (docs/adr/0018).
"""

import uuid
from dataclasses import dataclass
from typing import TypeGuard

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.models import Account, AccountKind
from sanjeevani.identity.queries import account_by_login, find_account
from sanjeevani.identity.services import (
    CodePurpose,
    account_of_patient,
    lock_accounts,
    request_told_code,
)
from sanjeevani.patients.models import Patient, SpokePatient
from sanjeevani.patients.queries import own_patient
from sanjeevani.patients.services import require_room
from sanjeevani.patients.spokes import spoke_of, told_mobiles


@dataclass(frozen=True)
class MobileOf:
    """Where a patient's messages go. `told`: a mobile that was told, and not shown to be theirs.

    `may_change`: nobody has signed in yet, so that staff may find out another one.
    """

    mobile: str
    told: str
    may_change: bool


def mobile_of(actor: Actor, patient: Patient) -> MobileOf:
    """Return the mobile of a patient who sits beside the staff."""
    spoke_id = spoke_of(actor)
    account = find_account(patient.account_id)
    told = told_mobiles(patient.state_id, spoke_id, [patient.id]).get(patient.id, "")
    return MobileOf(
        account.mobile if account else "",
        told,
        _is_unread(account),
    )


@verb("patients.send_mobile_code")
def send_mobile_code(actor: Actor, *, patient_id: uuid.UUID, mobile: str) -> uuid.UUID:
    """Send a code to what a patient at the spoke says is their mobile; return the challenge.

    `mobile`: E.164. Raises Invalid, NotFound, NotPermitted, TooMany.
    """
    spoke_of(actor)
    patient = own_patient(actor, patient_id)
    account = _unread(find_account(patient.account_id))
    challenge = request_told_code(
        actor, mobile=mobile, language=account.language, purpose=CodePurpose.MOBILE
    )
    concerns(patient, patient_id=patient.id)
    return challenge


@verb("patients.move_to_mobile")
def move_to_mobile(actor: Actor, *, patient_id: uuid.UUID, mobile: str) -> Patient:
    """Let a patient at the spoke, with their doubles, be in the care of a mobile's account.

    The caller has seen that its owner agrees, and moves what hangs on the account besides. Twice is
    once. Raises Invalid, NotFound, NotPermitted.
    """
    spoke_of(actor)
    patient = own_patient(actor, patient_id)
    held = account_by_login(AccountKind.PATIENT, mobile)
    locked = lock_accounts(patient.account_id, *([held.id] if held else []))
    before = locked.get(patient.account_id)
    if before is not None and before.mobile == mobile:
        concerns(patient, patient_id=patient.id)
        return patient
    before = _unread(before)
    account = account_of_patient(
        actor,
        mobile=mobile,
        language=before.language,
        home_state_id=actor.state_id,
        key=patient.id,
    )
    if account.home_state_id != actor.state_id:
        raise Invalid(_("This mobile is used by a family of another state."), field="mobile")
    require_room(patient.state_id, account.id, patient.relation)
    Patient.objects.filter(
        Q(id=patient.id) | Q(same_as_id=patient.id), state_id=patient.state_id
    ).update(account_id=account.id)
    SpokePatient.objects.filter(state_id=patient.state_id, patient_id=patient.id).update(
        told_mobile=""
    )
    patient.account_id = account.id
    concerns(patient, patient_id=patient.id)
    return patient


def _is_unread(account: Account | None) -> TypeGuard[Account]:
    """Tell whether nobody signs in to an account: from who does nobody is taken off the list."""
    return account is not None and account.last_entered_at is None


def _unread(account: Account | None) -> Account:
    """Return an account to which nobody signs in. Raises Invalid."""
    if _is_unread(account):
        return account
    raise Invalid(
        _("Somebody reads this patient’s consultations on a mobile of the family already."),
        field="mobile",
    )
