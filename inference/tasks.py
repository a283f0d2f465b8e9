"""Celery's thin tasks of the voice."""

from __future__ import annotations

import logging
import sys
from typing import Any
from uuid import UUID

from celery import shared_task, signals

from inference import assets, doorbell, retention

log = logging.getLogger(__name__)

# The worker's module is imported where it runs: maintenance runs with nothing of audio installed.


@shared_task(name=doorbell.ENCODE_VOICE)
def encode_voice(voice_id: str) -> None:
    """Encode a new voice's sample, so that the first request that names it need not wait for that."""
    from inference import cloning, worker

    cloning.encode(UUID(voice_id), worker.host().engine.cloner)


@shared_task(name="inference.tasks.purge_expired_audio")
def purge_expired_audio() -> None:
    """Delete the bytes of audio whose time is up, and those that no row names."""
    if purged := assets.purge_expired() + assets.purge_orphans():
        log.info("purged %d expired audio files", purged)


@shared_task(name="inference.tasks.purge_old_jobs")
def purge_old_jobs() -> None:
    """Delete the rows of jobs that ended long ago."""
    if purged := retention.purge_jobs():
        log.info("deleted %d old jobs", purged)


@signals.worker_init.connect
def _start_worker(sender: Any, **_: object) -> None:
    queues = sender.app.amqp.queues
    if doorbell.QUEUE not in queues.consume_from:
        return  # it does maintenance alone: no voice, and nobody takes it for one who speaks
    if not isinstance(sender.concurrency, int):
        raise SystemExit("a worker of the voice needs a number for --concurrency")
    queues.select_add(doorbell.VOICES)
    queues.deselect(doorbell.QUEUE)  # its messages are taken by `inference.bell`
    from inference import worker

    worker.start(concurrency=sender.concurrency)


@signals.worker_shutting_down.connect
def _drain_worker(**_: object) -> None:
    if "inference.worker" in sys.modules:
        from inference import worker

        worker.drain()


@signals.worker_shutdown.connect
def _stop_worker(**_: object) -> None:
    if "inference.worker" in sys.modules:  # a maintenance worker has not imported it, and need not at its end
        from inference import worker

        worker.stop()
