"""What requests are made of, and the request for speech of one text, typed, within OpenAI's bounds
(https://platform.openai.com/docs/api-reference/audio/createSpeech). That in the shape of a chat is `chat_schemas`.

Every string, list and object has a most, and a list is looked at up to its first mistake: what is wrong with a
request is found at a cost that its length bounds, however much of it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from accounts.limits import MAX_INPUT_CHARACTERS
from inference.audio import FRAME_RATE
from inference.speech.formats import FORMAT_NAMES
from inference.speech.voices import DEFAULT_VOICE, VOICES

MAX_TEXT_CHARACTERS = 4096
"""Of a text to speak, where no limit of an organization allows more, and of what is said in a recording."""
MAX_STYLE_CHARACTERS = 4096
"""Of `instructions`, and of all system messages together."""
TOKENS_PER_TEXT = 15 * 60 * FRAME_RATE
"""15 minutes of audio, which each `MAX_TEXT_CHARACTERS` of a text may take at most."""
MAX_COMPLETION_TOKENS = TOKENS_PER_TEXT * -(-MAX_INPUT_CHARACTERS // MAX_TEXT_CHARACTERS)
"""6.25 hours of audio, for the longest text."""
MIN_SPEED, MAX_SPEED = 0.25, 4.0
MAX_CONTENT_CHARACTERS = 262_144
"""Of one message; what of it is spoken or is style is bounded where that is known."""
MAX_MEMBERS = 64
"""Of one JSON object of ours."""
MAX_SPEAKERS = 110
"""SPEAKER0 to SPEAKER99, SPEAKER00 to SPEAKER09."""

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
        "tool_choice",
        "tools",
        "top_logprobs",
        "verbosity",
        "web_search_options",
    }
)
"""OpenAI's standard members that do not apply to speech: accepted, and not looked at on both routes, but for the
route that has a member of that name (`response_format`)."""
IGNORED = "Accepted and ignored."


def _at_most(members: int) -> Callable[[Any], Any]:
    """A check of an object's size before its members are looked at, which would collect a mistake for each."""

    def check(value: Any) -> Any:
        if isinstance(value, dict) and len(value) > members:
            raise PydanticCustomError("too_long", "at most {max_length} members", {"max_length": members})
        return value

    return check


