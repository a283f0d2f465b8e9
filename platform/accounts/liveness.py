"""Whether a database connection has ended, without asking the server: a question costs as much as a statement."""

from __future__ import annotations

import select
from typing import Any

from psycopg import BaseConnection


def has_ended(connection: BaseConnection[Any]) -> bool:
    """Whether an idle connection's server has gone: nothing but its end can be read from it."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
