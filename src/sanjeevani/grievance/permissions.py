"""Who handles which grievance."""

import uuid
from collections.abc import Mapping, Sequence

from django.db.models import QuerySet

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import held_by
from sanjeevani.directory.models import Post, Role
from sanjeevani.directory.permissions import require_facility_admin, require_state_admin
from sanjeevani.directory.queries import accounts_in_lists, administrators, entries_of, states
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.grievance.models import Grievance, GrievanceKind

PAST_THE_FACILITY = frozenset({GrievanceKind.PRIVACY, GrievanceKind.SAFETY})
"""Kinds that may be about the very people who run the facility."""

HANDLERS = (Role.FACILITY_ADMIN, Role.STATE_ADMIN, Role.NATIONAL_ADMIN)


def require_handler(actor: Actor, grievance: Grievance) -> None:
    """Let those pass who may read and answer the grievance. Raises NotPermitted."""
    if grievance.facility_id is None or grievance.kind in PAST_THE_FACILITY:
        require_state_admin(actor, grievance.state_id)
    else:
        require_facility_admin(actor, grievance.state_id, grievance.facility_id)
    if actor.account_id is not None and is_about(grievance, actor.account_id):
        raise NotPermitted


def is_about(grievance: Grievance, account_id: uuid.UUID) -> bool:
    """Tell whether it is about a consultation in which the account itself took part as a doctor,
    or about the staff of a spoke where the account itself asked for it."""
    if grievance.about_account_id == account_id:
        return True
    cases = [] if grievance.consultation_id is None else [grievance.consultation]
    return bool(_own_cases(cases, account_id))


def past_whom_it_is_about(rows: QuerySet[Grievance], account_id: uuid.UUID) -> QuerySet[Grievance]:
    """Leave out what is about the account, as `is_about` says."""
    rows = rows.exclude(about_account_id=account_id)
    if not entries_of(account_id):
        return rows
    with_case = rows.filter(consultation_id__isnull=False).select_related("consultation")
    own = _own_cases([one.consultation for one in with_case], account_id)
    return rows.exclude(consultation_id__in=own) if own else rows


def _own_cases(cases: Sequence[Consultation], account_id: uuid.UUID) -> set[uuid.UUID]:
    own = {entry.id for entry in entries_of(account_id)} if cases else set()
    return held_by(own, cases) if own else set()


def left_to_the_nation() -> tuple[list[int], set[uuid.UUID]]:
    """Return the states that no administrator of their own looks after (yet), and of the others
    the complaints that are about every one of them: without the nation both would reach nobody."""
    administer: dict[int, set[uuid.UUID]] = {state.lgd_code: set() for state in states()}
    for post in administrators():
        if post.role == Role.STATE_ADMIN and post.state_id in administer:
            administer[post.state_id].add(post.account_id)
    without = [state_id for state_id, accounts in administer.items() if not accounts]
    return without, _about_all({key: held for key, held in administer.items() if held})


def _about_all(administer: Mapping[int, set[uuid.UUID]]) -> set[uuid.UUID]:
    everybody = {account_id for accounts in administer.values() for account_id in accounts}
    if not everybody:
        return set()
    practise = accounts_in_lists(everybody)
    named = Grievance.objects.filter(
        state_id__in=list(administer), about_account_id__in=everybody
    ).values_list("state_id", "about_account_id")
    suspected = practise | {account_id for state_id, account_id in named if account_id}
    found: set[uuid.UUID] = set()
    for state_id, accounts in sorted(administer.items()):
        if not accounts <= suspected:
            continue
        rows = Grievance.objects.filter(state_id=state_id)
        left = set(rows.values_list("id", flat=True))
        for account_id in accounts:
            left -= set(past_whom_it_is_about(rows, account_id).values_list("id", flat=True))
        found |= left
    return found


def require_handling_post(post: Post, state_id: int) -> None:
    """Let a post pass that handles grievances of a tenant. Raises NotPermitted."""
    if post.role not in HANDLERS or (
        post.role != Role.NATIONAL_ADMIN and post.state_id != state_id
    ):
        raise NotPermitted
