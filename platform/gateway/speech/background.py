"""Requests with `background: true`: answered at once with an id, by which their result is asked for later."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal
from uuid import UUID

from starlette.responses import JSONResponse

from accounts.identifiers import uuid7_moment
from accounts.keys import Principal
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


async def check_room(principal: Principal) -> None:
    """Raises ApiError: 429 above `MOST_UNDER_WAY`."""
    under_way = BackgroundRequest.objects.filter(organization=principal.organization_id, notified_at=None)
    if await database_threads.run(under_way.count) >= MOST_UNDER_WAY:
        raise too_many()


async def accept(principal: Principal, job_id: UUID, kind: Kind) -> dict[str, Any]:
    """Note the request, once, and return its answer."""
    await database_threads.run(
        BackgroundRequest.objects.get_or_create,
        job_id=job_id,
        defaults={"organization_id": principal.organization_id, "kind": kind},
    )
    await asyncio.to_thread(doorbell.ring)
    return _shown(job_id, kind, "queued")


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
    return None if request is None else (request, SynthesisJob.objects.get(id=job_id))


def _shown(job_id: UUID, kind: str, doing: str) -> dict[str, Any]:
    prefix = "audio_" if kind == "audio.speech" else "chatcmpl-"
    return {
        "id": f"{prefix}{job_id.hex}",
        "object": kind,
        "created": min(int(uuid7_moment(job_id).timestamp()), int(time.time())),
        "status": doing,
        "audio_id": f"audio_{job_id.hex}",
    }
