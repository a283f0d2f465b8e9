"""The Celery application: `celery -A config worker`, `celery -A config beat`."""

from __future__ import annotations

import os
import threading
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("speech")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _leave_logging_alone(**_: object) -> None:
    """Celery sets up no logging of its own where somebody listens: the settings' stays as it is."""


@signals.worker_init.connect
def stop_at_once(sender: Any, **_: object) -> None:
    """Have the worker act on SIGTERM at once: its event loop acts once something wakes it, up to 10 s later."""

    def wake(**_: object) -> None:
        # In a thread: this runs in the signal's handler, and the loop may hold the lock that `call_soon` takes.
        threading.Thread(target=sender.hub.call_soon, args=(bool,), name="wake", daemon=True).start()

    signals.worker_shutting_down.connect(wake, weak=False)


@signals.worker_init.connect
def share_connections(**_: object) -> None:
    """Let a worker's threads borrow connections from one pool. Celery closes each task's, and a new one, with
    nothing prepared or cached at the server, costs a short job as long again; kept by the threads, hundreds of
    streams would need hundreds, for one statement at each end."""
    from django.conf import settings
    from django.db import connections
    from django.db.backends.signals import connection_created

    database = connections.settings["default"]
    database["CONN_MAX_AGE"] = 0
    # Django's check of a borrowed connection is a round trip, of which a short job would need two.
    database["CONN_HEALTH_CHECKS"] = False
    connection_created.connect(_replace_ended)
    # Of the statements of accounts.prepared; no others are prepared, and none behind PgBouncer.
    database["OPTIONS"]["prepare_threshold"] = None if settings.ENVIRONMENT.pgbouncer else 2
    database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": settings.ENVIRONMENT.database_pool_size}


def _replace_ended(connection: Any, **_: object) -> None:
    """Borrow another connection where the server of the one that was borrowed has gone."""
    from accounts.liveness import has_ended

    while connection.pool is not None and has_ended(connection.connection):
        connection.connection.close()
        connection.pool.putconn(connection.connection)
        connection.connection = connection.pool.getconn()
