"""Celery's thin periodic tasks; each is safe to repeat and to run twice at once."""

from __future__ import annotations

import logging
from datetime import date

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from billing import partitions
from usage import rollups

log = logging.getLogger(__name__)

LOG_TABLE = "gateway_requestlog"


@shared_task(name="usage.tasks.refresh_rollups")
def refresh_rollups() -> None:
    """Sum up what has come since the last time."""
    rollups.refresh_all()


@shared_task(name="usage.tasks.turn_request_log")
def turn_request_log() -> None:
    """Make the coming months' partitions of the request log and drop the months that are too old."""
    partitions.ensure_partitions(LOG_TABLE)
    for name in partitions.drop_partitions(LOG_TABLE, before=oldest_kept(timezone.now().date())):
        log.info("dropped %s, over %d months old", name, settings.ENVIRONMENT.request_log_months)


def oldest_kept(today: date) -> date:
    """The first day of the oldest month that is kept: so many months, and the running one."""
    years, month = divmod(today.year * 12 + today.month - 1 - settings.ENVIRONMENT.request_log_months, 12)
    return date(years, month + 1, 1)
