"""The counter of a spoke: what waits to be handed out, what is shown there, and the stock."""

import datetime
import uuid
from typing import Annotated, Self

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field, model_validator

from sanjeevani.api.access import ApiRequest
from sanjeevani.api.access import at_counter as admitted
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.prescriptions import Number
from sanjeevani.api.replies import IdempotencyKey, nothing, once, polled, reply
from sanjeevani.api.types import PRINTABLE, Body, IdInPath, Reference, Reply, StateInPath, Words
from sanjeevani.directory.models import AT_THE_COUNTER
from sanjeevani.directory.permissions import require_at_spoke
from sanjeevani.documents.signing import LONGEST_STATEMENT
from sanjeevani.prescription.counter import (
    AtCounter,
    Listed,
    at_counter,
    given_before,
    missing_at_counter,
    out_of_stock,
    to_hand_out,
    waiting_at_counter,
)
from sanjeevani.prescription.dispensing import MOST_GIVEN, Given, dispense, look_up, say_stock
from sanjeevani.prescription.errors import AlreadyHandedOut, NotValid, PharmacistHandsOut
from sanjeevani.prescription.models import Handing
from sanjeevani.prescription.queries import Validity
from sanjeevani.terminology.queries import medicines_coded, search_medicines

router = Router(tags=["Counter of a spoke"])

COUNTER = "/spoke/counter"
PRESCRIPTION = f"{COUNTER}/{{int:state_id}}/{{uuid:prescription_id}}"
MOST_FOUND = 50

# A JWS in its compact form (RFC 7515).
Statement = Annotated[
    str, Field(max_length=LONGEST_STATEMENT, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}$")
]
MedicineCode = Annotated[str, Field(min_length=1, max_length=120, pattern=PRINTABLE)]


class ListedReply(Reply):
    """A prescription on the list. `gone`: it does not hold any more, do not give anything on it.

    `patient`: the name of a patient of this spoke; of others initials and year of birth.
    """

    state_id: int
    id: uuid.UUID
    number: str
    patient: str
    since: datetime.datetime
    gone: bool

    @classmethod
    def of(cls, listed: Listed) -> Self:
        """Show a row of the list."""
        return cls(
            state_id=listed.row.prescription_state_id,
            id=listed.row.prescription_id,
            number=listed.number,
            patient=listed.patient,
            since=listed.row.since,
            gone=listed.gone,
        )


class Counter(Reply):
    """What waits to be handed out, and of what patients have not got everything, newest first."""

    waiting: list[ListedReply]
    missing: list[ListedReply]


class ShownBody(Body):
    """What somebody shows: the number on the paper, or the statement that its QR code holds.

    The statement is the parameter `s` of the address in the code.
    """

    number: Number | None = None
    statement: Statement | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.number is None) is (self.statement is None):
            raise ValueError("send one of number and statement")
        return self


class ShownReply(Reply):
    """What verification says. With a `prescription` it stands on the spoke's list from now on."""

    validity: Validity
    prescription: Reference | None


class HandedReply(Reply):
    """What the patient got so far; `given` counts units of the form, where it was a part."""

    handing: Handing
    given: int | None
    at: datetime.datetime


class MedicineAtCounter(Reply):
    """A medicine, in the reader's language. `needed`: units for the whole course, where known.

    `elsewhere`: another place has given it in full, do not give it again. `in_stock`: the spoke has
    not said that it has none.
    """

    code: str
    name: str
    dose: str
    frequency: str
    duration: str
    instructions: str
    unit: str
    needed: int | None
    handed: HandedReply | None
    elsewhere: bool
    in_stock: bool


class BeforeReply(Reply):
    """What the patient has on a prescription that this one replaces; it may be enough.

    Where it does not go on it is not prescribed any more, and must not be taken.
    """

    code: str
    name: str
    handed: HandedReply
    goes_on: bool


class PrescriptionAtCounter(Reply):
    """A prescription at the counter. Nothing is given on one that is not `valid`."""

    state_id: int
    id: uuid.UUID
    number: str
    signed_at: datetime.datetime
    patient: str
    practitioner: str
    registration: str
    validity: Validity
    medicines: list[MedicineAtCounter]
    before: list[BeforeReply]


class HandedBody(Body):
    """What the patient gets of a medicine; `given`: of a part, how many units in all."""

    medicine_code: MedicineCode
    handing: Annotated[Handing, Field(strict=False)]
    given: Annotated[int, Field(ge=1, le=MOST_GIVEN)] | None = None


class HandingBody(Body):
    """Each medicine once. Sent again with other words it is a correction."""

    medicines: Annotated[list[HandedBody], Field(min_length=1, max_length=60)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.medicine_code for one in self.medicines}) != len(self.medicines):
            raise ValueError("send each medicine once")
        return self


class StockReply(Reply):
    """A medicine of the list, and whether the spoke has some."""

    code: str
    generic_name: str
    form: str
    strength: str
    in_stock: bool


class Stock(Reply):
    """By the words searched for, or all that the spoke has none of."""

    items: list[StockReply]


class StockBody(Body):
    """Whether the spoke has some of a medicine."""

    medicine_code: MedicineCode
    in_stock: bool


