"""The routes of /v1, each with the description that the API's document and the reference page show.

To add a route:

1. Write its endpoint, in Starlette; or a view in `gateway.urls`, with `DJANGO` as the endpoint here.
2. Write the model of its answer in `gateway.reference.answers`, and a sample of it in `gateway.reference.samples`.
3. Add an entry to `V1_ROUTES`, or to the routes of its subject, such as `gateway.voice_routes`.

`tests/gateway/test_reference.py` then sends it generated requests and checks its answers against the description.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import errors, models_api, request_api
from gateway.audio_routes import AUDIO_ROUTES, AUDIO_TYPES
from gateway.batches.routes import BATCH_ROUTES
from gateway.chat_schemas import ChatRequest
from gateway.keys.routes import KEY_ROUTES
from gateway.mounting import DJANGO, V1Route
from gateway.pronunciation_routes import PRONUNCIATION_ROUTES
from gateway.reference import answers, batches, failures, samples
from gateway.reference.document import EVENTS, describe, with_voices
from gateway.reference.operation import Answer, Operation, Parameter
from gateway.schemas import SpeechBody
from gateway.service import Service
from gateway.speech import chat, speech, stream
from gateway.speech.background import too_many
from gateway.usage_api import UsageQuery
from gateway.voice_routes import VOICE_ROUTES


@cache
def document() -> dict[str, Any]:
    """The API's document, with the standard voices; the same for every caller."""
    return describe(V1_ROUTES)


async def show_document(request: Request) -> Response:
    """GET /v1/openapi.json, with the voices on offer now."""
    service: Service = request.state.service
    made = await asyncio.to_thread(document)
    return JSONResponse(with_voices(made, await service.workers.voices()))


_EVENTS = (EVENTS,)
_IDEMPOTENCY_KEY = {
    "Idempotency-Key": Parameter(
        "Repeating a request with the same key and body within 24 hours returns the same audio at no cost.",
        "order-4711",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    )
}
_SPEECH_HEADERS = {
    "x-audio-id": "Id of the stored audio, `audio_…`.",
    "idempotency-replayed": "`true` if this repeats an earlier answer, at no cost.",
    "x-speech-warnings": "What of the request was ignored, such as an element of SSML.",
    "x-service-tier": "The tier of service that it was spoken in: `default`, `priority` or `flex`.",
    "server-timing": "Milliseconds of authentication, admission and queueing.",
    "x-ratelimit-limit-requests": "Requests per minute.",
    "x-ratelimit-remaining-requests": "Requests that remain now.",
    "x-ratelimit-reset-requests": "Time until the limit is whole again, such as `1.5s`.",
    "x-ratelimit-limit-tokens": "Audio frames per minute; one second of audio has 25.",
    "x-ratelimit-remaining-tokens": "Frames that remain now.",
    "x-ratelimit-reset-tokens": "Time until the limit is whole again.",
}

