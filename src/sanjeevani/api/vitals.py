"""What is measured at a spoke, and what it says: alarms, and the early-warning score."""

import dataclasses
import datetime
from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, at_spoke
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.replies import polled, reply
from sanjeevani.api.types import Body, Code, IdInPath, Reply
from sanjeevani.foundation.errors import Invalid
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import draft_of
from sanjeevani.intake.services import plausible, save_draft
from sanjeevani.intake.triage import alarms_in, measured_danger
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import own_patient
from sanjeevani.terminology.early_warning import Risk
from sanjeevani.terminology.vitals import Vital, readings, vitals

router = Router(tags=["At a spoke"])

VITALS = "/spoke/patients/{uuid:patient_id}/vitals"


class VitalChoice(Reply):
    """An answer of what is looked at: `value` is sent for it."""

    value: float
    name: str


class VitalReply(Reply):
    """A vital sign. Outside `minimum` and `maximum` is a mistake, not an illness.

    `unit` is what values are sent in, `unit_shown` the same for readers. What is looked at and not
    measured has `choices`, and one of their values is sent.
    """

    code: str
    name: str
    unit: str
    unit_shown: str
    minimum: float
    maximum: float
    choices: list[VitalChoice]


class Vitals(Reply):
    """What can be measured, in the order of entry."""

    items: list[VitalReply]


class Measured(Reply):
    """What was measured at a spoke, a blood pressure as one; `shown` is the value with its unit.

    `alarming`: beyond a threshold that wants a clinician at once.
    """

    name: str
    shown: str
    alarming: bool


class EarlyWarning(Reply):
    """NEWS2. `missing`: what was not measured counts as 0, so that `total` is then a minimum."""

    total: int
    missing: list[str]
    risk: Risk


class VitalsBody(Body):
    """All that was measured, by code, each in its own unit; it replaces what was sent before."""

    values: Annotated[dict[Code, float], Field(max_length=30)]


class VitalsReply(Reply):
    """What was measured, and what it says.

    `danger`: one is a sign of danger, like those that are asked for: emergency care now.
    `early_warning` is null where NEWS2 is not made for the patient, or nothing of it was measured.
    """

    values: dict[str, float]
    readings: list[Measured]
    danger: bool
    early_warning: EarlyWarning | None


def measured_in(
    content: IntakeContent, *, birth_date: datetime.date, gender: str
) -> tuple[list[Measured], EarlyWarning | None]:
    """Return what was measured of a patient of this age and gender, and the score of it."""
    alarms = alarms_in(content, birth_date=birth_date, gender=gender)
    items = [
        Measured(
            name=one.name,
            shown=one.shown,
            alarming=not alarms.vitals.isdisjoint(one.codes),
        )
        for one in readings(content.vitals, language())
    ]
    return items, EarlyWarning.model_validate(alarms.score) if alarms.score else None


@router.get("/spoke/vitals", auth=at_spoke, response=Vitals, openapi_extra=says(polled=True))
def list_vitals(request: ApiRequest) -> HttpResponseBase:
    """List what can be measured."""
    items = [
        VitalReply(
            code=vital.code,
            name=vital.name_in(language()),
            unit=vital.unit,
            unit_shown=vital.unit_shown,
            minimum=vital.minimum,
            maximum=vital.maximum,
            choices=[
                VitalChoice(value=place, name=one.name_in(language()))
                for place, one in enumerate(vital.choices)
            ],
        )
        for vital in _measurable().values()
    ]
    return polled(request, Vitals(items=items))


def _measurable() -> dict[str, Vital]:
    return {code: vital for code, vital in vitals().items() if not vital.derived}


@router.get(VITALS, auth=at_spoke, response=VitalsReply, openapi_extra=says(polled=True))
def read_vitals(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """Return what was measured so far for the next request."""
    person = own_patient(request.auth.actor, patient_id)
    return polled(request, _show(person, draft_of(person)))


@router.put(VITALS, auth=at_spoke, response=VitalsReply)
def write_vitals(request: ApiRequest, patient_id: IdInPath, body: VitalsBody) -> HttpResponse:
    """Keep what was measured, all or nothing."""
    person = own_patient(request.auth.actor, patient_id)
    content = dataclasses.replace(draft_of(person), vitals=accepted(body.values))
    save_draft(request.auth.actor, patient=person, content=content)
    return reply(_show(person, content))


def accepted(values: dict[str, float]) -> dict[str, float]:
    """Return measurements that somebody can have. Raises Invalid for any other."""
    if values.keys() - _measurable().keys():
        raise Invalid(field="values")
    return {code: plausible(code, value, language()) for code, value in values.items()}


def _show(person: Patient, content: IntakeContent) -> VitalsReply:
    birth_date, gender = person.birth_date, person.gender
    items, score = measured_in(content, birth_date=birth_date, gender=gender)
    return VitalsReply(
        values=content.vitals,
        readings=items,
        danger=bool(measured_danger(content, birth_date=birth_date, gender=gender)),
        early_warning=score,
    )
