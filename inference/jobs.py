"""The life of a synthesis job. Every move is one conditional UPDATE; its row count says who won.

A worker owns a job by its attempt number: `claim` raises it, and everything the worker writes names it, so that
a worker that was thought dead and is not changes nothing. PostgreSQL is the truth; a lost message, a wiped
Redis or a killed worker costs a retry, which `sweep` arranges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string
from psycopg.types.json import Jsonb

from inference import results
from inference.models import AudioAsset, LostAttempt, SynthesisJob
from inference.results import Result
from inference.units import SAMPLES_PER_FRAME

MAX_ATTEMPTS = 3
RESEND_AFTER_SECONDS = 2

State = SynthesisJob.State
Cause = LostAttempt.Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What `submit` needs to know."""

    id: UUID
    organization_id: UUID
    api_key_id: UUID
    model: str
    voice: str
    format: str
    text: str
    style: str
    max_frames: int
    deadline_seconds: float
    sampling: dict[str, float | int] = field(default_factory=dict)
    voices: dict[str, str] = field(default_factory=dict)
    speed: float = 1.0
    context: tuple[UUID, ...] = ()
    idempotency_key: str = ""
    fingerprint: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What a worker made of a job."""

    engine_model: str
    finish_reason: str
    prompt_tokens: int
    frames: int
    transcript: str
    path: str
    content_type: str
    size: int
    first_audio_ms: int | None
    synthesis_ms: int
    encode_ms: int
    codes_path: str = ""


async def submit(database: psycopg.AsyncConnection, job: NewJob) -> None:
    """Insert the job in the caller's transaction; `tasks.enqueue` it after the commit.

    Raises:
        psycopg.errors.UniqueViolation: the organization has a job under this idempotency key.
    """
    await database.execute(
        """
        INSERT INTO inference_synthesisjob (
            id, organization_id, api_key_id, model, voice, voices, format, text, style, speed, context, sampling,
            max_frames, idempotency_key, fingerprint, created_at, enqueued_at, deadline_at)
        VALUES (
            %(id)s, %(organization_id)s, %(api_key_id)s, %(model)s, %(voice)s, %(voices)s, %(format)s, %(text)s,
            %(style)s, %(speed)s, %(context)s, %(sampling)s, %(max_frames)s, %(idempotency_key)s, %(fingerprint)s,
            now(), now(), now() + make_interval(secs => %(deadline_seconds)s))
        """,
        {
            **{name: getattr(job, name) for name in NewJob.__slots__},
            "sampling": Jsonb(job.sampling),
            "voices": Jsonb(job.voices),
            "context": list(job.context),
        },
        # In a pipeline whose first statement is refused this one is skipped, its preparation too, which the driver
        # would believe done.
        prepare=False,
    )


def claim(job_id: UUID) -> SynthesisJob | None:
    """Take a queued job for this worker; None where another has it, or it ended, or its time is up."""
    claimed = SynthesisJob.objects.raw(
        """
        UPDATE inference_synthesisjob
        SET state = 'running', attempt = attempt + 1, started_at = now(),
            lease_expires_at = now() + make_interval(secs => %s)
        WHERE id = %s AND state = 'queued' AND cancel_requested_at IS NULL AND deadline_at > now()
        RETURNING *
        """,
        (settings.JOB_LEASE_SECONDS, job_id),
    )
    return next(iter(claimed), None)


def heartbeat(held: Iterable[tuple[UUID, int]]) -> set[UUID]:
    """Extend the lease of (job, attempt) pairs; returns the jobs that are still theirs and still wanted."""
    pairs = list(held)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inference_synthesisjob job SET lease_expires_at = now() + make_interval(secs => %s)
            FROM unnest(%s::uuid[], %s::int[]) AS held (id, attempt)
            WHERE job.id = held.id AND job.attempt = held.attempt AND state = 'running'
                AND cancel_requested_at IS NULL
            RETURNING job.id
            """,
            (settings.JOB_LEASE_SECONDS, [id for id, _ in pairs], [attempt for _, attempt in pairs]),
        )
        return {job_id for (job_id,) in cursor.fetchall()}


