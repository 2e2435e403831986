"""Every verb that a request can reach, asked for by every role in every place."""

import copy
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import chain
from typing import Any

from django.db import transaction

from sanjeevani.directory.models import (
    BESIDE_THE_PATIENT,
    Clinic,
    Facility,
    HubLink,
    Practitioner,
    Role,
)
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotFound, NotPermitted
from sanjeevani.foundation.models import AuditEvent, OutboxFact
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.verbs import VERBS
from sanjeevani.messaging.models import OutgoingMessage
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    AccountFactory,
    ClinicFactory,
    FacilityFactory,
    HubLinkFactory,
    LineFactory,
    PostFactory,
    PractitionerFactory,
    StaffAccountFactory,
    StateFactory,
    doctor,
    person,
)
from tests.structure.verb_calls import CALLS, Call, World

PRACTISING = (Role.DOCTOR, Role.SPECIALIST)
SERVING = ("practitioner", "colleague", "giver", "taker")
"""Arguments for which a view puts the practitioner of the post that is acted in."""


class Reach(IntEnum):
    """How far from the record somebody may stand who still does it; each holds those before."""

    NEVER = 0
    SELF = 1
    OWN = 2
    STATE = 3
    ANY = 4


@dataclass
class Somebody:
    """An actor of a role, with the practitioner that a post of theirs names."""

    who: str
    actor: Actor
    practitioner: Practitioner | None = None


def in_post(facility: Facility, role: Role) -> Somebody:
    """Give somebody new a post, and the actor that `web/access.py` makes of it."""
    practitioner = (
        PractitionerFactory.create(state_id=facility.state_id) if role in PRACTISING else None
    )
    post = PostFactory.create(
        facility=facility,
        role=role,
        account_id=practitioner.account_id if practitioner else StaffAccountFactory.create().id,
        practitioner_id=practitioner.id if practitioner else None,
    )
    beside = facility.is_spoke and role in BESIDE_THE_PATIENT
    actor = Actor(
        ActorKind.STAFF,
        account_id=post.account_id,
        post_id=post.id,
        state_id=post.state_id,
        address="192.0.2.9",
        spoke_id=facility.id if beside else None,
    )
    return Somebody(role.value, actor, practitioner)


class Walk:
    """The set-up that all verbs share, and the walk itself."""

    def __init__(self) -> None:
        for code in (ANDHRA_PRADESH, TAMIL_NADU, 0):
            StateFactory.create(lgd_code=code, opened_at=clock.now())
        self.hospital: Facility = FacilityFactory.create()
        self.spoke = a_spoke(ANDHRA_PRADESH)
        self.clinic: Clinic = ClinicFactory.create(line=LineFactory.create(facility=self.hospital))
        self.elsewhere = {
            Reach.ANY: a_spoke(TAMIL_NADU),
            Reach.STATE: a_spoke(ANDHRA_PRADESH),
        }
        self.staff: dict[tuple[uuid.UUID, Role], Somebody] = {
            (facility.id, role): in_post(facility, role)
            for facility in (self.hospital, self.spoke, *self.elsewhere.values())
            for role in Role
            # Where there is a pharmacist nobody else hands out: one comes last, and goes.
            if role is not Role.PHARMACIST
        }
        self.patients = {
            Reach.ANY: patient_of(TAMIL_NADU),
            Reach.STATE: patient_of(ANDHRA_PRADESH),
        }

    def reaches(self, name: str) -> dict[str, Reach]:
        """Return who does a verb, by how far they may stand from its record."""
        found = dict.fromkeys(PEOPLE, Reach.NEVER)
        with undone():
            world = SharedWorld(self)
            call = CALLS[name](world)
            before = traces()
            for reach, somebody in chain(concerned(world, call.actor), self.strangers(call)):
                if reach > found[somebody.who] and does(name, call, somebody):
                    found[somebody.who] = reach
            assert traces() == before, f"a refusal of {name} leaves something behind"
        return found

    def strangers(self, call: Call) -> Iterator[tuple[Reach, Somebody]]:
        """Yield who stands outside of the record, the farthest first, with how far."""
        yield Reach.ANY, Somebody("nobody", Actor(ActorKind.ANONYMOUS, address="192.0.2.9"))
        yield from self.patients.items()
        own = self.spoke if call.actor.spoke_id else self.hospital
        places = {**self.elsewhere, Reach.OWN: own}
        for role in sorted(Role, key=lambda role: role is Role.PHARMACIST):
            for reach, facility in places.items():
                yield (
                    reach,
                    self.staff.get((facility.id, role)) or in_post(facility, role),
                )


