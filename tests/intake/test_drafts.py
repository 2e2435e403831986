"""What was typed and photographed and never sent is forgotten in time; what was sent is not."""

import datetime
from typing import Any

import pytest
from django.core.files.storage import default_storage

from sanjeevani.consultation.errors import DangerUnanswered
from sanjeevani.consultation.services import require_safe_to_wait
from sanjeevani.documents.models import UploadedFile
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.models import IntakeDraft
from sanjeevani.intake.papers import Place, add_draft_paper, papers_in
from sanjeevani.intake.queries import OF_TODAY, draft_of
from sanjeevani.intake.services import DRAFT_DAYS, forget_drafts, freeze, save_draft
from sanjeevani.intake.triage import PREGNANT, questions_for
from sanjeevani.patients.models import Patient
from tests.documents.samples import a_photo
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db
FEVER = IntakeContent(complaints=["fever"])


def drafted(patient: Patient) -> UploadedFile:
    """Type something and add a photo."""
    actor = Actor(ActorKind.PERSON, account_id=patient.account_id)
    save_draft(actor, patient=patient, content=FEVER)
    return add_draft_paper(actor, patient=patient, file=a_photo(), name="rash.jpg")


def test_drafts_are_forgotten_after_their_days(
    django_capture_on_commit_callbacks: Any,
) -> None:
    abandoned, sent = PatientFactory(), PatientFactory()
    lost, kept = drafted(abandoned), drafted(sent)
    actor = Actor(ActorKind.PERSON, account_id=sent.account_id)
    request = Place(sent.state_id, sent.id, sent.state_id, sent.id)
    freeze(actor, state_id=sent.state_id, consultation_id=sent.id, patient=sent, content=FEVER)
    start = clock.now()
    with clock.driven_by(lambda: start + datetime.timedelta(days=DRAFT_DAYS - 1)):
        assert forget_drafts() == 0
    with (
        clock.driven_by(lambda: start + datetime.timedelta(days=DRAFT_DAYS, seconds=1)),
        django_capture_on_commit_callbacks(execute=True),
    ):
        save_draft(actor, patient=sent, content=FEVER)
        assert forget_drafts() == 2
    assert list(IntakeDraft.objects.filter(state_id=sent.state_id)) == list(
        IntakeDraft.objects.filter(state_id=sent.state_id, patient_id=sent.id)
    )
    assert papers_in(Place.draft_of(abandoned)) == []
    assert not default_storage.exists(lost.storage_key)
    assert [paper.id for paper in papers_in(request)] == [kept.id]
    assert default_storage.exists(kept.storage_key)


def test_photos_stay_as_long_as_their_draft_is_worked_on(
    django_capture_on_commit_callbacks: Any,
) -> None:
    patient = PatientFactory()
    photo = drafted(patient)
    actor = Actor(ActorKind.PERSON, account_id=patient.account_id)
    start = clock.now()
    with clock.driven_by(lambda: start + datetime.timedelta(days=DRAFT_DAYS - 1)):
        save_draft(actor, patient=patient, content=FEVER)
    with (
        clock.driven_by(lambda: start + datetime.timedelta(days=DRAFT_DAYS, seconds=1)),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert forget_drafts() == 0
    assert papers_in(Place.draft_of(patient)) == [photo]
    with (
        clock.driven_by(lambda: start + datetime.timedelta(days=2 * DRAFT_DAYS)),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert forget_drafts() == 2
    assert papers_in(Place.draft_of(patient)) == []


def test_danger_signs_and_measurements_of_another_day_do_not_count() -> None:
    patient = PatientFactory(gender="female")
    actor = Actor(ActorKind.PERSON, account_id=patient.account_id)
    signs = {sign.code: False for sign in questions_for(patient.birth_date, patient.gender)}
    content = IntakeContent(
        text="Cough", answers=signs | {PREGNANT: True}, vitals={"body_temperature": 37.0}
    )
    start = clock.now()
    with clock.driven_by(lambda: start):
        save_draft(actor, patient=patient, content=content)
    with clock.driven_by(lambda: start + OF_TODAY):
        assert draft_of(patient) == content
        require_safe_to_wait(patient, draft_of(patient))
    with clock.driven_by(lambda: start + OF_TODAY + datetime.timedelta(seconds=1)):
        lain = draft_of(patient)
        assert (lain.text, lain.answers, lain.vitals) == ("Cough", {PREGNANT: True}, {})
        with pytest.raises(DangerUnanswered):
            require_safe_to_wait(patient, lain)
