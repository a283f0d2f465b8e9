"""Where jobs become money: the one place that hands `inference` to `billing`.

Registered as `inference.jobs.settlement` and `inference.jobs.holding`, and called inside the transactions that end
jobs and that raise their holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from billing import ledger, policies, pricing, reservations
from billing.checks import Check
from billing.ledger import Usage
from inference import jobs
from inference.audio import FRAME_MS, SAMPLES_PER_FRAME, SAMPLES_PER_MS
from inference.models import SynthesisJob

_State = SynthesisJob.State
_LIVE = (_State.QUEUED, _State.RUNNING)

JOBS_ARE_RECORDED = Check(
    name="jobs_are_recorded",
    holds="each job that succeeded or delivered audio has a usage record of its samples, and no other has one",
    offenders="""
        SELECT 'job ' || id AS subject, coalesce(cost, 0) AS drift
        FROM inference_synthesisjob job
        LEFT JOIN billing_usagerecord record ON record.job_id = job.id AND record.job_id >= %(since)s
        WHERE job.id >= %(since)s
            AND CASE WHEN state = 'succeeded' OR job.samples > 0 THEN job.samples IS DISTINCT FROM record.samples
                ELSE record.job_id IS NOT NULL END
    """,
)
"""What `billing` cannot check, for it does not know jobs; `manage.py ledger verify` runs it with the rest."""
RELAYED_AUDIO_IS_BILLED = Check(
    name="relayed_audio_is_billed",
    holds="no ended job's listener was handed more audio than the job's usage record bills",
    offenders=f"""
        SELECT 'job ' || log.job_id AS subject,
            billing_cost(
                (log.relayed_samples - coalesce(record.samples, 0)) / {SAMPLES_PER_MS}, price.dollars_per_minute
            ) AS drift
        FROM gateway_requestlog log
        JOIN inference_synthesisjob job
            ON job.id = log.job_id AND job.id >= %(since)s AND job.finished_at IS NOT NULL
        JOIN billing_reservation reservation ON reservation.job_id = log.job_id AND reservation.job_id >= %(since)s
        JOIN billing_price price ON price.id = reservation.price_id
        LEFT JOIN billing_usagerecord record ON record.job_id = log.job_id AND record.job_id >= %(since)s
        WHERE log.id >= %(since)s AND log.relayed_samples > coalesce(record.samples, 0)
    """,  # noqa: S608 - our own SQL
)
"""The gateway's own count of what it handed on, held against the bill."""


def settle(ended: Sequence[SynthesisJob]) -> dict[UUID, dict[str, Any]]:
    """Bill or release ended jobs, each once; returns what each customer's answer says of it."""
    usages = []
    for job in ended:
        billed_frames = policy_of(job)(job.samples // SAMPLES_PER_FRAME * FRAME_MS) // FRAME_MS
        if job.state != _State.SUCCEEDED and not billed_frames:
            ledger.void(job_id=job.id)
        else:
            usages.append(
                Usage(
                    job_id=job.id,
                    api_key_id=job.api_key_id,
                    model=job.model,
                    voice=job.voice,
                    samples=billed_frames * SAMPLES_PER_FRAME,
                    duration_ms=billed_frames * FRAME_MS,
                )
            )
    records = ledger.settle_all(usages) if usages else {}
    return {job.id: {"cost_usd": pricing.show(records[job.id].cost)} if job.id in records else {} for job in ended}


OUT_OF_CREDIT, OUT_OF_BUDGET, SUSPENDED = "insufficient_quota", "budget_exceeded", "billing_not_active"
HOLD_REFUSALS = frozenset({OUT_OF_CREDIT, OUT_OF_BUDGET, SUSPENDED})
"""The error codes of jobs whose hold could not be raised, which are those of refusals at admission."""


def raise_hold(job_id: UUID, frames: int) -> int:
    """Hold money for so many frames of a job that is being spoken, or for as many as there is money for.

    Returns:
        How many frames the hold covers now.

    Raises:
        jobs.HoldRefused: it covers no more than before.
    """
    try:
        covered_ms = reservations.raise_hold(job_id=job_id, cap_ms=frames * FRAME_MS)
    except reservations.InsufficientCredit:
        raise jobs.HoldRefused(OUT_OF_CREDIT) from None
    except reservations.BudgetExceeded:
        raise jobs.HoldRefused(OUT_OF_BUDGET) from None
    except reservations.AccountSuspended:
        raise jobs.HoldRefused(SUSPENDED) from None
    except reservations.HoldReleased:
        raise jobs.HoldRefused("hold_released") from None
    return covered_ms // FRAME_MS


def policy_of(job: SynthesisJob) -> Callable[[int], int]:
    """The rule by which an ended job is billed."""
    match job.state:
        case _State.SUCCEEDED:
            return policies.cut_at_limit if job.finish_reason == "length" else policies.completed
        case _:
            return policies.ended_midway


def may_bring_usage(before: UUID) -> bool:
    """Whether a job with a lower id has not ended, so that its month cannot be sealed yet."""
    return any(SynthesisJob.objects.filter(state=state, id__lt=before).exists() for state in _LIVE)
