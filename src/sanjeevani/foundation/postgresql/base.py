"""Django's own backend, but asking the kernel, not the server, whether a connection is alive.

With persistent connections Django sends `SELECT 1` at the start of every request. PostgreSQL says
nothing unasked on an idle connection, so one that can be read from has been closed, or is about
to be: it is opened anew.
"""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module."""

    def is_usable(self) -> bool:
        """Tell whether the server has kept the connection open and has nothing to say."""
        connection = self.connection
        if connection is None or connection.closed:
            return False
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        return not waiting.poll(0)
