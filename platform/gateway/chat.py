"""POST /v1/chat/completions: text in, speech out, in OpenAI's shape with the exact cost beside the tokens."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from gateway import admission, relay
from gateway.errors import ApiError, internal, invalid, timed_out, unavailable
from gateway.parsing import parse, read_json
from gateway.request_log import Row
from gateway.schemas import ChatRequest
from gateway.service import Service
from gateway.speech_request import order_from_chat
from inference import jobs, results
from inference.results import Result
from inference.units import SAMPLE_RATE, SAMPLES_PER_FRAME

_SPLICE = secrets.token_hex(16)
"""Where the base64 goes: it is put between two pieces of JSON and never passes through an encoder."""


async def create_chat_completion(request: Request) -> Response:
    """Speak the last user message and answer when it is all spoken."""
    service: Service = request.state.service
    row: Row = request.state.row
    principal = await service.keys.authenticate(request)
    row.organization_id, row.api_key_id = principal.organization_id, principal.key_id
    body = await read_json(request, limit=settings.ENVIRONMENT.max_body_bytes)
    order = order_from_chat(parse(ChatRequest, body))
    row.model, row.voice, row.format = order.model, order.voice, order.format
    row.characters = len(order.text)
    created = int(time.time())
    async with service.limiter.slot(principal, tokens=order.max_frames) as slot:
        job_id = row.job_id = await admission.admit(service, principal, order)
        result, audio = await _await_end(service, job_id)
        _record(row, result)
        slot.tokens_used = result.samples // SAMPLES_PER_FRAME
    if result.state != results.SUCCEEDED:
        raise _failure(result)
    completion = _completion(job_id, created, result, audio)
    return Response(completion, headers=slot.headers, media_type="application/json")


async def _await_end(service: Service, job_id: UUID) -> tuple[Result, bytes]:
    """The job's end; past the deadline the job is cancelled, unless it ended just then."""
    deadline = settings.REQUEST_DEADLINE_SECONDS
    try:
        async with asyncio.timeout(deadline):
            return await relay.collect(service, job_id)
    except TimeoutError:
        await asyncio.to_thread(jobs.cancel, job_id)
        result = await relay.ended(service, job_id)
        if result is None or result.state != results.SUCCEEDED:
            raise timed_out(deadline) from None
        return result, await relay.stored_audio(result)


def _failure(result: Result) -> ApiError:
    if result.error_code == "nothing_to_speak":
        return invalid(
            "There is no word to speak in the last user message.", param="messages", code="nothing_to_speak"
        )
    if result.state == "expired":
        return timed_out(settings.REQUEST_DEADLINE_SECONDS)
    if result.error_code == "worker_lost":
        return unavailable(
            "The workers that spoke this request were lost; it costs nothing. Please try again.",
            code="worker_lost",
            retry_after_seconds=2,
        )
    return internal()


def _record(row: Row, result: Result) -> None:
    row.samples = result.samples
    row.cost = Decimal(result.receipt.get("cost_usd", "0"))
    row.queue_ms = result.queue_ms
    row.first_audio_ms = result.first_audio_ms
    row.synthesis_ms = result.synthesis_ms


def _completion(job_id: UUID, created: int, result: Result, audio: bytes) -> bytes:
    """The answer's body (https://platform.openai.com/docs/api-reference/chat/object)."""
    message = {
        "role": "assistant",
        "content": result.transcript,
        "refusal": None,
        "audio": {
            "id": f"audio_{job_id.hex}",
            "data": _SPLICE,
            "expires_at": result.expires_at,
            "transcript": result.transcript,
        },
    }
    choice = {"index": 0, "message": message, "finish_reason": result.finish_reason, "logprobs": None}
    completion = {
        "id": f"chatcmpl-{job_id.hex}",
        "object": "chat.completion",
        "created": created,
        "model": result.engine_model,
        "choices": [choice],
        "usage": _usage(result),
    }
    before, after = json.dumps(completion).split(_SPLICE)
    return b"".join((before.encode(), base64.b64encode(audio), after.encode()))


def _usage(result: Result) -> dict[str, Any]:
    frames = result.samples // SAMPLES_PER_FRAME
    return {
        "prompt_tokens": result.prompt_tokens,
        "completion_tokens": frames,
        "total_tokens": result.prompt_tokens + frames,
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0, "text_tokens": result.prompt_tokens},
        "completion_tokens_details": {"audio_tokens": frames, "text_tokens": 0, "reasoning_tokens": 0},
        "audio_seconds": result.samples / SAMPLE_RATE,
        "cost_usd": result.receipt["cost_usd"],
    }
