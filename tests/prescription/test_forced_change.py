"""What the database's owner could still do to a signed prescription is found out."""

import pytest
from django.db import connections

from sanjeevani.prescription.queries import Validity, verify, verify_number
from tests.prescription.test_signing import COLD, Desk


@pytest.mark.usefixtures("committed_reference")
def test_a_dose_changed_by_the_owner_of_the_database_is_detected() -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    signed = desk.sign()
    assert verify(signed.signature).validity == Validity.VALID

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "UPDATE prescription_prescription"
            " SET content = jsonb_set(content, '{medicines,0,dose}', '\"9\"')"
            " WHERE state_id = %s AND id = %s",
            [signed.state_id, signed.id],
        )
        assert cursor.rowcount == 1

    assert verify(signed.signature).validity == Validity.ALTERED
    assert verify_number(signed.number).validity == Validity.ALTERED
