"""The values that bodies and parameters are made of, with their limits."""

import datetime
import re
import uuid
from typing import Annotated

from ninja import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from sanjeevani.foundation.text import plain_text

# Control characters other than white space never come from a keyboard.
PRINTABLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


class Body(BaseModel):
    """A request body: no field that is not documented, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Reply(BaseModel):
    """A response body."""

    model_config = ConfigDict(from_attributes=True)


class Reference(Reply):
    """Which consultation or prescription."""

    state_id: int
    id: uuid.UUID


def _line(text: str) -> str:
    return plain_text(text, lines=False)


def _filled(text: str) -> str:
    cleaned = _line(text)
    if not cleaned:
        raise ValueError("must not be empty")
    return cleaned


def _lines(text: str) -> str:
    return plain_text(text, lines=True)


def _day(value: object) -> datetime.date:
    if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
        raise ValueError("must be a date like 1984-03-27")
    return datetime.date.fromisoformat(value)


def _moment(value: object) -> datetime.datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("must be a time like 2026-03-27T09:30:00+05:30")
    return datetime.datetime.fromisoformat(value)


def _id(value: object) -> uuid.UUID:
    if not isinstance(value, str) or len(value) != 36:
        raise ValueError("must be a UUID")
    return uuid.UUID(value)


# Fields add their own greatest length.
Line = Annotated[str, Field(min_length=1, pattern=PRINTABLE), AfterValidator(_filled)]
OptionalLine = Annotated[str, Field(pattern=PRINTABLE), AfterValidator(_line)]
Lines = Annotated[str, Field(pattern=PRINTABLE), AfterValidator(_lines)]

Day = Annotated[datetime.date, BeforeValidator(_day)]
Moment = Annotated[datetime.datetime, BeforeValidator(_moment)]
"""With its distance from UTC (RFC 3339), in this century."""
Id = Annotated[
    uuid.UUID, BeforeValidator(_id), WithJsonSchema({"type": "string", "format": "uuid"})
]
StateCode = Annotated[int, Field(ge=0, le=99, description="LGD code; 0 is National.")]
Code = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_.:/%+-]+$")]
Amount = Annotated[
    str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,2})?$", description="A decimal, like 0.5.")
]

StateInPath = Annotated[int, Path(ge=0, le=99, description="LGD code; 0 is National.")]
IdInPath = Annotated[uuid.UUID, Path()]
Search = Annotated[str, Query(min_length=1, max_length=100, pattern=PRINTABLE)]
Words = Annotated[str, Query(max_length=100, pattern=PRINTABLE)]
Cursor = Annotated[
    str | None,
    Query(
        max_length=120,
        pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        description="`next` of the page before, as it stands; leave out for the first. It belongs"
        " to one list of one account.",
    ),
]
"""`record_before` of `replies` reads it, `page_of` makes it."""
PageSize = Annotated[int, Query(ge=1, le=100)]
