"""The names of the audio formats on offer; the encoders behind them are `inference.speech.encoding`'s."""

from __future__ import annotations

from inference.audio import SAMPLE_RATE

CONTENT_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg; codecs=opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "pcm": f"audio/pcm;rate={SAMPLE_RATE};channels=1",
}
ALIASES = {"pcm16": "pcm"}
"""OpenAI's chat says pcm16 where its speech says pcm."""
FORMAT_NAMES = (*CONTENT_TYPES, *ALIASES)


def canonical(name: str) -> str:
    """The format that a name on offer stands for."""
    return ALIASES.get(name, name)
