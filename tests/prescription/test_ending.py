"""Replacing and cancelling what was signed: who, how long, why, and one at a time."""

import datetime
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Outcome
from sanjeevani.documents.errors import LinkDead
from sanjeevani.documents.links import linked
from sanjeevani.foundation import clock, outbox
from sanjeevani.foundation.errors import Invalid, NotPermitted
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.notifications.notices import tell_patients
from sanjeevani.prescription.errors import (
    AlreadyEnded,
    NothingChanged,
    NotSigned,
    TooLateToCancel,
    TooLateToReplace,
)
from sanjeevani.prescription.events import PrescriptionEnded
from sanjeevani.prescription.models import EndKind, Prescription, PrescriptionEnd
from sanjeevani.prescription.queries import Validity, prescriptions_of, verify, verify_number
from sanjeevani.prescription.services import cancel, conclude, supersede
from sanjeevani.prescription.sharing import end_link, links_of, share_prescription
from tests.factories import ANDHRA_PRADESH, ClinicFactory, doctor, on_duty, person
from tests.prescription.test_signing import COLD, Desk
from tests.races.conftest import at_once

REASON = "One tablet less is enough"


def on_the_database(test: Callable[[], None]) -> Callable[[], None]:
    """Run a test in a transaction of its own, beside the reference tables."""
    marked = pytest.mark.usefixtures("reference")(test)
    return pytest.mark.django_db(databases=["default", "owner"])(marked)


class Over(Desk):
    """A consultation that ended with a prescription."""

    def __init__(self) -> None:
        super().__init__()
        self.note(COLD)
        self.prescribe("pcm 650 1-1-1 5d")
        self.signed = self.sign()
        conclude(self.actor, **self.at, outcome=Outcome.PRESCRIPTION)

    def ending(self, **changes: Any) -> dict[str, Any]:
        """The arguments that name the signed prescription."""
        return {
            "practitioner": self.practitioner,
            "state_id": self.signed.state_id,
            "prescription_id": self.signed.id,
            "reason": REASON,
            **changes,
        }

    def correct(self) -> Prescription:
        """Change a line and replace."""
        self.prescribe("pcm 650 1-0-1 3d")
        return supersede(self.actor, **self.ending())


def later(**by: int) -> Any:
    """A clock that is so much later."""
    moment = clock.now() + datetime.timedelta(**by)
    return clock.driven_by(lambda: moment)


def tell_what_ended() -> None:
    """Hand the facts about endings to the listener."""
    tell_patients([fact for fact in outbox.number_facts() if fact.kind == PrescriptionEnded.kind])


@on_the_database
def test_a_correction_after_the_consultation_replaces_and_is_seen() -> None:
    over = Over()
    new = over.correct()
    assert [
        (one.prescription.number, one.ending and (one.ending.kind, one.ending.reason))
        for one in prescriptions_of(over.consultation)
    ] == [(new.number, None), (over.signed.number, (EndKind.SUPERSEDED, REASON))]
    old = verify_number(over.signed.number)
    assert old.ending
    assert (old.validity, old.ending.successor) == (Validity.SUPERSEDED, new.number)
    assert verify_number(new.number).validity == Validity.VALID
    over.signed.refresh_from_db()
    assert over.signed.content["medicines"][0]["frequency"] == "TDS"
    with pytest.raises(AlreadyEnded):
        supersede(over.actor, **over.ending())
    with pytest.raises(AlreadyEnded):
        cancel(over.actor, **over.ending())


@on_the_database
def test_a_link_to_what_was_replaced_stands_with_the_new_one_and_can_be_ended() -> None:
    """It opens the new one, and the patient was told that nobody else can see that."""
    over = Over()
    patient = person(over.consultation.patient_account_id)
    _link, token = share_prescription(patient, prescription=over.signed, made_for="my son")
    over.correct()
    (link,) = links_of(over.consultation)
    assert link.made_for == "my son"
    of_link: dict[str, Any] = {
        "state_id": over.consultation.state_id,
        "consultation_id": over.consultation.id,
        "link_id": link.id,
    }
    end_link(patient, **of_link)
    assert links_of(over.consultation) == []
    with pytest.raises(LinkDead):
        linked(token)
    with pytest.raises(LinkDead):
        end_link(patient, **of_link)


