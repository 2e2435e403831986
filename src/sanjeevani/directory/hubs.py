"""Which hubs answer a spoke, and which specialities a hub opens."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.errors import AlreadyClosed, LeadsBack, LinkedAlready, SpecialityOpen
from sanjeevani.directory.models import Facility, HubLink, Line, LineKind, State
from sanjeevani.directory.permissions import require_facility_admin, require_state_admin
from sanjeevani.directory.services import open_facility_held
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import NATIONAL, across_states
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.terminology.models import Speciality

FacilityKey = tuple[int, uuid.UUID]
"""A facility as `(state_id, id)`: links cross states."""


class LinkGraph:
    """Who sends patients to whom. It must never lead back to where a patient came from."""

    def __init__(self, edges: Iterable[tuple[FacilityKey, FacilityKey]] = ()) -> None:
        self._hubs: defaultdict[FacilityKey, set[FacilityKey]] = defaultdict(set)
        for spoke, hub in edges:
            self._hubs[spoke].add(hub)

    def leads(self, start: FacilityKey, goal: FacilityKey) -> bool:
        """Tell whether patients of `start` may reach `goal`, over any number of hubs."""
        seen = {start}
        ahead = [start]
        while ahead:
            here = ahead.pop()
            if here == goal:
                return True
            fresh = self._hubs.get(here, set()) - seen
            seen |= fresh
            ahead += fresh
        return False

    def add(self, spoke: FacilityKey, hub: FacilityKey) -> bool:
        """Add a link unless it would close a circle; return whether it was added."""
        if self.leads(hub, spoke):
            return False
        self._hubs[spoke].add(hub)
        return True


def links_between_hubs() -> LinkGraph:
    """Return the links that could be part of a circle: those that start at a hub.

    A spoke that is no hub is where chains begin, nobody is sent there; leaving those out keeps a
    nation of 155,000 centres to the links of its hubs.
    """
    with across_states():
        rows = HubLink.objects.filter(spoke__is_hub=True)
        return LinkGraph(
            ((state_id, spoke_id), (hub_state_id, hub_id))
            for state_id, spoke_id, hub_state_id, hub_id in rows.values_list(
                "state_id", "spoke_id", "hub_state_id", "hub_id"
            )
        )


def lock_links() -> None:
    """Let changes of links wait for each other, in the running transaction.

    Links form one graph over all states; two changes that are harmless alone may close a circle
    together. They are rare, made by administrators, so one lock for all of them is enough.
    """
    State.objects.select_for_update(no_key=True).filter(lgd_code=NATIONAL).first()


@verb("directory.add_hub_link")
def add_hub_link(
    actor: Actor,
    *,
    state_id: int,
    spoke_id: uuid.UUID,
    hub_state_id: int,
    hub_id: uuid.UUID,
    speciality_code: str = "",
) -> HubLink:
    """Let a hub answer a spoke, after those on the list; without a speciality in all it opens.

    Whoever administers both states may. Raises AlreadyClosed, LeadsBack, LinkedAlready, Invalid.
    """
    require_state_admin(actor, state_id)
    require_state_admin(actor, hub_state_id)
    spoke = _open_facility(state_id, spoke_id)
    hub = _open_facility(hub_state_id, hub_id)
    if not spoke.is_spoke:
        raise Invalid(_("This facility is not a spoke."), field="spoke")
    if not hub.is_hub:
        raise Invalid(_("This facility is not a hub."), field="hub")
    if speciality_code and not Speciality.objects.filter(code=speciality_code).exists():
        raise Invalid(_("Choose a speciality from the list."), field="speciality")
    lock_links()
    if links_between_hubs().leads((hub_state_id, hub_id), (state_id, spoke_id)):
        raise LeadsBack
    others = HubLink.objects.filter(
        state_id=state_id, spoke_id=spoke_id, speciality_code=speciality_code
    )
    try:
        link = HubLink.objects.create(
            state_id=state_id,
            id=uuid7(),
            spoke_id=spoke_id,
            speciality_code=speciality_code,
            hub_state_id=hub_state_id,
            hub_id=hub_id,
            position=max(others.values_list("position", flat=True), default=0) + 1,
            since=clock.now(),
        )
    except IntegrityError as error:
        if "hub_link_once" in str(error):
            raise LinkedAlready from None
        raise
    concerns(link)
    return link


@verb("directory.order_hub_links")
def order_hub_links(
    actor: Actor,
    *,
    state_id: int,
    spoke_id: uuid.UUID,
    speciality_code: str,
    link_ids: Sequence[uuid.UUID],
) -> None:
    """Set the order in which a spoke asks the hubs of a speciality ("" is: of all).

    Raises Stale when `link_ids` are not the links that there are.
    """
    require_state_admin(actor, state_id)
    lock_links()
    links = list(
        HubLink.objects.filter(
            state_id=state_id, spoke_id=spoke_id, speciality_code=speciality_code
        )
    )
    if sorted(link.id for link in links) != sorted(link_ids):
        raise Stale
    places = {link_id: place for place, link_id in enumerate(link_ids, start=1)}
    for link in links:
        HubLink.objects.filter(state_id=state_id, id=link.id).update(position=places[link.id])
    concerns(_facility(state_id, spoke_id))


@verb("directory.remove_hub_link")
def remove_hub_link(actor: Actor, *, state_id: int, link_id: uuid.UUID) -> None:
    """Let a hub no longer answer a spoke; what was asked there stays. Raises NotFound."""
    require_state_admin(actor, state_id)
    link = HubLink.objects.filter(state_id=state_id, id=link_id).first()
    if link is None:
        raise NotFound
    HubLink.objects.filter(state_id=state_id, id=link_id).delete()
    concerns(link)


@dataclass(frozen=True, kw_only=True)
class HubPlaces:
    """How many a hub takes in a speciality: a day, waiting at once; and the wait to aim at."""

    places_per_day: int = 200
    waiting_places: int = 50
    target_wait_minutes: int = 30


@verb("directory.open_hub_speciality")
def open_hub_speciality(
    actor: Actor,
    *,
    state_id: int,
    facility_id: uuid.UUID,
    speciality_code: str,
    places: HubPlaces | None = None,
) -> Line:
    """Open a hub's pool of doctors of a speciality: a line like a clinic's.

    Raises AlreadyClosed, SpecialityOpen, Invalid.
    """
    require_state_admin(actor, state_id)
    facility = open_facility_held(state_id, facility_id)
    if not facility.is_hub:
        raise Invalid(_("This facility is not a hub."), field="facility")
    if not Speciality.objects.filter(code=speciality_code).exists():
        raise Invalid(_("Choose a speciality from the list."), field="speciality")
    places = places or HubPlaces()
    for field, value in vars(places).items():
        if value < 1:
            raise Invalid(_("Enter a number above 0."), field=field)
    line = hub_line(state_id, facility_id, speciality_code, places)
    try:
        line.save(force_insert=True)
    except IntegrityError as error:
        if "line_hub_speciality_once" in str(error):
            raise SpecialityOpen from None
        raise
    concerns(line)
    return line


def hub_line(
    state_id: int, facility_id: uuid.UUID, speciality_code: str, places: HubPlaces
) -> Line:
    """Make the line of a hub's speciality, not stored yet."""
    return Line(
        state_id=state_id,
        id=uuid7(),
        kind=LineKind.HUB,
        facility_id=facility_id,
        speciality_code=speciality_code,
        **vars(places),
    )


