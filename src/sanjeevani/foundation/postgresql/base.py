"""Django's own backend, but one that asks less of the server.

With persistent connections Django sends `SELECT 1` at the start of every request. PostgreSQL says
nothing unasked on an idle connection, so one that can be read from has been closed, or is about
to be: it is opened anew. The kernel is asked for that, not the server.

Statements stay prepared. psycopg keeps a hundred of them, fewer than there are, and forgets all of
them with every rollback, that is whenever a verb refuses something.
"""

import select
from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from psycopg._preparing import Prepare, PrepareManager
from psycopg.pq.abc import PGresult

MOST_PREPARED = 1_000
"""A page's or verb's statements number a few hundred; a plan takes PostgreSQL some 20 KB."""


class Statements(PrepareManager):
    """Keeps what is prepared through a rollback.

    PostgreSQL keeps it too. psycopg thinks of tables that a transaction has made and undone; ours
    are made by migrations alone, which other connections run.
    """

    _discards = False

    def clear(self) -> bool:
        """Forget everything: what psycopg asks for at a rollback, and is not given."""
        return super().clear() if self._discards else False

    def _should_discard(self, prep: Prepare, results: Sequence[PGresult], *more: Any) -> bool:
        if any((result.command_status or b"").startswith(b"ROLLBACK") for result in results):
            return False
        self._discards = True
        try:
            return super()._should_discard(prep, results, *more)
        finally:
            self._discards = False


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, with room for all statements that repeat."""
        connection = super().get_new_connection(conn_params)
        statements = Statements()
        statements.prepare_threshold = connection.prepare_threshold
        statements.prepared_max = MOST_PREPARED
        connection._prepared = statements
        return connection

    def is_usable(self) -> bool:
        """Tell whether the server has kept the connection open and has nothing to say."""
        connection = self.connection
        if connection is None or connection.closed:
            return False
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        return not waiting.poll(0)
