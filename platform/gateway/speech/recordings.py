"""Recordings in a chat request: an assistant's `input_audio` part says how the voice is to sound.

They are cut out of the body before it is validated, so that nothing after that handles megabytes of base64, and
decoded and checked in a process of their own.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.conversions import run_bounded
from gateway.errors import ApiError, invalid, unavailable
from inference.speech import reference

PIECE_CHARACTERS = 1 << 20
"""Decoded at a time, so that other threads get their turn between two pieces; whole groups of base64."""
MOST = 4
"""Recordings of one request: each takes a decoder's process."""
AT_ONCE = 2
"""Decoders of one gateway; a further recording waits for its turn."""
NOT_USED = "not_supported_by_engine"
"""What the answer says of a recording that the engine cannot clone: it speaks in the voice asked for."""
_decoders = asyncio.Semaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class VoiceRecording:
    """The base64 that stood at `param`."""

    data: str
    format: str
    param: str


def cut_out(body: Any) -> list[VoiceRecording]:
    """The recordings of a body, in order. Their hashes are left in it, by which a repeat of the request is known.

    Raises:
        ApiError: 400, there are more than `MOST`.
    """
    found = list(islice(_cut_out(body), MOST + 1))
    if len(found) > MOST:
        raise invalid(f"At most {MOST} recordings can come with a request.", param=found[-1].param)
    return found


def _cut_out(body: Any) -> Iterator[VoiceRecording]:
    messages = body.get("messages") if isinstance(body, dict) else None
    for number, message in enumerate(messages if isinstance(messages, list) else ()):
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            audio = part.get("input_audio") if isinstance(part, dict) else None
            if isinstance(audio, dict) and part.get("type") == "input_audio":
                data, format = audio.get("data"), audio.get("format")
                if isinstance(data, str):
                    audio["data"] = hashlib.sha256(data.encode()).hexdigest()
                param = f"messages[{number}].content[{place}].input_audio"
                yield VoiceRecording(data if isinstance(data, str) else "", str(format)[:20], param)


async def check(recording: VoiceRecording) -> None:
    """Decode a recording and see that it can be a voice.

    Raises:
        ApiError: 400, it is no audio of its format, or longer than `reference.MAX_SECONDS`; 503, its decoder takes
            too long.
    """
    if recording.format not in reference.DEMUXERS:
        raise invalid(
            f"Invalid value for '{recording.param}.format': one of {', '.join(reference.DEMUXERS)}.",
            param=f"{recording.param}.format",
            code="unsupported_value",
        )
    with tempfile.TemporaryDirectory(prefix="speech-reference-") as folder:
        source, target = Path(folder) / "source", Path(folder) / "target"
        try:
            await asyncio.to_thread(_write, recording.data, source)
        except (binascii.Error, ValueError):
            raise _unusable(recording, "it is no base64") from None
        try:
            async with _decoders:
                code = await run_bounded(reference.command(source, target, format=recording.format))
        except TimeoutError:
            raise unavailable(
                "The recording could not be read in time. Please try again.",
                code="recordings_busy",
                retry_after_seconds=2,
            ) from None
    if code == reference.TOO_LONG:
        raise _unusable(recording, f"it is longer than {reference.MAX_SECONDS} seconds")
    if code:
        raise _unusable(recording, f"it cannot be read as {recording.format}")


def _write(data: str, path: Path) -> None:
    with path.open("wb") as file:
        for start in range(0, len(data), PIECE_CHARACTERS):
            file.write(base64.b64decode(data[start : start + PIECE_CHARACTERS], validate=True))


def _unusable(recording: VoiceRecording, why: str) -> ApiError:
    param = f"{recording.param}.data"
    return invalid(f"Invalid value for {param!r}: {why}.", param=param, code="invalid_audio")
