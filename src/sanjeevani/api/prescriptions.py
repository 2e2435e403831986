"""Signed prescriptions: the patient reads and prints, the doctor signs, replaces and cancels."""

import datetime
from typing import Annotated

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, carer, doctor, practitioner_of
from sanjeevani.api.care import CONSULTATION
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.replies import IdempotencyKey, MoveKey, moved, once, polled
from sanjeevani.api.types import PRINTABLE, Body, IdInPath, Line, Reply, StateInPath
from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import for_practitioner, own_consultation
from sanjeevani.foundation.errors import NotFound, Stale, TooMany
from sanjeevani.identity.limits import count_attempt
from sanjeevani.prescription import services as prescribing
from sanjeevani.prescription.content import PrescriptionContent
from sanjeevani.prescription.documents import render_pdf, verification_address
from sanjeevani.prescription.errors import (
    AlreadyEnded,
    ChangedMeanwhile,
    DiagnosisMissing,
    MedicineRefused,
    NothingChanged,
    NothingPrescribed,
    ReasonMissing,
    TooLateToCancel,
    TooLateToReplace,
)
from sanjeevani.prescription.models import EndKind, Prescription
from sanjeevani.prescription.queries import Issued, issued
from sanjeevani.prescription.services import REASON_LENGTH, SHORTEST_REASON

router = Router(tags=["Prescriptions"])

PRESCRIPTION = f"{CONSULTATION}/prescription"
AT_DESK = f"/staff{CONSULTATION}"
NUMBER = r"^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$"
UNSIGNABLE = (DiagnosisMissing, MedicineRefused, NothingPrescribed, ReasonMissing)
PDF = ("application/pdf",)


class EndingReply(Reply):
    """Why a prescription does not hold any more. `successor`: the number that replaced it."""

    kind: EndKind
    at: datetime.datetime
    reason: str
    successor: str


class PrescriptionReply(Reply):
    """A signed prescription. `signature` is a JWS; `verify_at` the address in its QR code.

    With an `ending` it does not hold: tell the patient not to take medicines on it.
    """

    number: str
    signed_at: datetime.datetime
    content: PrescriptionContent
    signature: str
    verify_at: str
    ending: EndingReply | None


Number = Annotated[str, Field(pattern=NUMBER)]


class EndBody(Body):
    """Which prescription is meant, and why it ends: the patient reads the reason."""

    number: Number
    reason: Annotated[Line, Field(min_length=SHORTEST_REASON, max_length=REASON_LENGTH)]


Seal = Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]


class SignBody(Body):
    """What the doctor has looked at: `seen` of what is to be signed."""

    seen: Seal


class ReplaceBody(EndBody):
    """A prescription, why another takes its place, and, as for signing, what was looked at."""

    seen: Seal | None = None


def _show(found: Issued) -> PrescriptionReply:
    prescription, ending = found.prescription, found.ending
    return PrescriptionReply(
        number=prescription.number,
        signed_at=prescription.signed_at,
        content=prescription.content,
        signature=prescription.signature,
        verify_at=verification_address(prescription),
        ending=EndingReply.model_validate(ending) if ending else None,
    )


def _issued(consultation: Consultation, number: str = "") -> Issued:
    found = issued(consultation, number)
    if found is None:
        raise NotFound
    return found


def _pdf(request: ApiRequest, prescription: Prescription, in_language: str) -> HttpResponse:
    count_attempt("documents_per_account", str(request.auth.session.account_id))
    return HttpResponse(render_pdf(prescription, in_language), content_type="application/pdf")


@router.get(PRESCRIPTION, auth=carer, response=PrescriptionReply, openapi_extra=says(polled=True))
def read_prescription(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Return the prescription signed last, and whether it still holds."""
    found = _issued(own_consultation(request.auth.actor, state_id, consultation_id))
    return polled(request, _show(found))


@router.get(f"{PRESCRIPTION}.pdf", auth=carer, openapi_extra=says(TooMany, media_types=PDF))
def print_prescription(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Return the prescription on paper, in the reader's language."""
    found = _issued(own_consultation(request.auth.actor, state_id, consultation_id))
    return _pdf(request, found.prescription, language())


def _at_desk(request: ApiRequest, state_id: int, consultation_id: IdInPath) -> Consultation:
    return for_practitioner(request.auth.actor, practitioner_of(request), state_id, consultation_id)


@router.post(
    f"{AT_DESK}/sign",
    auth=doctor,
    response={201: PrescriptionReply},
    openapi_extra=says(ChangedMeanwhile, NotInProgress, *UNSIGNABLE, Stale),
)
def sign(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    key: IdempotencyKey,
    body: SignBody | None = None,
) -> HttpResponse:
    """Sign the draft. It never changes again; a second signing supersedes it.

    With `seen`, only what the doctor has looked at: another screen may have changed the draft.
    """

    def make() -> PrescriptionReply:
        signed = prescribing.sign(
            request.auth.actor,
            practitioner=practitioner_of(request),
            state_id=state_id,
            consultation_id=consultation_id,
            seen=body.seen if body else "",
        )
        return _show(Issued(signed, None))

    return once(request, key, make)


@router.get(
    f"{AT_DESK}/prescription.pdf", auth=doctor, openapi_extra=says(TooMany, media_types=PDF)
)
def print_signed(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Return the signed prescription on paper, in the patient's language."""
    consultation = _at_desk(request, state_id, consultation_id)
    return _pdf(request, _issued(consultation).prescription, consultation.language)


@router.post(
    f"{AT_DESK}/prescription/replace",
    auth=doctor,
    response={201: PrescriptionReply},
    openapi_extra=says(
        AlreadyEnded,
        ChangedMeanwhile,
        NothingChanged,
        NotInProgress,
        TooLateToReplace,
        *UNSIGNABLE,
        Stale,
    ),
)
def replace_signed(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: ReplaceBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Sign the draft in place of a prescription, during the consultation or three days after it.

    The items of the draft stay open for this as long.
    """
    signed = _issued(_at_desk(request, state_id, consultation_id), body.number).prescription

    def make() -> PrescriptionReply:
        successor = prescribing.supersede(
            request.auth.actor,
            practitioner=practitioner_of(request),
            state_id=state_id,
            prescription_id=signed.id,
            reason=body.reason,
            seen=body.seen or "",
        )
        return _show(Issued(successor, None))

    return once(request, key, make)


@router.post(
    f"{AT_DESK}/prescription/cancel",
    auth=doctor,
    response={204: None},
    openapi_extra=says(AlreadyEnded, TooLateToCancel, Stale),
)
def cancel_signed(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: EndBody,
    key: MoveKey = None,
) -> HttpResponse:
    """Cancel a prescription, so that no pharmacy gives medicines on it. Twice is refused."""
    signed = _issued(_at_desk(request, state_id, consultation_id), body.number).prescription

    def end() -> None:
        prescribing.cancel(
            request.auth.actor,
            practitioner=practitioner_of(request),
            state_id=state_id,
            prescription_id=signed.id,
            reason=body.reason,
        )

    return moved(request, key, end)