def concerned(world: World, actor: Actor) -> Iterator[tuple[Reach, Somebody]]:
    """Yield whom the record is about: who acts in the call, the patient and the doctor."""
    known = vars(world)
    if "patient" in known:
        yield Reach.SELF, Somebody("patient", world.guest)
    acting = {doctor(known[key]) for key in ("practitioner", "colleague") if key in known}
    if actor.kind == ActorKind.STAFF and actor.post_id is None:
        acting.add(actor)
    for one in acting:
        # Staff who act without a post act on their own account, if they are no doctors.
        for role in PRACTISING if is_practising(one) else Role:
            yield Reach.SELF, Somebody(role.value, one)


def is_practising(actor: Actor) -> bool:
    """Tell whether an actor's account is a practitioner's."""
    return (
        actor.account_id is not None
        and Practitioner.objects.filter(
            state_id=actor.state_id, account_id=actor.account_id
        ).exists()
    )


class SharedWorld(World):
    """A world whose places are the walk's."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    @cached_property
    def facility(self) -> Facility:
        """The hospital."""
        return copy.copy(self.walk.hospital)

    @cached_property
    def clinic(self) -> Clinic:
        """The hospital's clinic."""
        return copy.copy(self.walk.clinic)

    @cached_property
    def hub_link(self) -> HubLink:
        """That the hospital answers the spoke."""
        Facility.objects.filter(state_id=self.facility.state_id, id=self.facility.id).update(
            is_hub=True
        )
        link: HubLink = HubLinkFactory.create(hub=self.facility, spoke=self.walk.spoke)
        return link


PEOPLE = ("nobody", "patient", *(role.value for role in Role))


def a_spoke(state_id: int) -> Facility:
    """Make a spoke: whoever works there may do what staff may, and act for who is beside them."""
    spoke: Facility = FacilityFactory.create(state_id=state_id, is_spoke=True, is_opd_host=False)
    return spoke


def patient_of(state_id: int) -> Somebody:
    """Return a patient whom the record does not concern."""
    account = AccountFactory.create(home_state_id=state_id)
    return Somebody("patient", person(account.id, state_id))


@contextmanager
def undone() -> Iterator[None]:
    """Undo whatever happens inside."""
    before = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)


def does(name: str, call: Call, somebody: Somebody) -> bool:
    """Tell whether somebody does what the call says, as another or with a post of their own."""
    return any(
        tried(name, somebody.actor, arguments) for arguments in versions(call.arguments, somebody)
    )


def versions(arguments: dict[str, Any], somebody: Somebody) -> Iterator[dict[str, Any]]:
    """Yield the arguments as they stand, and with the practitioner of who asks.

    The second only where they name another record too: else it is about who asks.
    """
    yield arguments
    serving = [key for key in SERVING if key in arguments]
    names_another = any(key.endswith("_id") and key != "state_id" for key in arguments)
    if somebody.practitioner and serving and names_another:
        yield {**arguments, serving[0]: somebody.practitioner}


def tried(name: str, actor: Actor, arguments: dict[str, Any]) -> bool:
    """Call a verb; tell whether it was done, and undo it then."""
    before = transaction.savepoint()
    try:
        VERBS[name](actor, **copy.deepcopy(arguments))
    except (NotPermitted, NotFound):
        transaction.savepoint_commit(before)
        return False
    transaction.savepoint_rollback(before)
    return True


def traces() -> list[int]:
    """Count what verbs leave."""
    with across_states():
        return [table.objects.count() for table in (AuditEvent, OutboxFact, OutgoingMessage)]
