"""What one doctor or sweeper has seen, and another has changed before it acts."""

import contextlib
import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeAlias

import pytest
from django.db import connections

from sanjeevani.consultation import closing, papers, transfers
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.closing import close_clinic
from sanjeevani.consultation.conduct import report_conduct
from sanjeevani.consultation.models import (
    ConductReport,
    Consultation,
    ConsultationStatus,
    Note,
    Outcome,
)
from sanjeevani.consultation.permissions import require_in_progress
from sanjeevani.directory.queries import clinical_posts_of
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import valid_consent
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.errors import NobodyWaiting
from sanjeevani.queueing.models import LineDay, TokenStatus
from sanjeevani.queueing.queries import live_token_of
from tests.consultation.test_transfers import called_by, returned
from tests.documents.test_uploads import picture
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    PostFactory,
    StateFactory,
    doctor,
    on_duty,
    person,
    requested,
    told,
)
from tests.races.conftest import at_once
from tests.web.test_papers import scratch

__all__ = ["scratch"]

ByAnother: TypeAlias = Callable[[Callable[[], Any]], None]


@pytest.fixture
def by_another() -> Iterator[ByAnother]:
    """Let another connection act, for two seconds or until it waits for this one; then to its end.

    What it raises fails the test.
    """
    begun: list[Future[None]] = []

    def run(act: Callable[[], Any]) -> None:
        with contextlib.closing(connections["default"]):
            act()

    with ThreadPoolExecutor(1) as pool:

        def begin(act: Callable[[], Any]) -> None:
            begun.append(pool.submit(run, act))
            wait(begun, 2)

        yield begin
        for future in begun:
            future.result(30)


