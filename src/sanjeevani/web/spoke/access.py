"""Whom the pages of a spoke admit, and whose entries its tablet keeps."""

from django.utils.crypto import salted_hmac

from sanjeevani.directory.models import BESIDE_THE_PATIENT
from sanjeevani.directory.permissions import require_beside_patients
from sanjeevani.web.access import PortalRequest, staff

at_spoke = staff(*BESIDE_THE_PATIENT)


def require_spoke(request: PortalRequest) -> None:
    """Let those pass who sit beside the patients of a spoke. Raises NotPermitted."""
    require_beside_patients(request.actor)


def tablet_owner(request: PortalRequest) -> str:
    """Return the name under which a tablet keeps the entries of this person at this spoke."""
    return _derived("owner", request).hex()[:32]


def tablet_key(request: PortalRequest) -> bytes:
    """Return the 32 bytes that open what this person has kept on a tablet."""
    return _derived("key", request)


def _derived(purpose: str, request: PortalRequest) -> bytes:
    """Return what only this service can know: of the person and the spoke, not of the session.

    Who signs in again, at the same spoke, gets the same.
    """
    actor = request.actor
    return salted_hmac(
        f"sanjeevani.tablet.{purpose}",
        f"{actor.account_id}.{actor.state_id}.{actor.spoke_id}",
        algorithm="sha256",
    ).digest()
