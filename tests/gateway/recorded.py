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
    samples = (8000 * np.sin(np.arange(int(seconds * rate)) / step)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(np.repeat(samples, channels).tobytes())
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
