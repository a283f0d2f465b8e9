"""How a job comes to be: one row, in the statement that holds the money for it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from inference.models import SynthesisJob
from inference.speech.spec import SpeechSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob(SpeechSpec):
    """A job to be inserted. A field is inserted into the column of its name: a further column is a line here."""

    id: UUID
    organization_id: UUID
    api_key_id: UUID
    deadline_seconds: float
    kept_seconds: int
    held_frames: int | None = None
    """What its hold covers at first; None where that is all of `max_frames`."""
    streamed: bool = False
    context: tuple[UUID, ...] = ()
    idempotency_key: str = ""
    fingerprint: UUID | None = None


_COLUMNS = [each.name for each in fields(NewJob) if each.name != "deadline_seconds"]
SUBMIT = f"""
    INSERT INTO inference_synthesisjob ({", ".join(_COLUMNS)}, created_at, enqueued_at, deadline_at)
    SELECT {", ".join(f"job.{name}" for name in _COLUMNS)}, moment, moment,
        moment + make_interval(secs => (member->>'deadline_seconds')::float)
    FROM json_array_elements(%(jobs)s::json) WITH ORDINALITY AS element (member, position),
        json_populate_record(NULL::inference_synthesisjob, member) AS job,
        LATERAL (SELECT now() + position * interval '1 microsecond' AS moment) AS clock
    WHERE job.id IN (SELECT id FROM admitted)
"""  # noqa: S608 - our own column names
"""Inserts those of the parameter `jobs` that the query `admitted` names. It is part of the statement that holds
the money for them, so that a job has a hold or is not there. Jobs that come together keep their order by time."""


def member(job: NewJob) -> dict[str, Any]:
    """The job as an element of the parameter `jobs`, a JSON array. Further members do no harm."""
    return {each.name: getattr(job, each.name) for each in fields(job)}


def belongs_to(job_id: UUID, *, organization_id: UUID) -> bool:
    """Whether there is such a job of this organization's."""
    return SynthesisJob.objects.filter(id=job_id, organization_id=organization_id).exists()
