"""Celery's thin tasks of the outbox, safe to run twice and at once."""

from __future__ import annotations

from celery import shared_task

from webhooks import outbox


@shared_task(name="webhooks.tasks.deliver")
def deliver() -> None:
    """Deliver what the outbox holds."""
    outbox.deliver_due()


@shared_task(name="webhooks.tasks.purge")
def purge() -> None:
    """Forget what was delivered long ago."""
    outbox.purge_old()
