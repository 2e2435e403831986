"""Django's own backend, but one that asks less of the server.

With persistent connections Django sends `SELECT 1` at the start of every request. PostgreSQL says
nothing unasked on an idle connection, so one that can be read from has been closed, or is about
to be: it is opened anew. The kernel is asked for that, not the server.

Statements stay prepared. psycopg keeps a hundred of them, fewer than there are, and forgets all of
them with every rollback, that is whenever a verb refuses something.

Cursors are kept: making one costs as much again as a small statement that it sends.
"""

import select
from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg import ServerCursor
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


class Cursor(CursorWrapper):
    """A cursor that goes back to its connection when it is closed, for the next statement."""

    is_open = True

    def close(self) -> None:
        """Give the cursor back; once, however often it is closed."""
        if self.is_open:
            self.is_open = False
            self.db.keep(self)


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module."""

    _idle: list[Cursor]
    """The cursors that nobody holds, all of the present connection."""

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        """Wrap a new cursor. One that the server keeps for a long result has one use."""
        wrapper = CursorWrapper if isinstance(cursor, ServerCursor) else Cursor
        return wrapper(cursor, self)

    def keep(self, cursor: Cursor) -> None:
        """Take back a cursor; one of a connection that is gone is closed."""
        if cursor.cursor.connection is self.connection:
            self._idle.append(cursor)
        else:
            cursor.cursor.close()

    def _cursor(self, name: str | None = None) -> CursorWrapper:
        self.close_if_health_check_failed()
        if name or self.queries_logged or self.connection is None or not self._idle:
            made: CursorWrapper = super()._cursor(name)  # type: ignore[misc]  # not in the stubs
            return made
        self.validate_thread_sharing()
        cursor = self._idle.pop()
        cursor.is_open = True
        return cursor

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, with room for all statements that repeat."""
        self._idle = []
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
