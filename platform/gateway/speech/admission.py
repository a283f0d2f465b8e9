"""Letting a job in: money held and the job written in one statement, after which the workers are rung.

Held is what the text is expected to cost; the hold is raised while the job is spoken (`inference.hold`).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from accounts.identifiers import new_id
from accounts.keys import Principal
from billing import reservations
from gateway import catalog
from gateway.errors import ApiError, account_suspended, out_of_budget, out_of_credit
from gateway.service import Service
from gateway.speech import idempotency
from gateway.speech.group_commit import Admission, AdmissionOutcome, join_repeat
from gateway.speech.idempotency import Ask
from gateway.speech.speech_request import SpeechOrder
from inference import jobs, repeats


@dataclass(frozen=True, slots=True)
class Admitted:
    """A job whose money is held and that is on its way; `replayed`: an earlier request's, at no cost."""

    job_id: UUID
    replayed: bool = False


async def admit(
    service: Service,
    principal: Principal,
    order: SpeechOrder,
    ask: Ask,
    *,
    streamed: bool,
    deadline_seconds: float | None = None,
    job_id: UUID | None = None,
) -> Admitted:
    """A job for the request, or the one that it had before. `streamed`: its audio leaves as it is made.

    Args:
        deadline_seconds: how long it may wait for its first audio; `REQUEST_DEADLINE_SECONDS` by default.
        job_id: the id of the job, if it is admitted; a new one by default.

    Raises:
        ApiError: 503 where no worker lives, 429 where the credit or a budget does not cover the audio that is
            expected or the organization is suspended, 422 for a key of another request's.
    """
    job = jobs.NewJob(
        id=job_id or new_id(),
        organization_id=principal.organization_id,
        api_key_id=principal.key_id,
        **order.spec(),
        streamed=streamed,
        held_frames=order.held_frames,
        context=tuple(turn.job_id for turn in order.context),
        deadline_seconds=deadline_seconds or settings.REQUEST_DEADLINE_SECONDS,
        kept_seconds=principal.audio_seconds(store=order.store),
        idempotency_key=ask.key,
        fingerprint=ask.fingerprint,
    )
    admission = Admission(
        job,
        order.held_ms,
        retried=ask.kind == "retry",
        awaited=job_id is None,  # an id that was given out before is a promise
        tier=order.service_tier,
    )
    try:
        await service.workers.require()
    except ApiError:
        # An earlier request's job may have been spoken by now, and needs no worker.
        if ask.may_repeat and (outcome := await join_repeat(service.database, admission)):
            return _repeated(outcome)
        raise
    outcome = await service.admissions.admit(admission)
    if outcome.outcome in {repeats.JOINED, repeats.REUSED}:
        return _repeated(outcome)
    try:
        reservations.check(outcome.outcome, outcome.detail, model=order.model)
    except reservations.InsufficientCredit:
        await service.solvency.note_refusal(principal.organization_id)
        raise out_of_credit() from None
    except reservations.AccountSuspended:
        raise account_suspended() from None
    except reservations.BudgetExceeded as refusal:
        raise out_of_budget(refusal.which) from None
    except reservations.NoPrice:
        raise catalog.unknown_model(order.model) from None
    return Admitted(job.id)


def _repeated(outcome: AdmissionOutcome) -> Admitted:
    """The earlier request's job. Raises ApiError: 422 where the key stands for another request."""
    if outcome.earlier is None:
        raise idempotency.reused()
    return Admitted(outcome.earlier, replayed=True)
