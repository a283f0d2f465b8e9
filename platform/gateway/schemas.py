"""The chat completions request, typed, within OpenAI's bounds
(https://platform.openai.com/docs/api-reference/chat/create), and what of it the engine is told.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

MAX_TEXT_CHARACTERS = 4096
MAX_COMPLETION_TOKENS = 22_500
"""15 minutes of audio."""

IGNORED_MEMBERS = frozenset(
    {
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "moderation",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "service_tier",
        "store",
        "stream_options",
        "tool_choice",
        "tools",
        "top_logprobs",
        "verbosity",
        "web_search_options",
    }
)
"""OpenAI's standard members that mean nothing to speech: accepted and not looked at."""


PART_TYPES = frozenset({"text", "image_url", "input_audio", "file", "refusal"})
"""The kinds of parts that a message's content may have."""


class Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class TextPart(Schema):
    type: Literal["text"]
    text: str


class OtherPart(BaseModel):
    """An image, audio or file part: no hindrance in earlier turns, refused in the one that is spoken."""

    model_config = ConfigDict(extra="allow", strict=True)
    type: Literal["image_url", "input_audio", "file", "refusal"]


class Message(BaseModel):
    """One turn. Members of other kinds of turns (`audio`, `tool_calls`, …) are let pass."""

    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Annotated[TextPart | OtherPart, Field(discriminator="type")]] | None = None


class VoiceById(Schema):
    id: str


class AudioOptions(Schema):
    voice: str | VoiceById = "alloy"
    format: str = "wav"


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


Stop = Annotated[
    list[Annotated[str, StringConstraints(min_length=1)]], Field(max_length=4), BeforeValidator(_one_or_many)
]
MetadataKey = Annotated[str, StringConstraints(max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]


class ChatRequest(Schema):
    """The body of POST /v1/chat/completions."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    modalities: list[Literal["text", "audio"]]
    audio: AudioOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=1, le=1024)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=MAX_COMPLETION_TOKENS)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_COMPLETION_TOKENS)] | None = None
    stop: Stop | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    n: Literal[1] | None = None
    stream: Literal[False] | None = None
    user: Annotated[str, StringConstraints(max_length=512)] | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _merge_and_drop(cls, body: Any) -> Any:
        """Merge a literal `extra_body` into the top level, as OpenAI's SDKs do before they send."""
        if not isinstance(body, dict):
            return body
        extra = body.get("extra_body")
        if isinstance(extra, dict):
            body = {**{name: value for name, value in body.items() if name != "extra_body"}, **extra}
        elif extra is None:
            body = {name: value for name, value in body.items() if name != "extra_body"}
        return {name: value for name, value in body.items() if name not in IGNORED_MEMBERS}
