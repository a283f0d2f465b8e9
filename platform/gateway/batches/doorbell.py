"""The Celery message that tells maintenance workers of batches and requests in the background. It may be lost."""

from __future__ import annotations

import logging

import kombu.exceptions
from celery import current_app

log = logging.getLogger(__name__)

TASK = "gateway.tasks.advance_batches"


def ring() -> None:
    """Ring. Where Redis is away the clock does, once it is back."""
    try:
        current_app.send_task(TASK, retry=False)
    except kombu.exceptions.OperationalError:
        log.warning("batches wait for the clock: Redis is away")
