"""The verbs that bring in many at once: a batch is one verb, with one audit row.

Whoever calls has checked row by row, with ids made beforehand; here the database has the last word.
A broken rule undoes the whole batch: IntegrityError says that somebody was faster, and the caller
looks again (docs/adr/0004).
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, connection
from django.db.models import Q

from sanjeevani.directory.errors import InUse, StateNotOpen
from sanjeevani.directory.hubs import (
    HubPlaces,
    hub_line,
    links_between_hubs,
    lock_links,
)
from sanjeevani.directory.models import (
    AwaitedPost,
    Facility,
    HubLink,
    Line,
    Post,
    Practitioner,
    Registration,
    Role,
    State,
)
from sanjeevani.directory.permissions import require_may_appoint_all, require_state_admin
from sanjeevani.directory.services import (
    FacilityDetails,
    PractitionerDetails,
    registration_key,
)
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.steady import changed
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.services import NewAccount, create_staff_accounts, withdraw_accounts


@dataclass(frozen=True, kw_only=True)
class NewFacility:
    """A facility to register; as a hub it opens a line for each of its specialities."""

    state_id: int
    id: uuid.UUID
    code: str
    details: FacilityDetails
    speciality_codes: Sequence[str] = ()


@verb("directory.register_facilities")
def register_facilities(actor: Actor, *, facilities: Sequence[NewFacility]) -> list[Line]:
    """Register facilities of open states; return the lines that opened. Raises StateNotOpen."""
    _require_open_states(actor, {facility.state_id for facility in facilities})
    Facility.objects.bulk_create(
        Facility(state_id=new.state_id, id=new.id, code=new.code, **vars(new.details))
        for new in facilities
    )
    places = HubPlaces()
    lines = [
        hub_line(new.state_id, new.id, code, places)
        for new in facilities
        for code in new.speciality_codes
    ]
    Line.objects.bulk_create(lines)
    return lines


@dataclass(frozen=True, kw_only=True)
class NewLink:
    """A link to make, see `HubLink`."""

    state_id: int
    id: uuid.UUID
    spoke_id: uuid.UUID
    speciality_code: str
    hub_state_id: int
    hub_id: uuid.UUID
    position: int


@verb("directory.link_hubs")
def link_hubs(actor: Actor, *, links: Sequence[NewLink]) -> set[uuid.UUID]:
    """Link hubs to spokes; return the ids of links not made because they lead back.

    Raises Stale when a spoke or hub has closed or is none any more.
    """
    states = {link.state_id for link in links} | {link.hub_state_id for link in links}
    for state_id in states:
        require_state_admin(actor, state_id)
    lock_links()
    spokes = _open_ids(((link.state_id, link.spoke_id) for link in links), Q(is_spoke=True))
    hubs = _open_ids(((link.hub_state_id, link.hub_id) for link in links), Q(is_hub=True))
    if any(
        (link.state_id, link.spoke_id) not in spokes or (link.hub_state_id, link.hub_id) not in hubs
        for link in links
    ):
        raise Stale
    graph = links_between_hubs()
    leading_back = {
        link.id
        for link in links
        if not graph.add((link.state_id, link.spoke_id), (link.hub_state_id, link.hub_id))
    }
    now = clock.now()
    HubLink.objects.bulk_create(
        HubLink(since=now, **vars(link)) for link in links if link.id not in leading_back
    )
    concerns(_state(next(iter(states))))
    return leading_back


def _open_ids(keys: Iterable[tuple[int, uuid.UUID]], condition: Q) -> set[tuple[int, uuid.UUID]]:
    by_state: defaultdict[int, set[uuid.UUID]] = defaultdict(set)
    for state_id, facility_id in keys:
        by_state[state_id].add(facility_id)
    return {
        (state_id, facility_id)
        for state_id, ids in by_state.items()
        for facility_id in Facility.objects.filter(
            condition, state_id=state_id, id__in=ids, closed_at__isnull=True
        ).values_list("id", flat=True)
    }


@dataclass(frozen=True, kw_only=True)
class NewPractitioner:
    """A doctor to put on a state's list, to be verified."""

    state_id: int
    id: uuid.UUID
    account_id: uuid.UUID
    details: PractitionerDetails


@dataclass(frozen=True, kw_only=True)
class NewPost:
    """A post to give. One that `waits` begins when the practitioner is verified."""

    state_id: int
    id: uuid.UUID
    account_id: uuid.UUID
    facility_id: uuid.UUID
    role: Role
    practitioner_id: uuid.UUID | None = None
    waits: bool = False


