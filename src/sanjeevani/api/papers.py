"""Photos and papers: sent as they are, one a request, read by their owner and by the doctor."""

import datetime
import io
import uuid
from typing import Annotated, Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router

from sanjeevani.api.access import ApiRequest, carer, doctor, practitioner_of
from sanjeevani.api.care import CONSULTATION
from sanjeevani.api.documentation import says
from sanjeevani.api.replies import IdempotencyKey, nothing, once, polled
from sanjeevani.api.types import PRINTABLE, IdInPath, Reply, StateInPath
from sanjeevani.consultation import papers as of_consultation
from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.papers import (
    PaperKept,
    PapersClosed,
    is_shown,
    paper_for_practitioner,
    papers_of,
    place_of,
    show_paper,
)
from sanjeevani.consultation.queries import for_practitioner, own_consultation
from sanjeevani.documents.errors import (
    FileEmpty,
    FileTooLarge,
    PdfLocked,
    PdfUnsafe,
    PictureUnreadable,
    WrongKindOfFile,
)
from sanjeevani.documents.models import UploadedFile
from sanjeevani.documents.uploads import LARGEST_FILE, headers_for, open_upload
from sanjeevani.intake.papers import (
    Place,
    TooManyPapers,
    add_draft_paper,
    paper_in,
    papers_in,
    remove_draft_paper,
)
from sanjeevani.patients.queries import own_patient

router = Router(tags=["Photos and papers"])

DRAFT = "/profiles/{uuid:patient_id}/papers"
OF_CONSULTATION = f"{CONSULTATION}/papers"
AT_DESK = f"/staff{OF_CONSULTATION}"
PICTURES = ("image/jpeg", "image/png")
SENT = (*PICTURES, "application/pdf")
KEPT = ("image/jpeg", "application/pdf")
FILE_REFUSALS = (
    FileEmpty,
    FileTooLarge,
    PdfLocked,
    PdfUnsafe,
    PictureUnreadable,
    WrongKindOfFile,
)

FileName = Annotated[str, Query(max_length=200, pattern=PRINTABLE)]


class PaperReply(Reply):
    """A file as it is kept: pictures as JPEG without metadata, 1600 pixels at most.

    `by_doctor`: the doctor shows it to the patient.
    """

    id: uuid.UUID
    name: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    uploaded_at: datetime.datetime
    by_doctor: bool = False


class Papers(Reply):
    """In the order of adding."""

    items: list[PaperReply]


def takes_a_file(*refusals: Any) -> dict[str, Any]:
    """Return what an operation that takes a file as its body says of itself."""
    return says(*FILE_REFUSALS, TooManyPapers, *refusals, body_media_types=SENT)


def content_of(request: ApiRequest) -> bytes:
    """Read the body past the limit of JSON, and not past that of files."""
    content: bytes = request.read(LARGEST_FILE + 1)
    return content


def listed(consultation: Consultation) -> Papers:
    """Return the papers of a consultation that the caller may read."""
    items = [
        PaperReply.model_validate(one).model_copy(update={"by_doctor": is_shown(one, consultation)})
        for one in papers_of(consultation)
    ]
    return Papers(items=items)


def send_paper(upload: UploadedFile) -> HttpResponse:
    """Answer with a file whose reading was allowed."""
    with open_upload(upload) as content:
        return HttpResponse(content.read(), headers=headers_for(upload))


