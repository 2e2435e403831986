"""The verbs of a spoke's counter: verify what is shown, hand out, say what is out of stock."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.services import get, locked
from sanjeevani.directory.models import AT_THE_COUNTER, Post
from sanjeevani.directory.permissions import require_at_spoke
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.prescription.content import MedicineFacts
from sanjeevani.prescription.counter import dispensed, found_at_counter, needed
from sanjeevani.prescription.errors import AlreadyHandedOut, NotValid
from sanjeevani.prescription.models import (
    Dispensing,
    Handing,
    OutOfStock,
    Prescription,
    SpokePrescription,
)
from sanjeevani.prescription.permissions import require_dispenser
from sanjeevani.prescription.queries import (
    Validity,
    Verification,
    by_number,
    expires_at,
    prescription_of,
    verify,
    verify_record,
)
from sanjeevani.terminology.queries import medicines_coded

MOST_GIVEN = 9999


@dataclass(frozen=True)
class Given:
    """What a patient got of a medicine; of a part, how many units of its form in all."""

    handing: Handing
    count: int | None = None


@dataclass(frozen=True)
class Shown:
    """What verification says of what was shown at the counter, and the prescription if known."""

    verification: Verification
    prescription: Prescription | None


@verb("prescription.look_up")
def look_up(actor: Actor, *, number: str = "", signed: str = "") -> Shown:
    """Verify what somebody shows: a number, or the signed statement of the printed code.

    One that may be handed out stands on the spoke's list from now on, whoever has prescribed it.
    Raises NotPermitted, PharmacistHandsOut.
    """
    post = require_dispenser(actor)
    if signed:
        verification = verify(signed)
        number = verification.statement["number"] if verification.statement else ""
    prescription = by_number(number) if number else None
    if prescription is None:
        concerns(post.facility)
        return Shown(verification if signed else Verification(Validity.UNKNOWN), None)
    if not signed:
        verification = verify_record(prescription)
    patient_id = get(prescription.state_id, prescription.consultation_id).patient_id
    concerns(prescription, patient_id=patient_id)
    if verification.validity == Validity.VALID:
        _receive(post, prescription)
    return Shown(verification, prescription)


def _receive(post: Post, prescription: Prescription) -> None:
    given = dispensed(prescription)
    missing = [
        line["code"]
        for line in prescription.content["medicines"]
        if line["code"] not in given or given[line["code"]].handing != Handing.FULL
    ]
    SpokePrescription.objects.bulk_create(
        [
            SpokePrescription(
                state_id=post.state_id,
                id=uuid7(),
                facility_id=post.facility_id,
                prescription_state_id=prescription.state_id,
                prescription_id=prescription.id,
                consultation_id=prescription.consultation_id,
                shown_to_post_id=post.id,
                since=clock.now(),
                expires_at=expires_at(prescription),
                missing=missing,
                settled_at=None if missing else clock.now(),
            )
        ],
        ignore_conflicts=True,
    )


@verb("prescription.dispense")
def dispense(
    actor: Actor,
    *,
    state_id: int,
    prescription_id: uuid.UUID,
    handed: Mapping[str, Given],
) -> Prescription:
    """Write down what the patient got of each medicine, by its code; again is a correction.

    What did not suffice is out of stock at the spoke from now on; what was handed out in full is
    there. Two places at once: the second raises AlreadyHandedOut for what the first gave in full.
    Raises NotValid when the prescription does not hold, PharmacistHandsOut, NotPermitted, Invalid.
    """
    post = require_dispenser(actor)
    consultation = locked(state_id, prescription_of(state_id, prescription_id).consultation_id)
    found = found_at_counter(post, state_id, prescription_id)
    prescription = found.prescription
    concerns(prescription, patient_id=consultation.patient_id)
    if found.verification.validity != Validity.VALID:
        raise NotValid
    prescribed = {line["code"]: line for line in prescription.content["medicines"]}
    if not handed or not handed.keys() <= prescribed.keys():
        raise Invalid(_("Say of each medicine what the patient got."))
    if not found.elsewhere.isdisjoint(handed):
        raise AlreadyHandedOut
    before = {
        code: one.given
        for code, one in found.given.items()
        if one.given is not None and one.facility_id != post.facility_id
    }
    for code, given in handed.items():
        _check_count(prescribed[code], given, before.get(code, 0))
    now = clock.now()
    Dispensing.objects.bulk_create(
        Dispensing(
            state_id=prescription.state_id,
            id=uuid7(),
            prescription_id=prescription.id,
            medicine_code=code,
            handing=given.handing,
            given=given.count if given.handing == Handing.PART else None,
            facility_state_id=post.state_id,
            facility_id=post.facility_id,
            by_post_id=post.id,
            at=now,
        )
        for code, given in handed.items()
        # That this place has none takes nothing from what another gave.
        if given.handing != Handing.NONE or code not in before
    )
    full = {code for code, given in handed.items() if given.handing == Handing.FULL}
    _keep_stock(post, full, in_stock=True)
    _keep_stock(post, handed.keys() - full, in_stock=False)
    got = full | {code for code, one in found.given.items() if one.handing == Handing.FULL}
    missing = [code for code in prescribed if code not in got or code in handed.keys() - full]
    SpokePrescription.objects.filter(
        state_id=post.state_id, facility_id=post.facility_id, prescription_id=prescription.id
    ).update(missing=missing, handed_at=now, settled_at=None if missing else now)
    return prescription


def _check_count(line: MedicineFacts, given: Given, before: int) -> None:
    if given.handing != Handing.PART:
        return
    all_of_it = needed(line)
    if given.count is None or not 1 <= given.count <= MOST_GIVEN:
        raise Invalid(_("Write how many the patient got, in figures."), field=line["code"])
    if given.count < before:
        raise Invalid(
            _("Elsewhere the patient got %(count)d already. Write how many in all.")
            % {"count": before},
            field=line["code"],
        )
    if all_of_it is not None and given.count >= all_of_it:
        raise Invalid(
            _("%(count)d are all that the patient needs. Choose “In full”, or write fewer.")
            % {"count": all_of_it},
            field=line["code"],
        )


@verb("prescription.say_stock")
def say_stock(actor: Actor, *, medicine_code: str, in_stock: bool) -> None:
    """Say of a medicine that the actor's spoke has some, or none. Said again it stays as it is.

    Raises Invalid, NotPermitted.
    """
    post = require_at_spoke(actor, AT_THE_COUNTER)
    if medicine_code not in medicines_coded([medicine_code]):
        raise Invalid(_("Choose a medicine from the list."), field="medicine")
    concerns(post.facility)
    _keep_stock(post, [medicine_code], in_stock=in_stock)


def _keep_stock(post: Post, codes: Collection[str], *, in_stock: bool) -> None:
    """Part of the verbs that know: what already stands so, stays as it was said first."""
    now = clock.now()
    known = OutOfStock.objects.filter(
        state_id=post.state_id, facility_id=post.facility_id, medicine_code__in=codes
    )
    if in_stock:
        known.filter(back_at__isnull=True).update(back_at=now, by_post_id=post.id)
        return
    known.filter(back_at__isnull=False).update(since=now, back_at=None, by_post_id=post.id)
    OutOfStock.objects.bulk_create(
        (
            OutOfStock(
                state_id=post.state_id,
                id=uuid7(),
                facility_id=post.facility_id,
                medicine_code=code,
                since=now,
                by_post_id=post.id,
            )
            for code in codes
        ),
        ignore_conflicts=True,
    )