@transaction.atomic
def finish(job_id: UUID, attempt: int, spoken: Spoken) -> Result | None:
    """End a job well: its state, its asset and, through `settings.JOB_SETTLEMENT`, its bill, in one transaction.

    Returns:
        How it ended; None where the job is no longer this attempt's, in which case nothing was written.
    """
    ended = SynthesisJob.objects.raw(
        """
        UPDATE inference_synthesisjob
        SET state = 'succeeded', text = '', style = '', lease_expires_at = NULL, finished_at = now(),
            engine_model = %s, finish_reason = %s, prompt_tokens = %s, samples = %s,
            first_audio_ms = %s, synthesis_ms = %s, encode_ms = %s
        WHERE id = %s AND attempt = %s AND state = 'running'
        RETURNING *
        """,
        (
            spoken.engine_model,
            spoken.finish_reason,
            spoken.prompt_tokens,
            spoken.frames * SAMPLES_PER_FRAME,
            spoken.first_audio_ms,
            spoken.synthesis_ms,
            spoken.encode_ms,
            job_id,
            attempt,
        ),
    )
    job = next(iter(ended), None)
    if job is None:
        return None
    now = timezone.now()
    asset = AudioAsset.objects.create(
        job=job,
        organization_id=job.organization_id,
        path=spoken.path,
        codes_path=spoken.codes_path,
        content_type=spoken.content_type,
        size=spoken.size,
        samples=job.samples,
        transcript=spoken.transcript,
        receipt=_settle(job),
        created_at=now,
        expires_at=now + timedelta(seconds=settings.AUDIO_TTL_SECONDS),
    )
    return results.of(job, asset)


def give_back(job_id: UUID, attempt: int) -> bool:
    """End an attempt that the engine broke: back to the queue, or failed if it was the last. True if requeued."""
    if attempt >= MAX_ATTEMPTS:
        _end(_owned(job_id, attempt), job_id, State.FAILED, error_code=Cause.ENGINE_ERROR)
        return False
    if _requeue(_owned(job_id, attempt).filter(cancel_requested_at=None), Cause.ENGINE_ERROR):
        return True
    cut(job_id, attempt, frames=0)
    return False


def fail(job_id: UUID, attempt: int, *, error_code: str) -> bool:
    """End a job that no further attempt can save; nothing is billed."""
    return _end(_owned(job_id, attempt), job_id, State.FAILED, error_code=error_code) is not None


def expire(job_id: UUID) -> bool:
    """End a job whose time is up; nothing is billed."""
    return _end(_live(job_id), job_id, State.EXPIRED) is not None


@transaction.atomic
def cancel(job_id: UUID) -> bool:
    """Stop a job that nobody wants: a queued one ends now, a running one when its worker has noticed and `cut` it.

    Returns:
        False where it has ended or was cancelled before.
    """
    wanted = _live(job_id).filter(cancel_requested_at=None)
    job = wanted.select_for_update().first()
    if job is None:
        return False
    if job.state == State.QUEUED:
        _end(wanted, job_id, State.CANCELLED)
    else:
        wanted.update(cancel_requested_at=timezone.now())
    return True


@transaction.atomic
def requeue(job_id: UUID) -> bool:
    """Take a job from its worker, or, where it waits, say that its message is to be sent again.

    A worker that still speaks it notices at its next heartbeat; the next attempt goes on from what it had spoken.

    Returns:
        Whether to `tasks.enqueue` it; False where it has ended, is cancelled, or its time is up.
    """
    wanted = _live(job_id).filter(cancel_requested_at=None, deadline_at__gt=timezone.now())
    running, queued = wanted.filter(state=State.RUNNING), wanted.filter(state=State.QUEUED)
    return _requeue(running, Cause.TAKEN_BACK) or bool(queued.update(enqueued_at=timezone.now()))


def leave(job_id: UUID) -> bool:
    """One listener has hung up; when it was the last, the job is cancelled. True if so."""
    _live(job_id).filter(listeners__gt=0).update(listeners=F("listeners") - 1)
    return _live(job_id).filter(listeners=0).exists() and cancel(job_id)


