"""How jobs end well: those that end while others are being settled are settled together, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.utils import InterfaceError, OperationalError
from django.utils import timezone
from psycopg.errors import DeadlockDetected
from psycopg.types.json import Jsonb

from accounts import prepared
from inference import results
from inference.audio import SAMPLES_PER_FRAME
from inference.jobs import ending
from inference.jobs.group_commit import GroupCommit
from inference.models import AudioAsset, SynthesisJob
from inference.results import Result

MOST_TOGETHER = 256
"""Jobs in a transaction: they all wait for its last, and the accounts of all are locked until its commit."""
_FINISH = Path(__file__).with_name("finish.sql").read_text("utf-8")
_KEEP = Path(__file__).with_name("keep.sql").read_text("utf-8")


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
    """End a job well: its state, its asset and, through `settlement`, its bill, in one transaction.

    Jobs that threads of this process finish meanwhile share the next transaction.

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
    """Finish these jobs in one transaction.

    The settlement, which locks the accounts, comes as late as it can: the assets need what it says, and they leave
    in one message with the commit.
    """
    with prepared.one_transaction(), prepared.cursor() as cursor:
        cursor.execute(_FINISH, _columns(batch))
        ended = prepared.fetch(cursor, SynthesisJob)
        assets: dict[tuple[UUID, int], AudioAsset] = {}
        if ended:
            receipts = ending.settlement(ended)
            spoken = {(each.job_id, each.attempt): each.spoken for each in batch}
            for job in ended:
                which = job.id, job.attempt
                assets[which] = _asset(job, spoken[which], receipts[job.id])
            cursor.execute(_KEEP, _columns_of_assets(assets.values()))
    return [
        results.of(asset.job, asset) if (asset := assets.get((each.job_id, each.attempt))) else None
        for each in batch
    ]


def _asset(job: SynthesisJob, spoken: SpokenJob, receipt: dict[str, Any]) -> AudioAsset:
    now = timezone.now()
    return AudioAsset(
        job=job,
        organization_id=job.organization_id,
        path=spoken.path,
        codes_path=spoken.codes_path,
        content_type=spoken.content_type,
        size=spoken.size,
        samples=spoken.audio_frames * SAMPLES_PER_FRAME,
        transcript=spoken.transcript,
        receipt=receipt,
        created_at=now,
        expires_at=now + timedelta(seconds=job.kept_seconds),
    )


def _columns(batch: Sequence[_Finished]) -> dict[str, list[object]]:
    """The parameters of finish.sql."""
    names = ("engine_model", "finish_reason", "prompt_tokens", "first_audio_ms", "synthesis_ms", "encode_ms")
    return {
        "job_id": [each.job_id for each in batch],
        "attempt": [each.attempt for each in batch],
        "samples": [each.spoken.frames * SAMPLES_PER_FRAME for each in batch],
        **{name: [getattr(each.spoken, name) for each in batch] for name in names},
    }


def _columns_of_assets(assets: Collection[AudioAsset]) -> dict[str, list[object]]:
    """The parameters of keep.sql."""
    names = (
        "job_id", "organization_id", "path", "codes_path", "content_type", "size", "samples", "transcript",
        "created_at", "expires_at",
    )  # fmt: skip
    return {
        **{name: [getattr(asset, name) for asset in assets] for name in names},
        "receipt": [Jsonb(asset.receipt) for asset in assets],
    }


_together = GroupCommit(_finish_all, most=MOST_TOGETHER)