class Schema(BaseModel):
    # The docstring of a member, here and below, is its description in the API's reference.
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _given(cls, body: Any) -> Any:
        """The members that are given: a client that writes `null` means that it has nothing to say there."""
        body = _at_most(MAX_MEMBERS)(body)
        return (
            {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else body
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell readers of the document, too, that `null` may stand for what is not required."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        for name, member in schema.get("properties", {}).items():
            if name not in schema.get("required", ()) and member and _NULL not in member.get("anyOf", ()):
                about = {key: member.pop(key) for key in ("default", "description", "title") if key in member}
                schema["properties"][name] = {"anyOf": [*member.get("anyOf", (member,)), _NULL], **about}
        return schema


_NULL = {"type": "null"}
Content = Annotated[str, StringConstraints(max_length=MAX_CONTENT_CHARACTERS)]
Name = Annotated[str, StringConstraints(max_length=200)]
"""Of a model, a voice, a format or an audio."""


class VoiceById(Schema):
    id: Name


_VOICE_NAME = {"type": "string", "enum": list(VOICES)}
_OWN_VOICE = {"type": "string", "maxLength": 38, "pattern": "^voice_[0-9a-f]{32}$"}
_VOICE_ID = {"anyOf": [_VOICE_NAME, _OWN_VOICE]}
_VOICE_BY_ID = {"type": "object", "properties": {"id": _VOICE_ID}, "required": ["id"]}
# Told to readers; checked against what is on offer, by `gateway.catalog`, so that a refusal can list it.
Voice = Annotated[Name | VoiceById, WithJsonSchema({"anyOf": [_VOICE_NAME, _OWN_VOICE, _VOICE_BY_ID]})]
Format = Annotated[Name, WithJsonSchema({"type": "string", "enum": list(FORMAT_NAMES)})]
Cast = Annotated[
    Annotated[dict[Name, Name], Field(max_length=MAX_SPEAKERS)]
    | Annotated[list[Name], Field(max_length=MAX_SPEAKERS, fail_fast=True)],
    BeforeValidator(_at_most(MAX_SPEAKERS)),
]
"""Of a dialogue: the voice of each speaker, {"SPEAKER0": "alloy"} or ["alloy"]."""


class FormatOptions(BaseModel):
    """What beside its name a request may say of the audio's format; which format has which is checked by
    `gateway.catalog`, so that a refusal can say so."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] | None = None
    """Samples per second of `pcm`, `wav` and `opus`: 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 or
    48000; Opus has 8000, 12000, 16000, 24000 and 48000. By default 24000; `mulaw` and `alaw` always have 8000."""
    bitrate: Annotated[int, Field(ge=6_000, le=256_000)] | None = None
    """Bits per second of `mp3`, `opus` and `aac`. By default 96000, and 48000 for Opus."""
    container: Literal["ogg", "webm"] | None = None
    """The container of `opus`; by default `ogg`."""
    loudness: Annotated[float, Field(ge=-36, le=-8)] | None = None
    """Bring the audio to this loudness in LUFS (ITU-R BS.1770), such as -16. By default it stays as spoken."""


MetadataKey = Annotated[str, StringConstraints(max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16), BeforeValidator(_at_most(16))]


ServiceTier = Literal["auto", "default", "flex", "priority"]


class Sampling(Schema):
    """How the model speaks, and the longest audio that it may generate."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Randomness of the voice; 0 always picks the likeliest sound. The model's default is 1."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Sample only from the likeliest sounds with this total probability. The model's default is 0.95."""
    top_k: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Sample only from this many likeliest sounds. The model's default is 50."""
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    """The same seed and request generate the same audio, as far as the hardware allows."""
    max_completion_tokens: Annotated[int, Field(ge=1, le=MAX_COMPLETION_TOKENS)] | None = None
    """The longest audio, in frames; one second has 25. Text beyond 4 characters per frame and 300 more is not
    read. By default, three times the expected duration of the text."""

    @model_validator(mode="before")
    @classmethod
    def _merge_extra_body(cls, body: Any) -> Any:
        """Merge a literal `extra_body` into the top level, as OpenAI's SDKs do before they send."""
        if not isinstance(body, dict) or "extra_body" not in body:
            return body
        extra = body["extra_body"]
        if extra is None or isinstance(extra, dict):
            return {**{name: value for name, value in body.items() if name != "extra_body"}, **(extra or {})}
        return body

    def sampling(self) -> dict[str, float | int]:
        """What of it the request names."""
        named = {name: getattr(self, name) for name in ("temperature", "top_p", "top_k", "seed")}
        return {name: value for name, value in named.items() if value is not None}


def _tell_ignored(schema: dict[str, Any]) -> None:
    described = {name: {"description": IGNORED} for name in sorted(IGNORED_MEMBERS)}
    schema["properties"] |= {name: told for name, told in described.items() if name not in schema["properties"]}


class SpeechAsk(Sampling):
    """What both requests for speech may have; `user` and `metadata` are checked and change nothing."""

    model_config = ConfigDict(json_schema_extra=_tell_ignored)
    model: Name
    """Id of the model, or an alias such as `tts-1`."""
    timestamps: Literal["word", "sentence"] | None = None
    """Tell when each word, or each sentence, of the text is spoken: in the answer, as events beside the audio, and
    under `/v1/audio/{audio_id}/captions.json`."""
    input_type: Literal["text", "ssml"] | None = None
    """What the text is; by default `text`. Of SSML, `break`, `sub`, `say-as`, `p`, `s`, `phoneme` and `prosody
    rate` are spoken as they ask; what is ignored is named in the header `x-speech-warnings`."""
    pronunciation: Name | None = None
    """Id of the pronunciation dictionary, `pd_…`, or of one of its versions, `pd_…:3`. By default that of the API
    key, if it has one; `none` for no dictionary."""
    service_tier: ServiceTier | None = None
    """How soon it is spoken when the workers are busy, and what a minute costs: `priority` gets four times the
    share of `default` at a higher price, `flex` a quarter of it at a lower one. `auto` is `default`. The answer
    says which one it was."""
    user: Annotated[str, StringConstraints(max_length=512)] | None = None
    """Accepted and ignored."""
    metadata: Metadata | None = None
    """Accepted and ignored."""
    store: bool | None = None
    """`false` deletes audio, codes and transcript a minute after the answer. By default they are kept as long as
    the organization keeps audio, unless the key does not store any."""
    background: bool | None = None
    """Whether to answer at once, with 202 and the id to ask for the result by."""

    @property
    def tier(self) -> str:
        """The tier of service to speak it in."""
        return self.service_tier if self.service_tier in ("flex", "priority") else "default"

    @model_validator(mode="before")
    @classmethod
    def _drop_ignored(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        ignored = IGNORED_MEMBERS - cls.model_fields.keys()
        if len(body) > MAX_MEMBERS + len(ignored):
            return body  # too many, whatever they are: that is found without a look at each
        return {name: value for name, value in body.items() if name not in ignored}


class SpeechBody(FormatOptions, SpeechAsk):
    """The body of POST /v1/audio/speech. OpenAI's has no `voices` and no sampling parameters."""

    input: Content
    """The text to speak, up to 4,096 characters."""
    voice: Voice = DEFAULT_VOICE
    """The voice, by name, or a voice of your own by id, `voice_…`. `GET /v1/voices` lists them."""
    voices: Cast | None = None
    """Of a dialogue: the voice of each speaker, as `{"SPEAKER0": "alloy"}` or in order as `["alloy"]`."""
    instructions: Annotated[str, StringConstraints(max_length=MAX_STYLE_CHARACTERS)] | None = None
    """The style to speak in, in words."""
    response_format: Format = "mp3"
    """The format of the audio. `pcm` and `pcm16` are the same: 24 kHz, mono, signed 16-bit little-endian. `mulaw`
    and `alaw` are G.711 at 8 kHz, without a header."""
    speed: Annotated[float, Field(ge=MIN_SPEED, le=MAX_SPEED)] = 1.0
    """The tempo. Billed is the audio as generated, at normal speed, or as delivered, whichever is longer."""
    stream_format: Literal["audio", "sse"] = "audio"
    """`audio` sends the bytes of the file; `sse` sends events that end with the usage."""
    stream: bool | None = None
    """Changes nothing: the audio is always sent while it is generated, as bytes or as events."""