def cut(job_id: UUID, attempt: int, *, frames: int) -> Result | None:
    """End a job of this attempt's whose cancelling was noticed after `frames`, which are billed.

    Returns:
        How it ended; None where the job is no longer this attempt's, or nobody cancelled it.
    """
    cancelled = _owned(job_id, attempt).exclude(cancel_requested_at=None)
    return _end(cancelled, job_id, State.CANCELLED, samples=frames * SAMPLES_PER_FRAME)


def belongs_to(job_id: UUID, *, organization_id: UUID) -> bool:
    """Whether there is such a job of this organization's."""
    return SynthesisJob.objects.filter(id=job_id, organization_id=organization_id).exists()


def sweep(*, queue_is_empty: bool) -> list[UUID]:
    """Repair what crashed parts left; safe to run anywhere, any number of times at once.

    Returns:
        The jobs to enqueue: those whose worker let its lease lapse, and those that wait though the broker's
        queue is empty, whose message must be lost.
    """
    now = timezone.now()
    for job in SynthesisJob.objects.filter(state__in=[State.QUEUED, State.RUNNING], deadline_at__lt=now):
        _end(_live(job.id).filter(deadline_at__lt=now), job.id, State.EXPIRED)
    lapsed = Q(state=State.RUNNING, lease_expires_at__lt=now)
    for job in SynthesisJob.objects.filter(lapsed, attempt__gte=MAX_ATTEMPTS):
        _end(SynthesisJob.objects.filter(lapsed, id=job.id), job.id, State.FAILED, error_code=Cause.WORKER_LOST)
    unwanted = lapsed & Q(cancel_requested_at__isnull=False)
    for job in SynthesisJob.objects.filter(unwanted):
        _end(SynthesisJob.objects.filter(unwanted, id=job.id), job.id, State.CANCELLED)
    lost = SynthesisJob.objects.filter(lapsed, attempt__lt=MAX_ATTEMPTS, cancel_requested_at=None)
    to_send = [id for id in _ids(lost) if _requeue(lost.filter(id=id), Cause.WORKER_LOST)]
    if queue_is_empty:
        resend_before = now - timedelta(seconds=RESEND_AFTER_SECONDS)
        unsent = SynthesisJob.objects.filter(state=State.QUEUED, enqueued_at__lt=resend_before)
        to_send += [id for id in _ids(unsent) if unsent.filter(id=id).update(enqueued_at=now)]
    return to_send


def _ids(matching: Any) -> list[UUID]:
    return list(matching.values_list("id", flat=True))


def _owned(job_id: UUID, attempt: int) -> Any:
    return SynthesisJob.objects.filter(id=job_id, attempt=attempt, state=State.RUNNING)


def _live(job_id: UUID) -> Any:
    return SynthesisJob.objects.filter(id=job_id, state__in=[State.QUEUED, State.RUNNING])


@transaction.atomic
def _requeue(matching: Any, cause: LostAttempt.Cause) -> bool:
    """Put a running job back, if it matches, and keep what became of the attempt."""
    job = matching.select_for_update().first()
    if job is None:
        return False
    now = timezone.now()
    job.lost_attempts.create(attempt=job.attempt, cause=cause, started_at=job.started_at, lost_at=now)
    matching.update(state=State.QUEUED, lease_expires_at=None, enqueued_at=now)
    return True


def _ended(state: SynthesisJob.State) -> dict[str, Any]:
    """What becomes of a job that leaves no audio: neither its text nor the hash of its request is of use."""
    return {
        "state": state,
        "lease_expires_at": None,
        "finished_at": timezone.now(),
        "text": "",
        "style": "",
        "fingerprint": None,
    }


@transaction.atomic
def _end(matching: Any, job_id: UUID, state: SynthesisJob.State, **values: Any) -> Result | None:
    """End the job if it matches; None where it does not."""
    if not matching.update(**_ended(state), **values):
        return None
    job = SynthesisJob.objects.get(id=job_id)
    return replace(results.of(job), receipt=_settle(job))


def _settle(job: SynthesisJob) -> dict[str, Any]:
    """Hand an ended job to whoever bills; returns what the answer shall say of it. This room knows no money."""
    settlement: Callable[[SynthesisJob], dict[str, Any]] = import_string(settings.JOB_SETTLEMENT)
    return settlement(job)
