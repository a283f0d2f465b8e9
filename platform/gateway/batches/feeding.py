"""Admitting the lines of batches: a few at a time, as workers have room and nobody else waits for it.

A line's job is held and written like any request's, at the price of the tier `batch`. Its id is written first. A
part that dies between the two therefore admits the same job again, which the database refuses.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone
from psycopg_pool import AsyncConnectionPool

from accounts.identifiers import new_id
from accounts.keys import Principal, Reach
from billing import reservations
from gateway import catalog
from gateway.batches import collecting, files, lines
from gateway.errors import ApiError, account_deactivated, account_suspended, out_of_budget, out_of_credit
from gateway.models import BatchLine, SpeechBatch
from gateway.speech import conversation
from gateway.speech.group_commit import Admission, AdmissionOutcome, Admissions
from inference import doorbell, jobs, presence, repeats
from inference.models import SynthesisJob

TIER = "batch"
JOB_DEADLINE_SECONDS = 3600.0
"""How long an admitted line may wait for its first audio, while live requests go before it."""
PAUSE = timedelta(seconds=10)
"""How long a batch that was refused for want of money waits before it asks again."""


@dataclass(slots=True)
class LineAdmission:
    """A line on its way, and what became of it: refused for good, or for now, or neither."""

    batch: SpeechBatch
    line: BatchLine
    job_id: UUID
    refusal: ApiError | None = None
    pause: ApiError | None = None


def feed(client: redis.Redis) -> int:
    """Admit as many lines as there is room for, by turns between the batches; returns how many were admitted."""
    if not SpeechBatch.objects.filter(state=SpeechBatch.State.IN_PROGRESS, cancelling_at=None).exists():
        return 0
    workers = presence.living(client)
    room = _room(workers)
    if room <= 0:
        return 0
    chosen = _choose(room)
    if not chosen:
        return 0
    asyncio.run(_admit_all(chosen, presence.voices_of(workers)))
    if admitted := sum(_note(each) for each in chosen):
        doorbell.ring()
    return admitted


def _room(workers: Sequence[dict[str, Any]]) -> int:
    """How many more jobs of batches the workers have room for: a share of their slots; none while others wait."""
    slots = sum(worker["slots"] for worker in workers)
    if not slots:
        return 0
    of_batches = BatchLine.objects.filter(job_id=OuterRef("pk"))
    if SynthesisJob.objects.filter(~Exists(of_batches), state=SynthesisJob.State.QUEUED).exists():
        return 0
    running = BatchLine.objects.filter(state=BatchLine.State.RUNNING).count()
    return max(1, int(slots * settings.ENVIRONMENT.batch_share)) - running


def _choose(room: int) -> list[LineAdmission]:
    """The next lines, each of the organization with the fewest under way, and of it the oldest batch."""
    now = timezone.now()
    active = [
        batch
        for batch in SpeechBatch.objects.filter(ended_at=None, expires_at__gt=now)
        .filter(state=SpeechBatch.State.IN_PROGRESS, cancelling_at=None)
        .select_related("input_file", "organization", "api_key")
        .order_by("id")
        if batch.paused_until is None or batch.paused_until <= now
    ]
    under_way = Counter(
        BatchLine.objects.filter(state=BatchLine.State.RUNNING).values_list("batch__organization_id", flat=True)
    )
    waiting = {
        batch.id: iter(batch.lines.filter(state=BatchLine.State.WAITING).order_by("number")[:room])
        for batch in active
    }
    chosen: list[LineAdmission] = []
    while active and len(chosen) < room:
        batch = min(active, key=lambda each: under_way[each.organization_id])
        line = next(waiting[batch.id], None)
        if line is None:
            active.remove(batch)
            continue
        under_way[batch.organization_id] += 1
        if line.job_id is None:
            line.job_id = new_id()
            line.attempt += 1
            line.save(update_fields=["job_id", "attempt"])
        chosen.append(LineAdmission(batch, line, line.job_id))
    return chosen


async def _admit_all(chosen: Sequence[LineAdmission], offered: Sequence[str]) -> None:
    async with AsyncConnectionPool(
        settings.DATABASE_URL,
        min_size=1,
        max_size=1,
        kwargs={"autocommit": True, "prepare_threshold": settings.DATABASE_PREPARE_THRESHOLD},
        open=False,
    ) as database:
        asked = []
        for each in chosen:
            try:
                if (admission := await _ask_for(database, each, offered)) is not None:
                    asked.append((each, admission))
            except ApiError as refusal:
                each.refusal = refusal
        admissions = Admissions(database)
        outcomes = await asyncio.gather(*(admissions.admit(admission) for _, admission in asked))
        for (each, admission), outcome in zip(asked, outcomes, strict=True):
            _take(each, admission, outcome)


async def _ask_for(database: AsyncConnectionPool, each: LineAdmission, offered: Sequence[str]) -> Admission | None:
    """The line's job; None where it is not its time. Raises ApiError: the line can never be spoken."""
    batch, line = each.batch, each.line
    if batch.organization.suspended_at is not None:
        each.pause = account_deactivated()
        return None
    request = lines.read(await asyncio.to_thread(_text_of, batch, line), endpoint=batch.endpoint)
    # Batches are a tier of their own, whatever a line says.
    order = lines.understand(request, offered, most_characters=batch.most_characters)
    order = replace(order, service_tier="default")
    caller = Principal(
        batch.api_key_id,
        batch.organization_id,
        None,
        b"",
        0,
        reach=Reach(stores_audio=batch.api_key.stores_audio),
        audio_days=batch.organization.audio_days,
    )
    line.stored = caller.stores(order.store)
    await conversation.check(database, caller, order.context)
    job = jobs.NewJob(
        id=each.job_id,
        organization_id=batch.organization_id,
        api_key_id=batch.api_key_id,
        **order.spec(),
        held_frames=order.held_frames,
        context=tuple(turn.job_id for turn in order.context),
        deadline_seconds=JOB_DEADLINE_SECONDS,
        kept_seconds=settings.AUDIO_TTL_SECONDS,
        # No client can send this key: a header has no line break.
        idempotency_key=f"batch\n{batch.id.hex}\n{line.number}\n{line.attempt}",
    )
    return Admission(job, cap_ms=order.held_ms, tier=TIER)


