"""Identifiers: UUIDv7, ordered by the time of their making."""

import uuid

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7. Migrations name this function, so it keeps its path."""
    return _uuid7()
