"""Links to a prescription, which the patient gives to the family or a pharmacy."""

import contextlib
import datetime
import uuid
from typing import Annotated

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, patient
from sanjeevani.api.documentation import says
from sanjeevani.api.prescriptions import PRESCRIPTION
from sanjeevani.api.replies import IdempotencyKey, key_of, nothing, once, polled
from sanjeevani.api.types import Body, IdInPath, Line, Reply, StateInPath
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.documents.errors import LinkDead, TooManyLinks
from sanjeevani.documents.links import token_from
from sanjeevani.foundation.errors import NotFound
from sanjeevani.prescription.queries import issued
from sanjeevani.prescription.sharing import end_link, links_of, share_prescription

router = Router(tags=["Prescriptions"])

LINKS = f"{PRESCRIPTION}/links"


class LinkBody(Body):
    """Whom the link is for, to know it again later. Nobody else reads it."""

    made_for: Annotated[Line, Field(max_length=60)]


class LinkReply(Reply):
    """A link that works. `opened`: how often; `tries_left`: wrong answers until it ends."""

    id: uuid.UUID
    made_for: str
    made_at: datetime.datetime
    expires_at: datetime.datetime
    opened: int
    opened_at: datetime.datetime | None
    tries_left: int


class Links(Reply):
    """The newest first."""

    items: list[LinkReply]


class NewLink(LinkReply):
    """A link with its `address`, which no later answer holds. Only a retry is told it again."""

    address: str


@router.get(LINKS, auth=patient, response=Links, openapi_extra=says(polled=True))
def list_links(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """List the links that work, also those to a prescription that was replaced since."""
    found = links_of(own_consultation(request.auth.actor, state_id, consultation_id))
    return polled(request, Links(items=[LinkReply.model_validate(one) for one in found]))


@router.post(
    LINKS,
    auth=patient,
    response={201: NewLink},
    openapi_extra=says(
        TooManyLinks,
        links={
            "end_prescription_link": {
                "state_id": "$request.path.state_id",
                "consultation_id": "$request.path.consultation_id",
                "link_id": "$response.body#/id",
            }
        },
    ),
)
def make_link(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: LinkBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Make a link to the prescription signed last. It works for 7 days.

    Whoever opens it is asked for the patient's year of birth: five wrong answers end it. It shows
    what holds then, if the prescription is replaced or cancelled meanwhile.
    """
    found = issued(own_consultation(request.auth.actor, state_id, consultation_id))
    if found is None:
        raise NotFound
    request_key = key_of(request, key)

    def make() -> LinkReply:
        link, _token = share_prescription(
            request.auth.actor,
            prescription=found.prescription,
            made_for=body.made_for,
            request_key=request_key,
        )
        return LinkReply.model_validate(link)

    response = once(request, key, make)
    # The address is half the key to the prescription: it is not in the answer kept for retries.
    made = LinkReply.model_validate_json(response.content)
    path = reverse("web:shared", args=[token_from(made.id, request_key)])
    told = NewLink(**dict(made), address=f"{settings.PUBLIC_URL}{path}")
    response.content = told.model_dump_json().encode()
    return response


@router.delete(f"{LINKS}/{{uuid:link_id}}", auth=patient, response={204: None})
def end_prescription_link(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, link_id: IdInPath
) -> HttpResponse:
    """End a link at once; one that has ended meanwhile is as good."""
    with contextlib.suppress(LinkDead):
        end_link(
            request.auth.actor,
            state_id=state_id,
            consultation_id=consultation_id,
            link_id=link_id,
        )
    return nothing()
