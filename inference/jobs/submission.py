"""How a job comes to be: one row, in the transaction that holds the money for it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from inference.models import SynthesisJob
from inference.speech.spec import SpeechSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob(SpeechSpec):
    """What `submit` needs to know."""

    id: UUID
    organization_id: UUID
    api_key_id: UUID
    deadline_seconds: float
    kept_seconds: int
    streamed: bool = False
    context: tuple[UUID, ...] = ()
    idempotency_key: str = ""
    fingerprint: UUID | None = None


_COLUMNS = [each.name for each in fields(NewJob) if each.name != "deadline_seconds"]
_INSERT = f"""
    INSERT INTO inference_synthesisjob ({", ".join(_COLUMNS)}, created_at, enqueued_at, deadline_at)
    VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)}, now(), now(),
        now() + make_interval(secs => %(deadline_seconds)s))
"""  # noqa: S608 - our own column names


async def submit(database: psycopg.AsyncConnection, job: NewJob) -> None:
    """Insert the job in the caller's transaction; `doorbell.ring` after the commit.

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


def belongs_to(job_id: UUID, *, organization_id: UUID) -> bool:
    """Whether there is such a job of this organization's."""
    return SynthesisJob.objects.filter(id=job_id, organization_id=organization_id).exists()
