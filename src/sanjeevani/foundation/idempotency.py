"""Idempotency keys: a request that is sent again has one effect, and gets the first answer.

The row is inserted before the effect, in its transaction: a retry that arrives meanwhile waits at
the row until the first has committed. A refused request leaves nothing and may be sent again.
"""

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import DomainError
from sanjeevani.foundation.models import IdempotencyKey

KEPT_FOR = datetime.timedelta(days=8)
"""Longer than any device keeps trying: a tablet without a link does for 7 days. A task once a day
clears up."""


class KeyReused(DomainError):
    """The key was already used, with another request."""

    status = 422
    message = _("This idempotency key belongs to another request. Use a new key.")


@dataclass(frozen=True)
class Answer:
    """A response as it was given: HTTP status, and the body as JSON text."""

    status: int
    body: str


def once(
    *, account_id: uuid.UUID, key: str, digest: str, act: Callable[[], Answer]
) -> tuple[Answer, bool]:
    """Run `act` for the first request with `key`; return its answer, and whether it is a replay.

    `digest` stands for all that the request says. Raises `KeyReused`, and what `act` raises.
    """
    with transaction.atomic():
        if _take(account_id, key, digest):
            answer = act()
            IdempotencyKey.objects.filter(account_id=account_id, key=key).update(
                status=answer.status, body=answer.body
            )
            return answer, False
        first = IdempotencyKey.objects.get(account_id=account_id, key=key)
    if first.digest != digest:
        raise KeyReused
    return Answer(first.status, first.body), True


def _take(account_id: uuid.UUID, key: str, digest: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO foundation_idempotencykey"
            " (account_id, key, digest, status, body, used_at) VALUES (%s, %s, %s, 0, '', %s)"
            " ON CONFLICT DO NOTHING",
            [account_id, key, digest, clock.now()],
        )
        taken: bool = cursor.rowcount == 1
    return taken


def forget_old_keys() -> None:
    """Delete keys that nobody will send again."""
    IdempotencyKey.objects.filter(used_at__lt=clock.now() - KEPT_FOR).delete()