@router.get(
    COUNTER,
    auth=admitted,
    response=Counter,
    openapi_extra=says(
        PharmacistHandsOut,
        polled=True,
        links={
            name: {
                "state_id": "$response.body#/waiting/0/state_id",
                "prescription_id": "$response.body#/waiting/0/id",
            }
            for name in ("read_at_counter", "hand_out")
        },
    ),
)
def read_counter(request: ApiRequest) -> HttpResponseBase:
    """Return what there is to hand out."""
    actor = request.auth.actor
    listed = Counter(
        waiting=[ListedReply.of(one) for one in waiting_at_counter(actor)],
        missing=[ListedReply.of(one) for one in missing_at_counter(actor)],
    )
    return polled(request, listed)


@router.post(
    f"{COUNTER}/shown", auth=admitted, response=ShownReply, openapi_extra=says(PharmacistHandsOut)
)
def show_prescription(request: ApiRequest, body: ShownBody) -> HttpResponse:
    """Verify what somebody shows, whoever has prescribed it."""
    shown = look_up(request.auth.actor, number=body.number or "", signed=body.statement or "")
    validity = shown.verification.validity
    found = shown.prescription if validity == Validity.VALID else None
    return reply(
        ShownReply(
            validity=validity,
            prescription=Reference(state_id=found.state_id, id=found.id) if found else None,
        )
    )


@router.get(
    PRESCRIPTION,
    auth=admitted,
    response=PrescriptionAtCounter,
    openapi_extra=says(PharmacistHandsOut, polled=True),
)
def read_at_counter(
    request: ApiRequest, state_id: StateInPath, prescription_id: IdInPath
) -> HttpResponseBase:
    """Return a prescription of the list, verified anew. The reading is on the audit trail."""
    return polled(request, _at_counter(request, state_id, prescription_id))


def _at_counter(
    request: ApiRequest, state_id: int, prescription_id: uuid.UUID
) -> PrescriptionAtCounter:
    found = at_counter(request.auth.actor, state_id, prescription_id)
    practitioner = found.prescription.content["practitioner"]
    return PrescriptionAtCounter(
        state_id=found.prescription.state_id,
        id=found.prescription.id,
        number=found.prescription.number,
        signed_at=found.prescription.signed_at,
        patient=found.patient,
        practitioner=practitioner["name"],
        registration=practitioner["registration"],
        validity=found.verification.validity,
        medicines=_medicines(found),
        before=[
            BeforeReply(
                code=one.code,
                name=one.name,
                handed=HandedReply.model_validate(one.row),
                goes_on=one.goes_on,
            )
            for one in given_before(found.prescription, language())
        ],
    )


def _medicines(found: AtCounter) -> list[MedicineAtCounter]:
    out = out_of_stock(found.row.state_id, found.row.facility_id)
    return [
        MedicineAtCounter(
            code=one.code,
            name=one.name,
            dose=one.reading.dose,
            frequency=one.reading.frequency,
            duration=one.reading.duration,
            instructions=one.reading.instructions,
            unit=one.unit,
            needed=one.needed,
            handed=HandedReply.model_validate(found.given[one.code])
            if one.code in found.given
            else None,
            elsewhere=one.code in found.elsewhere,
            in_stock=one.code not in out,
        )
        for one in to_hand_out(found.prescription, language())
    ]


@router.post(
    f"{PRESCRIPTION}/handed",
    auth=admitted,
    response={201: PrescriptionAtCounter},
    openapi_extra=says(AlreadyHandedOut, NotValid, PharmacistHandsOut),
)
def hand_out(
    request: ApiRequest,
    state_id: StateInPath,
    prescription_id: IdInPath,
    body: HandingBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Write down what the patient got. What did not suffice is out of stock from now on."""

    def make() -> PrescriptionAtCounter:
        dispense(
            request.auth.actor,
            state_id=state_id,
            prescription_id=prescription_id,
            handed={one.medicine_code: Given(one.handing, one.given) for one in body.medicines},
        )
        return _at_counter(request, state_id, prescription_id)

    return once(request, key, make)


@router.get("/spoke/stock", auth=admitted, response=Stock, openapi_extra=says(polled=True))
def list_stock(request: ApiRequest, q: Words = "") -> HttpResponseBase:
    """List what the spoke has none of; with words that begin medicines' names, those medicines."""
    post = require_at_spoke(request.auth.actor, AT_THE_COUNTER)
    out = out_of_stock(post.state_id, post.facility_id)
    found = (
        search_medicines(q, MOST_FOUND)
        if q.strip()
        else sorted(medicines_coded(out).values(), key=lambda one: (one.generic_name, one.code))
    )
    items = [
        StockReply(
            code=one.code,
            generic_name=one.generic_name,
            form=one.form,
            strength=one.strength,
            in_stock=one.code not in out,
        )
        for one in found
    ]
    return polled(request, Stock(items=items))


@router.put("/spoke/stock", auth=admitted, response={204: None})
def set_stock(request: ApiRequest, body: StockBody) -> HttpResponse:
    """Say of a medicine that the spoke has some, or none."""
    say_stock(request.auth.actor, **dict(body))
    return nothing()