@router.get(DRAFT, auth=carer, response=Papers, openapi_extra=says(polled=True))
def list_draft_papers(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """List what goes along with the next request."""
    person = own_patient(request.auth.actor, patient_id)
    found = papers_in(Place.draft_of(person))
    return polled(request, Papers(items=[PaperReply.model_validate(one) for one in found]))


@router.post(DRAFT, auth=carer, response={201: PaperReply}, openapi_extra=takes_a_file())
def add_to_draft(
    request: ApiRequest, patient_id: IdInPath, key: IdempotencyKey, name: FileName = ""
) -> HttpResponse:
    """Add a photo (JPEG, PNG) or a PDF of at most 10 MB; what it is, its content says."""
    person = own_patient(request.auth.actor, patient_id)
    content = content_of(request)
    return once(
        request,
        key,
        lambda: PaperReply.model_validate(
            add_draft_paper(request.auth.actor, patient=person, file=io.BytesIO(content), name=name)
        ),
        content=content,
        # Also for a file that turns out to be none: to find out costs most.
        limit="uploads_per_account",
    )


@router.get(
    f"{DRAFT}/{{uuid:paper_id}}",
    auth=carer,
    response={200: None},
    openapi_extra=says(media_types=KEPT),
)
def read_draft_paper(request: ApiRequest, patient_id: IdInPath, paper_id: IdInPath) -> HttpResponse:
    """Return a file of the draft."""
    person = own_patient(request.auth.actor, patient_id)
    return send_paper(paper_in(Place.draft_of(person), paper_id))


@router.delete(f"{DRAFT}/{{uuid:paper_id}}", auth=carer, response={204: None})
def remove_from_draft(
    request: ApiRequest, patient_id: IdInPath, paper_id: IdInPath
) -> HttpResponse:
    """Take a file out of the draft, for good."""
    person = own_patient(request.auth.actor, patient_id)
    remove_draft_paper(request.auth.actor, patient=person, upload_id=paper_id)
    return nothing()


@router.get(OF_CONSULTATION, auth=carer, response=Papers, openapi_extra=says(polled=True))
def list_papers(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """List what the doctor of a consultation sees."""
    return polled(request, listed(own_consultation(request.auth.actor, state_id, consultation_id)))


@router.post(
    OF_CONSULTATION,
    auth=carer,
    response={201: PaperReply},
    openapi_extra=takes_a_file(PapersClosed),
)
def add_paper(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    key: IdempotencyKey,
    name: FileName = "",
) -> HttpResponse:
    """Add a photo or paper until the consultation is over."""
    own_consultation(request.auth.actor, state_id, consultation_id)
    content = content_of(request)
    return once(
        request,
        key,
        lambda: PaperReply.model_validate(
            of_consultation.add_paper(
                request.auth.actor,
                state_id=state_id,
                consultation_id=consultation_id,
                file=io.BytesIO(content),
                name=name,
            )
        ),
        content=content,
        # Also for a file that turns out to be none: to find out costs most.
        limit="uploads_per_account",
    )


@router.get(
    f"{OF_CONSULTATION}/{{uuid:paper_id}}",
    auth=carer,
    response={200: None},
    openapi_extra=says(media_types=KEPT),
)
def read_paper(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, paper_id: IdInPath
) -> HttpResponse:
    """Return a file of a consultation."""
    found = own_consultation(request.auth.actor, state_id, consultation_id)
    return send_paper(paper_in(place_of(found), paper_id))


@router.delete(
    f"{OF_CONSULTATION}/{{uuid:paper_id}}",
    auth=carer,
    response={204: None},
    openapi_extra=says(PaperKept),
)
def remove_paper(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, paper_id: IdInPath
) -> HttpResponse:
    """Take a file away, until the consultation begins."""
    own_consultation(request.auth.actor, state_id, consultation_id)
    of_consultation.remove_paper(
        request.auth.actor,
        state_id=state_id,
        consultation_id=consultation_id,
        upload_id=paper_id,
    )
    return nothing()


@router.get(AT_DESK, auth=doctor, response=Papers, openapi_extra=says(polled=True))
def list_case_papers(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """List the photos and papers of a consultation that the doctor may read."""
    found = for_practitioner(
        request.auth.actor, practitioner_of(request), state_id, consultation_id
    )
    return polled(request, listed(found))


@router.post(
    AT_DESK, auth=doctor, response={201: PaperReply}, openapi_extra=takes_a_file(NotInProgress)
)
def show_to_patient(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    key: IdempotencyKey,
    name: FileName = "",
) -> HttpResponse:
    """Show the patient a photo or paper; it stays with the consultation."""
    practitioner = practitioner_of(request)
    for_practitioner(request.auth.actor, practitioner, state_id, consultation_id)
    content = content_of(request)
    return once(
        request,
        key,
        lambda: PaperReply.model_validate(
            show_paper(
                request.auth.actor,
                practitioner=practitioner,
                state_id=state_id,
                consultation_id=consultation_id,
                file=io.BytesIO(content),
                name=name,
            )
        ).model_copy(update={"by_doctor": True}),
        content=content,
        limit="uploads_per_account",
    )


@router.get(
    f"{AT_DESK}/{{uuid:paper_id}}",
    auth=doctor,
    response={200: None},
    openapi_extra=says(media_types=KEPT),
)
def read_case_paper(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, paper_id: IdInPath
) -> HttpResponse:
    """Return a file of a consultation. The reading is on the audit trail."""
    return send_paper(
        paper_for_practitioner(
            request.auth.actor,
            practitioner_of(request),
            state_id=state_id,
            consultation_id=consultation_id,
            upload_id=paper_id,
        )
    )
