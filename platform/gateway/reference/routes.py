"""Every route of /v1, described for drf-spectacular. The speech routes are Starlette's, which it cannot look into,
so all are written down here the same way; nothing here is ever called.
"""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from gateway.reference import answers
from gateway.schemas import ChatRequest, SpeechBody
from gateway.usage_api import UsageQuery
from inference.speech.formats import CONTENT_TYPES, FORMAT_NAMES

BINARY = OpenApiTypes.BINARY
SAY_HELLO = {
    "model": "boson/higgs-audio-v2.5",
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "wav"},
    "messages": [{"role": "user", "content": "Hello there."}],
}

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="The same key and body within 24 hours give the same audio, at no cost.",
)
ERRORS = {
    400: "A member is missing or wrong; `param` names it.",
    401: "The API key is missing, unknown, revoked or expired.",
    403: "The key may not do this, or not from there.",
    404: "There is no such thing, or it is not yours.",
    409: "It was cancelled.",
    410: "The audio has expired or was deleted.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    416: "The range is not in the audio.",
    422: "The idempotency key stands for another request.",
    429: "A rate limit, a budget or the credit is used up; `x-should-retry` says whether to wait.",
    500: "A defect of ours; nothing is billed, for no audio has left.",
    503: "No worker or no database for a moment; `retry-after` says how long.",
    504: "No audio in time; nothing is billed.",
}


def _errors(*codes: int) -> dict[int, OpenApiResponse]:
    return {code: OpenApiResponse(answers.Error, ERRORS[code]) for code in (*codes, 401, 403, 500, 503)}


SPEECH_ERRORS = _errors(400, 404, 409, 410, 413, 415, 422, 429, 504)


class Described(APIView):
    authentication_classes = ()
    parser_classes = (JSONParser,)
    permission_classes = (IsAuthenticated,)


class ChatCompletions(Described):
    @extend_schema(
        operation_id="createChatCompletion",
        tags=["Speech"],
        summary="Speak the last user message",
        description="With `stream: true` the answer is server-sent events in OpenAI's order: the role, the "
        "transcript, the audio as it is made, when it expires, why it ended, what it costs, `[DONE]`.",
        parameters=[IDEMPOTENCY_KEY],
        request=ChatRequest,
        responses={
            (200, "application/json"): answers.ChatCompletion,
            (200, "text/event-stream"): OpenApiTypes.STR,
            **SPEECH_ERRORS,
        },
        examples=[OpenApiExample("A sentence", SAY_HELLO, request_only=True)],
    )
    def post(self, request: Any) -> None: ...


class StoredCompletion(Described):
    @extend_schema(
        operation_id="deleteChatCompletion",
        tags=["Speech"],
        summary="Cancel a completion, or delete its audio",
        description="One that is being spoken ends at once and is billed for what was delivered; of one that was "
        "spoken the audio goes.",
        parameters=[OpenApiParameter("completion_id", str, OpenApiParameter.PATH)],
        responses={200: answers.Deleted, **_errors(404)},
    )
    def delete(self, request: Any) -> None: ...


class Speech(Described):
    @extend_schema(
        operation_id="createSpeech",
        tags=["Speech"],
        summary="Speak a text",
        description="The audio is sent as it is made; `x-audio-id` names it, to fetch it again and to learn its "
        "cost.",
        parameters=[IDEMPOTENCY_KEY],
        request=SpeechBody,
        responses={
            **{(200, media_type): BINARY for media_type in CONTENT_TYPES.values()},
            (200, "text/event-stream"): OpenApiTypes.STR,
            **SPEECH_ERRORS,
        },
        examples=[
            OpenApiExample(
                "A sentence", {"model": "tts-1", "voice": "alloy", "input": "Hello there."}, request_only=True
            )
        ],
    )
    def post(self, request: Any) -> None: ...


AUDIO_ID = OpenApiParameter("audio_id", str, OpenApiParameter.PATH)