V1_ROUTES = (
    V1Route(
        "/chat/completions",
        chat.create_chat_completion,
        {
            "POST": Operation(
                id="createChatCompletion",
                tag="Speech",
                summary="Create a chat completion",
                description="Speaks the last user message. System messages set the style. With `stream: true` the "
                "answer is server-sent events in OpenAI's order: role, transcript, audio as it is generated, "
                "expiry, finish reason, usage if `stream_options.include_usage` is set, `[DONE]`. Members of "
                "OpenAI's API that do not apply to speech, such as `tools`, are accepted and ignored.",
                headers=_IDEMPOTENCY_KEY,
                body=ChatRequest,
                requests=samples.CHAT,
                answers=[
                    Answer("The audio and its transcript.", samples.COMPLETION, headers=_SPEECH_HEADERS),
                    Answer("The same, as events.", samples.COMPLETION_EVENTS, _EVENTS),
                    Answer("With `background: true`.", batches.CHAT_ACCEPTED, status=202),
                ],
                errors=[
                    *failures.SPEECH,
                    *failures.own_voice("audio.voice"),
                    failures.unknown_audio("messages[0].audio.id"),
                    errors.expired(),
                    too_many(),
                ],
            )
        },
    ),
    V1Route(
        "/chat/completions/{completion_id}",
        chat.CompletionResource,
        {
            "GET": Operation(
                id="getChatCompletion",
                tag="Speech",
                summary="Retrieve a chat completion",
                description="The completion with its audio, for as long as the audio is stored. Until a request "
                "with `background: true` is done, the answer is 202.",
                path={"completion_id": Parameter("Id of the completion.", samples.COMPLETION_ID)},
                answers=[
                    Answer("The completion.", samples.COMPLETION),
                    Answer("It is not done.", batches.CHAT_ACCEPTED, status=202),
                ],
                errors=[
                    chat.unknown(samples.COMPLETION_ID),
                    errors.expired("completion_id"),
                    batches.BACKGROUND_FAILED,
                    failures.RATE_LIMITED,
                ],
            ),
            "DELETE": Operation(
                id="deleteChatCompletion",
                tag="Speech",
                summary="Cancel or delete a chat completion",
                description="Cancels a completion that is running: it is billed for the audio delivered so far. "
                "Deletes the stored audio of a finished one.",
                path={"completion_id": Parameter("Id of the completion.", samples.COMPLETION_ID)},
                answers=[
                    Answer(
                        "It is canceled or deleted.",
                        answers.Deleted(id=samples.COMPLETION_ID, object="chat.completion.deleted", deleted=True),
                    )
                ],
                errors=[chat.unknown(samples.COMPLETION_ID)],
            ),
        },
    ),
    V1Route(
        "/audio/speech",
        speech.create_speech,
        {
            "POST": Operation(
                id="createSpeech",
                tag="Speech",
                summary="Create speech",
                description="Speaks `input`. The audio is sent while it is generated. `GET /v1/audio/{audio_id}` "
                "with the id in `x-audio-id` returns it again, and its cost.",
                headers=_IDEMPOTENCY_KEY,
                body=SpeechBody,
                requests=samples.SPEECH,
                answers=[
                    Answer("The audio.", None, AUDIO_TYPES, headers=_SPEECH_HEADERS),
                    Answer("With `stream_format: sse`.", samples.SPEECH_EVENTS, _EVENTS),
                    Answer("With `background: true`.", batches.SPEECH_ACCEPTED, status=202),
                ],
                errors=[*failures.SPEECH, *failures.own_voice("voice"), errors.expired(), too_many()],
            )
        },
    ),
    V1Route(
        "/audio/speech/stream",
        stream.upgrade_required,
        {
            "GET": Operation(
                id="streamSpeech",
                tag="Speech",
                summary="Speak text as it is written, over a WebSocket",
                description="Send pieces of text as JSON messages; audio and timestamps come back as they are "
                "made. The messages are described in docs/api.md. A browser, which cannot set headers, sends the "
                "subprotocols `speech` and `openai-insecure-api-key.<key>`.",
                query=stream.StreamQuery,
                answers=[Answer("The socket is open.", None, (), 101)],
                errors=[stream.no_socket()],
            )
        },
        socket=stream.stream_speech,
    ),
    V1Route(
        "/models",
        models_api.list_models,
        {
            "GET": Operation(
                id="listModels",
                tag="Models",
                summary="List models",
                answers=[Answer("The models.", samples.MODELS)],
            )
        },
    ),
    V1Route(
        "/models/{model:path}",
        models_api.get_model,
        {
            "GET": Operation(
                id="getModel",
                tag="Models",
                summary="Retrieve a model",
                path={"model": Parameter("Id of the model, or an alias such as `tts-1`.", samples.MODEL)},
                answers=[Answer("The model.", samples.MODEL_ITEM)],
                errors=[failures.UNKNOWN_MODEL],
            )
        },
    ),
    V1Route(
        "/voices",
        models_api.list_voices,
        {
            "GET": Operation(
                id="listVoices",
                tag="Models",
                summary="List voices",
                description="OpenAI's voice names, and the voices that this service adds.",
                answers=[Answer("The voices.", samples.VOICES)],
            )
        },
    ),
    *VOICE_ROUTES,
    V1Route(
        "/audio/models",
        models_api.list_audio_models,
        {
            "GET": Operation(
                id="listAudioModels",
                tag="Models",
                summary="List models, as Open WebUI asks for them",
                answers=[Answer("Every name that a request may use.", samples.AUDIO_MODELS)],
                public=True,
            )
        },
    ),
    *AUDIO_ROUTES,
    *PRONUNCIATION_ROUTES,
    *BATCH_ROUTES,
    *KEY_ROUTES,
    V1Route(
        "/requests/{request_id}",
        request_api.get_request,
        {
            "GET": Operation(
                id="getRequest",
                tag="Account",
                summary="Retrieve a request",
                description="One logged call of your organization: timings, exact cost, and the error if it "
                "failed. For clients that cannot read HTTP trailers.",
                path={"request_id": Parameter("Id of the request, from `x-request-id`.", samples.REQUEST_ID)},
                answers=[Answer("The request.", samples.LOGGED_REQUEST)],
                errors=[request_api.unknown(samples.REQUEST_ID)],
            )
        },
    ),
    V1Route(
        "/usage",
        DJANGO,
        {
            "GET": Operation(
                id="getUsage",
                tag="Account",
                summary="Retrieve usage",
                description="Requests, audio and cost of your organization by time, and by key, model or voice. "
                "Includes everything up to the last answer.",
                query=UsageQuery,
                answers=[
                    Answer("The usage.", samples.USAGE),
                    Answer("With `format=csv`.", samples.USAGE_CSV, ("text/csv",)),
                ],
                errors=[errors.invalid("Invalid value for 'end': it must be later than 'start'.", param="end")],
            )
        },
    ),
    V1Route(
        "/key",
        DJANGO,
        {
            "GET": Operation(
                id="getKey",
                tag="Account",
                summary="Retrieve the calling key",
                description="Limits, spend, budgets and credit of the API key that makes this call.",
                answers=[Answer("The key.", samples.KEY)],
            )
        },
    ),
    V1Route(
        "/openapi.json",
        show_document,
        {
            "GET": Operation(
                id="getOpenApi",
                tag="Account",
                summary="Retrieve this document",
                description="The API as OpenAPI 3.1.",
                answers=[Answer("The document.")],
                public=True,
            )
        },
    ),
)
