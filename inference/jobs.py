"""The life of a synthesis job. Every move is one conditional UPDATE; its row count says who won.

A worker owns a job by its attempt number: `claim` raises it, and everything the worker writes names it, so that
a worker that was thought dead and is not changes nothing. PostgreSQL is the truth; a lost message, a wiped
Redis or a killed worker costs a retry, which `sweep` arranges.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.db.utils import OperationalError
from django.utils import timezone
from django.utils.module_loading import import_string
from psycopg.types.json import Jsonb

from inference import delivery, results
from inference.audio import SAMPLES_PER_FRAME
from inference.failures import place_of
from inference.models import AudioAsset, LostAttempt, SynthesisJob
from inference.results import Result
from inference.speech.spec import SpeechSpec

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
RESEND_AFTER_SECONDS = 2

State = SynthesisJob.State
Cause = LostAttempt.Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob(SpeechSpec):
    """What `submit` needs to know."""

    id: UUID
    organization_id: UUID
    api_key_id: UUID
    deadline_seconds: float
    streamed: bool = False
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
    """Billed: the longer of what was generated and of the audio, which differ by the speed."""
    audio_frames: int
    transcript: str
    path: str
    content_type: str
    size: int
    first_audio_ms: int | None
    synthesis_ms: int
    encode_ms: int
    codes_path: str = ""


_COLUMNS = [each.name for each in fields(NewJob) if each.name != "deadline_seconds"]
_INSERT = f"""
    INSERT INTO inference_synthesisjob ({", ".join(_COLUMNS)}, created_at, enqueued_at, deadline_at)
    VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)}, now(), now(),
        now() + make_interval(secs => %(deadline_seconds)s))
"""  # noqa: S608 - our own column names


async def submit(database: psycopg.AsyncConnection, job: NewJob) -> None:
    """Insert the job in the caller's transaction; `tasks.ring` after the commit.

    Raises:
        psycopg.errors.UniqueViolation: the organization has a job under this idempotency key.
    """
    await database.execute(
        _INSERT,
        {
            **{each.name: getattr(job, each.name) for each in fields(job)},
            "sampling": Jsonb(job.sampling),
            "voices": Jsonb(job.voices),
            "context": list(job.context),
        },
        # In a pipeline whose first statement is refused this one is skipped, its preparation too, which the driver
        # would believe done.
        prepare=False,
    )


_CLAIM = """
WITH RECURSIVE waiting AS (
    (SELECT organization_id FROM inference_synthesisjob WHERE state = 'queued' ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT organization_id FROM inference_synthesisjob
        WHERE state = 'queued' AND organization_id > waiting.organization_id ORDER BY organization_id LIMIT 1
    )
    FROM waiting WHERE organization_id IS NOT NULL
), turn AS MATERIALIZED (
    SELECT organization_id
    FROM waiting, LATERAL (
        SELECT
            (SELECT count(*) FROM inference_synthesisjob
             WHERE state = 'running' AND organization_id = waiting.organization_id) AS running,
            (SELECT min(created_at) FROM inference_synthesisjob
             WHERE state = 'queued' AND organization_id = waiting.organization_id) AS asked_at,
            (SELECT max(started_at) FROM inference_synthesisjob
             WHERE organization_id = waiting.organization_id) AS served_at
    ) AS share
    WHERE organization_id IS NOT NULL
    ORDER BY running, greatest(asked_at, served_at)
), chosen AS MATERIALIZED (
    SELECT oldest.id
    FROM turn, LATERAL (
        SELECT id FROM inference_synthesisjob
        WHERE state = 'queued' AND organization_id = turn.organization_id
            AND cancel_requested_at IS NULL AND deadline_at > now()
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS oldest
    LIMIT 1
)
UPDATE inference_synthesisjob job
SET state = 'running', attempt = attempt + 1, started_at = now(),
    lease_expires_at = now() + make_interval(secs => %s)
FROM chosen WHERE job.id = chosen.id
RETURNING job.*
"""
"""`waiting` steps from organization to organization, so that a long queue of one costs what a short one does."""


def claim() -> SynthesisJob | None:
    """Take the job whose turn it is for this worker; None where nothing waits.

    The turn is that of the organization with the fewest running jobs. Among equals it is that of the one that has
    waited longest, since it asked or was served last. Each organization's own jobs go first come, first served.
    """
    return next(iter(SynthesisJob.objects.raw(_CLAIM, (settings.JOB_LEASE_SECONDS,))), None)


@dataclass(frozen=True, slots=True)
class Held:
    """A job that a worker speaks, and the frames of it that the worker has published so far."""

    id: UUID
    attempt: int
    frames: int
    max_frames: int


def heartbeat(held: Iterable[Held]) -> set[tuple[UUID, int]]:
    """Extend the leases of the jobs and keep how much of them is published.

    With its first audio a job has kept its deadline, and gets another, by which its last must be there.

    Returns:
        The jobs, with their attempts, that are still theirs and still wanted.
    """
    jobs = list(held)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inference_synthesisjob job
            SET lease_expires_at = now() + make_interval(secs => %s),
                published_samples = GREATEST(published_samples, held.samples),
                deadline_at = CASE WHEN published_samples = 0 AND held.samples > 0
                    THEN now() + make_interval(secs => seconds) ELSE deadline_at END
            FROM unnest(%s::uuid[], %s::int[], %s::bigint[], %s::float[]) AS held (id, attempt, samples, seconds)
            WHERE job.id = held.id AND job.attempt = held.attempt AND state = 'running'
                AND cancel_requested_at IS NULL
            RETURNING job.id, job.attempt
            """,
            (
                settings.JOB_LEASE_SECONDS,
                [job.id for job in jobs],
                [job.attempt for job in jobs],
                [job.frames * SAMPLES_PER_FRAME for job in jobs],
                [delivery.generation_seconds(job.max_frames) + delivery.SWEEP_SECONDS for job in jobs],
            ),
        )
        return set(cursor.fetchall())