class Audio(Described):
    @extend_schema(
        operation_id="getAudio",
        tags=["Audio"],
        summary="Fetch stored audio",
        description="Until it expires; as it was asked for, or in another format; whole or a range of bytes.",
        parameters=[
            AUDIO_ID,
            OpenApiParameter("format", str, enum=FORMAT_NAMES),
            OpenApiParameter("Range", str, OpenApiParameter.HEADER),
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER),
        ],
        responses={
            **{(code, kind): BINARY for code in (200, 206) for kind in CONTENT_TYPES.values()},
            304: OpenApiResponse(description="You have it."),
            **_errors(400, 404, 410, 416, 429),
        },
    )
    def get(self, request: Any) -> None: ...

    @extend_schema(
        operation_id="deleteAudio",
        tags=["Audio"],
        summary="Delete stored audio",
        parameters=[AUDIO_ID],
        responses={200: answers.Deleted, **_errors(404, 410)},
    )
    def delete(self, request: Any) -> None: ...


class Models(Described):
    @extend_schema(
        operation_id="listModels",
        tags=["Models"],
        summary="List the models",
        responses={200: answers.ModelList, **_errors()},
    )
    def get(self, request: Any) -> None: ...


class Model(Described):
    @extend_schema(
        operation_id="getModel",
        tags=["Models"],
        summary="Look a model up by its id or another name",
        parameters=[OpenApiParameter("model", str, OpenApiParameter.PATH)],
        responses={200: answers.Model, **_errors(404)},
    )
    def get(self, request: Any) -> None: ...


class Voices(Described):
    @extend_schema(
        operation_id="listVoices",
        tags=["Models"],
        summary="List the voices",
        description="Those that every API of this kind has, and those that this service has recordings of.",
        responses={200: answers.VoiceList, **_errors()},
    )
    def get(self, request: Any) -> None: ...


class AudioVoices(Described):
    @extend_schema(
        operation_id="listAudioVoices",
        tags=["Models"],
        summary="List the voices for Open WebUI and its kin",
        description="What /v1/voices lists, in the shape that such clients read; without a key.",
        auth=[],
        responses={200: answers.AudioVoices, **_errors()},
    )
    def get(self, request: Any) -> None: ...


class AudioModels(Described):
    @extend_schema(
        operation_id="listAudioModels",
        tags=["Models"],
        summary="List the names of the models for Open WebUI and its kin",
        description="The models and their other names, in the shape that such clients read; without a key.",
        auth=[],
        responses={200: answers.AudioModels, **_errors()},
    )
    def get(self, request: Any) -> None: ...


class LoggedRequest(Described):
    @extend_schema(
        operation_id="getRequest",
        tags=["Account"],
        summary="What the log says of one request",
        description="Its timings, cost and error, by the `x-request-id` of its answer, once that has ended.",
        parameters=[OpenApiParameter("request_id", str, OpenApiParameter.PATH)],
        responses={200: answers.LoggedRequest, **_errors(404)},
    )
    def get(self, request: Any) -> None: ...


class Usage(Described):
    @extend_schema(
        operation_id="getUsage",
        tags=["Account"],
        summary="What was used, by time, key, model and voice",
        description="Live to the last answer; without a range, this month in UTC. `format=csv` gives a file.",
        parameters=[UsageQuery],
        responses={
            (200, "application/json"): answers.Usage,
            (200, "text/csv"): OpenApiTypes.STR,
            **_errors(400),
        },
    )
    def get(self, request: Any) -> None: ...


class Key(Described):
    @extend_schema(
        operation_id="getKey",
        tags=["Account"],
        summary="Limits, spend, budgets and credit of the calling key",
        responses={200: answers.Key, **_errors()},
    )
    def get(self, request: Any) -> None: ...


class Document(Described):
    @extend_schema(
        operation_id="getOpenApi",
        tags=["Account"],
        summary="This document",
        auth=[],
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Any) -> None: ...


described = [
    path("v1/chat/completions", ChatCompletions.as_view()),
    path("v1/chat/completions/{completion_id}", StoredCompletion.as_view()),
    path("v1/audio/speech", Speech.as_view()),
    path("v1/audio/voices", AudioVoices.as_view()),
    path("v1/audio/models", AudioModels.as_view()),
    path("v1/audio/{audio_id}", Audio.as_view()),
    path("v1/models", Models.as_view()),
    path("v1/models/{model}", Model.as_view()),
    path("v1/voices", Voices.as_view()),
    path("v1/requests/{request_id}", LoggedRequest.as_view()),
    path("v1/usage", Usage.as_view()),
    path("v1/key", Key.as_view()),
    path("v1/openapi.json", Document.as_view()),
]
