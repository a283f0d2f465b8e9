"""Requests with `background: true`: answered at once with an id, by which their result is asked for later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from starlette.responses import JSONResponse

from accounts.identifiers import new_id, uuid7_moment
from accounts.keys import Principal
from accounts.models import Organization
from gateway import database_threads
from gateway.batches import doorbell
from gateway.errors import ApiError, invalid
from gateway.models import BackgroundRequest
from gateway.service import Service
from gateway.speech.outcome import Bill, failure_of
from inference import results
from inference.models import SynthesisJob

Kind = Literal["audio.speech", "chat.completion"]
DEADLINE_SECONDS = 3600.0
"""How long such a request may wait for its first audio."""
MOST_UNDER_WAY = 1000
"""Of one organization."""
ADMITTED_WITHIN = timedelta(minutes=5)
"""By then the job of a request is there, or will never be."""
ASK_AGAIN_SECONDS = "1"
_LIVE = (SynthesisJob.State.QUEUED, SynthesisJob.State.RUNNING)


def refuse_stream(*, streamed: bool, param: str) -> None:
    """Raises ApiError: 400, a request in the background has nobody to stream to."""
    if streamed:
        raise invalid(
            f"Invalid value for {param!r}: a request with 'background' is not streamed.",
            param=param,
            code="unsupported_value",
        )


def too_many() -> ApiError:
    return ApiError(
        429,
        f"Your organization has {MOST_UNDER_WAY} requests in the background. Wait for one, or use a batch.",
        code="too_many_background_requests",
        type="requests",
        headers={"retry-after": "10"},
        retry=True,
    )


@asynccontextmanager
async def place(principal: Principal, kind: Kind) -> AsyncIterator[UUID]:
    """Note a request before its job is admitted; gives the id that the job must have. One that is refused is
    forgotten; one whose gateway dies before its job is there is forgotten by `forget_lost`.

    Raises:
        ApiError: 429 above `MOST_UNDER_WAY`.
    """
    job_id = new_id()
    await database_threads.run(_take_place, principal.organization_id, job_id, kind)
    try:
        yield job_id
    except ApiError:
        await leave(job_id)
        raise


async def leave(job_id: UUID) -> None:
    """Forget a request whose job was not admitted."""
    await database_threads.run(BackgroundRequest.objects.filter(job_id=job_id).delete)


async def accepted(job_id: UUID, kind: Kind) -> dict[str, Any]:
    """The answer to a request whose job is on its way."""
    await asyncio.to_thread(doorbell.ring)
    return _shown(job_id, kind, "queued")


def forget_lost() -> None:
    """Forget requests whose job never came to be."""
    job = SynthesisJob.objects.filter(id=OuterRef("job_id"))
    waiting = BackgroundRequest.objects.filter(notified_at=None, created_at__lt=timezone.now() - ADMITTED_WITHIN)
    waiting.filter(~Exists(job)).delete()


@transaction.atomic
def _take_place(organization_id: UUID, job_id: UUID, kind: Kind) -> None:
    """Raises ApiError: 429 above `MOST_UNDER_WAY`."""
    # One after the other, or each of several would find the last place free.
    Organization.objects.select_for_update(no_key=True).get(id=organization_id)
    if BackgroundRequest.objects.filter(organization=organization_id, notified_at=None).count() >= MOST_UNDER_WAY:
        raise too_many()
    BackgroundRequest.objects.create(job_id=job_id, organization_id=organization_id, kind=kind)


async def status(service: Service, job_id: UUID) -> JSONResponse | None:
    """The answer to who asks for a background request that is not done; None for one that is, or is none.

    Raises:
        ApiError: 409, it failed.
    """
    found = await database_threads.run(_find, job_id)
    if found is None:
        return None
    request, job = found
    if job.state in _LIVE:
        doing = "in_progress" if job.state == SynthesisJob.State.RUNNING else "queued"
        headers = {"retry-after": ASK_AGAIN_SECONDS}
        return JSONResponse(_shown(job_id, request.kind, doing), 202, headers)
    if job.state != SynthesisJob.State.SUCCEEDED:
        raise failure(job)
    return None


def failure(job: SynthesisJob) -> ApiError:
    """Why a background request failed. Asking again does not help, whatever the status would have been."""
    result = results.of(job)
    refusal = failure_of(result, Bill.of(result, replayed=False))
    return ApiError(409, refusal.message, code=refusal.code, param=refusal.param, type=refusal.type, retry=False)


def _find(job_id: UUID) -> tuple[BackgroundRequest, SynthesisJob] | None:
    request = BackgroundRequest.objects.filter(job_id=job_id).first()
    job = SynthesisJob.objects.filter(id=job_id).first()
    return None if request is None or job is None else (request, job)


def _shown(job_id: UUID, kind: str, doing: str) -> dict[str, Any]:
    prefix = "audio_" if kind == "audio.speech" else "chatcmpl-"
    return {
        "id": f"{prefix}{job_id.hex}",
        "object": kind,
        "created": min(int(uuid7_moment(job_id).timestamp()), int(time.time())),
        "status": doing,
        "audio_id": f"audio_{job_id.hex}",
    }
