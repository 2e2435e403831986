"""Who may say when somebody serves: the practitioner, and who administers a line of theirs."""

from contextlib import suppress

from sanjeevani.directory.models import Practitioner
from sanjeevani.directory.permissions import require_facility_admin
from sanjeevani.directory.queries import lines_by_id
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.roster.queries import assigned_lines


def require_self(actor: Actor, practitioner: Practitioner) -> None:
    """Let the practitioner pass. Raises NotPermitted."""
    if actor.kind != ActorKind.STAFF or actor.account_id != practitioner.account_id:
        raise NotPermitted


def require_self_or_admin(actor: Actor, practitioner: Practitioner) -> None:
    """Let the practitioner pass, and who administers the facility of a line that they serve.

    Raises NotPermitted.
    """
    with suppress(NotPermitted):
        return require_self(actor, practitioner)
    for state_id, facility_id in {
        (line.state_id, line.facility_id)
        for line in lines_by_id(assigned_lines(practitioner.id)).values()
    }:
        with suppress(NotPermitted):
            return require_facility_admin(actor, state_id, facility_id)
    raise NotPermitted