def test_a_note_is_written_before_the_end_or_not_at_all(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done comes between a writing's look at the consultation and the writing itself: it waits."""
    requested(clinic := ClinicFactory.create(), PatientFactory.create())
    practitioner = on_duty(clinic)
    case = called_by(practitioner)
    at = {"state_id": case.state_id, "consultation_id": case.id}
    key: dict[str, Any] = {"practitioner": practitioner, **at}
    content = consultation.NoteContent(advice="Rest")
    consultation.write_note(doctor(practitioner), content=content, diagnoses=[], **key)

    def done() -> None:
        consultation.complete(doctor(practitioner), outcome=Outcome.ADVICE, **key)

    main = threading.current_thread()
    seen: list[str] = []

    def meanwhile_done(*arguments: Any) -> None:
        require_in_progress(*arguments)
        if threading.current_thread() is main:
            by_another(done)
            seen.append(Consultation.objects.get(state_id=case.state_id, id=case.id).status)

    monkeypatch.setattr(consultation, "require_in_progress", meanwhile_done)
    late = consultation.NoteContent(advice="Late")
    consultation.write_note(doctor(practitioner), content=late, diagnoses=[], **key)
    assert seen == [ConsultationStatus.IN_PROGRESS]
    assert Note.objects.get(**at).advice == "Late"


def test_a_paper_is_taken_away_before_the_doctor_sees_it_or_not_at_all(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch, scratch: None
) -> None:
    clinic = ClinicFactory.create()
    case = requested(clinic, PatientFactory.create())
    family = person(case.patient_account_id)
    at: dict[str, Any] = {"state_id": case.state_id, "consultation_id": case.id}
    paper = papers.add_paper(family, file=io.BytesIO(picture()), name="rash.jpg", **at)
    practitioner = on_duty(clinic)
    main = threading.current_thread()
    real = papers.may_be_removed
    seen: list[str] = []

    def meanwhile_begun(looked_at: Consultation) -> bool:
        may = real(looked_at)
        if threading.current_thread() is main:
            by_another(lambda: called_by(practitioner))
            seen.append(Consultation.objects.get(state_id=case.state_id, id=case.id).status)
        return may

    monkeypatch.setattr(papers, "may_be_removed", meanwhile_begun)
    papers.remove_paper(family, upload_id=paper.id, **at)
    assert seen == [ConsultationStatus.REQUESTED]


def test_who_is_called_while_a_refuge_is_sought_stays(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ClinicFactory.create()
    case = requested(here, PatientFactory.create())
    on_duty(ClinicFactory.create())
    practitioner = on_duty(here)
    real = transfers.refuge

    def meanwhile_called(*arguments: Any) -> Any:
        found = real(*arguments)
        by_another(lambda: called_by(practitioner))
        return found

    monkeypatch.setattr(transfers, "refuge", meanwhile_called)
    with pytest.raises(Stale):
        transfers.move_on(SYSTEM, state_id=case.state_id, token_id=case.token_id)
    now = consultation.get(case.state_id, case.id)
    assert (now.status, now.practitioner_id) == (ConsultationStatus.IN_PROGRESS, practitioner.id)


def test_a_clinic_closes_although_a_doctor_calls_at_the_same_moment(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ClinicFactory.create()
    called, waiting = (requested(here, PatientFactory.create()) for _number in range(2))
    on_duty(ClinicFactory.create())
    practitioner = on_duty(here)
    real = transfers.refuge
    begun: list[bool] = []

    def meanwhile_called(*arguments: Any) -> Any:
        found = real(*arguments)
        if not begun:
            begun.append(True)
            by_another(lambda: called_by(practitioner))
        return found

    monkeypatch.setattr(transfers, "refuge", meanwhile_called)
    settled = close_clinic(SYSTEM, state_id=here.state_id, clinic_id=here.id)
    assert (settled.moved, settled.told) == (1, 0)
    with_doctor = consultation.get(called.state_id, called.id)
    assert with_doctor.status == ConsultationStatus.IN_PROGRESS
    moved = consultation.get(waiting.state_id, waiting.id)
    assert moved.status == ConsultationStatus.REDIRECTED


def test_a_post_does_not_end_under_a_patient_called_at_the_same_moment(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Next comes when nobody is found to be with the doctor: who is signed out calls nobody."""
    here = ClinicFactory.create()
    case = requested(here, PatientFactory.create())
    practitioner = on_duty(here)
    post = PostFactory.create(practitioner=practitioner)
    real = clinical_posts_of
    pressed = threading.Event()

    def next_one() -> None:
        try:
            with contextlib.suppress(NobodyWaiting):
                consultation.call_next(doctor(practitioner), practitioner=practitioner)
        finally:
            pressed.set()

    def meanwhile_next(*arguments: Any) -> Any:
        by_another(next_one)
        return real(*arguments)

    monkeypatch.setattr(closing, "clinical_posts_of", meanwhile_next)
    closing.end_post(SYSTEM, state_id=post.state_id, post_id=post.id)
    assert pressed.wait(30)
    assert live_token_of(practitioner.id) is None
    assert consultation.token_of(case).status == TokenStatus.WAITING


def test_consent_is_withdrawn_although_a_doctor_calls_at_the_same_moment(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = PatientFactory.create()
    case = requested(clinic := ClinicFactory.create(), patient)
    practitioner = on_duty(clinic)
    real = queueing.cancel

    def meanwhile_called(*arguments: Any, **more: Any) -> Any:
        by_another(lambda: consultation.call_next(doctor(practitioner), practitioner=practitioner))
        return real(*arguments, **more)

    monkeypatch.setattr(queueing, "cancel", meanwhile_called)
    me = person(patient.account_id)
    consultation.withdraw_consent(me, patient=patient, language="en")
    assert valid_consent(patient) is None
    assert consultation.token_of(case).status == TokenStatus.CALLED


def test_two_who_withdraw_leave_the_same_lines_at_the_same_moment(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for in the opposite order, and given back in one: neither waits for the other."""
    clinics = [ClinicFactory.create() for _number in range(2)]
    first, second = (PatientFactory.create() for _number in range(2))
    cases = [requested(clinic, first) for clinic in clinics]
    cases += [requested(clinic, second) for clinic in reversed(clinics)]
    real = queueing.cancel
    begun: list[bool] = []

    def withdraw(patient: Patient) -> None:
        me = person(patient.account_id)
        consultation.withdraw_consent(me, patient=patient, language="en")

    def meanwhile_withdrawn(*arguments: Any, **more: Any) -> Any:
        given_back = real(*arguments, **more)
        if not begun:
            begun.append(True)
            by_another(lambda: withdraw(second))
        return given_back

    monkeypatch.setattr(queueing, "cancel", meanwhile_withdrawn)
    withdraw(first)
    by_another(lambda: None)
    assert {consultation.get(case.state_id, case.id).status for case in cases} == {
        ConsultationStatus.CANCELLED
    }


def test_reporting_twice_at_the_same_moment_is_once(committed: None) -> None:
    patient = PatientFactory.create()
    requested(clinic := ClinicFactory.create(), patient)
    case = called_by(on_duty(clinic))
    me = person(patient.account_id)
    reports = at_once(
        [lambda: report_conduct(me, state_id=case.state_id, consultation_id=case.id)] * 2, 2
    )
    assert reports[0] == reports[1]
    assert ConductReport.objects.filter(state_id=case.state_id).count() == 1


def test_giving_up_meets_asking_again(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = PatientFactory.create()
    case = requested(clinic := ClinicFactory.create(), patient)
    at = returned(case, on_duty(clinic))
    me = person(patient.account_id)
    real = queueing.free_place

    def ask_again() -> None:
        with contextlib.suppress(Stale):
            transfers.ask_again(me, patient=patient, content=told(patient, text="A week"), **at)

    def meanwhile_asked(*arguments: Any, **more: Any) -> Any:
        by_another(ask_again)
        return real(*arguments, **more)

    monkeypatch.setattr(queueing, "free_place", meanwhile_asked)
    with contextlib.suppress(Stale):
        consultation.cancel(me, **at)
    waits = consultation.token_of(consultation.get(**at)).status == TokenStatus.WAITING
    assert waits is (consultation.get(**at).status == ConsultationStatus.REQUESTED)
    assert LineDay.objects.get(state_id=clinic.state_id, line_id=clinic.line_id).taken == waits


def test_two_clinics_that_close_at_once_do_not_send_patients_to_each_other(
    committed: None, by_another: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is open to the other as long as neither has ended; a third one takes both's patients."""
    StateFactory.create(lgd_code=NATIONAL)
    first, second, third = (ClinicFactory.create(name=name) for name in "ABC")
    for clinic in (first, second, third):
        on_duty(clinic)
    asked = [requested(clinic, PatientFactory.create()) for clinic in (first, second)]
    real = transfers.refuge
    begun: list[bool] = []

    def meanwhile_closed(*arguments: Any) -> Any:
        found = real(*arguments)
        if not begun:
            begun.append(True)
            by_another(lambda: close_clinic(SYSTEM, state_id=second.state_id, clinic_id=second.id))
        return found

    monkeypatch.setattr(transfers, "refuge", meanwhile_closed)
    close_clinic(SYSTEM, state_id=first.state_id, clinic_id=first.id)
    by_another(lambda: None)
    waiting = Consultation.objects.filter(
        state_id=first.state_id, status=ConsultationStatus.REQUESTED
    )
    assert {one.patient_id for one in waiting} == {one.patient_id for one in asked}
    assert {one.line_id for one in waiting} == {third.line_id}