def _take(each: LineAdmission, admission: Admission, outcome: AdmissionOutcome) -> None:
    """Keep what became of the job that was asked for."""
    if outcome.outcome in {repeats.JOINED, repeats.REUSED}:
        return  # a part that died admitted it
    try:
        reservations.check(outcome.outcome, outcome.detail, model=admission.job.model)
    except reservations.InsufficientCredit:
        each.pause = out_of_credit()
    except reservations.AccountSuspended:
        each.pause = account_suspended()
    except reservations.BudgetExceeded as refusal:
        each.pause = out_of_budget(refusal.which)
    except reservations.NoPrice:
        each.refusal = catalog.unknown_model(admission.job.model)


def _text_of(batch: SpeechBatch, line: BatchLine) -> bytes:
    with files.store().open(batch.input_file.path) as file:
        file.seek(line.offset)
        return bytes(file.read(line.length))


def _note(each: LineAdmission) -> bool:
    """Write down what became of an admission; returns whether the line was admitted."""
    batch_id = each.batch.id
    batch = SpeechBatch.objects.filter(id=batch_id)
    if each.refusal is not None:
        collecting.end_lines(batch_id, [(each.line.id, collecting.error_of(each.refusal, answered=True))])
        return False
    if each.pause is not None:
        reason = {"code": each.pause.code, "message": each.pause.message}
        batch.update(paused=reason, paused_until=timezone.now() + PAUSE)
        return False
    BatchLine.objects.filter(id=each.line.id, state=BatchLine.State.WAITING).update(
        state=BatchLine.State.RUNNING, stored=each.line.stored
    )
    if each.batch.paused is not None:
        batch.update(paused=None, paused_until=None)
    return True
