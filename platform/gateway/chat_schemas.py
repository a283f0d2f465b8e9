"""The request for speech in the shape of a chat: messages, of which the last is spoken
(https://platform.openai.com/docs/api-reference/chat/create)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from gateway.schemas import (
    MAX_COMPLETION_TOKENS,
    Cast,
    Content,
    Format,
    FormatOptions,
    Name,
    Schema,
    SpeechAsk,
    Voice,
)
from inference.speech.voices import DEFAULT_VOICE

MAX_MESSAGES = 1000
MAX_PARTS = 100
MAX_CONTEXT_TURNS = 16
"""How many of a conversation's earlier answers are heard: the last ones."""

PART_TYPES = frozenset({"text", "image_url", "input_audio", "file", "refusal"})
"""The kinds of parts that a message's content may have."""


class TextPart(Schema):
    type: Literal["text"]
    text: Content


class OtherPart(BaseModel):
    """An image, audio or file: accepted in earlier messages, an error in the message that is spoken."""

    model_config = ConfigDict(extra="ignore", strict=True)
    type: Literal["image_url", "input_audio", "file", "refusal"]


class EarlierAudio(BaseModel):
    """The audio of an earlier answer."""

    model_config = ConfigDict(
        extra="ignore", strict=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )
    id: Name
    """Id of the audio, `audio_…`."""


Part = Annotated[TextPart | OtherPart, Field(discriminator="type")]


class Message(BaseModel):
    """One message. Other members, such as `tool_calls`, are accepted and ignored."""

    model_config = ConfigDict(
        extra="ignore", strict=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Content | Annotated[list[Part], Field(max_length=MAX_PARTS, fail_fast=True)] | None = None
    """The text, whole or as parts."""
    audio: EarlierAudio | None = None
    """In an assistant message: the audio that you got, so that the voice continues from it."""


class AudioOptions(FormatOptions, Schema):
    voice: Voice = DEFAULT_VOICE
    """The voice, by name, or a voice of your own by id, `voice_…`. `GET /v1/voices` lists them."""
    voices: Cast | None = None
    """Of a dialogue: the voice of each speaker, as `{"SPEAKER0": "alloy"}` or in order as `["alloy"]`."""
    format: Format | None = None
    """The format of the audio; by default `wav`, and `pcm16` where `stream` is true. `pcm` and `pcm16` are the
    same: 24 kHz, mono, signed 16-bit little-endian. `mulaw` and `alaw` are G.711 at 8 kHz, without a header."""


class StreamOptions(Schema):
    include_usage: bool | None = None
    """Whether to send the usage, with the cost, before `[DONE]`."""
    include_obfuscation: bool | None = None
    """Accepted and ignored."""


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


MAX_STOP_CHARACTERS = 256
_STOP = {"type": "string", "minLength": 1, "maxLength": MAX_STOP_CHARACTERS}
Stop = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=MAX_STOP_CHARACTERS)]],
    Field(max_length=4),
    BeforeValidator(_one_or_many),
    WithJsonSchema({"anyOf": [_STOP, {"type": "array", "maxItems": 4, "items": _STOP}]}),
]


class ChatRequest(SpeechAsk):
    """The body of POST /v1/chat/completions."""

    messages: Annotated[
        list[Message],
        Field(
            min_length=1,
            max_length=MAX_MESSAGES,
            fail_fast=True,
            description="The last user message is spoken, up to 4,096 characters. System messages set the style, "
            "up to 4,096 characters in total. The voice continues from earlier answers that assistant messages "
            "name by `audio.id`, up to the last 16.",
        ),
    ]
    modalities: Annotated[list[Literal["text", "audio"]], Field(max_length=8, fail_fast=True)]
    """Always `["text", "audio"]`."""
    audio: AudioOptions | None = None
    """The voice and the format of the audio."""
    max_tokens: Annotated[int, Field(ge=1, le=MAX_COMPLETION_TOKENS)] | None = None
    """The older name of `max_completion_tokens`, which takes precedence."""
    stop: Stop | None = None
    """Speak the text only up to the first of these strings."""
    n: Literal[1] | None = None
    """Number of choices."""
    stream: bool | None = None
    """Whether to send the answer as server-sent events while it is generated. By default it is not."""
    stream_options: StreamOptions | None = None
    """With `stream: true`."""