@verb("directory.enrol_staff")
def enrol_staff(
    actor: Actor,
    *,
    accounts: Sequence[NewAccount],
    practitioners: Sequence[NewPractitioner],
    posts: Sequence[NewPost],
) -> None:
    """Give people accounts, put doctors on the lists, and give posts; nobody is invited yet."""
    require_may_appoint_all(actor, {(post.role, post.state_id, post.facility_id) for post in posts})
    create_staff_accounts(actor, accounts=accounts)
    _require_open_states(actor, {post.state_id for post in posts})
    Registration.objects.bulk_create(
        Registration(
            key=registration_key(new.details.council, new.details.registration_number),
            practitioner_state_id=new.state_id,
            practitioner_id=new.id,
        )
        for new in practitioners
    )
    Practitioner.objects.bulk_create(
        Practitioner(
            state_id=new.state_id,
            id=new.id,
            account_id=new.account_id,
            **{**vars(new.details), "languages": list(new.details.languages)},
        )
        for new in practitioners
    )
    now = clock.now()
    AwaitedPost.objects.bulk_create(
        AwaitedPost(
            state_id=post.state_id,
            id=post.id,
            practitioner_id=post.practitioner_id,
            facility_id=post.facility_id,
            role=post.role,
        )
        for post in posts
        if post.waits and post.practitioner_id is not None
    )
    Post.objects.bulk_create(
        Post(
            state_id=post.state_id,
            id=post.id,
            account_id=post.account_id,
            facility_id=post.facility_id,
            role=post.role,
            practitioner_id=post.practitioner_id,
            started_at=now,
        )
        for post in posts
        if not post.waits
    )


STEP = 1000


@verb("directory.withdraw")
def withdraw(
    actor: Actor, *, state_id: int, records: Mapping[str, Sequence[tuple[int, uuid.UUID]]]
) -> None:
    """Take back what was brought in and nobody has used: ids by the names of the models.

    All of it or nothing. Raises InUse, and AccountUsed for an account with a password.
    """
    for record_state in {key[0] for keys in records.values() for key in keys}:
        require_state_admin(actor, record_state)
    lock_links()
    withdraw_accounts(actor, account_ids=[id for _state, id in records.get("account", ())])
    _require_unused(records)
    for row_state, ids in _steps(records.get("practitioner", ())):
        rows = Practitioner.objects.filter(state_id=row_state, id__in=ids)
        if rows.filter(verified_at__isnull=False).exists():
            raise InUse
        Registration.objects.filter(
            key__in=[
                registration_key(council, number)
                for council, number in rows.values_list("council", "registration_number")
            ],
            practitioner_id__in=ids,
        ).delete()
    own_links = {id for _state, id in records.get("hublink", ())}
    for _row_state, ids in _steps(records.get("facility", ())):
        with across_states():  # no foreign key crosses states: a link of any may lead here
            linked = set(HubLink.objects.filter(hub_id__in=ids).values_list("id", flat=True))
        if linked - own_links:
            raise InUse
    try:
        with connection.cursor() as cursor:
            for model in (HubLink, AwaitedPost, Post, Line, Practitioner, Facility):
                table = model._meta.db_table
                for row_state, ids in _steps(records.get(model._meta.model_name or "", ())):
                    # Not Django's delete(): it would first load all that may refer to the rows.
                    cursor.execute(
                        f"DELETE FROM {table} WHERE state_id = %s AND id = ANY(%s)",  # noqa: S608
                        [row_state, ids],
                    )
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError:
        raise InUse from None
    # Nobody acts in a post, or asks a line, that processes keep although it is gone.
    changed(connection.alias)
    concerns(_state(state_id))


def _require_unused(records: Mapping[str, Sequence[tuple[int, uuid.UUID]]]) -> None:
    """Look where no foreign key does: what else accounts have, and who has worked in posts.

    A post given to somebody who signs in already is theirs at once. Raises InUse.
    """
    posts, doctors, gone = (
        {id for _state, id in records.get(name, ())} for name in ("post", "practitioner", "account")
    )
    # An account may have something in any state, and an audit row lives with what was done. Each
    # state is named, so that its index is used.
    everywhere = list(State.objects.values_list("lgd_code", flat=True))
    for ids in _chunks(list(gone)):
        theirs = {"state_id__in": everywhere, "account_id__in": ids}
        held = set(Post.objects.filter(**theirs).values_list("id", flat=True))
        listed = set(Practitioner.objects.filter(**theirs).values_list("id", flat=True))
        if held - posts or listed - doctors:
            raise InUse
    for row_state, ids in _steps(records.get("post", ())):
        here = Post.objects.filter(state_id=row_state, id__in=ids)
        known = set(here.values_list("account_id", flat=True)) - gone
        acted = AuditEvent.objects.filter(
            state_id__in=everywhere, account_id__in=known, post_id__in=ids
        )
        if known and acted.exists():
            raise InUse


def _chunks(ids: list[uuid.UUID]) -> Iterable[list[uuid.UUID]]:
    return (ids[start : start + STEP] for start in range(0, len(ids), STEP))


def _steps(
    keys: Iterable[tuple[int, uuid.UUID]],
) -> Iterable[tuple[int, list[uuid.UUID]]]:
    by_state: defaultdict[int, list[uuid.UUID]] = defaultdict(list)
    for state_id, id in keys:
        by_state[state_id].append(id)
    for state_id, ids in by_state.items():
        for chunk in _chunks(ids):
            yield state_id, chunk


def _require_open_states(actor: Actor, state_ids: set[int]) -> None:
    for state_id in sorted(state_ids):
        require_state_admin(actor, state_id)
        state = _state(state_id)
        if state.opened_at is None:
            raise StateNotOpen
        concerns(state)


def _state(state_id: int) -> State:
    return State.objects.get(lgd_code=state_id)