@transaction.atomic
def finish(job_id: UUID, attempt: int, spoken: Spoken) -> Result | None:
    """End a job well: its state, its asset and, through `settings.JOB_SETTLEMENT`, its bill, in one transaction.

    Returns:
        How it ended; None where the job is no longer this attempt's, or nobody listens (`leave`), in which case
        nothing was written.
    """
    ended = SynthesisJob.objects.raw(
        """
        UPDATE inference_synthesisjob
        SET state = 'succeeded', text = '', style = '', lease_expires_at = NULL, finished_at = now(),
            engine_model = %s, finish_reason = %s, prompt_tokens = %s, samples = %s,
            first_audio_ms = %s, synthesis_ms = %s, encode_ms = %s
        WHERE id = %s AND attempt = %s AND state = 'running' AND listeners > 0
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
        samples=spoken.audio_frames * SAMPLES_PER_FRAME,
        transcript=spoken.transcript,
        receipt=_settle(job),
        created_at=now,
        expires_at=now + timedelta(seconds=settings.AUDIO_TTL_SECONDS),
    )
    return results.of(job, asset)


def give_back(job_id: UUID, attempt: int, *, frames: int) -> bool:
    """End an attempt that broke after it had published `frames`: back to the queue, or failed if it was the last.

    Returns:
        True if it is back in the queue.
    """
    if attempt >= MAX_ATTEMPTS:
        _end(_owned(job_id, attempt), job_id, State.FAILED, frames=frames, error_code=Cause.ENGINE_ERROR)
        return False
    wanted = _owned(job_id, attempt).filter(cancel_requested_at=None)
    if _requeue(wanted, Cause.ENGINE_ERROR, frames=frames):
        return True
    cut(job_id, attempt, frames=frames)
    return False


def fail(job_id: UUID, attempt: int, *, error_code: str) -> bool:
    """End a job that cannot be spoken, before any audio of it; nothing is billed."""
    return _end(_owned(job_id, attempt), job_id, State.FAILED, error_code=error_code) is not None


def expire(job_id: UUID, *, frames: int = 0) -> bool:
    """End a job that missed its deadline after `frames` were published, which are billed. False if it has not."""
    late = _live(job_id).filter(deadline_at__lt=timezone.now())
    return _end(late, job_id, State.EXPIRED, frames=frames) is not None


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
    """Take a job from its worker, or, where it waits, say that the workers are to be rung for it again.

    A worker that still speaks it notices at its next heartbeat; the next attempt goes on from what it had spoken.

    Returns:
        Whether to `tasks.ring`; False where it has ended, is cancelled, or its time is up.
    """
    wanted = _live(job_id).filter(cancel_requested_at=None, deadline_at__gt=timezone.now())
    running, queued = wanted.filter(state=State.RUNNING), wanted.filter(state=State.QUEUED)
    return _requeue(running, Cause.TAKEN_BACK) or bool(queued.update(enqueued_at=timezone.now()))


def leave(job_id: UUID, *, relayed_frames: int) -> None:
    """One listener has hung up, who had been handed `relayed_frames`; `abandon` the job unless another joins."""
    relayed = Greatest(Coalesce("relayed_samples", 0), Value(relayed_frames * SAMPLES_PER_FRAME))
    _live(job_id).filter(listeners__gt=0).update(listeners=F("listeners") - 1, relayed_samples=relayed)


def abandon(job_id: UUID) -> bool:
    """Cancel a job that nobody listens to. True if so."""
    return _live(job_id).filter(listeners=0).exists() and cancel(job_id)


def is_left(job_id: UUID, attempt: int) -> bool:
    """Whether this attempt's job goes on, though nobody listens."""
    return bool(_owned(job_id, attempt).filter(listeners=0, cancel_requested_at=None).exists())


def cut(job_id: UUID, attempt: int, *, frames: int) -> Result | None:
    """End a job of this attempt's that was cancelled, or that nobody listens to, after it had published `frames`.

    Returns:
        How it ended; None where the job is no longer this attempt's, or is still wanted.
    """
    unwanted = _owned(job_id, attempt).filter(Q(cancel_requested_at__isnull=False) | Q(listeners=0))
    return _end(unwanted, job_id, State.CANCELLED, frames=frames)


def belongs_to(job_id: UUID, *, organization_id: UUID) -> bool:
    """Whether there is such a job of this organization's."""
    return SynthesisJob.objects.filter(id=job_id, organization_id=organization_id).exists()


def sweep(*, queue_is_empty: bool, published: Callable[[UUID], int]) -> list[UUID]:
    """Repair what crashed parts left; safe to run anywhere, any number of times at once.

    Args:
        published: the frames of a job that its stream still shows, which is more than its worker's last heartbeat
            told when the worker was lost.

    Returns:
        The jobs to ring for: those whose worker let its lease lapse, and those that wait though the broker's
        queue is empty, whose message must be lost.
    """
    now = timezone.now()
    for job in SynthesisJob.objects.filter(state__in=[State.QUEUED, State.RUNNING], deadline_at__lt=now):
        with _apart(job.id):
            expire(job.id, frames=published(job.id))
    lapsed = Q(state=State.RUNNING, lease_expires_at__lt=now)
    for job in SynthesisJob.objects.filter(lapsed, attempt__gte=MAX_ATTEMPTS):
        with _apart(job.id):
            _end(
                SynthesisJob.objects.filter(lapsed, id=job.id),
                job.id,
                State.FAILED,
                frames=published(job.id),
                error_code=Cause.WORKER_LOST,
            )
    unwanted = lapsed & Q(cancel_requested_at__isnull=False)
    for job in SynthesisJob.objects.filter(unwanted):
        with _apart(job.id):
            its = SynthesisJob.objects.filter(unwanted, id=job.id)
            _end(its, job.id, State.CANCELLED, frames=published(job.id))
    lost = SynthesisJob.objects.filter(lapsed, attempt__lt=MAX_ATTEMPTS, cancel_requested_at=None)
    to_send = [id for id in _ids(lost) if _requeue(lost.filter(id=id), Cause.WORKER_LOST)]
    if queue_is_empty:
        resend_before = now - timedelta(seconds=RESEND_AFTER_SECONDS)
        unsent = SynthesisJob.objects.filter(state=State.QUEUED, enqueued_at__lt=resend_before)
        to_send += [id for id in _ids(unsent) if unsent.filter(id=id).update(enqueued_at=now)]
    return to_send


@contextmanager
def _apart(job_id: UUID) -> Iterator[None]:
    """Let a job that cannot be ended hold up no other. The database's and Redis' absence concerns all."""
    try:
        yield
    except (OperationalError, redis.RedisError):
        raise
    except Exception as error:
        log.error("job %s cannot be ended\n%s", job_id, place_of(error))


def _ids(matching: Any) -> list[UUID]:
    return list(matching.values_list("id", flat=True))


def _owned(job_id: UUID, attempt: int) -> Any:
    return SynthesisJob.objects.filter(id=job_id, attempt=attempt, state=State.RUNNING)


def _live(job_id: UUID) -> Any:
    return SynthesisJob.objects.filter(id=job_id, state__in=[State.QUEUED, State.RUNNING])


@transaction.atomic
def _requeue(matching: Any, cause: LostAttempt.Cause, *, frames: int = 0) -> bool:
    """Put a running job back, if it matches, and keep what became of the attempt."""
    job = matching.select_for_update().first()
    if job is None:
        return False
    now = timezone.now()
    job.lost_attempts.create(attempt=job.attempt, cause=cause, started_at=job.started_at, lost_at=now)
    matching.update(
        state=State.QUEUED,
        lease_expires_at=None,
        enqueued_at=now,
        published_samples=delivery.published(frames),
    )
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
def _end(
    matching: Any, job_id: UUID, state: SynthesisJob.State, *, frames: int = 0, **values: Any
) -> Result | None:
    """End the job without success if it matches, billed by what was delivered; None where it does not."""
    counts = {"samples": delivery.delivered(frames), "published_samples": delivery.published(frames)}
    if not matching.update(**_ended(state), **counts, **values):
        return None
    job = SynthesisJob.objects.get(id=job_id)
    job.receipt = _settle(job)
    job.save(update_fields=["receipt"])
    return results.of(job)


def _settle(job: SynthesisJob) -> dict[str, Any]:
    """Hand an ended job to whoever bills; returns what the answer shall say of it. This room knows no money."""
    settlement: Callable[[SynthesisJob], dict[str, Any]] = import_string(settings.JOB_SETTLEMENT)
    return settlement(job)
