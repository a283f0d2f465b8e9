"""Requests that carry a recording of a voice."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import numpy as np

from tests.gateway.speaking import body


def tone(seconds: float, *, rate: int = 44_100, channels: int = 2, step: float = 20) -> bytes:
    """A WAV file of a sine that turns by a radian every `step` samples."""
    samples = 8000 * np.sin(np.arange(int(seconds * rate)) / step)
    return as_wav(np.repeat(samples, channels), rate=rate, channels=channels)


def syllables(seconds: float, *, rate: int = 24_000) -> bytes:
    """A WAV file of a voice that goes up and down and says a vowel four times a second."""
    times = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(130 + 20 * np.sin(2 * np.pi * 0.7 * times)) / rate
    vowel = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12))
    return as_wav(6000 * vowel * np.sin(2 * np.pi * 2 * times) ** 2, rate=rate)


def as_wav(samples: np.ndarray[Any, Any], *, rate: int, channels: int = 1) -> bytes:
    """16-bit samples, those of several channels in turn."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def cloned(
    data: bytes | str,
    format: str = "wav",
    *,
    said: str = "What is said there.",
    text: str = "Hello.",
    **members: Any,
) -> dict[str, Any]:
    """A request in the shape of the model maker's example."""
    encoded = data if isinstance(data, str) else base64.b64encode(data).decode()
    part = {"type": "input_audio", "input_audio": {"data": encoded, "format": format}}
    messages = [
        {"role": "user", "content": said},
        {"role": "assistant", "content": [part]},
        {"role": "user", "content": text},
    ]
    return body(messages=messages, **members)
