"""What a doctor writes often: the app puts it into a note, and sends that as any other."""

import uuid
from typing import Annotated

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, doctor, practitioner_of
from sanjeevani.api.desk import Texts
from sanjeevani.api.documentation import says
from sanjeevani.api.replies import IdempotencyKey, nothing, once, polled, reply
from sanjeevani.api.types import Code, IdInPath, Line, Reply
from sanjeevani.consultation.note_templates import (
    MOST_PARTS,
    ShorthandTaken,
    TemplateContent,
    delete_template,
    keep_template,
    templates_of,
)

router = Router(tags=["Desk"])

ONE = "/templates/{uuid:template_id}"


class TemplateReply(Reply):
    """A template. `lines`: prescription lines as typed, to be read by `/shorthand` each time."""

    id: uuid.UUID
    shorthand: str
    favourite: bool
    history: str
    findings: str
    investigations: str
    advice: str
    come_back: str
    diagnosis_codes: list[str]
    lines: list[str]


class Templates(Reply):
    """Favourites first, then by shorthand."""

    items: list[TemplateReply]


class TemplateBody(Texts):
    """A whole template. `shorthand`: one word that brings it back, case ignored."""

    shorthand: Annotated[Line, Field(max_length=20)]
    favourite: bool = False
    diagnosis_codes: Annotated[list[Code], Field(max_length=MOST_PARTS)] = []
    lines: Annotated[
        list[Annotated[Line, Field(max_length=200)]], Field(max_length=MOST_PARTS)
    ] = []

    def content(self) -> TemplateContent:
        """Return the template as the verb takes it."""
        return TemplateContent(**self.model_dump())


@router.get("/templates", auth=doctor, response=Templates, openapi_extra=says(polled=True))
def list_templates(request: ApiRequest) -> HttpResponse:
    """List the doctor's own templates."""
    found = templates_of(practitioner_of(request))
    return polled(request, Templates(items=[TemplateReply.model_validate(one) for one in found]))


@router.post(
    "/templates", auth=doctor, response={201: TemplateReply}, openapi_extra=says(ShorthandTaken)
)
def add_template(request: ApiRequest, body: TemplateBody, key: IdempotencyKey) -> HttpResponse:
    """Keep a new template."""
    practitioner = practitioner_of(request)

    def make() -> TemplateReply:
        kept = keep_template(request.auth.actor, practitioner=practitioner, content=body.content())
        return TemplateReply.model_validate(kept)

    return once(request, key, make)


@router.put(ONE, auth=doctor, response=TemplateReply, openapi_extra=says(ShorthandTaken))
def change_template(request: ApiRequest, template_id: IdInPath, body: TemplateBody) -> HttpResponse:
    """Change one of the doctor's own templates, whole."""
    kept = keep_template(
        request.auth.actor,
        practitioner=practitioner_of(request),
        content=body.content(),
        template_id=template_id,
    )
    return reply(TemplateReply.model_validate(kept))


@router.delete(ONE, auth=doctor, response={204: None})
def remove_template(request: ApiRequest, template_id: IdInPath) -> HttpResponse:
    """Delete one of the doctor's own templates."""
    delete_template(
        request.auth.actor, practitioner=practitioner_of(request), template_id=template_id
    )
    return nothing()