@verb("directory.open_written_line")
def open_written_line(actor: Actor, *, parent: Line) -> Line:
    """Return the line of a hub's written requests, opened at the first one."""
    Line.objects.bulk_create(
        [
            Line(
                state_id=parent.state_id,
                id=uuid7(),
                kind=LineKind.WRITTEN,
                facility_id=parent.facility_id,
                speciality_code=parent.speciality_code,
                places_per_day=parent.places_per_day,
                waiting_places=parent.places_per_day,
                target_wait_minutes=parent.target_wait_minutes,
                parent_id=parent.id,
            )
        ],
        ignore_conflicts=True,
    )
    line = Line.objects.get(state_id=parent.state_id, parent_id=parent.id, kind=LineKind.WRITTEN)
    concerns(line)
    return line


@verb("directory.close_hub_speciality")
def close_hub_speciality(actor: Actor, *, state_id: int, line_id: uuid.UUID) -> None:
    """Close a hub's speciality for good; nobody can be sent there any more. Raises Stale."""
    line = Line.objects.filter(state_id=state_id, id=line_id, kind=LineKind.HUB).first()
    if line is None:
        raise NotFound
    require_facility_admin(actor, state_id, line.facility_id)
    closed = Line.objects.filter(state_id=state_id, id=line_id, closed_at__isnull=True).update(
        closed_at=clock.now()
    )
    if not closed:
        raise Stale
    concerns(line)


def _facility(state_id: int, facility_id: uuid.UUID) -> Facility:
    facility = Facility.objects.filter(state_id=state_id, id=facility_id).first()
    if facility is None:
        raise NotFound
    return facility


def _open_facility(state_id: int, facility_id: uuid.UUID) -> Facility:
    facility = _facility(state_id, facility_id)
    if facility.closed_at is not None:
        raise AlreadyClosed
    return facility
