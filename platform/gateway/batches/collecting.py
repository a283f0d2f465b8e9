"""Noting how the jobs of batches ended. Each line is counted once, in the transaction that ends it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from gateway.errors import ApiError
from gateway.models import BatchLine, SpeechBatch
from gateway.speech.outcome import Bill, failure_of
from gateway.speech.settlement import HOLD_REFUSALS
from inference import assets, results
from inference.models import SynthesisJob

AT_ONCE = 1000
UNFETCHED = timedelta(days=1)
"""How long after its batch's time is up audio that is not to be stored waits to be fetched."""
MAX_ATTEMPTS = 3
"""Jobs of one line. One that never began, whose workers were lost, or that ran out of money costs nothing and is
followed by another, which waits for the money."""
_LIVE = (BatchLine.State.WAITING, BatchLine.State.RUNNING)
CANCELLED = ApiError(409, "This batch was cancelled before this request was processed.", code="batch_cancelled")
REVOKED = ApiError(409, "The API key of this batch was revoked.", code="api_key_revoked")
EXPIRED = ApiError(504, "This batch expired before this request was processed.", code="batch_expired")


def collect() -> int:
    """End the lines whose jobs have ended, or let them wait for another job; returns how many changed."""
    running = BatchLine.objects.filter(state=BatchLine.State.RUNNING).select_related("batch__organization")
    ended = SynthesisJob.objects.filter(finished_at__isnull=False)
    changed = 0
    lines = {line.job_id: line for line in running[:AT_ONCE] if line.job_id}
    by_batch: dict[UUID, list[tuple[BatchLine, SynthesisJob]]] = defaultdict(list)
    for job in ended.filter(id__in=lines):
        by_batch[lines[job.id].batch_id].append((lines[job.id], job))
    for batch_id, several in by_batch.items():
        spoken = [line for line, job in several if job.state == SynthesisJob.State.SUCCEEDED]
        _succeed(several[0][0].batch, spoken)
        failed = []
        for line, job in several:
            if job.state == SynthesisJob.State.SUCCEEDED:
                continue
            error = _failure(line, job)
            if error is None:
                _again(line)
            else:
                failed.append((line.id, error))
        end_lines(batch_id, failed)
        changed += len(several)
    return changed


def results_until(batch: SpeechBatch) -> datetime:
    """Until when the files of a batch are kept, and its audio where the organization says nothing else."""
    return batch.expires_at + timedelta(seconds=settings.ENVIRONMENT.batch_results_ttl_seconds)


def audio_until(batch: SpeechBatch, *, stored: bool) -> datetime:
    """Until when a line's audio is kept.

    Nobody is connected while a batch is spoken, so that audio which is not to be stored waits until it is fetched
    (`gateway.batches.fetched`), and no longer than `UNFETCHED`.
    """
    if not stored:
        return batch.expires_at + UNFETCHED
    days = batch.organization.audio_days
    return results_until(batch) if days is None else batch.expires_at + timedelta(days=days)


def reason(batch: SpeechBatch) -> ApiError:
    """Why a batch that is being stopped stops."""
    if batch.cancelling_at is None:
        return EXPIRED
    return REVOKED if any(error["code"] == REVOKED.code for error in batch.errors) else CANCELLED


def cancel_of_revoked_keys() -> int:
    """Cancel the batches whose API key was revoked since; returns how many.

    One whose key has merely expired goes on: its requests were all made while the key worked.
    """
    error = {"code": REVOKED.code, "line": None, "message": REVOKED.message, "param": None}
    running = SpeechBatch.objects.filter(ended_at=None, cancelling_at=None, api_key__revoked_at__isnull=False)
    return running.update(cancelling_at=timezone.now(), errors=[error])


def error_of(refusal: ApiError, *, answered: bool) -> dict[str, Any]:
    """A refusal as a line keeps it; `status` is null where the request was never processed."""
    return {"status": int(refusal.status) if answered else None, **refusal.members()}


@transaction.atomic
def end_lines(batch_id: UUID, failed: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """End lines of a batch without success."""
    if not failed:
        return
    SpeechBatch.objects.select_for_update().get(id=batch_id)
    count = 0
    for line_id, error in failed:
        live = BatchLine.objects.filter(id=line_id, state__in=_LIVE)
        count += live.update(state=BatchLine.State.FAILED, error=error)
    SpeechBatch.objects.filter(id=batch_id).update(failed=F("failed") + count)


@transaction.atomic
def end_waiting(batch_id: UUID, refusal: ApiError) -> int:
    """End all lines of a batch that wait, none of which has a job that was admitted; returns how many."""
    SpeechBatch.objects.select_for_update().get(id=batch_id)
    waiting = BatchLine.objects.filter(batch=batch_id, state=BatchLine.State.WAITING)
    count = waiting.update(state=BatchLine.State.FAILED, error=error_of(refusal, answered=False))
    SpeechBatch.objects.filter(id=batch_id).update(failed=F("failed") + count)
    return count


@transaction.atomic
def _succeed(batch: SpeechBatch, lines: Sequence[BatchLine]) -> None:
    if not lines:
        return
    SpeechBatch.objects.select_for_update().get(id=batch.id)
    mine = BatchLine.objects.filter(id__in=[line.id for line in lines], state=BatchLine.State.RUNNING)
    count = mine.update(state=BatchLine.State.SUCCEEDED)
    SpeechBatch.objects.filter(id=batch.id).update(completed=F("completed") + count)
    for stored in (True, False):
        ids = [line.job_id for line in lines if line.job_id and line.stored == stored]
        assets.keep_until(ids, audio_until(batch, stored=stored))


def _failure(line: BatchLine, job: SynthesisJob) -> dict[str, Any] | None:
    """Why the line's job failed; None where another one is to be tried."""
    result, batch = results.of(job), line.batch
    if result.state == SynthesisJob.State.CANCELLED:
        return error_of(reason(batch), answered=False)
    never_served = (
        result.state == SynthesisJob.State.EXPIRED
        or result.error_code == "worker_lost"
        or result.error_code in HOLD_REFUSALS
    )
    if never_served and line.attempt < MAX_ATTEMPTS and batch.state == SpeechBatch.State.IN_PROGRESS:
        return None
    return error_of(failure_of(result, Bill.of(result, replayed=False)), answered=True)


def _again(line: BatchLine) -> None:
    running = BatchLine.objects.filter(id=line.id, state=BatchLine.State.RUNNING)
    running.update(state=BatchLine.State.WAITING, job_id=None)
