"""Handing out medicines at a spoke, and what it has none of."""

import uuid
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.permissions import require_patient
from sanjeevani.consultation.services import get
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.prescription.errors import AlreadyEnded
from sanjeevani.prescription.models import Dispensing, Handing, OutOfStock, Prescription
from sanjeevani.prescription.queries import prescription_in_force


@verb("prescription.dispense")
def dispense(
    actor: Actor,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    handed: Mapping[str, Handing],
) -> Prescription:
    """Write down what the patient got of each medicine, by its code; again is a correction.

    What did not suffice is out of stock at the spoke from now on; what was handed out in full is
    there.
    Raises AlreadyEnded when no prescription holds, NotPermitted, Invalid.
    """
    consultation = get(state_id, consultation_id)
    require_patient(actor, consultation)
    if actor.spoke_id is None or actor.post_id is None:
        raise NotPermitted
    prescription = prescription_in_force(consultation)
    if prescription is None:
        raise AlreadyEnded
    prescribed = {line["code"] for line in prescription.content["medicines"]}
    if not handed or not handed.keys() <= prescribed:
        raise Invalid(_("Say of each medicine what the patient got."))
    Dispensing.objects.bulk_create(
        Dispensing(
            state_id=prescription.state_id,
            id=uuid7(),
            prescription_id=prescription.id,
            medicine_code=code,
            handing=handing,
            facility_state_id=actor.state_id,
            facility_id=actor.spoke_id,
            by_post_id=actor.post_id,
            at=clock.now(),
        )
        for code, handing in handed.items()
    )
    for code, handing in handed.items():
        _keep_stock(actor.state_id, actor.spoke_id, code, in_stock=handing == Handing.FULL)
    concerns(prescription, patient_id=consultation.patient_id)
    return prescription


def _keep_stock(state_id: int, facility_id: uuid.UUID, code: str, *, in_stock: bool) -> None:
    if in_stock:
        OutOfStock.objects.filter(
            state_id=state_id, facility_id=facility_id, medicine_code=code
        ).delete()
        return
    OutOfStock.objects.bulk_create(
        [
            OutOfStock(
                state_id=state_id,
                id=uuid7(),
                facility_id=facility_id,
                medicine_code=code,
                since=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )


def out_of_stock(state_id: int, facility_id: uuid.UUID) -> set[str]:
    """Return the codes of the medicines that a spoke has none of."""
    return set(
        OutOfStock.objects.filter(state_id=state_id, facility_id=facility_id).values_list(
            "medicine_code", flat=True
        )
    )


def dispensed(prescription: Prescription) -> dict[str, Handing]:
    """Return what the patient got of each medicine so far, by its code."""
    rows = Dispensing.objects.filter(
        state_id=prescription.state_id, prescription_id=prescription.id
    ).order_by("id")
    return {row.medicine_code: Handing(row.handing) for row in rows}
