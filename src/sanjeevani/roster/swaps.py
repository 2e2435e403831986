"""The verbs of swaps: a shift offered to a colleague of the same line, and the answer."""

import datetime
import uuid
from dataclasses import replace

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Line, Practitioner
from sanjeevani.directory.queries import practitioner as practitioner_by_id
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.states import move
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.limits import count_attempt
from sanjeevani.identity.queries import find_account
from sanjeevani.messaging.services import queue_message
from sanjeevani.roster.errors import OfferedAlready, ShiftBegun, ShiftGone, TakerAway, TakerBusy
from sanjeevani.roster.locking import locked_duty
from sanjeevani.roster.models import Assignment, OfferStatus, ShiftOffer
from sanjeevani.roster.permissions import require_self
from sanjeevani.roster.planning import Shift, Span, planned, span_of
from sanjeevani.roster.queries import known_of, planned_for, serving
from sanjeevani.roster.states import OFFER_MOVES

ASKED = _(
    "Sanjeevani: a colleague asks you to take over a shift on %(day)s. Please answer: %(link)s"
)
ACCEPTED = _("Sanjeevani: your colleague takes over your shift on %(day)s. %(link)s")
DECLINED = _(
    "Sanjeevani: your colleague cannot take over your shift on %(day)s. You are still planned:"
    " %(link)s"
)

YOURS_AGAIN = _(
    "Sanjeevani: your colleague serves there no more. Your shift on %(day)s is yours again:"
    " %(link)s"
)


@verb("roster.offer_shift")
def offer_shift(
    actor: Actor,
    *,
    giver: Practitioner,
    line: Line,
    begins_at: datetime.datetime,
    taker: Practitioner,
) -> ShiftOffer:
    """Offer the shift that begins then to a colleague, who gets a message. Leave is no hindrance.

    Raises ShiftBegun, ShiftGone, TakerAway, TakerBusy, OfferedAlready, Invalid, TooMany.
    """
    require_self(actor, giver)
    if taker.id == giver.id:
        raise Invalid(_("Choose a colleague."), field="taker")
    if begins_at <= clock.now():
        raise ShiftBegun
    _lock(giver.id, taker.id)
    shift = _held(giver.id, line.state_id, line.id, begins_at)
    _require_free(taker, line.id, shift.span)
    try:
        offer = ShiftOffer.objects.create(
            state_id=line.state_id,
            id=uuid7(),
            line_id=line.id,
            owner_id=shift.owner_id,
            giver_id=giver.id,
            giver_state_id=giver.state_id,
            taker_id=taker.id,
            taker_state_id=taker.state_id,
            begins_at=shift.span.begins,
            ends_at=shift.span.ends,
            offered_at=clock.now(),
        )
    except IntegrityError as error:
        if "shift_offered_once" in str(error):
            raise OfferedAlready from None
        raise
    count_attempt("shift_offers_per_doctor", str(giver.id))
    _tell(taker, ASKED, "shift_offered", offer)
    concerns(offer)
    return offer


@verb("roster.accept_shift")
def accept_shift(
    actor: Actor, *, taker: Practitioner, state_id: int, offer_id: uuid.UUID
) -> ShiftOffer:
    """Take over a shift; other offers of it end. Once more changes nothing.

    Raises NotFound, Stale, ShiftBegun, ShiftGone, TakerAway, TakerBusy.
    """
    require_self(actor, taker)
    offer = _offer(state_id, offer_id, taker_id=taker.id)
    _lock(offer.giver_id, taker.id)
    offer.refresh_from_db()
    concerns(offer)
    if offer.status == OfferStatus.ACCEPTED:
        return offer
    if offer.begins_at <= clock.now():
        raise ShiftBegun
    if offer.status == OfferStatus.OPEN:
        shift = _held(offer.giver_id, state_id, offer.line_id, offer.begins_at)
        _require_free(taker, offer.line_id, shift.span)
    same = ShiftOffer.objects.filter(
        state_id=state_id,
        line_id=offer.line_id,
        owner_id=offer.owner_id,
        begins_at=offer.begins_at,
    )
    now = clock.now()
    same.filter(status=OfferStatus.ACCEPTED).update(status=OfferStatus.PASSED_ON)
    move(
        ShiftOffer,
        OFFER_MOVES,
        state_id=state_id,
        id=offer_id,
        to=OfferStatus.ACCEPTED,
        answered_at=now,
    )
    same.filter(status=OfferStatus.OPEN).update(status=OfferStatus.WITHDRAWN, answered_at=now)
    _tell(practitioner_by_id(offer.giver_state_id, offer.giver_id), ACCEPTED, "shift_taken", offer)
    offer.status, offer.answered_at = OfferStatus.ACCEPTED, now
    return offer


