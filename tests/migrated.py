"""PostgreSQL with every migration applied. They take some seconds: the first process of a test session applies
them, the others begin with a copy of its data."""

from __future__ import annotations

import fcntl
import shutil

from django.core.management import call_command
from django.db import connections

from launch.embedded import EmbeddedPostgres
from tests.environment import SESSION_DIR


def start(server: EmbeddedPostgres) -> None:
    """Start a server that has no data yet.

    Raises:
        CannotRunError: it does not start.
    """
    made = SESSION_DIR / "postgres"
    with (SESSION_DIR / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            server.start()
            call_command("migrate", verbosity=0)
            connections.close_all()
            server.stop()
            draft = made.with_name("postgres.draft")
            shutil.copytree(server.data, draft)
            draft.rename(made)
    if not server.data.exists():
        shutil.copytree(made, server.data)
    server.start()
