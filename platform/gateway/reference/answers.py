"""Schemas of the API's answers. The answers themselves are built elsewhere, without these classes;
`tests/gateway/test_reference.py` checks that they match.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=(), use_attribute_docstrings=True)


class ErrorDetail(Answer):
    message: str
    """What is wrong, for a person to read."""
    type: str
    """The class of the error, such as `invalid_request_error`."""
    param: str | None
    """The parameter that is wrong, where one is."""
    code: str | None
    """The error's name, for a program to read."""


class Error(Answer):
    """Every unsuccessful answer."""

    error: ErrorDetail


class PronunciationRuleShown(Answer):
    grapheme: str
    say: str
    """Empty where `ipa` says it."""
    ipa: str
    case_sensitive: bool
    whole_word: bool
    priority: int


class PronunciationDictionaryItem(Answer):
    id: str
    """`pd_…`"""
    object: Literal["pronunciation_dictionary"]
    name: str
    version: int
    """The number of the newest version; each change of the rules makes one."""
    created_at: int
    updated_at: int
    rule_count: int
    default: bool
    """Whether the calling API key's requests that name no dictionary use this one."""


class PronunciationDictionaryShown(PronunciationDictionaryItem):
    rules: list[PronunciationRuleShown]


class PronunciationDictionaryList(Answer):
    object: Literal["list"]
    data: list[PronunciationDictionaryItem]


class TimedWord(Answer):
    word: str
    """A word of the given text, with its punctuation."""
    start: float
    """Seconds from the start of the audio."""
    end: float
    offset: int
    """Where the word begins in the given text, in characters."""


class TimedSentence(Answer):
    text: str
    start: float
    end: float
    offset: int


class Timestamps(Answer):
    alignment: Literal["exact", "estimated"]
    """`exact` where the voice knows how long each sound is, `estimated` where times are shared out by length."""
    words: list[TimedWord] | None = None
    """With `timestamps: word`."""
    segments: list[TimedSentence] | None = None
    """With `timestamps: sentence`."""


class Captions(Timestamps):
    id: str
    object: Literal["audio.captions"]
    duration: float
    """Seconds of audio."""


class CompletionAudio(Answer):
    id: str
    """Id of the stored audio, `audio_…`."""
    data: str
    """The audio file, base64-encoded."""
    expires_at: int
    """When the stored audio is deleted, in Unix seconds."""
    transcript: str
    """The text that was spoken, with numbers and abbreviations written out."""
    timestamps: Timestamps | None = None
    """With `timestamps`: when each word or sentence is spoken."""


class CompletionMessage(Answer):
    role: Literal["assistant"]
    content: str | None
    """The transcript."""
    refusal: None
    audio: CompletionAudio


class CompletionChoice(Answer):
    index: int
    message: CompletionMessage
    finish_reason: Literal["stop", "length"]
    """`length` if the audio was cut off at `max_completion_tokens`."""
    logprobs: None


class CompletionUsage(Answer):
    prompt_tokens: int
    completion_tokens: int
    """Audio frames; one second has 25."""
    total_tokens: int
    prompt_tokens_details: dict[str, int]
    completion_tokens_details: dict[str, int]
    audio_seconds: float
    """Duration of the audio."""
    cost_usd: str
    """Exact cost in US dollars, with nine decimal places."""
    voice_reference: str | None = None
    """What became of a recording in the request: `cloned`, or `not_supported_by_engine` where it was not used as
    the voice. Only there where one came."""


class ChatCompletion(Answer):
    id: str
    object: Literal["chat.completion"]
    created: int
    """When the request was made, in Unix seconds."""
    model: str
    """The model that generated the audio. A small model that speaks in its place has a name of its own."""
    choices: list[CompletionChoice]
    usage: CompletionUsage
    service_tier: Literal["default", "priority", "flex"]
    """The tier that it was spoken in, which sets its price. In a batch, whose price is its own, `default`."""


class Deleted(Answer):
    id: str
    object: str
    deleted: Literal[True]


class Model(Answer):
    id: str
    object: Literal["model"]
    created: int
    """When the model was released, in Unix seconds."""
    owned_by: str


class ModelList(Answer):
    object: Literal["list"]
    data: list[Model]


class OfferedVoice(Answer):
    id: str
    """The name to pass as `voice`."""
    object: Literal["voice"]
    gender: Literal["feminine", "masculine"] | None
    description: str | None
    """Null for a voice that is known by its sample alone."""


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


class VoiceConsent(Answer):
    id: str
    object: Literal["audio.voice_consent"]
    name: str
    language: str
    text: str
    """The phrase that the speaker had to read."""
    created_at: int
    """When it was recorded here, in Unix seconds."""


class CustomVoice(Answer):
    id: str
    """Pass it as `voice`, or as `voice.id`."""
    object: Literal["audio.voice"]
    type: Literal["audio_sample"]
    name: str
    consent: str
    """Id of the consent that it rests on."""
    created_at: int
    """When it was made, in Unix seconds."""


class ListEnds(Answer):
    object: Literal["list"]
    first_id: str | None
    last_id: str | None
    has_more: bool
    """Whether there are further ones, after `last_id`."""


class VoiceConsentList(ListEnds):
    data: list[VoiceConsent]


class AudioVoices(Answer):
    voices: list[NamedVoice]
    """The names of all voices, your own among them where you send a key."""
    object: Literal["list"] | None = None
    data: list[CustomVoice] | None = None
    """With a key: the voices of your organization."""
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool | None = None
