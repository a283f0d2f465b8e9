"""Where a finished job becomes money: the one place that hands `inference` to `billing`.

Named by `settings.JOB_SETTLEMENT` and called inside the transaction that ends the job. The policy: a job that
succeeded costs the audio it generated, cut short by `max_completion_tokens` or not; one that failed, was
cancelled or expired costs nothing.
"""

from __future__ import annotations

from typing import Any

from billing import ledger, pricing
from billing.ledger import Usage
from inference.models import SynthesisJob
from inference.units import FRAME_MS, SAMPLES_PER_FRAME


def settle(job: SynthesisJob) -> dict[str, Any]:
    """Bill or release an ended job, once; returns what the customer's answer says of it."""
    if job.state != SynthesisJob.State.SUCCEEDED:
        ledger.void(job_id=job.id)
        return {}
    record = ledger.settle(
        Usage(
            job_id=job.id,
            api_key_id=job.api_key_id,
            model=job.model,
            voice=job.voice,
            samples=job.samples,
            duration_ms=job.samples // SAMPLES_PER_FRAME * FRAME_MS,
        )
    )
    return {"cost_usd": pricing.show(record.cost)}
