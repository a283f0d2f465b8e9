"""Celery's thin tasks. Only a job's id travels; whatever comes twice finds the job taken and does nothing."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from celery import shared_task, signals

from inference import assets

log = logging.getLogger(__name__)

QUEUE = "synthesis"

# The worker's module is imported where it runs: the web side enqueues with nothing of audio installed.


@shared_task(name="inference.tasks.synthesize")
def synthesize(job_id: str) -> None:
    """Speak one job in this process's engine."""
    from inference import worker

    worker.host().speak(UUID(job_id))


@shared_task(name="inference.tasks.purge_expired_audio")
def purge_expired_audio() -> None:
    """Delete the bytes of audio whose time is up, and those that no row names."""
    if purged := assets.purge_expired() + assets.purge_orphans():
        log.info("purged %d expired audio files", purged)


def enqueue(job_id: UUID) -> None:
    """Put a committed job in the workers' queue."""
    synthesize.apply_async((str(job_id),), queue=QUEUE, retry=False)


@signals.worker_init.connect
def _start_worker(sender: Any, **_: object) -> None:
    if QUEUE not in sender.app.amqp.queues.consume_from:
        return  # it does maintenance alone: no voice, and nobody takes it for one who speaks
    from inference import worker

    worker.start()


@signals.worker_shutdown.connect
def _stop_worker(**_: object) -> None:
    from inference import worker

    worker.stop()
