"""Sample requests and answers of the API's document."""

from __future__ import annotations

from typing import Any

from accounts.limits import LIMITS
from gateway.reference import answers, usage
from inference.speech.voices import find

MODEL = "boson/higgs-audio-v2.5"
ID = "0198f3b2c4d57e6f8a9b0c1d2e3f4a5b"
AUDIO_ID = f"audio_{ID}"
COMPLETION_ID = f"chatcmpl-{ID}"

CHAT: dict[str, dict[str, Any]] = {
    "A sentence": {
        "model": MODEL,
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "wav"},
        "messages": [{"role": "user", "content": "Hello there."}],
    },
    "With a style, streamed": {
        "model": MODEL,
        "modalities": ["text", "audio"],
        "audio": {"voice": "nova", "format": "pcm16"},
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Speak slowly, in a quiet room."},
            {"role": "user", "content": "Good evening."},
        ],
    },
    "A dialogue": {
        "model": MODEL,
        "modalities": ["text", "audio"],
        "audio": {"voices": {"SPEAKER0": "alloy", "SPEAKER1": "echo"}, "format": "mp3"},
        "messages": [{"role": "user", "content": "[SPEAKER0] How are you?\n[SPEAKER1] Fine, thank you."}],
    },
}
SPEECH: dict[str, dict[str, Any]] = {
    "A sentence": {"model": "tts-1", "voice": "alloy", "input": "Hello there."},
    "With a style, as events": {
        "model": "tts-1",
        "voice": "nova",
        "input": "Good evening.",
        "instructions": "Speak slowly, in a quiet room.",
        "response_format": "opus",
        "stream_format": "sse",
    },
}

COMPLETION = answers.ChatCompletion(
    id=COMPLETION_ID,
    object="chat.completion",
    created=1_793_491_200,
    model=MODEL,
    choices=[
        answers.CompletionChoice(
            index=0,
            message=answers.CompletionMessage(
                role="assistant",
                content="Hello there.",
                refusal=None,
                audio=answers.CompletionAudio(
                    id=AUDIO_ID, data="UklGRv////9XQVZF…", expires_at=1_793_577_600, transcript="Hello there."
                ),
            ),
            finish_reason="stop",
            logprobs=None,
        )
    ],
    usage=answers.CompletionUsage(
        prompt_tokens=3,
        completion_tokens=25,
        total_tokens=28,
        prompt_tokens_details={"audio_tokens": 0, "cached_tokens": 0, "text_tokens": 3},
        completion_tokens_details={"audio_tokens": 25, "text_tokens": 0, "reasoning_tokens": 0},
        audio_seconds=1.0,
        cost_usd="0.000750000",
    ),
    service_tier="default",
)
_CHUNK = (
    f'"id": "{COMPLETION_ID}", "object": "chat.completion.chunk", "created": 1793491200, '
    f'"service_tier": "default", "model": "{MODEL}"'
)


def _delta(delta: str, finish_reason: str = "null") -> str:
    choice = f'{{"index": 0, "delta": {delta}, "finish_reason": {finish_reason}, "logprobs": null}}'
    return f'data: {{{_CHUNK}, "choices": [{choice}], "usage": null}}\n\n'


COMPLETION_EVENTS = "".join(
    (
        _delta('{"role": "assistant", "refusal": null}'),
        _delta(f'{{"content": null, "audio": {{"id": "{AUDIO_ID}", "data": "", "transcript": "Good evening."}}}}'),
        _delta('{"audio": {"data": "AAABAP7/…"}}'),
        _delta('{"audio": {"data": "", "expires_at": 1793577600}}'),
        _delta("{}", '"stop"'),
        f'data: {{{_CHUNK}, "choices": [], "usage": {COMPLETION.usage.model_dump_json(exclude_unset=True)}}}\n\n',
        "data: [DONE]\n\n",
    )
)
SPEECH_EVENTS = (
    'data: {"type": "speech.audio.delta", "audio": "T2dnUwAC…"}\n\n'
    'data: {"type": "speech.audio.done", "service_tier": "default", '
    '"usage": {"input_tokens": 3, "output_tokens": 25, "total_tokens": 28, '
    '"audio_seconds": 1.0, "cost_usd": "0.000750000"}}\n\n'
)

DICTIONARY_ID = f"pd_{ID}"
_DICTIONARY = {
    "id": DICTIONARY_ID,
    "object": "pronunciation_dictionary",
    "name": "Our people",
    "version": 1,
    "created_at": 1_793_491_200,
    "updated_at": 1_793_491_200,
    "rule_count": 1,
    "default": False,
}
NEW_DICTIONARY: dict[str, dict[str, Any]] = {
    "Rules": {"name": "Our people", "rules": [{"grapheme": "Nguyen", "say": "win"}]},
    "A CSV file": {"name": "Our people", "data": "grapheme,say\nNguyen,win\n", "data_format": "csv"},
}
DICTIONARY_CHANGE: dict[str, dict[str, Any]] = {
    "More rules": {"rules": [{"grapheme": "Nguyen", "say": "win"}, {"grapheme": "AI", "ipa": "ˌeɪˈaɪ"}]}
}
DICTIONARY = answers.PronunciationDictionaryShown.model_validate(
    {
        **_DICTIONARY,
        "rules": [
            {
                "grapheme": "Nguyen",
                "say": "win",
                "ipa": "",
                "case_sensitive": False,
                "whole_word": True,
                "priority": 0,
            }
        ],
    }
)
DICTIONARIES = answers.PronunciationDictionaryList(
    object="list", data=[answers.PronunciationDictionaryItem.model_validate(_DICTIONARY)]
)
CAPTIONS = answers.Captions(
    id=AUDIO_ID,
    object="audio.captions",
    duration=1.0,
    alignment="exact",
    words=[
        answers.TimedWord(word="Hello", start=0.04, end=0.41, offset=0),
        answers.TimedWord(word="there.", start=0.41, end=0.93, offset=6),
    ],
)
CAPTIONS_VTT = "WEBVTT\n\n00:00:00.040 --> 00:00:00.930\nHello there.\n"
CAPTIONS_SRT = "1\n00:00:00,040 --> 00:00:00,930\nHello there.\n"