@on_the_database
def test_a_prescription_of_last_year_is_genuine_and_no_longer_to_be_given() -> None:
    """Medicines for five days of fever are not for the next fever."""
    client, signed = Client(), Over().signed
    address, asked = reverse("web:verify"), {"number": signed.number}
    assert "This prescription is genuine" in client.get(address, asked).content.decode()
    assert verify(signed.signature).validity == Validity.VALID
    with later(days=31):
        page = client.get(address, asked).content.decode()
        assert "This prescription has expired" in page
        assert "Paracetamol 650 mg" in page
        assert verify(signed.signature).validity == Validity.EXPIRED


@on_the_database
def test_a_cancelled_one_is_out_of_force_and_not_replaced() -> None:
    over = Over()
    cancel(over.actor, **over.ending(reason="The child is allergic"))
    assert verify_number(over.signed.number).validity == Validity.CANCELLED
    with pytest.raises(NotInProgress):
        over.prescribe("ors 1 els 2d")


@on_the_database
def test_only_its_doctor_ends_it_with_a_reason_and_a_change() -> None:
    over = Over()
    other = on_duty(ClinicFactory())
    for verb in (supersede, cancel):
        with pytest.raises(NotPermitted):
            verb(doctor(other), **over.ending(practitioner=other))
        with pytest.raises(Invalid) as refused:
            verb(over.actor, **over.ending(reason="  x "))
        assert refused.value.field == "reason"
    with pytest.raises(NothingChanged):
        supersede(over.actor, **over.ending())


@on_the_database
def test_replacing_ends_after_three_days_and_cancelling_after_ninety() -> None:
    over = Over()
    over.prescribe("pcm 650 1-0-1 3d")
    with later(days=3, minutes=5):
        with pytest.raises(TooLateToReplace):
            supersede(over.actor, **over.ending())
        with pytest.raises(NotInProgress):
            over.prescribe("ors 1 els 2d")
    with later(days=91), pytest.raises(TooLateToCancel):
        cancel(over.actor, **over.ending())
    with later(days=89):
        cancel(over.actor, **over.ending())


@on_the_database
def test_during_the_consultation_a_cancelled_one_does_not_count_as_signed() -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    signed = desk.sign()
    assert desk.sign().id == signed.id, "signed twice as it stands is once"
    cancel(
        desk.actor,
        practitioner=desk.practitioner,
        state_id=signed.state_id,
        prescription_id=signed.id,
        reason="Not needed after all",
    )
    with pytest.raises(NotSigned):
        conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION)
    again = desk.sign()
    assert again.supersedes_id is None
    assert verify_number(again.number).validity == Validity.VALID


@on_the_database
def test_the_patient_is_told_only_once_the_consultation_is_over() -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.sign()
    desk.prescribe("pcm 650 1-0-1 3d")
    desk.sign()
    tell_what_ended()
    assert not OutgoingMessage.objects.exists()
    over = Over()
    over.correct()
    tell_what_ended()
    (message,) = OutgoingMessage.objects.all()
    assert message.purpose == "prescription_superseded"
    assert str(over.consultation.id) in message.text
    assert "paracetamol" not in message.text.lower()


@pytest.mark.parametrize("run", range(5))
@pytest.mark.usefixtures("committed_reference")
def test_two_replacements_at_once_are_one(run: int) -> None:
    over = Over()
    over.prescribe("pcm 650 1-0-1 3d")
    replace = partial(supersede, over.actor, **over.ending())
    stop = partial(cancel, over.actor, **over.ending())
    calls: list[Callable[[], object]] = [replace, replace, stop]
    results = at_once(calls, 3, AlreadyEnded, shaken=run % 2 == 1)
    assert sum(isinstance(result, AlreadyEnded) for result in results) == 2
    ends = PrescriptionEnd.objects.filter(state_id=ANDHRA_PRADESH)
    assert ends.count() == 1
    replaced = sum(isinstance(result, Prescription) for result in results)
    signed = Prescription.objects.filter(state_id=ANDHRA_PRADESH).count()
    assert signed == 1 + replaced


@pytest.mark.parametrize("run", range(5))
@pytest.mark.usefixtures("committed_reference")
def test_pressing_sign_twice_signs_once(run: int) -> None:
    desk = Desk()
    desk.note(COLD)
    desk.prescribe("pcm 650 1-0-1 5d")
    results = at_once([desk.sign] * 4, 4, shaken=run % 2 == 1)
    assert len({result.id for result in results if isinstance(result, Prescription)}) == 1
    assert Prescription.objects.filter(state_id=ANDHRA_PRADESH).count() == 1
