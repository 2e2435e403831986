"""What is asked about the complaints: with the draft, or while waiting."""

from collections.abc import Iterable
from typing import Annotated, Literal, cast

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, carer
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.replies import nothing, polled
from sanjeevani.api.types import Body, Code, IdInPath, Reply, StateInPath
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.consultation.telling import CalledMeanwhile, open_questions, tell_more
from sanjeevani.intake.following import LONGEST, questions_about
from sanjeevani.intake.queries import draft_of, intake_of
from sanjeevani.patients.queries import own_record
from sanjeevani.terminology.languages import text_in
from sanjeevani.terminology.models import FollowOnQuestion

router = Router(tags=["Patients"])

OF_CONSULTATION = "/consultations/{int:state_id}/{uuid:consultation_id}/questions"


Kind = Literal["choice", "yes_no", "number", "temperature", "date", "text"]


class FollowingOption(Reply):
    """An answer that can be chosen: `code` is sent for it."""

    code: str
    name: str


class FollowingQuestion(Reply):
    """A question about the complaints. `options` are those of `choice`; `yes_no` takes yes or no.

    A `temperature` is sent in Celsius, a `date` as 2026-06-21, a `number` from `minimum` to
    `maximum`.
    """

    code: str
    question: str
    kind: Kind
    options: list[FollowingOption]
    minimum: int | None
    maximum: int | None


class FollowingQuestions(Reply):
    """What the doctor will want to know; any of it may be left out."""

    items: list[FollowingQuestion]


Told = Annotated[dict[Code, Annotated[str, Field(max_length=LONGEST)]], Field(max_length=30)]


class ToldBody(Body):
    """The answers by the question's code; any may be left out."""

    told: Told


@router.get(
    "/profiles/{uuid:patient_id}/questions",
    auth=carer,
    response=FollowingQuestions,
    openapi_extra=says(polled=True),
)
def list_following_questions(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """List what to ask about the complaints of the draft."""
    person = own_record(request.auth.actor, patient_id)
    questions = questions_about(
        draft_of(person).complaints, birth_date=person.birth_date, gender=person.gender
    )
    return polled(request, _in_words(questions))


@router.get(
    OF_CONSULTATION, auth=carer, response=FollowingQuestions, openapi_extra=says(polled=True)
)
def list_open_questions(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """List what to ask about the complaints of somebody who waits."""
    found = own_consultation(request.auth.actor, state_id, consultation_id)
    return polled(request, _in_words(open_questions(found, intake_of(state_id, consultation_id))))


@router.put(OF_CONSULTATION, auth=carer, response={204: None}, openapi_extra=says(CalledMeanwhile))
def answer_questions(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, body: ToldBody
) -> HttpResponse:
    """Answer them while waiting; it replaces what was answered before."""
    own_consultation(request.auth.actor, state_id, consultation_id)
    tell_more(
        request.auth.actor, state_id=state_id, consultation_id=consultation_id, told=body.told
    )
    return nothing()


def _in_words(questions: Iterable[FollowOnQuestion]) -> FollowingQuestions:
    """Return questions in the reader's language."""
    return FollowingQuestions(
        items=[
            FollowingQuestion(
                code=one.code,
                question=one.name_in(language()),
                kind=cast("Kind", one.kind),
                options=[
                    FollowingOption(code=option["code"], name=text_in(option["text"], language()))
                    for option in one.options
                ],
                minimum=one.minimum,
                maximum=one.maximum,
            )
            for one in questions
        ]
    )
