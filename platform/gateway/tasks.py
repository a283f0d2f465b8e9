"""Celery's thin tasks of files and batches; each is safe to repeat and to run twice at once."""

from __future__ import annotations

import logging

from celery import shared_task

from gateway.batches import advance, doorbell, files, forgetting

log = logging.getLogger(__name__)


@shared_task(name=doorbell.TASK, ignore_result=True)
def advance_batches() -> None:
    """Move every batch on. While there is more to do it rings for itself; the clock rings in case that is lost."""
    if advance.run():
        doorbell.ring()


@shared_task(name="gateway.tasks.purge_files")
def purge_files() -> None:
    """Delete files whose time is up."""
    if purged := files.purge_expired():
        log.info("purged %d files", purged)


@shared_task(name="gateway.tasks.forget_old_batches")
def forget_old_batches() -> None:
    """Forget the lines of batches whose results have expired."""
    if forgotten := forgetting.forget_old():
        log.info("forgot %d lines of batches", forgotten)
