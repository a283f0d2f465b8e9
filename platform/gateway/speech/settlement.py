"""Where jobs become money: the one place that hands `inference` to `billing`.

Registered as ports of `inference.jobs`, and part of the transactions that end jobs and that raise their holds.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from billing import ledger, policies, pricing, reservations
from billing.checks import Check
from billing.ledger import Usage
from billing.settlement import SETTLE
from inference import jobs
from inference.audio import FRAME_MS, SAMPLES_PER_MS
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


_SETTLE_FINISHED = f"""
usage AS (
    SELECT job_id, api_key_id, model, voice, samples, samples / {SAMPLES_PER_MS} AS duration_ms FROM ended
),
{SETTLE},
receipt AS (
    SELECT job_id, jsonb_build_object('cost_usd', cost::text) AS receipt FROM record
)
"""  # noqa: S608 - our own SQL


def settle_finished() -> str:
    """The part of the statement that ends jobs well which bills them, each once, for all that was spoken."""
    return _SETTLE_FINISHED


def settle(job: SynthesisJob) -> dict[str, Any]:
    """Bill or release a job that ended without success, once; returns what its customer's answer says of it."""
    billed_ms = policies.ended_midway(job.samples // SAMPLES_PER_MS)
    if not billed_ms:
        ledger.void(job_id=job.id)
        return {}
    usage = Usage(
        job_id=job.id,
        api_key_id=job.api_key_id,
        model=job.model,
        voice=job.voice,
        samples=billed_ms * SAMPLES_PER_MS,
        duration_ms=billed_ms,
    )
    return {"cost_usd": pricing.show(ledger.settle(usage).cost)}


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


def may_bring_usage(before: UUID) -> bool:
    """Whether a job with a lower id has not ended, so that its month cannot be sealed yet."""
    return any(SynthesisJob.objects.filter(state=state, id__lt=before).exists() for state in _LIVE)
