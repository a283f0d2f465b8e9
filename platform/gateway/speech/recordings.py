"""Recordings in a chat request: an assistant's `input_audio` part is how the voice is to sound, and the user
message before it what is said there. Where several speak, that message begins with its speaker's tag.

They are cut out of the body before it is validated, so that nothing after that handles megabytes of base64, and
decoded and checked in a process of their own.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from gateway import decoders
from gateway.errors import invalid
from gateway.schemas import MAX_CONTENT_CHARACTERS, MAX_TEXT_CHARACTERS
from gateway.speech.speech_request import SpeechOrder
from inference.speech import reference
from inference.speech.dialogue import split_lines
from inference.speech.voices import recorded_name

PIECE_CHARACTERS = 1 << 20
"""Decoded at a time, so that other threads get their turn between two pieces; whole groups of base64."""
MOST = 4
"""Recordings of one request: each takes a decoder's process."""
AT_ONCE = 2
"""Decoders of one gateway; a further recording waits for its turn."""
PATIENCE_SECONDS = 120.0
"""Half a minute of audio takes under a second of a processor that is free."""
NOT_USED = "not_supported_by_engine"
"""What the answer says of a recording that the engine cannot clone: it speaks in the voice asked for."""
CLONED = "cloned"
"""What it says of one that was the voice."""
_decoders = asyncio.Semaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class VoiceRecording:
    """The base64 that stood at `param`."""

    data: str
    format: str
    param: str
    words: str = ""
    """What is said there; "" where the request does not tell."""
    speaker: str = ""
    """Whose voice it is in a dialogue, such as "SPEAKER1"."""


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
    messages = messages if isinstance(messages, list) else []
    for number, message in enumerate(messages):
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
                speaker, words = _said(messages[number - 1]) if number else ("", "")
                data = data if isinstance(data, str) else ""
                yield VoiceRecording(data, str(format)[:20], param, words, speaker)


def _said(message: Any) -> tuple[str, str]:
    """Who speaks in a recording, and what, as the user message before it tells."""
    if not isinstance(message, dict) or message.get("role") != "user":
        return "", ""
    content = message.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(text for text in texts if isinstance(text, str))
    lines = split_lines(content) if isinstance(content, str) and len(content) <= MAX_CONTENT_CHARACTERS else []
    words = " ".join(line.text for line in lines).replace("\0", "")
    return lines[0].speaker if lines else "", " ".join(words.split())


def cast(order: SpeechOrder, recordings: Sequence[VoiceRecording], audio: Sequence[bytes]) -> SpeechOrder:
    """The order in the voices of its recordings.

    A recording with a tag is its speaker's voice. The last one without a tag is the voice of a text that has no
    tags, and of a dialogue's first speaker.

    Raises:
        ApiError: 400, more is said in a recording that is used than can be.
    """
    by_speaker = {recording.speaker: number for number, recording in enumerate(recordings)}
    speakers = list(order.voices)
    used = {speaker: by_speaker[speaker] for speaker in speakers if speaker in by_speaker}
    if not speakers:
        used[""] = by_speaker.get("", len(recordings) - 1)
    elif "" in by_speaker:
        used.setdefault(speakers[0], by_speaker[""])
    names: dict[int, str] = {}
    voices = dict(order.voices)
    chosen = sorted(set(used.values()))
    for number in chosen:
        if len(recordings[number].words) > MAX_TEXT_CHARACTERS:
            raise invalid(
                f"Invalid value for {recordings[number].param!r}: the user message before it says what is spoken "
                f"there, in at most {MAX_TEXT_CHARACTERS} characters.",
                param=recordings[number].param,
                code="string_above_max_length",
            )
        names[number] = recorded_name(len(names))
    for speaker, number in used.items():
        if speaker:
            voices[speaker] = names[number]
    return replace(
        order,
        voice=names[used[""]] if "" in used else order.voice,
        voices=voices,
        recordings=[audio[number] for number in chosen],
        recorded_texts=[recordings[number].words for number in chosen],
    )


async def decode(recording: VoiceRecording) -> bytes:
    """Decode a recording and see that it can be a voice; returns it as FLAC.

    Raises:
        ApiError: 400, it is no audio of its format, is silent, or longer than `reference.MAX_SECONDS`; 503, its
            decoder takes too long.
    """
    if recording.format not in reference.DEMUXERS:
        raise invalid(
            f"Invalid value for '{recording.param}.format': one of {', '.join(reference.DEMUXERS)}.",
            param=f"{recording.param}.format",
            code="unsupported_value",
        )
    param = f"{recording.param}.data"
    with tempfile.TemporaryDirectory(prefix="speech-reference-") as folder:
        source = Path(folder) / "source"
        try:
            await asyncio.to_thread(_write, recording.data, source)
        except (binascii.Error, ValueError):
            raise decoders.unusable(param, "it is no base64") from None
        async with _decoders:
            return await decoders.read_recording(
                source,
                format=recording.format,
                seconds=reference.MAX_SECONDS,
                purpose="request",
                param=param,
                patience_seconds=PATIENCE_SECONDS,
            )


def _write(data: str, path: Path) -> None:
    with path.open("wb") as file:
        for start in range(0, len(data), PIECE_CHARACTERS):
            file.write(base64.b64decode(data[start : start + PIECE_CHARACTERS], validate=True))
