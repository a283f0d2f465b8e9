"""How jobs end well: those that end while others are being settled are settled together, in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import UUID

from django.db.utils import InterfaceError, OperationalError
from psycopg.errors import DeadlockDetected

from accounts import prepared
from accounts.ports import Port
from inference import results
from inference.audio import SAMPLES_PER_FRAME
from inference.jobs.group_commit import GroupCommit
from inference.models import SynthesisJob
from inference.results import Result

MOST_TOGETHER = 256
"""Jobs in a statement: they all wait for its last, and the accounts of all are locked until its commit."""
settling = Port[[], str]("settles finished jobs")
"""The queries of finish.sql that bill the rows of `ended` and leave `receipt`."""
_FINISH = Path(__file__).with_name("finish.sql").read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenJob:
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


@dataclass(frozen=True, slots=True)
class _Finished:
    """An attempt at a job that has been spoken to its end."""

    job_id: UUID
    attempt: int
    spoken: SpokenJob


def finish(job_id: UUID, attempt: int, spoken: SpokenJob) -> Result | None:
    """End a job well: its state, its asset and, through `settling`, its bill, in one statement.

    Jobs that threads of this process finish meanwhile share the next one.

    Returns:
        How it ended; None where the job is no longer this attempt's, or nobody listens (`leave`), in which case
        nothing was written.
    """
    return _together(_Finished(job_id, attempt, spoken))


def _finish_all(batch: Sequence[_Finished]) -> Sequence[Result | Exception | None]:
    """Finish these jobs together. A batch that is refused is halved, until what is wrong is alone."""
    try:
        return _finish_in_one(batch)
    except Exception as error:
        if _concerns_all(error):
            return [error] * len(batch)
    if len(batch) == 1:
        return [_finish_alone(batch[0])]
    middle = len(batch) // 2
    return [*_finish_all(batch[:middle]), *_finish_all(batch[middle:])]


def _finish_alone(each: _Finished) -> Result | Exception | None:
    """Try once more: what was in its way may have been somebody else's."""
    try:
        [result] = _finish_in_one([each])
    except Exception as error:
        return error
    return result


def _concerns_all(error: Exception) -> bool:
    """Whether the database is away, so that no half of the batch would fare better."""
    return isinstance(error, OperationalError | InterfaceError) and not isinstance(
        error.__cause__, DeadlockDetected
    )


def _finish_in_one(batch: Sequence[_Finished]) -> list[Result | None]:
    """Finish these jobs in one statement: all of them, or none."""
    with prepared.cursor() as cursor:
        cursor.execute(_statement(), _columns(batch))
        ended = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
    return [
        _result(each.spoken, *rest) if (rest := ended.get((each.job_id, each.attempt))) else None for each in batch
    ]


@cache
def _statement() -> str:
    return _FINISH.replace("{settlement}", settling())


def _result(
    spoken: SpokenJob,
    service_tier: str,
    created_at: datetime,
    started_at: datetime,
    receipt: str,
    expires_at: datetime,
) -> Result:
    return Result(
        state=SynthesisJob.State.SUCCEEDED.value,
        engine_model=spoken.engine_model,
        finish_reason=spoken.finish_reason,
        prompt_tokens=spoken.prompt_tokens,
        samples=spoken.frames * SAMPLES_PER_FRAME,
        queue_ms=results.queue_ms(created_at, started_at),
        first_audio_ms=spoken.first_audio_ms,
        synthesis_ms=spoken.synthesis_ms,
        encode_ms=spoken.encode_ms,
        service_tier=service_tier,
        receipt=json.loads(receipt),
        transcript=spoken.transcript,
        path=spoken.path,
        expires_at=int(expires_at.timestamp()),
    )


def _columns(batch: Sequence[_Finished]) -> dict[str, list[object]]:
    """The parameters of finish.sql."""
    names = (
        "engine_model", "finish_reason", "prompt_tokens", "first_audio_ms", "synthesis_ms", "encode_ms", "path",
        "codes_path", "content_type", "size", "transcript",
    )  # fmt: skip
    return {
        "job_id": [each.job_id for each in batch],
        "attempt": [each.attempt for each in batch],
        "samples": [each.spoken.frames * SAMPLES_PER_FRAME for each in batch],
        "audio_samples": [each.spoken.audio_frames * SAMPLES_PER_FRAME for each in batch],
        **{name: [getattr(each.spoken, name) for each in batch] for name in names},
    }


_together = GroupCommit(_finish_all, most=MOST_TOGETHER)
