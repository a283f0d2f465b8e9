"""Telling webhooks that a batch has ended, and that a request in the background has."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from gateway.batches import batches
from gateway.models import BackgroundRequest, SpeechBatch
from gateway.speech import background
from gateway.speech.outcome import Bill
from inference import results
from inference.models import AudioAsset, SynthesisJob
from webhooks import events
from webhooks.events import Event

AT_ONCE = 500


def tell_of_batch(batch: SpeechBatch) -> None:
    """Publish `batch.completed`, `.failed`, `.expired` or `.cancelled`, in the transaction that ends it."""
    batch.refresh_from_db()
    shown = batches.as_json(batch)
    counts = f"{batch.completed} of {batch.total} requests succeeded"
    events.publish(
        Event(
            organization_id=batch.organization_id,
            kind=f"batch.{batch.state}",
            data={"batch": shown},
            at=batch.ended_at or timezone.now(),
            source=f"batch:{batch.id.hex}",
            summary=f"Batch {shown['id']}: {counts}",
        )
    )


def tell_of_background() -> int:
    """Publish `audio.completed` or `audio.failed` of the requests that have ended; returns how many had."""
    ended = SynthesisJob.objects.filter(id=OuterRef("job_id"), finished_at__isnull=False)
    waiting = BackgroundRequest.objects.filter(Exists(ended), notified_at=None)
    told = 0
    with transaction.atomic():
        requests = list(waiting.select_for_update(skip_locked=True)[:AT_ONCE])
        ids = [request.job_id for request in requests]
        jobs, assets = SynthesisJob.objects.in_bulk(ids), AudioAsset.objects.in_bulk(ids)
        events.publish(*(_event(each, jobs[each.job_id], assets.get(each.job_id)) for each in requests))
        told = BackgroundRequest.objects.filter(job_id__in=ids).update(notified_at=timezone.now())
    return told


def _event(request: BackgroundRequest, job: SynthesisJob, asset: AudioAsset | None) -> Event:
    audio_id = f"audio_{job.id.hex}"
    bill = Bill.of(results.of(job, asset), replayed=False)
    done: dict[str, Any] = {"audio_seconds": bill.seconds, "cost_usd": bill.cost}
    if asset is not None:
        kind, done["expires_at"] = "audio.completed", int(asset.expires_at.timestamp())
    else:
        kind, done["error"] = "audio.failed", background.failure(job).members()
    return Event(
        organization_id=request.organization_id,
        kind=kind,
        data={"audio": {"id": audio_id, "object": request.kind, **done}},
        at=job.finished_at or timezone.now(),
        source=f"audio:{job.id.hex}",
        summary=f"{audio_id}: {'spoken' if asset else 'failed'}",
    )
