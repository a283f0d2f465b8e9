"""How a job comes to be: one row, in the transaction that holds the money for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from inference.models import SynthesisJob


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
    streamed: bool = False
    context: tuple[UUID, ...] = ()
    idempotency_key: str = ""
    fingerprint: UUID | None = None


async def submit(database: psycopg.AsyncConnection, job: NewJob) -> None:
    """Insert the job in the caller's transaction; `doorbell.ring` after the commit.

    Raises:
        psycopg.errors.UniqueViolation: the organization has a job under this idempotency key.
    """
    await database.execute(
        """
        INSERT INTO inference_synthesisjob (
            id, organization_id, api_key_id, model, voice, voices, format, text, style, speed, streamed, context,
            sampling, max_frames, idempotency_key, fingerprint, created_at, enqueued_at, deadline_at)
        VALUES (
            %(id)s, %(organization_id)s, %(api_key_id)s, %(model)s, %(voice)s, %(voices)s, %(format)s, %(text)s,
            %(style)s, %(speed)s, %(streamed)s, %(context)s, %(sampling)s, %(max_frames)s, %(idempotency_key)s,
            %(fingerprint)s, now(), now(), now() + make_interval(secs => %(deadline_seconds)s))
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


def belongs_to(job_id: UUID, *, organization_id: UUID) -> bool:
    """Whether there is such a job of this organization's."""
    return SynthesisJob.objects.filter(id=job_id, organization_id=organization_id).exists()
