"""One doctor's desk open twice: what both keep at the same moment stands, or is asked about."""

from functools import partial

import pytest
from django.http import QueryDict

from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.models import Consultation, Note
from sanjeevani.consultation.queries import writing_of
from sanjeevani.consultation.services import NoteContent
from sanjeevani.directory.models import Practitioner
from sanjeevani.terminology.models import Diagnosis as Coded
from sanjeevani.web.doctor import writing
from sanjeevani.web.doctor.forms import content_of, seals_of
from tests.consultation.test_transfers import called_by
from tests.factories import ClinicFactory, PatientFactory, doctor, on_duty, requested
from tests.races.conftest import at_once


def talking() -> tuple[Practitioner, Consultation]:
    """A doctor with a patient."""
    requested(clinic := ClinicFactory.create(), PatientFactory.create())
    practitioner = on_duty(clinic)
    return practitioner, called_by(practitioner)


def window(practitioner: Practitioner, case: Consultation) -> writing.Writing:
    """A save that has read what is written, and not kept anything yet."""
    return writing.Writing(doctor(practitioner), practitioner, case)


def sent(case: Consultation, **typed: str) -> QueryDict:
    """What a page sends that was made when nothing was written."""
    data = QueryDict(mutable=True)
    data.update({"was": seals_of(content_of(None)), **typed})
    return data


def note_of(case: Consultation) -> Note:
    return Note.objects.get(state_id=case.state_id, consultation_id=case.id)


def test_what_another_window_keeps_meanwhile_stays(committed: None) -> None:
    practitioner, case = talking()
    for here, there in (("advice", "history"), ("findings", "investigations")):
        first, second = window(practitioner, case), window(practitioner, case)
        first.receive(sent(case, **{here: "Rest"}))
        second.receive(sent(case, **{there: "Fever", here: ""}))
        note = note_of(case)
        assert (getattr(note, here), getattr(note, there)) == ("Rest", "Fever")
        assert second.filled[here] == "Rest"


def test_both_have_written_the_same_field(committed: None) -> None:
    practitioner, case = talking()
    first, second = window(practitioner, case), window(practitioner, case)
    first.receive(sent(case, advice="Rest"))
    second.receive(sent(case, advice="Steam"))
    assert note_of(case).advice == "Rest"
    assert "“Rest”" in str(second.note.errors["advice"])


def test_a_diagnosis_that_another_window_adds_meanwhile_stays(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    practitioner, case = talking()
    codes = ["J00", "R50.9"]
    coded = {code: Coded(code=code, title=code) for code in codes}
    monkeypatch.setattr(writing, "diagnoses_coded", lambda _codes: coded)
    windows = [window(practitioner, case) for _code in codes]
    for one, code in zip(windows, codes, strict=True):
        one.receive(sent(case, do=f"add_diagnosis:{code}"))
    assert {row.code for row in writing_of(case).diagnoses} == set(codes)


def test_two_saves_at_the_same_moment(committed: None) -> None:
    practitioner, case = talking()
    typed = {"advice": "Rest", "history": "Fever", "findings": "Cough", "come_back": "Friday"}
    empty = dict.fromkeys(typed, "")

    def save(name: str) -> None:
        window(practitioner, case).receive(sent(case, **{**empty, name: typed[name]}))

    at_once([partial(save, name) for name in typed], len(typed), shaken=True)
    note = note_of(case)
    assert {name: getattr(note, name) for name in typed} == typed


def test_an_app_that_has_seen_nothing_writes_the_newest(committed: None) -> None:
    practitioner, case = talking()
    for advice in ("Rest", "Steam"):
        consultation.write_note(
            doctor(practitioner),
            practitioner=practitioner,
            state_id=case.state_id,
            consultation_id=case.id,
            content=NoteContent(advice=advice),
            diagnoses=[],
        )
    assert note_of(case).advice == "Steam"
