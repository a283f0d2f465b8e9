"""How an answer says when each word is spoken, in the shape of OpenAI's transcriptions (`words`, `segments`)."""

from __future__ import annotations

from typing import Any

from gateway.speech.relay import Times


def shown(times: Times, granularity: str) -> dict[str, Any]:
    """Seconds, to the millisecond; offsets count the characters of the given text."""
    name, text = ("words", "word") if granularity == "word" else ("segments", "text")
    spans = [
        {text: each.text, "start": each.start_ms / 1000, "end": each.end_ms / 1000, "offset": each.offset}
        for each in times.times
    ]
    return {"alignment": times.alignment, name: spans}
