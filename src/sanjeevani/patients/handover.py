"""A mobile may have changed hands: before records open, one of their ages is asked.

Numbers that nobody uses are given to somebody else, and staff at a spoke may mistype one. Whoever
holds the mobile now gets its codes, and must not read what others told a doctor.
"""

import uuid

from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.errors import ProofNeeded, WrongProof
from sanjeevani.identity.limits import count_attempt
from sanjeevani.identity.models import Account
from sanjeevani.identity.services import SignedIn, account_to_prove, enter_proven, verify_code
from sanjeevani.patients.models import Patient


def sign_in(
    actor: Actor,
    *,
    challenge: uuid.UUID,
    code: str,
    language: str,
    device: str = "",
    replaces: str | None = None,
) -> SignedIn:
    """Sign a patient in by the code that was sent: see `identity.services.verify_code`.

    Raises `ProofNeeded` only where somebody is registered, besides `WrongCode` and `CodeDead`.
    """
    try:
        return verify_code(
            actor,
            challenge=challenge,
            code=code,
            language=language,
            device=device,
            replaces=replaces,
        )
    except ProofNeeded:
        if _birth_years(account_to_prove(challenge)):
            raise
        return enter_proven(actor, challenge=challenge, device=device, replaces=replaces)


def prove(
    actor: Actor,
    *,
    challenge: uuid.UUID,
    birth_year: int,
    device: str = "",
    replaces: str | None = None,
) -> SignedIn:
    """Sign in who knows the age of somebody who is registered with the mobile, give or take a year.

    Many tell their age, not their birthday. Raises `WrongProof`, `CodeDead`, or `TooMany` after
    three tries a day, counted outside of a transaction, so that none sent at once slips through.
    """
    account = account_to_prove(challenge)
    count_attempt("proofs_per_account", str(account.id))
    if not any(abs(birth_year - year) <= 1 for year in _birth_years(account)):
        _refuse(actor, account_id=account.id)
        raise WrongProof
    return enter_proven(actor, challenge=challenge, device=device, replaces=replaces)


@verb("patients.refuse_proof")
def _refuse(_actor: Actor, *, account_id: uuid.UUID) -> None:
    """Write a wrong age to the audit trail."""
    concerns(Account(id=account_id))


def _birth_years(account: Account) -> set[int]:
    if account.home_state_id is None:
        return set()
    people = Patient.objects.filter(state_id=account.home_state_id, account_id=account.id)
    return {birth_date.year for birth_date in people.values_list("birth_date", flat=True)}
