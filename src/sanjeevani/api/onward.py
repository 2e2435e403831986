"""Where a doctor sends a patient on: to another clinic, or from a spoke to another hub."""

import uuid
from collections.abc import Callable

from django.http import HttpResponse
from ninja import Router

from sanjeevani.api.access import ApiRequest, doctor
from sanjeevani.api.care import HubOf
from sanjeevani.api.desk import CONSULTATION, ReasonBody, at_desk, read_held
from sanjeevani.api.documentation import says
from sanjeevani.api.family import Wait, clinic_name
from sanjeevani.api.replies import IdempotencyKey, once, polled
from sanjeevani.api.types import Id, IdInPath, Reference, Reply, StateCode, StateInPath
from sanjeevani.consultation import transfers
from sanjeevani.consultation.errors import ClinicClosed, NotInProgress
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.offers import destinations
from sanjeevani.directory.queries import HubChoice, clinic_serving
from sanjeevani.foundation.errors import NotFound, Stale
from sanjeevani.prescription import services as prescribing
from sanjeevani.prescription.errors import PAPER_DIFFERS, UnsignedDraft
from sanjeevani.queueing.errors import AlreadyWaiting

router = Router(tags=["Desk"])


class RedirectBody(ReasonBody):
    """Where the patient goes on. The patient and the next doctor read the reason."""

    clinic_state_id: StateCode
    clinic_id: Id


class Destination(Reply):
    """A clinic that is open for the patient. `expected_wait` is null without a doctor on duty."""

    state_id: int
    id: uuid.UUID
    name: str
    facility: str
    district: str
    expected_wait: Wait | None


class Destinations(Reply):
    """The shortest waits first."""

    items: list[Destination]


class OnwardBody(ReasonBody):
    """The hub's speciality where the patient goes on; patient and next doctor read the reason."""

    hub_state_id: StateCode
    hub_id: Id


class NextHubs(Reply):
    """The spoke's other hubs and specialities, and the hubs of this hub, the next tier.

    Empty for who asked from home.
    """

    items: list[HubOf]


@router.get(
    f"{CONSULTATION}/destinations",
    auth=doctor,
    response=Destinations,
    openapi_extra=says(polled=True),
)
def list_destinations(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """List the open clinics that the patient can be sent to."""
    found = destinations(read_held(request, state_id, consultation_id))
    items = [
        Destination(
            state_id=offer.open_clinic.clinic.state_id,
            id=offer.open_clinic.clinic.id,
            name=clinic_name(offer.open_clinic.clinic),
            facility=offer.open_clinic.facility.name,
            district=offer.open_clinic.facility.district,
            expected_wait=Wait.model_validate(offer.wait) if offer.wait else None,
        )
        for offer in found
    ]
    return polled(request, Destinations(items=items))


@router.post(
    f"{CONSULTATION}/redirect",
    auth=doctor,
    response={201: Reference},
    openapi_extra=says(AlreadyWaiting, ClinicClosed, Stale),
)
def redirect_patient(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: RedirectBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Send the patient to another clinic, of whichever state, with the whole time waited."""

    def make() -> Reference:
        consultation = read_held(request, state_id, consultation_id)
        clinic = clinic_serving(
            consultation.patient_state_id,
            clinic_state_id=body.clinic_state_id,
            clinic_id=body.clinic_id,
        )
        return Reference.model_validate(
            transfers.redirect(
                request.auth.actor,
                **at_desk(request, state_id, consultation_id),
                clinic=clinic,
                reason=body.reason,
            )
        )

    return once(request, key, make)


@router.get(
    f"{CONSULTATION}/next-hubs", auth=doctor, response=NextHubs, openapi_extra=says(polled=True)
)
def list_next_hubs(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """List where the patient at a spoke can go on."""
    found = transfers.hubs_beyond(read_held(request, state_id, consultation_id))
    return polled(request, NextHubs(items=[HubOf.of(one.line) for one in found]))


@router.post(
    f"{CONSULTATION}/redirect-to-hub",
    auth=doctor,
    response={201: Reference},
    openapi_extra=says(AlreadyWaiting, Stale),
)
def redirect_to_hub(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: OnwardBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Send the patient at a spoke to another hub instead, with the whole time waited."""
    return _sent_on(request, state_id, consultation_id, body, key, transfers.redirect_to_hub)


@router.post(
    f"{CONSULTATION}/refer",
    auth=doctor,
    response={201: Reference},
    openapi_extra=says(*PAPER_DIFFERS, AlreadyWaiting, NotInProgress, UnsignedDraft),
)
def refer_up(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: OnwardBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Complete, and open a consultation at the next hub, which reads what was told and written.

    What was drafted has to be signed, or taken out, as before completing.
    """
    return _sent_on(request, state_id, consultation_id, body, key, prescribing.refer_up)


def _sent_on(
    request: ApiRequest,
    state_id: int,
    consultation_id: uuid.UUID,
    body: OnwardBody,
    key: str,
    send: Callable[..., Consultation],
) -> HttpResponse:
    def make() -> Reference:
        consultation = read_held(request, state_id, consultation_id)
        opened = send(
            request.auth.actor,
            **at_desk(request, state_id, consultation_id),
            choice=_choice(consultation, body),
            reason=body.reason,
        )
        return Reference.model_validate(opened)

    return once(request, key, make)


def _choice(consultation: Consultation, body: OnwardBody) -> HubChoice:
    for one in transfers.hubs_beyond(consultation):
        if (one.line.state_id, one.line.id) == (body.hub_state_id, body.hub_id):
            return one
    raise NotFound
