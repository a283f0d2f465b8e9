"""The Celery application: `celery -A config worker`, `celery -A config beat`."""

from __future__ import annotations

import os

from celery import Celery, signals

# The stubs are of an older Celery, so what is named here is unknown to them.
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup  # type: ignore[attr-defined]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class _ConnectionsStay(DjangoWorkerFixup):  # type: ignore[misc]
    """Celery closes the database's connection around every task; a new one, with nothing prepared or cached at the
    server, costs a short job as long again. Django's rule is kept to: CONN_MAX_AGE, and no broken one."""

    def _close_database(self) -> None:
        from django.db import close_old_connections

        close_old_connections()


class _Fixup(DjangoFixup):
    def on_worker_init(self, **kwargs: object) -> None:
        self.worker_fixup = _ConnectionsStay(self.app)  # type: ignore[misc]
        super().on_worker_init(**kwargs)


app = Celery("speech", fixups=[lambda app: _Fixup(app).install()])  # type: ignore[list-item]
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _leave_logging_alone(**_: object) -> None:
    """Celery sets up no logging of its own where somebody listens: the settings' stays as it is."""
