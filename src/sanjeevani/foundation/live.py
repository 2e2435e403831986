"""What reaches the screens: tickets for the gateway, and hints on NATS subjects `look.<topic>`.

A hint says only "look again". For topics that many screens watch at once, a snapshot function
computes what each of them needs in one query, so that a move in a line of sixty costs one
statement, not sixty requests; the gateway hands each screen its own part. A hint names what
caused it, so that a page made after that, by whoever did it, is not sent to look again.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NotRequired, TypedDict

from django.conf import settings
from joserfc import jwt
from joserfc.jwk import OctKey

from sanjeevani.foundation.outbox import StoredFact

TICKET_SECONDS = 600


class Hint(TypedDict):
    """A message to the gateway: to every screen of the topic, and to some by their key."""

    all: dict[str, Any] | None
    each: dict[str, dict[str, Any]]
    causes: NotRequired[list[str]]
    """The audit rows of all that it tells of; left out where some are not known."""
    seats: NotRequired[dict[str, str]]
    """For the gateway, of a room: which subject alone may have a seat, empty for nobody."""
    at: NotRequired[float]
    """When `seats` was read (Unix time)."""


Snapshot = Callable[[int, list[uuid.UUID]], dict[uuid.UUID, Hint]]
_snapshots: dict[str, Snapshot] = {}


def register_snapshot(prefix: str, snapshot: Snapshot) -> None:
    """Let `snapshot(state_id, ids)` say what the screens of `<prefix>.<id>` should show."""
    _snapshots[prefix] = snapshot


def hints_for(facts: Iterable[StoredFact]) -> dict[str, Hint]:
    """Return one hint per topic that the facts touch; several facts of a line make one."""
    by_prefix: dict[tuple[str, int], set[uuid.UUID]] = {}
    hints: dict[str, Hint] = {}
    causes: dict[str, set[uuid.UUID | None]] = {}
    for fact in facts:
        for topic in fact.topics:
            causes.setdefault(topic, set()).add(fact.cause)
            prefix, _, key = topic.partition(".")
            if prefix in _snapshots:
                by_prefix.setdefault((prefix, fact.state_id), set()).add(uuid.UUID(key))
            else:
                hints[topic] = Hint(all={}, each={})
    for (prefix, state_id), ids in by_prefix.items():
        for record_id, hint in _snapshots[prefix](state_id, sorted(ids)).items():
            hints[f"{prefix}.{record_id}"] = hint
    for topic, hint in hints.items():
        if None not in causes[topic]:
            hint["causes"] = [str(cause) for cause in causes[topic]]
    return hints


def issue_ticket(
    subject: uuid.UUID | None,
    topics: Mapping[str, str],
    *,
    since: float | None = None,
    seen: Iterable[uuid.UUID] = (),
    seconds: int = TICKET_SECONDS,
    **claims: Any,
) -> str:
    """Return a signed ticket to listen to `topics` (each topic to the bearer's key in it).

    `since` is the Unix time from which the bearer's screen may lack what happened; by default now.
    `seen`: audit rows of what was surely done before, which the screen shows.
    """
    now = time.time()
    payload = {
        "sub": str(subject or ""),
        "topics": dict(topics),
        "iat": now if since is None else since,
        "exp": int(now) + seconds,
        "seen": [str(cause) for cause in seen],
        **claims,
    }
    return jwt.encode({"alg": "HS256"}, payload, OctKey.import_key(settings.LIVE_SECRET))
