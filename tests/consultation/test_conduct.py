"""Mistreated: reported in one tap, with evidence, parted, and never brought together again."""

import pytest

from sanjeevani.calls.models import Room
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.conduct import report_conduct
from sanjeevani.consultation.errors import KeptApart, NotInProgress
from sanjeevani.consultation.models import Block, ConductReport, Consultation
from sanjeevani.consultation.queries import earlier_consultations, for_practitioner
from sanjeevani.consultation.transfers import request_follow_up
from sanjeevani.foundation.errors import NotFound, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.queueing.errors import NobodyWaiting
from tests.factories import PatientFactory, doctor, on_duty, person, requested, told
from tests.structure.verb_calls import World, of, offered

pytestmark = pytest.mark.django_db


def test_a_patient_who_reports_waits_first_for_another_doctor() -> None:
    world = World()
    held = world.held
    report = report_conduct(world.guest, **of(held))
    assert report_conduct(world.guest, **of(held)) == report
    assert report.evidence["modes"][0]["mode"] == "chat"
    room = Room.objects.get(state_id=held.state_id, id=held.room_id)
    assert room.host_account_id is None
    with pytest.raises(NobodyWaiting):
        consultation.call_next(world.host, practitioner=world.practitioner)
    other = on_duty(world.clinic)
    assert consultation.call_next(doctor(other), practitioner=other).id == held.id


def test_the_next_doctor_can_be_reported_too() -> None:
    """Who has met two of them in one consultation is parted from both."""
    world = World()
    held = world.held
    first = report_conduct(world.guest, **of(held), about=world.practitioner.id)
    other = on_duty(world.clinic)
    consultation.call_next(doctor(other), practitioner=other)
    # The first tap, sent again, is not about who calls now, nor about who is there.
    assert report_conduct(world.guest, **of(held)) == first
    consultation.answer(world.guest, **of(held))
    assert report_conduct(world.guest, **of(held), about=world.practitioner.id) == first
    with pytest.raises(Stale):
        report_conduct(world.guest, **of(held), about=uuid7())

    second = report_conduct(world.guest, **of(held), about=other.id)
    assert (first.practitioner_id, second.practitioner_id) == (world.practitioner.id, other.id)
    assert Block.objects.filter(state_id=world.patient.state_id).count() == 2
    room = Room.objects.get(state_id=held.state_id, id=held.room_id)
    assert room.host_account_id is None
    for one in (other, world.practitioner):
        with pytest.raises(NobodyWaiting):
            consultation.call_next(doctor(one), practitioner=one)


def test_who_was_reported_reads_nothing_more_of_the_family() -> None:
    """Not even what the patient writes to the next doctor in the same consultation."""
    world = World()
    earlier = world.completed
    requested(world.clinic, world.patient)
    called = consultation.call_next(world.host, practitioner=world.practitioner)
    held = consultation.answer(world.guest, **of(called))
    report_conduct(world.guest, **of(held))
    other = on_duty(world.clinic)
    consultation.call_next(doctor(other), practitioner=other)
    consultation.answer(world.guest, **of(held))
    key = (held.state_id, held.id)
    assert for_practitioner(doctor(other), other, *key)
    with pytest.raises(NotFound):
        for_practitioner(world.host, world.practitioner, *key)
    assert earlier_consultations(world.practitioner.id, held) == []
    # What the doctor held to its end is the doctor's own record.
    assert for_practitioner(world.host, world.practitioner, earlier.state_id, earlier.id)


def test_it_holds_for_everybody_in_the_care_of_the_account_and_for_later_tokens() -> None:
    world = World()
    sister = PatientFactory(account_id=world.patient.account_id, name="Sita")
    waiting = requested(world.clinic, sister)
    report_conduct(world.guest, **of(world.held))
    brother = PatientFactory(account_id=world.patient.account_id, name="Ravi")
    later = requested(world.clinic, brother)
    with pytest.raises(NobodyWaiting):
        consultation.call_next(world.host, practitioner=world.practitioner)
    other = on_duty(world.clinic)
    called = consultation.call_next(doctor(other), practitioner=other)
    assert called.id in {world.held.id, waiting.id, later.id}


def test_a_doctor_who_reports_is_free_and_the_consultation_over() -> None:
    world = World()
    report_conduct(world.host, practitioner=world.practitioner, **of(world.held))
    ended = Consultation.objects.get(state_id=world.held.state_id, id=world.held.id)
    assert (ended.status, ended.reason) == ("abandoned", "ended_by_doctor")
    assert Block.objects.get(state_id=world.patient.state_id).by == "host"
    with pytest.raises(NobodyWaiting):
        consultation.call_next(world.host, practitioner=world.practitioner)


def test_no_follow_up_with_who_was_reported() -> None:
    world = World()
    earlier = world.completed
    report_conduct(world.guest, **of(earlier))
    with pytest.raises(KeptApart):
        request_follow_up(
            world.guest,
            patient=world.patient,
            clinic=offered(world, world.clinic),
            earlier=earlier,
            content=told(world.patient, text="Better"),
            language="en",
            request_key=uuid7(),
        )


def test_others_report_nothing_and_a_waiting_one_has_nobody_to_report() -> None:
    world = World()
    with pytest.raises(NotInProgress):
        report_conduct(world.guest, **of(world.waiting))
    with pytest.raises(NotPermitted):
        report_conduct(person(uuid7()), **of(world.waiting))
    stranger = on_duty(world.clinic)
    with pytest.raises(NotPermitted):
        report_conduct(doctor(stranger), practitioner=stranger, **of(world.held))
    assert not ConductReport.objects.filter(state_id=world.held.state_id).exists()
