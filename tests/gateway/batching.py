"""Making batches through the official client, and waiting for them."""

from __future__ import annotations

import io
import json
from typing import Any

from openai import OpenAI
from openai.types import Batch

from gateway.batches import doorbell
from tests.live import wait_for

SPEECH = "/v1/audio/speech"
ENDED = ("completed", "failed", "expired", "cancelled")


def speech_line(number: int, text: str = "Hello there.", **members: Any) -> dict[str, Any]:
    body = {"model": "tts-1", "input": text, "response_format": "wav", **members}
    return {"custom_id": f"line {number}", "method": "POST", "url": SPEECH, "body": body}


def tone_line(number: int, frames: int = 5, pace: float = 0, **script: Any) -> dict[str, Any]:
    """A line whose audio has so many frames, one every `pace` seconds (see tests.engines)."""
    instructions = "script: " + json.dumps({"frames": frames, "pace": pace, **script})
    return speech_line(number, "A tone.", instructions=instructions)


def upload(client: OpenAI, lines: list[Any]) -> str:
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    return client.files.create(file=("input.jsonl", io.BytesIO(text.encode())), purpose="batch").id


def start(client: OpenAI, lines: list[Any], endpoint: str = SPEECH, **more: Any) -> Batch:
    return client.batches.create(
        input_file_id=upload(client, lines),
        endpoint=endpoint,  # type: ignore[arg-type]  # OpenAI's own list lacks speech
        completion_window="24h",
        **more,
    )


def ended(client: OpenAI, batch: Batch, *, seconds: float = 60) -> Batch:
    """The batch once it has ended. The clock, which the tests' service lacks, rings meanwhile."""

    def look() -> Batch | None:
        found = client.batches.retrieve(batch.id)
        if found.status in ENDED:
            return found
        doorbell.ring()
        return None

    return wait_for(look, seconds=seconds, what="the batch ends")  # type: ignore[return-value]


def results(client: OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    assert file_id
    return [json.loads(line) for line in client.files.content(file_id).text.splitlines()]
