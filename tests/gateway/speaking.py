"""Asking the service for speech, and hearing what came back."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import av
import numpy as np
from openai import OpenAI
from openai.types.chat import ChatCompletion

from inference.models import AudioAsset

MODEL = "boson/higgs-audio-v2.5"


def body(text: str = "Hello there.", **members: Any) -> dict[str, Any]:
    """A request's JSON; members replace or add."""
    return {
        "model": MODEL,
        "modalities": ["text", "audio"],
        "messages": [{"role": "user", "content": text}],
        **members,
    }


def scripted(frames: int, *, pace: float = 0, text: str = "A tone.", **more: Any) -> dict[str, Any]:
    """A request for a sine of so many frames, one every `pace` seconds (see tests.engines)."""
    script = "script: " + json.dumps({"frames": frames, "pace": pace, **more.pop("script", {})})
    messages = [{"role": "system", "content": script}, {"role": "user", "content": text}]
    return body(messages=messages, **more)


def speak(client: OpenAI, text: str = "Hello there.", **members: Any) -> ChatCompletion:
    return ask(client, body(text, **members))


def ask(client: OpenAI, request: dict[str, Any]) -> ChatCompletion:
    known = {name: request[name] for name in ("model", "messages", "modalities")}
    extra = {name: value for name, value in request.items() if name not in known}
    return client.chat.completions.create(**known, extra_body=extra)


def audio_of(completion: ChatCompletion) -> bytes:
    audio = completion.choices[0].message.audio
    assert audio is not None
    return base64.b64decode(audio.data, validate=True)


def transcript_of(audio_id: str) -> str:
    """What was spoken under an audio's id."""
    return AudioAsset.objects.get(job_id=audio_id.removeprefix("audio_")).transcript


def decode(data: bytes) -> tuple[np.ndarray[Any, Any], int, int]:
    """(samples in [-1, 1], sample rate, channels) of an audio file, as any player would hear it."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
        pieces = [
            resampled.to_ndarray()[0]
            for frame in container.decode(stream)
            for resampled in resampler.resample(frame)
        ]
        return np.concatenate(pieces), stream.rate, stream.channels
