"""Django's backend for PostgreSQL, with a look at its connection that costs no round trip."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether a request may use this connection from an earlier one (CONN_HEALTH_CHECKS).

        A server that goes away closes it: there is then something to read, which no idle connection has
        otherwise. Only then is the server asked.
        """
        if self.connection is None or self.connection.closed:
            return False
        idle = select.poll()
        idle.register(self.connection.fileno(), select.POLLIN)
        return super().is_usable() if idle.poll(0) else True
