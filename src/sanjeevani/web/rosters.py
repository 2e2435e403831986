"""The roster as doctors and administrators see it: weeks, and what is special about a shift."""

import datetime
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Practitioner
from sanjeevani.directory.queries import practitioners
from sanjeevani.foundation import clock
from sanjeevani.roster.models import OfferStatus, ShiftOffer
from sanjeevani.roster.planning import (
    ONE_DAY,
    Known,
    Shift,
    Span,
    days_from,
    expected,
    held,
    span_of,
)
from sanjeevani.web.fields import DatePartsField, PlainForm


def monday_of(day: datetime.date) -> datetime.date:
    """Return the first day of a week."""
    return day - ONE_DAY * day.weekday()


def week_asked(written: str) -> datetime.date:
    """Return the Monday of a week like 2026-W48; of the present week for anything else."""
    try:
        asked = datetime.datetime.strptime(f"{written}-1", "%G-W%V-%u").date()  # noqa: DTZ007
    except ValueError:
        return monday_of(clock.today())
    # Before the first year and after the last there is no day to show beside it.
    at_an_end = asked.year in (datetime.MINYEAR, datetime.MAXYEAR)
    return monday_of(clock.today()) if at_an_end else asked


def week_written(day: datetime.date) -> str:
    """Return the week of a day as addresses have it."""
    return f"{day:%G-W%V}"


class LeaveForm(PlainForm):
    """The days on which somebody is away."""

    first = DatePartsField(label=_("First day"))
    last = DatePartsField(
        label=_("Last day"), required=False, help_text=_("Leave empty for one day.")
    )

    def days(self) -> tuple[datetime.date, datetime.date]:
        """Return the first and the last day of a valid form."""
        first: datetime.date = self.cleaned_data["first"]
        return first, self.cleaned_data["last"] or first


class DoctorLeaveForm(LeaveForm):
    """Who is away, and on which days."""

    doctor = forms.ChoiceField(label=_("Doctor"))
    field_order = ("doctor", "first", "last")

    def __init__(self, doctors: Iterable[Practitioner], data: Mapping[str, str] | None) -> None:
        super().__init__(data)
        self.fields["doctor"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose")),
            *((f"{one.state_id}.{one.id}", one.name) for one in doctors),
        ]


def date_parts(name: str, day: datetime.date) -> dict[str, int]:
    """Return a day as a form of three boxes sends it."""
    return {f"{name}_day": day.day, f"{name}_month": day.month, f"{name}_year": day.year}


def undone_leave(sent: Mapping[str, str]) -> LeaveForm | None:
    """Return the leave that an address says was just cancelled, to be noted again by one press."""
    form = LeaveForm(sent)
    return form if sent.get("done") == "leave_cancelled" and form.is_valid() else None


@dataclass(frozen=True, kw_only=True)
class ShownShift:
    """A shift with what is special about it.

    `in_place_of`: whose it was. `asked`: offers of it that nobody has answered.
    """

    shift: Shift
    on_leave: bool
    in_place_of: str
    asked: Sequence[ShiftOffer]

    @property
    def span(self) -> Span:
        """From when to when."""
        return self.shift.span

    @property
    def is_round_the_clock(self) -> bool:
        """Whether it fills its day."""
        return self.span == span_of(self.shift.day, self.shift.day)

    @property
    def is_ahead(self) -> bool:
        """Whether it can still change hands."""
        return self.span.begins > clock.now()


def people_in(
    serving: Iterable[tuple[int, uuid.UUID]], offers: Iterable[ShiftOffer]
) -> dict[uuid.UUID, Practitioner]:
    """Return those who serve and those who swapped, by id."""
    swapped = {
        key
        for offer in offers
        for key in (
            (offer.giver_state_id, offer.giver_id),
            (offer.taker_state_id, offer.taker_id),
        )
    }
    return practitioners({*serving, *swapped})


def shown(
    known: Known,
    first: datetime.date,
    last: datetime.date,
    offers: Collection[ShiftOffer],
    people: Mapping[uuid.UUID, Practitioner],
) -> dict[tuple[uuid.UUID, datetime.date], list[ShownShift]]:
    """Return the shifts of a line by doctor and day, without what falls on holidays.

    A shift stands on the day that it begins.
    """
    givers = {(one.owner_id, one.taker_id, one.begins_at): one.giver_id for one in known.taken_over}
    open_offers = [one for one in offers if one.status == OfferStatus.OPEN]
    found: dict[tuple[uuid.UUID, datetime.date], list[ShownShift]] = {}
    for shift in held(known, first, last):
        if not first <= shift.day <= last or shift.day in known.closed:
            continue
        giver = givers.get((shift.owner_id, shift.practitioner_id, shift.span.begins))
        row = ShownShift(
            shift=shift,
            on_leave=not expected(shift, known),
            in_place_of=people[giver].name if giver in people and giver else "",
            asked=[
                one
                for one in open_offers
                if (one.giver_id, one.begins_at) == (shift.practitioner_id, shift.span.begins)
            ],
        )
        found.setdefault((shift.practitioner_id, shift.day), []).append(row)
    return found


@dataclass(frozen=True)
class Week:
    """Seven days from a Monday, with the addresses of the weeks beside it."""

    first: datetime.date

    @property
    def last(self) -> datetime.date:
        """Its Sunday."""
        return self.first + ONE_DAY * 6

    @property
    def days(self) -> list[datetime.date]:
        """All seven."""
        return days_from(self.first, self.last)

    @property
    def written(self) -> str:
        """As addresses have it."""
        return week_written(self.first)

    @property
    def before(self) -> str:
        """The week before, as addresses have it."""
        return week_written(self.first - ONE_DAY)

    @property
    def after(self) -> str:
        """The week after, as addresses have it."""
        return week_written(self.last + ONE_DAY)
