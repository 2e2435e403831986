"""Complaints and suggestions, and the one tap that reports who behaves badly in a consultation."""

import datetime
from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Path, Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, carer, doctor, patient, practitioner_of
from sanjeevani.api.care import CONSULTATION
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.replies import IdempotencyKey, MoveKey, moved, nothing, once, polled
from sanjeevani.api.types import Body, Id, IdInPath, Lines, Reply, StateCode, StateInPath
from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import for_practitioner, own_consultation
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation.errors import NotFound, Stale, TooMany
from sanjeevani.grievance.errors import NumberUnknown, TooLateToReopen
from sanjeevani.grievance.models import GrievanceKind, GrievanceStatus
from sanjeevani.grievance.numbers import LETTERS
from sanjeevani.grievance.queries import progress_of
from sanjeevani.grievance.services import LONGEST, Complaint, close, reopen, report_conduct, submit
from sanjeevani.identity.limits import count_attempt, network_of
from sanjeevani.identity.queries import find_account

router = Router(tags=["Complaints"])

GRIEVANCE = "/grievances/{number}"
NumberInPath = Annotated[str, Path(pattern=rf"^[0-9]{{1,2}}(-[{LETTERS}]{{4}}){{3}}$")]


class About(Body):
    """A consultation of the account's."""

    state_id: StateCode
    id: Id


class GrievanceBody(Body):
    """What happened, or what could be better.

    About a `consultation` it goes to where that was held; else to the service of `state_id`, 0 for
    the nation's. `answer_by_sms`: to the mobile of the account.
    """

    kind: Annotated[GrievanceKind, Field(strict=False)]
    text: Annotated[Lines, Field(min_length=1, max_length=LONGEST)]
    consultation: About | None = None
    state_id: StateCode = 0
    answer_by_sms: bool = True


class GrievanceReply(Reply):
    """How far it has come, for who has the number: never what was written.

    `kind_name` in the reader's language.
    """

    number: str
    kind: GrievanceKind
    kind_name: str
    status: GrievanceStatus
    received_at: datetime.datetime
    due_at: datetime.datetime
    answer: str
    answered_at: datetime.datetime | None
    can_reopen: bool


@router.post(
    "/grievances",
    auth=patient,
    response={201: GrievanceReply},
    openapi_extra=says(NotFound, TooMany),
)
def complain(request: ApiRequest, body: GrievanceBody, key: IdempotencyKey) -> HttpResponse:
    """Complain or suggest something; keep the number, by which it is followed up."""

    def make() -> GrievanceReply:
        account = find_account(request.auth.session.account_id)
        taken = submit(
            request.auth.actor,
            complaint=Complaint(
                kind=body.kind,
                text=body.text,
                language=language(),
                mobile=account.mobile if account and body.answer_by_sms else "",
            ),
            state_id=body.state_id,
            consultation=(body.consultation.state_id, body.consultation.id)
            if body.consultation
            else None,
        )
        return _progress(taken.number)

    return once(request, key, make, limit="grievances_per_account")


@router.get(
    GRIEVANCE,
    auth=patient,
    response=GrievanceReply,
    openapi_extra=says(NumberUnknown, TooMany, polled=True),
)
def read_grievance(request: ApiRequest, number: NumberInPath) -> HttpResponseBase:
    """Return how far a complaint has come."""
    _count_number(request)
    return polled(request, _progress(number))


@router.post(
    f"{GRIEVANCE}/close",
    auth=patient,
    response={204: None},
    openapi_extra=says(NumberUnknown, Stale, TooMany),
)
def accept_answer(request: ApiRequest, number: NumberInPath, key: MoveKey = None) -> HttpResponse:
    """Be content with the answer."""
    _count_number(request)
    return moved(request, key, lambda: close(request.auth.actor, number=number))


class ReopenBody(Body):
    """What is still wrong."""

    reason: Annotated[Lines, Field(min_length=1, max_length=LONGEST)]


@router.post(
    f"{GRIEVANCE}/reopen",
    auth=patient,
    response={204: None},
    openapi_extra=says(NumberUnknown, TooLateToReopen, Stale, TooMany),
)
def dispute_answer(
    request: ApiRequest, number: NumberInPath, body: ReopenBody, key: MoveKey = None
) -> HttpResponse:
    """Dispute the answer within thirty days of it: another is due within a week."""
    _count_number(request)
    return moved(
        request, key, lambda: reopen(request.auth.actor, number=number, reason=body.reason)
    )


@router.post(
    f"{CONSULTATION}/report",
    auth=carer,
    response={204: None},
    openapi_extra=says(NotInProgress),
)
def report_doctor(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    key: MoveKey = None,
) -> HttpResponse:
    """Report the doctor: the two never meet again, and the patient goes first to another.

    What was written is kept as proof. Sending it twice is once. When another doctor has the patient
    by then, only a retry with the same key is: without one it reports that doctor, too.
    """
    held = own_consultation(request.auth.actor, state_id, consultation_id)
    return moved(request, key, lambda: _report(request, held))


@router.post(
    f"/staff{CONSULTATION}/report",
    auth=doctor,
    response={204: None},
    openapi_extra=says(NotInProgress),
)
def report_patient(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Report the patient: it ends, and the two never meet again. Sending it twice is once."""
    practitioner = practitioner_of(request)
    held = for_practitioner(request.auth.actor, practitioner, state_id, consultation_id)
    _report(request, held, practitioner)
    return nothing()


def _report(
    request: ApiRequest, held: Consultation, practitioner: Practitioner | None = None
) -> None:
    report_conduct(
        request.auth.actor,
        state_id=held.state_id,
        consultation_id=held.id,
        language=language(),
        practitioner=practitioner,
    )


def _count_number(request: ApiRequest) -> None:
    """Numbers are not to be tried out."""
    count_attempt("grievance_numbers_per_address", network_of(request.auth.actor.address))


def _progress(number: str) -> GrievanceReply:
    return GrievanceReply.model_validate(progress_of(number))
