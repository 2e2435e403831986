"""The verbs by which an OPD or a hub's speciality closes and a doctor leaves, without losing who
waits or talks."""

import contextlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation import transfers
from sanjeevani.consultation.errors import NobodyElse
from sanjeevani.consultation.models import Consultation
from sanjeevani.directory import hubs
from sanjeevani.directory import services as directory
from sanjeevani.directory.errors import NotVerified
from sanjeevani.directory.models import Clinic, Line, LineKind
from sanjeevani.directory.permissions import require_facility_admin, require_state_admin
from sanjeevani.directory.queries import (
    acting_post,
    clinical_posts_of,
    lanes_of,
    lines_by_id,
    practitioners,
)
from sanjeevani.directory.queries import clinic as clinic_by_id
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import DomainError, Stale
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.errors import AlreadyServing
from sanjeevani.queueing.models import Token, TokenStatus
from sanjeevani.queueing.queries import waiting_in, waits_in
from sanjeevani.roster.queries import assigned_lines, serving
from sanjeevani.roster.services import unassign


class WithPatient(DomainError):
    """The doctor has a live consultation, which nobody may break off."""

    status = 409
    message = _(
        "This doctor is with a patient. Take the doctor off the OPDs now, so that nobody new is"
        " called, and end the post when the consultation is over."
    )


@dataclass(frozen=True)
class Settled:
    """What became of those who waited: taken to another OPD, or told to come again."""

    moved: int
    told: int


@dataclass(frozen=True)
class Outlook:
    """What closing a clinic now would do. `moves`: to which clinics how many would be taken."""

    moves: list[tuple[Clinic, int]]
    told: int
    with_doctor: int


def outlook(clinic: Clinic) -> Outlook:
    """Foresee `close_clinic`: the same choice for everybody who waits, made without acting."""
    lanes = lanes_of(clinic.state_id, [clinic.line_id])[clinic.line_id]
    rows = list(
        Consultation.objects.filter(
            state_id=clinic.state_id,
            # By the tokens: of consultations no index names the line, and they are ever more.
            token__line_id__in=[clinic.line_id, *lanes],
            token__status__in=[TokenStatus.WAITING, TokenStatus.CALLED, TokenStatus.SERVING],
        ).values_list("patient_state_id", "token_id")
    )
    waiting = {
        token_id
        for line_id in (clinic.line_id, *lanes)
        for token_id in waiting_in(clinic.state_id, line_id)
    }
    waiting_by_home = Counter(home for home, token_id in rows if token_id in waiting)
    moves: dict[uuid.UUID, tuple[Clinic, int]] = {}
    told = 0
    for home, count in waiting_by_home.items():
        target = transfers.refuge(home, clinic.line)
        if target is None:
            told += count
        else:
            _clinic, before = moves.get(target.clinic.id, (target.clinic, 0))
            moves[target.clinic.id] = (target.clinic, before + count)
    return Outlook(list(moves.values()), told, len(rows) - waiting_by_home.total())


@verb("consultation.close_clinic")
def close_clinic(actor: Actor, *, state_id: int, clinic_id: uuid.UUID) -> Settled:
    """Close a clinic for good. Who waits is moved with the waiting time, or told.

    Consultations that are going on are finished by their doctors. Raises AlreadyClosed.
    """
    clinic = clinic_by_id(state_id, clinic_id)
    require_facility_admin(actor, state_id, clinic.facility_id)
    _take_turns()
    directory.close_clinic(actor, state_id=state_id, clinic_id=clinic_id)
    settled = _settle(clinic.line)
    concerns(clinic)
    return settled


@verb("consultation.close_hub_speciality")
def close_hub_speciality(actor: Actor, *, state_id: int, line_id: uuid.UUID) -> Settled:
    """Close a hub's speciality for good. Who waits goes to another hub, or is left to the spoke.

    Written requests too. Consultations that are going on are finished by their doctors. Raises
    NotFound, Stale.
    """
    _take_turns()
    hubs.close_hub_speciality(actor, state_id=state_id, line_id=line_id)
    line = Line.objects.get(state_id=state_id, id=line_id)
    settled = _settle(line)
    concerns(line)
    return settled


