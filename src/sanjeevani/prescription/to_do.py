"""All that the staff of a spoke have to do for its patients: after consultations, and when a
medicine that was missing is there again."""

import datetime
import uuid
from dataclasses import dataclass

from django.utils.timezone import localdate

from sanjeevani.consultation.models import Consultation, ToDoKind
from sanjeevani.consultation.to_do import (
    MOST_SHOWN,
    consultations_of,
    done_to_dos,
    open_to_dos,
)
from sanjeevani.identity.queries import accounts_by_id
from sanjeevani.patients.spokes import told_mobiles
from sanjeevani.prescription.counter import back_in_stock
from sanjeevani.prescription.queries import rule_tables


@dataclass(frozen=True)
class ToDo:
    """One thing to do for a patient. `medicines` are in stock again.

    `mobile`: empty for none; one that was told serves as well to ring back.
    """

    kind: ToDoKind
    consultation: Consultation
    due_on: datetime.date
    mobile: str
    medicines: list[str]


def to_dos_at(
    state_id: int, spoke_id: uuid.UUID, limit: int | None = MOST_SHOWN
) -> tuple[list[ToDo], list[ToDo]]:
    """Return what is to be done at a spoke, and what was done there lately.

    In as many statements for any number. `limit` as for `open_to_dos`.
    """
    rows = open_to_dos(state_id, spoke_id, limit)
    done = done_to_dos(state_id, spoke_id)
    back = back_in_stock(state_id, spoke_id)
    held = consultations_of(
        [(one.consultation_state_id, one.consultation_id) for one in (*rows, *done)]
        + [(row.prescription_state_id, row.consultation_id) for row, _codes in back]
    )
    accounts = accounts_by_id(one.patient_account_id for one in held.values())
    mobiles = {one.id: one.mobile for one in accounts.values()}
    without = {one.patient_id for one in held.values() if not mobiles.get(one.patient_account_id)}
    told = told_mobiles(state_id, spoke_id, without) if without else {}
    listed = rule_tables().medicines if back else {}

    def to_do(
        kind: str, consultation_id: uuid.UUID, due_on: datetime.date, codes: list[str]
    ) -> ToDo:
        consultation = held[consultation_id]
        mobile = mobiles.get(consultation.patient_account_id) or told.get(
            consultation.patient_id, ""
        )
        names = [listed[code].generic_name for code in codes if code in listed]
        return ToDo(ToDoKind(kind), consultation, due_on, mobile, names)

    medicines = [
        to_do(ToDoKind.MEDICINE, row.consultation_id, localdate(row.since), codes)
        for row, codes in back
    ]
    return (
        [*medicines, *(to_do(one.kind, one.consultation_id, one.due_on, []) for one in rows)],
        [to_do(one.kind, one.consultation_id, one.due_on, []) for one in done],
    )
