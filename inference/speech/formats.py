"""The names of the audio formats on offer; the encoders behind them are `inference.speech.encoding`'s."""

from __future__ import annotations

FORMAT_NAMES = ("wav", "mp3")
CONTENT_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
