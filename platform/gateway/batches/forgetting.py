"""Forgetting what is of no use any more: lines of old batches, and old requests in the background."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from gateway.models import BackgroundRequest, BatchLine, SpeechBatch

BACKGROUND_KEPT = timedelta(days=30)


def forget_old() -> int:
    """Delete the lines of batches whose results have expired; the batch and its counts stay. Returns how many.

    A line holds a `custom_id`, which is the customer's own words. Requests in the background go, too, once their
    audio is long gone.
    """
    now = timezone.now()
    until = now - timedelta(seconds=settings.ENVIRONMENT.batch_results_ttl_seconds)
    lines = BatchLine.objects.filter(batch=OuterRef("pk"))
    old = SpeechBatch.objects.filter(Exists(lines), ended_at__isnull=False, expires_at__lt=until)
    forgotten = 0
    for batch_id in old.values_list("id", flat=True):
        forgotten += BatchLine.objects.filter(batch=batch_id).delete()[0]
    told = BackgroundRequest.objects.filter(notified_at__lt=now - BACKGROUND_KEPT)
    return forgotten + told.delete()[0]