MODEL_ITEM = answers.Model(id=MODEL, object="model", created=1_764_547_200, owned_by="boson")
MODELS = answers.ModelList(object="list", data=[MODEL_ITEM])
VOICES = answers.VoiceList(
    object="list",
    data=[
        answers.OfferedVoice(id=voice.name, object="voice", gender=voice.gender, description=voice.description)
        for voice in (find("alloy"), find("ash"))
    ],
)
VOICE_ID = f"voice_{ID}"
CONSENT_ID = f"cons_{ID}"
CONSENT = answers.VoiceConsent(
    id=CONSENT_ID,
    object="audio.voice_consent",
    name="Ada's consent",
    language="en-US",
    text="I am the owner of this voice, and I consent to Speech using this voice to create a synthetic voice "
    "model.",
    created_at=1_793_491_200,
)
CUSTOM_VOICE = answers.CustomVoice(
    id=VOICE_ID,
    object="audio.voice",
    type="audio_sample",
    name="Ada",
    consent=CONSENT_ID,
    created_at=1_793_491_260,
)
CONSENTS = answers.VoiceConsentList(
    object="list", data=[CONSENT], first_id=CONSENT_ID, last_id=CONSENT_ID, has_more=False
)
AUDIO_VOICES = answers.AudioVoices(
    voices=[answers.NamedVoice(id="alloy", name="alloy"), answers.NamedVoice(id=VOICE_ID, name="Ada")],
    object="list",
    data=[CUSTOM_VOICE],
    first_id=VOICE_ID,
    last_id=VOICE_ID,
    has_more=False,
)
NEW_CONSENT = {"An English consent": {"name": "Ada's consent", "language": "en-US", "recording": "@consent.wav"}}
NEW_VOICE = {"A voice": {"name": "Ada", "consent": CONSENT_ID, "audio_sample": "@sample.wav"}}
RENAME = {"A new name": {"name": "Ada, warm"}}
AUDIO_MODELS = answers.AudioModels(models=[answers.NamedModel(id=name, name=name) for name in (MODEL, "tts-1")])

REQUEST_ID = "req_0198f3b2c4d57e6f8a9b0c1d2e3f4a5a"
LOGGED_REQUEST = usage.LoggedRequest(
    id=REQUEST_ID,
    object="request",
    created_at="2026-11-26T12:00:00.000000Z",
    method="POST",
    route="/v1/audio/speech",
    status=200,
    error=None,
    model=MODEL,
    voice="alloy",
    format="mp3",
    characters=12,
    service_tier="default",
    audio_id=AUDIO_ID,
    audio_seconds=1.0,
    audio_expires_at="2026-11-27T12:00:01.000000Z",
    audio_deleted_at=None,
    cost_usd="0.000750000",
    timings=usage.RequestTimings(queue_ms=4, first_audio_ms=85, synthesis_ms=120, total_ms=131),
)

_LATENCY = usage.Latency(p50=410, p95=903, p99=1210)
_SUMS = {"requests": 42, "errors": 1, "duration_ms": 125_000, "cost_usd": "0.093750000", "latency_ms": _LATENCY}
USAGE = usage.Usage(
    object="list",
    start="2026-11-01T00:00:00Z",
    end="2026-11-27T00:00:00Z",
    bucket="day",
    group_by=["voice"],
    data=[usage.UsageLine.model_validate({"start": "2026-11-26T00:00:00Z", "voice": "alloy", **_SUMS})],
    total=usage.UsageSums.model_validate(_SUMS),
)
USAGE_CSV = (
    "start,voice,requests,errors,duration_ms,cost_usd,latency_p50_ms,latency_p95_ms,latency_p99_ms\n"
    "2026-11-26T00:00:00Z,alloy,42,1,125000,0.093750000,410,903,1210\n"
)


_LIMITS = usage.Limits.model_validate(
    {limit.name: {"limit": limit.default, "remaining": limit.default - 1} for limit in LIMITS}
)
KEY = usage.Key(
    object="key",
    id="sk-4f2a9c",
    name="production",
    created_at="2026-11-01T09:30:00Z",
    expires_at=None,
    organization={"id": f"org_{ID}", "name": "Acme"},
    limits=usage.BothLimits(key=_LIMITS, organization=_LIMITS),
    spend_usd=usage.BothSpends(
        key=usage.Spend(today="0.093750000", month="4.120500000"),
        organization=usage.Spend(today="0.187500000", month="9.750000000"),
    ),
    budgets=[
        usage.KeyBudget(
            scope="key",
            period="month",
            limit="50.000000000",
            spent="4.120500000",
            held="0.000000000",
            remaining="45.879500000",
        )
    ],
    credit_usd=usage.Credit(
        balance="90.250000000", promotional="0.000000000", held="0.000000000", available="90.250000000"
    ),
)