@verb("roster.decline_shift")
def decline_shift(
    actor: Actor, *, taker: Practitioner, state_id: int, offer_id: uuid.UUID
) -> ShiftOffer:
    """Leave an offered shift with who has it. Raises NotFound, Stale."""
    require_self(actor, taker)
    offer = _offer(state_id, offer_id, taker_id=taker.id)
    _answer(offer, OfferStatus.DECLINED)
    giver = practitioner_by_id(offer.giver_state_id, offer.giver_id)
    _tell(giver, DECLINED, "shift_declined", offer)
    return offer


@verb("roster.withdraw_shift")
def withdraw_shift(
    actor: Actor, *, giver: Practitioner, state_id: int, offer_id: uuid.UUID
) -> ShiftOffer:
    """Take back an offer that nobody has answered. Raises NotFound, Stale."""
    require_self(actor, giver)
    offer = _offer(state_id, offer_id, giver_id=giver.id)
    _answer(offer, OfferStatus.WITHDRAWN)
    return offer


def give_up_shifts(taker: Practitioner, line: Line) -> None:
    """Give the shifts that somebody took over in a line back to their owners, who are told.

    For who leaves the line. What has begun stays as it was.
    """
    here = {one: state_id for state_id, one in serving([line.id])[line.id]}
    for offer in ShiftOffer.objects.filter(
        state_id=line.state_id,
        line_id=line.id,
        taker_id=taker.id,
        status=OfferStatus.ACCEPTED,
        begins_at__gt=clock.now(),
    ).order_by("begins_at"):
        move(
            ShiftOffer,
            OFFER_MOVES,
            state_id=offer.state_id,
            id=offer.id,
            to=OfferStatus.GIVEN_UP,
        )
        if offer.owner_id in here:
            owner = practitioner_by_id(here[offer.owner_id], offer.owner_id)
            _tell(owner, YOURS_AGAIN, "shift_back", offer)


def _offer(state_id: int, offer_id: uuid.UUID, **whose: uuid.UUID) -> ShiftOffer:
    offer = ShiftOffer.objects.filter(state_id=state_id, id=offer_id, **whose).first()
    if offer is None:
        raise NotFound
    return offer


def _answer(offer: ShiftOffer, to: OfferStatus) -> None:
    move(
        ShiftOffer,
        OFFER_MOVES,
        state_id=offer.state_id,
        id=offer.id,
        to=to,
        answered_at=clock.now(),
    )
    concerns(offer)


def _lock(*practitioner_ids: uuid.UUID) -> None:
    """Let what changes the days of these practitioners wait for each other, in one order."""
    for practitioner_id in sorted(practitioner_ids):
        locked_duty(practitioner_id)


def _held(
    practitioner_id: uuid.UUID, state_id: int, line_id: uuid.UUID, begins_at: datetime.datetime
) -> Shift:
    """Return the shift of a practitioner that begins then, leave left aside. Raises ShiftGone."""
    day = timezone.localdate(begins_at)
    known = known_of(state_id, [line_id], day, day)[line_id]
    for shift in planned(replace(known, away={}), day, day):
        if (shift.practitioner_id, shift.span.begins) == (practitioner_id, begins_at):
            return shift
    raise ShiftGone


def _require_free(taker: Practitioner, line_id: uuid.UUID, span: Span) -> None:
    if not Assignment.objects.filter(practitioner_id=taker.id, line_id=line_id).exists():
        raise Invalid(
            _("%(name)s does not serve here. Choose another colleague.") % {"name": taker.name},
            field="taker",
        )
    first, last = timezone.localdate(span.begins), timezone.localdate(span.ends)
    for known, shifts in planned_for(taker.id, first, last).values():
        if any(span.overlaps(span_of(day, day)) for day in known.away.get(taker.id, ())):
            raise TakerAway(taker.name)
        if any(one.practitioner_id == taker.id and one.span.overlaps(span) for one in shifts):
            raise TakerBusy(taker.name)


def _tell(practitioner: Practitioner, words: Promise, purpose: str, offer: ShiftOffer) -> None:
    account = find_account(practitioner.account_id)
    if account is None or not account.mobile:
        return
    with translation.override(account.language):
        text = str(words) % {
            "day": date_format(timezone.localtime(offer.begins_at), "j F"),
            "link": f"{settings.PUBLIC_URL}/desk/roster",
        }
    queue_message(account.mobile, text, purpose=purpose, language=account.language)
