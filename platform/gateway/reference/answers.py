"""What the API answers, as schemas. They describe; the answers themselves are put together where they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from accounts.limits import LIMITS


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ErrorDetail(Answer):
    message: str
    type: str
    param: str | None = Field(description="The member of the request that is wrong.")
    code: str | None


class Error(Answer):
    """Every answer but success."""

    error: ErrorDetail


class CompletionAudio(Answer):
    id: str = Field(description="Of the audio resource, audio_…")
    data: str = Field(description="The audio file in base64.")
    expires_at: int = Field(description="Unix seconds at which the stored audio goes.")
    transcript: str = Field(description="The normalised text that was spoken.")


class CompletionMessage(Answer):
    role: Literal["assistant"]
    content: str | None
    refusal: None
    audio: CompletionAudio


class CompletionChoice(Answer):
    index: int
    message: CompletionMessage
    finish_reason: Literal["stop", "length"]
    logprobs: None


class CompletionUsage(Answer):
    prompt_tokens: int
    completion_tokens: int = Field(description="Frames of audio; 25 are a second.")
    total_tokens: int
    prompt_tokens_details: dict[str, int]
    completion_tokens_details: dict[str, int]
    audio_seconds: float
    cost_usd: str = Field(description="Exact dollars, to the nano-dollar.")
    voice_reference: str | None = Field(
        default=None,
        description="Why a recording in the request was not used as the voice; only there where it was not.",
    )


class ChatCompletion(Answer):
    id: str
    object: Literal["chat.completion"]
    created: int = Field(description="Unix seconds.")
    model: str = Field(description="The voice that really spoke.")
    choices: list[CompletionChoice]
    usage: CompletionUsage


class Deleted(Answer):
    id: str
    object: str
    deleted: Literal[True]


class Model(Answer):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(Answer):
    object: Literal["list"]
    data: list[Model]


class OfferedVoice(Answer):
    id: str
    object: Literal["voice"]
    gender: Literal["feminine", "masculine"] | None
    description: str | None = Field(description="null for a voice that is known by its sample alone.")


class VoiceList(Answer):
    object: Literal["list"]
    data: list[OfferedVoice]


class NamedModel(Answer):
    id: str
    name: str


class AudioModels(Answer):
    models: list[NamedModel]


class NamedVoice(Answer):
    id: str
    name: str


class AudioVoices(Answer):
    voices: list[NamedVoice]


class Latency(Answer):
    p50: int | None
    p95: int | None
    p99: int | None


class UsageSums(Answer):
    requests: int
    errors: int
    duration_ms: int
    cost_usd: str
    latency_ms: Latency


class UsageLine(UsageSums):
    start: str
    key: str | None = None
    key_name: str | None = None
    model: str | None = None
    voice: str | None = None


class Usage(Answer):
    object: Literal["list"]
    start: str
    end: str
    bucket: Literal["hour", "day", "month", "total"]
    group_by: list[Literal["key", "model", "voice"]]
    data: list[UsageLine]
    total: UsageSums


class RequestError(Answer):
    code: str
    message: str
    param: str | None


class RequestTimings(Answer):
    queue_ms: int | None
    first_audio_ms: int | None
    synthesis_ms: int | None
    total_ms: int


class LoggedRequest(Answer):
    id: str
    object: Literal["request"]
    created_at: str
    method: str
    route: str
    status: int
    error: RequestError | None
    model: str | None
    voice: str | None
    format: str | None
    characters: int | None
    audio_id: str | None
    audio_seconds: float | None
    cost_usd: str | None = Field(
        description="Exact dollars, to the nano-dollar; null where no audio was asked for."
    )
    timings: RequestTimings


class Limit(Answer):
    limit: int
    remaining: int | None = Field(description="null where Redis cannot say it.")


if TYPE_CHECKING:

    class Limits(Answer):
        """A member for each limit of `accounts.limits`."""

else:
    Limits = create_model(
        "Limits",
        __base__=Answer,
        **{limit.name: (Limit, Field(description=f"{limit.label}. {limit.about}")) for limit in LIMITS},
    )


class BothLimits(Answer):
    key: Limits
    organization: Limits


class Spend(Answer):
    today: str
    month: str


class BothSpends(Answer):
    key: Spend
    organization: Spend


class KeyBudget(Answer):
    scope: Literal["key", "organization"]
    period: Literal["day", "month", "total"]
    limit: str
    spent: str
    held: str
    remaining: str


class Credit(Answer):
    balance: str
    promotional: str
    held: str
    available: str


class Key(Answer):
    object: Literal["key"]
    id: str
    name: str
    created_at: str
    expires_at: str | None
    organization: dict[str, Any]
    limits: BothLimits
    spend_usd: BothSpends
    budgets: list[KeyBudget]
    credit_usd: Credit
