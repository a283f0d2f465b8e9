"""How a job ended, as its answer needs it: sent along the channel, and to be read from the database later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from inference.models import AudioAsset, SynthesisJob

SUCCEEDED = SynthesisJob.State.SUCCEEDED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An ended job. Times are milliseconds; `receipt` is what the settlement said."""

    state: str
    error_code: str = ""
    engine_model: str = ""
    finish_reason: str = ""
    prompt_tokens: int = 0
    samples: int = 0
    queue_ms: int | None = None
    first_audio_ms: int | None = None
    synthesis_ms: int | None = None
    encode_ms: int | None = None
    receipt: dict[str, Any] = field(default_factory=dict)
    transcript: str = ""
    path: str = ""
    expires_at: int = 0
    """Unix seconds at which the stored audio goes; 0 where there is none."""
    service_tier: str = "default"
    times_path: str = ""
    """Where it is stored when each word is spoken, of a result that was read from the database."""
    timestamps: str = ""
    """What the request asked to be told, of a result that was read from the database."""

    def to_json(self) -> str:
        return json.dumps({each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def from_json(cls, text: str | bytes) -> Result:
        return cls(**json.loads(text))


def of(job: SynthesisJob, asset: AudioAsset | None = None) -> Result:
    """The result of an ended job and of the audio that it left."""
    return Result(
        state=job.state,
        error_code=job.error_code,
        engine_model=job.engine_model,
        finish_reason=job.finish_reason,
        prompt_tokens=job.prompt_tokens,
        samples=job.samples,
        queue_ms=queue_ms(job.created_at, job.started_at),
        first_audio_ms=job.first_audio_ms,
        synthesis_ms=job.synthesis_ms,
        encode_ms=job.encode_ms,
        service_tier=job.service_tier,
        receipt=asset.receipt if asset else job.receipt,
        transcript=asset.transcript if asset else "",
        path=asset.path if asset else "",
        expires_at=int(asset.expires_at.timestamp()) if asset else 0,
    )


def of_job(job_id: UUID) -> Result | None:
    """The result of a job that has ended without success, else None."""
    job = SynthesisJob.objects.filter(id=job_id, finished_at__isnull=False).first()
    return of(job) if job else None


async def fetch(connection: psycopg.AsyncConnection, job_ids: Sequence[UUID]) -> dict[UUID, Result | None]:
    """The results of those of the jobs that have a row; None of one that has not ended."""
    cursor = await connection.execute(
        """
        SELECT job.id, job.finished_at IS NOT NULL,
               job.state, job.error_code, job.engine_model, job.finish_reason, job.prompt_tokens, job.samples,
               job.created_at, job.started_at, job.first_audio_ms, job.synthesis_ms, job.encode_ms,
               coalesce(asset.receipt, job.receipt), coalesce(asset.transcript, ''), coalesce(asset.path, ''),
               coalesce(floor(extract(epoch FROM asset.expires_at))::bigint, 0),
               coalesce(asset.conversions ->> 'times', ''), job.timestamps, job.service_tier
        FROM inference_synthesisjob job LEFT JOIN inference_audioasset asset ON asset.job_id = job.id
        WHERE job.id = ANY(%s)
        """,
        (list(job_ids),),
    )
    return {row[0]: _of_row(row[2:]) if row[1] else None for row in await cursor.fetchall()}


def _of_row(row: Sequence[Any]) -> Result:
    state, code, model, reason, tokens, samples, created, started, first, synthesis, encode, receipt, *audio = row
    transcript, path, expires_at, times_path, timestamps, service_tier = audio
    return Result(
        state=state,
        error_code=code,
        engine_model=model,
        finish_reason=reason,
        prompt_tokens=tokens,
        samples=samples,
        queue_ms=queue_ms(created, started),
        first_audio_ms=first,
        synthesis_ms=synthesis,
        encode_ms=encode,
        receipt=receipt,
        transcript=transcript,
        path=path,
        expires_at=expires_at,
        times_path=times_path,
        timestamps=timestamps,
        service_tier=service_tier,
    )


def queue_ms(created_at: datetime, started_at: datetime | None) -> int | None:
    """Milliseconds from admission to the last claim.

    Each is the moment at which its transaction began, and on a busy machine a claim can begin before the admission
    that it finds.
    """
    return max(0, round((started_at - created_at).total_seconds() * 1000)) if started_at else None
