"""POST /v1/chat/completions: text in, speech out, in OpenAI's shapes with the exact cost beside the tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from accounts.identifiers import parse_prefixed, uuid7_moment
from accounts.keys import Principal
from gateway import database_threads, deletion
from gateway.chat_schemas import ChatRequest
from gateway.errors import ApiError, expired, not_found
from gateway.parsing import parse
from gateway.service import Service
from gateway.speech import background, relay, sse, stopping, timestamps
from gateway.speech.outcome import AnswerFormat, Bill
from gateway.speech.relay import Begun, Finished, Piece, Times
from gateway.speech.speech_request import SpeechOrder, order_from_chat
from gateway.speech.spliced import HERE, Spliced, SplicedFile
from gateway.speech.synthesis import Asked, SpeechRoute
from inference import jobs, spool
from inference.results import Result
from inference.speech.alignment import Timed
from usage.request_log import Row


def _read(body: Any, offered: Sequence[str], most_characters: int) -> Asked:
    request = parse(ChatRequest, body)
    order = order_from_chat(request, offered, most_characters=most_characters)
    include_usage = bool(request.stream_options and request.stream_options.include_usage)

    def answer(job_id: UUID, created: int) -> AnswerFormat:
        if request.stream:
            return _Chunks(job_id, created, order, include_usage=include_usage)
        return _Completion(job_id, created, granularity=order.timestamps)

    if request.background:
        background.refuse_stream(streamed=bool(request.stream), param="stream")
        return Asked(order, answer, streamed=False, background="chat.completion")
    return Asked(order, answer, streamed=bool(request.stream))


create_chat_completion = SpeechRoute(_read, takes_recordings=True)
"""Speak the last user message."""


class _Completion:
    """The answer when all is spoken (https://platform.openai.com/docs/api-reference/chat/object)."""

    streamed = False
    media_type = "application/json"

    def __init__(self, job_id: UUID, created: int, *, granularity: str) -> None:
        self._job_id = job_id
        self._created = created
        self._granularity = granularity
        self._times: list[Timed] = []
        self._alignment = "estimated"
        self._audio = spool.create()
        """It is deleted with the answer."""

    def begin(self, begun: Begun) -> bytes:
        return b""

    def audio(self, data: bytes) -> bytes:
        self._audio.write(data)
        return b""

    def times(self, times: Times) -> bytes:
        self._times += times.times
        self._alignment = times.alignment
        return b""

    def idle(self) -> bytes:
        return b""

    def end(self, finished: Finished, bill: Bill) -> bytes | SplicedFile:
        result = finished.result
        told = {
            "id": f"audio_{self._job_id.hex}",
            "data": HERE,
            "expires_at": result.expires_at,
            "transcript": result.transcript,
            **self._timestamps(),
        }
        made = completion(self._job_id, self._created, result, audio=told, usage=_usage(bill))
        spliced = Spliced(json.dumps(made).encode())
        size = spool.rewind(self._audio, head=finished.head)
        if size > spool.MEMORY_BYTES:
            return spliced.with_file(self._audio, size=size)
        return spliced.with_audio(self._audio.read())

    def fail(self, refusal: ApiError, bill: Bill) -> bytes:
        return b""

    def _timestamps(self) -> dict[str, Any]:
        if not self._granularity:
            return {}
        times = Times(tuple(self._times), self._alignment)
        return {"timestamps": timestamps.shown(times, self._granularity)}


class _Chunks:
    """The answer as it is spoken, in OpenAI's order: the role, the transcript, the audio, when it expires, why it
    ended, what it costs. A container's first bytes cannot know its length here; the stored audio's do.

    Each audio delta has `data`, empty where there is no audio in it: clients read it without looking first.
    """

    streamed = True
    media_type = sse.MEDIA_TYPE

    def __init__(self, job_id: UUID, created: int, order: SpeechOrder, *, include_usage: bool) -> None:
        self._granularity = order.timestamps
        self._audio_id = f"audio_{job_id.hex}"
        self._include_usage = include_usage
        self._envelope: dict[str, Any] = {
            "id": f"chatcmpl-{job_id.hex}",
            "object": "chat.completion.chunk",
            "created": created,
            "service_tier": order.service_tier,
        }
        self._audio = Spliced(HERE.encode())

    def begin(self, begun: Begun) -> bytes:
        self._envelope["model"] = begun.engine_model
        self._audio = Spliced(self._delta({"audio": {"data": HERE}}))
        spoken = {"content": None, "audio": {"id": self._audio_id, "data": "", "transcript": begun.transcript}}
        return self._delta({"role": "assistant", "refusal": None}) + self._delta(spoken)

    def audio(self, data: bytes) -> bytes:
        return self._audio.with_audio(data)

    def times(self, times: Times) -> bytes:
        shown = timestamps.shown(times, self._granularity)
        return self._delta({"audio": {"data": "", "timestamps": shown}})

    def idle(self) -> bytes:
        return sse.COMMENT

    def end(self, finished: Finished, bill: Bill) -> bytes:
        result = finished.result
        pieces = [
            self._delta({"audio": {"data": "", "expires_at": result.expires_at}}),
            self._delta({}, finish_reason=result.finish_reason),
        ]
        if self._include_usage:
            pieces.append(sse.event({**self._envelope, "choices": [], "usage": _usage(bill)}))
        return b"".join([*pieces, sse.DONE])

    def fail(self, refusal: ApiError, bill: Bill) -> bytes:
        return b"data: " + refusal.body(usage=_usage(bill)).encode() + b"\n\n"

    def _delta(self, delta: dict[str, Any], *, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        usage = {"usage": None} if self._include_usage else {}
        return sse.event({**self._envelope, "choices": [choice], **usage})


def completion(
    job_id: UUID, created: int, result: Result, *, audio: dict[str, Any], usage: dict[str, Any]
) -> dict[str, Any]:
    """The chat completion of a job that succeeded, with what it tells of its audio."""
    message = {"role": "assistant", "content": result.transcript, "refusal": None, "audio": audio}
    return {
        "id": f"chatcmpl-{job_id.hex}",
        "object": "chat.completion",
        "created": created,
        "model": result.engine_model,
        "choices": [{"index": 0, "message": message, "finish_reason": result.finish_reason, "logprobs": None}],
        "usage": usage,
        "service_tier": result.service_tier,
    }


def _usage(bill: Bill) -> dict[str, Any]:
    return {
        "prompt_tokens": bill.prompt_tokens,
        "completion_tokens": bill.frames,
        "total_tokens": bill.prompt_tokens + bill.frames,
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0, "text_tokens": bill.prompt_tokens},
        "completion_tokens_details": {"audio_tokens": bill.frames, "text_tokens": 0, "reasoning_tokens": 0},
        "audio_seconds": bill.seconds,
        "cost_usd": bill.cost,
        **({"voice_reference": bill.voice_reference} if bill.voice_reference else {}),
    }


class CompletionResource(HTTPEndpoint):
    """/v1/chat/completions/{completion_id}"""

    async def get(self, request: Request) -> Response:
        """A completion that was asked for in the background, whole with its audio; 202 until it is there."""
        service: Service = request.state.service
        job_id, principal = await _owned_job(request)
        async with service.limiter.slot(principal) as slot:
            if (waiting := await background.status(service, job_id)) is not None:
                return waiting
            result = await relay.ended(service, job_id)
            if result is None or not result.path:
                raise unknown(request.path_params["completion_id"])
            created = int(uuid7_moment(job_id).timestamp())
            completion = _Completion(job_id, created, granularity=result.timestamps)
            try:
                async for event in relay.replay(result):
                    match event:
                        case Piece():
                            completion.audio(event.data)
                        case Times():
                            completion.times(event)
            except FileNotFoundError:
                raise expired("completion_id") from None
            whole = completion.end(Finished(result), Bill.of(result, replayed=False))
            if isinstance(whole, bytes):
                return Response(whole, headers=slot.headers, media_type=completion.media_type)
            headers = {**slot.headers, "content-length": str(len(whole))}
            return StreamingResponse(whole, headers=headers, media_type=completion.media_type)

    async def delete(self, request: Request) -> Response:
        """Cancel a running completion for all its listeners, or delete the audio of a finished one."""
        service: Service = request.state.service
        job_id, _ = await _owned_job(request)
        if not await stopping.cancel(service, job_id):
            await deletion.purge(service, job_id)
        name = request.path_params["completion_id"]
        return JSONResponse({"id": name, "object": "chat.completion.deleted", "deleted": True})


async def _owned_job(request: Request) -> tuple[UUID, Principal]:
    """The job of the caller's completion. Raises ApiError: 404 for what is unknown or another's."""
    service: Service = request.state.service
    row: Row = request.state.row
    principal = await service.keys.authenticate(request)
    name = request.path_params["completion_id"]
    job_id = parse_prefixed("chatcmpl-", name)
    if job_id is None or not await database_threads.run(
        jobs.belongs_to, job_id, organization_id=principal.organization_id
    ):
        raise unknown(name)
    row.job_id = job_id
    return job_id, principal


def unknown(name: str) -> ApiError:
    return not_found(
        f"No chat completion with id {name[:100]!r}.", code="completion_not_found", param="completion_id"
    )