def _take_turns() -> None:
    """Let closings wait for each other, and for changes of links: they are rare.

    Two at once would each send patients to the other, where nobody serves them any more, and wait
    for each other's lines and doctors until the database ends one of them.
    """
    hubs.lock_links()


def take_elsewhere(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> bool:
    """Take somebody out of a line that has closed: to another one, or home.

    Returns whether there was another one. Raises Stale when a doctor was faster.
    """
    try:
        transfers.move_on(actor, state_id=state_id, token_id=token_id)
    except NobodyElse:
        transfers.send_home(actor, state_id=state_id, token_id=token_id)
        return False
    return True


def _settle(line: Line) -> Settled:
    """Empty a line that has just closed, and let its doctors go."""
    beside = list(Line.objects.filter(state_id=line.state_id, parent_id=line.id))
    for token in _waiting([one for one in beside if one.kind == LineKind.FOLLOW_UP]):
        if not waits_in(line.state_id, line.id, token.subject_id):
            with contextlib.suppress(Stale):
                transfers.to_pool(SYSTEM, state_id=line.state_id, token_id=token.id)
    went: list[bool] = []
    for token in _waiting([line, *beside]):
        # Whom a doctor has called meanwhile stays with the doctor.
        with contextlib.suppress(Stale):
            went.append(take_elsewhere(SYSTEM, state_id=line.state_id, token_id=token.id))
    for practitioner in practitioners(serving([line.id])[line.id]).values():
        unassign(SYSTEM, practitioner=practitioner, line=line)
    return Settled(moved=sum(went), told=len(went) - sum(went))


def _waiting(lines: Sequence[Line]) -> list[Token]:
    return [
        Token.objects.get(state_id=line.state_id, id=token_id)
        for line in lines
        for token_id in waiting_in(line.state_id, line.id)
    ]


@verb("consultation.end_post")
def end_post(actor: Actor, *, state_id: int, post_id: uuid.UUID) -> None:
    """End a post; a doctor's lines of that facility go with it, or all with the last post.

    Raises WithPatient, Stale.
    """
    post = acting_post(state_id, post_id)
    directory.end_post(actor, state_id=state_id, post_id=post_id)
    if post.practitioner_id is not None:
        # As for a claim: a Next at the same moment comes before, or finds no line to call from.
        try:
            queueing.take_lease(actor, practitioner_id=post.practitioner_id)
        except AlreadyServing:
            raise WithPatient from None
        stays = bool(clinical_posts_of(state_id, post.practitioner_id))
        for line in lines_by_id(assigned_lines(post.practitioner_id)).values():
            # A lane goes with the line that it belongs to.
            if line.parent_id is None and not (stays and line.facility_id != post.facility_id):
                unassign(SYSTEM, practitioner=post.practitioner, line=line)
        queueing.free_lease(actor, practitioner_id=post.practitioner_id)
    concerns(post)


@verb("consultation.withdraw_verification")
def withdraw_verification(actor: Actor, *, state_id: int, practitioner_id: uuid.UUID) -> bool:
    """Take a doctor's verification back: off all lines, of whichever state, and out of the posts.

    Returns whether that is done. Who is with a patient is taken off the lines, gets nobody new,
    and stays verified until the consultation is over: then it is asked for again. Raises
    NotVerified.
    """
    require_state_admin(actor, state_id)
    practitioner = directory.practitioner_held(state_id, practitioner_id)
    if practitioner.verified_at is None:
        raise NotVerified
    # The posts before the lease, as `end_post` does: neither waits for the other.
    directory.clinical_posts_held(state_id, practitioner_id)
    # As for a claim: a Next at the same moment comes before, or finds no line to call from.
    try:
        queueing.take_lease(actor, practitioner_id=practitioner_id)
        is_free = True
    except AlreadyServing:
        is_free = False
    for line in lines_by_id(assigned_lines(practitioner_id)).values():
        # A lane goes with the line that it belongs to.
        if line.parent_id is None:
            unassign(SYSTEM, practitioner=practitioner, line=line)
    if is_free:
        directory.withdraw_verification(actor, state_id=state_id, practitioner_id=practitioner_id)
        queueing.free_lease(actor, practitioner_id=practitioner_id)
    concerns(practitioner)
    return is_free
