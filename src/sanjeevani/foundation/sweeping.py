"""Doing the same to many records in the background, one after the other."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from sanjeevani.foundation.errors import DomainError
from sanjeevani.foundation.problems import DATABASE_AWAY

T = TypeVar("T")

logger = logging.getLogger(__name__)


def to_each(records: Iterable[T], act: Callable[[T], object], what: str) -> None:
    """Act on each record by itself; one that cannot be acted on does not hold up the others.

    A refusal says that somebody was faster, a patient or another sweeper, and has won. Any other
    error is told in the log, as a failure of `what`, and met again the next time. Raises what says
    that the database is away.
    """
    for record in records:
        try:
            act(record)
        except DomainError:
            continue
        except DATABASE_AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are due as well
            logger.error("%s failed for one record: %s", what, type(error).__name__)
