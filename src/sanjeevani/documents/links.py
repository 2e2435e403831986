"""Links that open one record for a while: to a prescription sent by message, for example.

Whoever opens one has to know something about the patient (the year of birth); the caller compares
it, this module counts the tries. Tokens are 256 random bits and stored only as digests.
"""

import datetime
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import F

from sanjeevani.documents.errors import LinkAnswerWrong, LinkDead, TooManyLinks
from sanjeevani.documents.models import ShareLink
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.link_secrets import secret_from
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.queries import digest_of

LIFETIME = datetime.timedelta(days=7)
TRIES = 5
MOST_LINKS = 10
"""Live links to one record: so many people, and not more guesses than that."""


@dataclass(frozen=True)
class LinkedRecord:
    """The record behind a link; `record_type` is the word that the maker of the link chose."""

    record_type: str
    state_id: int
    record_id: uuid.UUID
    patient_id: uuid.UUID | None
    expires_at: datetime.datetime


@verb("documents.share")
def share(
    actor: Actor,
    *,
    record_type: str,
    state_id: int,
    record_id: uuid.UUID,
    patient_id: uuid.UUID | None = None,
    made_for: str = "",
    lifetime: datetime.timedelta = LIFETIME,
    tries: int = TRIES,
    request_key: uuid.UUID | None = None,
) -> tuple[ShareLink, str]:
    """Make a link; return it and its token, which is shown once and cannot be read back.

    `made_for`: a name by which its maker knows it again. With a `request_key`, which only the
    maker's device has, the token is `token_from` it: a retry is told the same. Raises TooManyLinks.
    """
    if len(links_to(record_type, state_id, record_id)) >= MOST_LINKS:
        raise TooManyLinks
    link_id = uuid7()
    token = token_from(link_id, request_key) if request_key else secrets.token_urlsafe(32)
    now = clock.now()
    link = ShareLink.objects.create(
        digest=digest_of(token),
        id=link_id,
        record_type=record_type,
        record_state_id=state_id,
        record_id=record_id,
        patient_id=patient_id,
        made_for=made_for,
        tries_left=tries,
        made_at=now,
        expires_at=now + lifetime,
    )
    concerns(link, patient_id=patient_id)
    return link, token


def token_from(link_id: uuid.UUID, request_key: uuid.UUID) -> str:
    """Return the token of a link made with a key."""
    return secret_from("documents.share", link_id, request_key)


def linked(token: str) -> LinkedRecord:
    """Return what a link leads to, without opening it. Raises LinkDead.

    For the page that asks the question; it must show nothing of the record.
    """
    link = ShareLink.objects.filter(
        digest=digest_of(token), expires_at__gt=clock.now(), tries_left__gt=0
    ).first()
    if link is None:
        raise LinkDead
    return _record(link)


def open_link(
    actor: Actor, *, token: str, is_right: Callable[[LinkedRecord], bool]
) -> LinkedRecord:
    """Return the record if `is_right` says that the answer given fits it.

    Raises LinkDead, LinkAnswerWrong. Each call spends a try, given back when the answer is right.
    """
    outcome = _try_link(actor, token=token, is_right=is_right)
    if isinstance(outcome, LinkAnswerWrong):
        raise outcome
    return outcome


@verb("documents.open_link")
def _try_link(
    actor: Actor, *, token: str, is_right: Callable[[LinkedRecord], bool]
) -> LinkedRecord | LinkAnswerWrong:
    """Return a wrong answer instead of raising it: raising would undo the try that was spent."""
    digest = digest_of(token)
    live = ShareLink.objects.filter(digest=digest, expires_at__gt=clock.now(), tries_left__gt=0)
    # The row stays locked until the end, so that guesses in parallel wait for each other.
    if not live.update(tries_left=F("tries_left") - 1):
        raise LinkDead
    link = ShareLink.objects.get(digest=digest)
    concerns(link, patient_id=link.patient_id)
    record = _record(link)
    if not is_right(record):
        return LinkAnswerWrong(link.tries_left)
    ShareLink.objects.filter(digest=digest).update(
        tries_left=F("tries_left") + 1, opened=F("opened") + 1, opened_at=clock.now()
    )
    return record


def links_to(record_type: str, state_id: int, record_id: uuid.UUID) -> list[ShareLink]:
    """Return the links to a record that work, the newest first; without their tokens.

    The caller may read the record. Links are found by digest; this one look asks all nodes.
    """
    return list(
        ShareLink.objects.filter(
            record_type=record_type,
            record_state_id=state_id,
            record_id=record_id,
            expires_at__gt=clock.now(),
            tries_left__gt=0,
        ).order_by("-id")
    )


@verb("documents.withdraw_link")
def withdraw_link(
    actor: Actor, *, link_id: uuid.UUID, record_type: str, state_id: int, record_id: uuid.UUID
) -> None:
    """End a link to a record, which the caller may read, at once. Raises LinkDead if it had."""
    link = next(
        (one for one in links_to(record_type, state_id, record_id) if one.id == link_id), None
    )
    if link is None:
        raise LinkDead
    concerns(link, patient_id=link.patient_id)
    ShareLink.objects.filter(digest=link.digest).update(tries_left=0)


def remove_expired_links() -> int:
    """Delete what expired a day ago or more; return how many. For the background sweep."""
    deleted, _by_model = ShareLink.objects.filter(
        expires_at__lt=clock.now() - datetime.timedelta(days=1)
    ).delete()
    return deleted


def _record(link: ShareLink) -> LinkedRecord:
    return LinkedRecord(
        record_type=link.record_type,
        state_id=link.record_state_id,
        record_id=link.record_id,
        patient_id=link.patient_id,
        expires_at=link.expires_at,
    )
