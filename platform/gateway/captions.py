"""GET /v1/audio/{id}/captions.vtt, .srt and .json: when each word of a stored audio is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import audio
from gateway.errors import ApiError, expired, not_found
from gateway.service import Service
from gateway.speech import timestamps
from gateway.speech.relay import Times
from inference import stored_times
from inference.audio import SAMPLE_RATE
from inference.speech.alignment import Timed
from inference.stored_times import StoredTimes

CUE_CHARACTERS = 84
"""Two lines of 42, the usual bound of subtitles."""
CUE_SECONDS = 7.0
PAUSE_SECONDS = 0.7
"""Silence after which a new cue begins."""
_SENTENCE_ENDS = (".", "!", "?", "…", ".”", "!”", "?”", '."', '!"', '?"')

KINDS = {"vtt": "text/vtt", "srt": "application/x-subrip", "json": "application/json"}
"""Media type of each kind."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What a player shows from one moment to another, in milliseconds."""

    start_ms: int
    end_ms: int
    text: str


def no_timestamps(audio_id: str) -> ApiError:
    return not_found(
        f"The audio {audio_id[:100]!r} has no timestamps: ask for them with the speech, with 'timestamps'.",
        code="timestamps_not_found",
        param="audio_id",
    )


def route(kind: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of one kind of captions."""

    async def get_captions(request: Request) -> Response:
        service: Service = request.state.service
        principal = await service.keys.authenticate(request)
        async with service.limiter.slot(principal) as slot:
            asset = await audio.owned_asset(request, principal)
            path = asset.conversions.get(stored_times.NAME)
            if path is None:
                raise no_timestamps(request.path_params["audio_id"])
            try:
                kept = await asyncio.to_thread(stored_times.load, path)
            except FileNotFoundError:
                raise expired() from None
            return _response(kind, f"audio_{asset.job_id.hex}", asset.samples / SAMPLE_RATE, kept, slot.headers)

    return get_captions


def _response(kind: str, audio_id: str, seconds: float, kept: StoredTimes, headers: dict[str, str]) -> Response:
    if kind == "json":
        shown = timestamps.shown(Times(kept.times, kept.alignment), kept.timestamps)
        return JSONResponse(
            {"id": audio_id, "object": "audio.captions", "duration": seconds, **shown}, 200, headers
        )
    cues = list(_cues(kept))
    written = _vtt(cues) if kind == "vtt" else _srt(cues)
    named = {**headers, "content-disposition": f'inline; filename="{audio_id}.{kind}"'}
    return Response(written, 200, named, media_type=KINDS[kind])


def _cues(kept: StoredTimes) -> Iterator[Cue]:
    """Sentences as they are; words together, as many as fit into two lines and belong together."""
    if kept.timestamps == "sentence":
        yield from (Cue(each.start_ms, each.end_ms, each.text) for each in kept.times)
        return
    together: list[Timed] = []
    for word in kept.times:
        if together and _breaks(together, word):
            yield _cue(together)
            together = []
        together.append(word)
    if together:
        yield _cue(together)


def _breaks(together: Sequence[Timed], word: Timed) -> bool:
    """Whether a new cue begins with the word."""
    last = together[-1]
    return (
        last.text.endswith(_SENTENCE_ENDS)
        or word.start_ms - last.end_ms > PAUSE_SECONDS * 1000
        or word.end_ms - together[0].start_ms > CUE_SECONDS * 1000
        or sum(len(each.text) + 1 for each in together) + len(word.text) > CUE_CHARACTERS
    )


def _cue(words: Sequence[Timed]) -> Cue:
    return Cue(words[0].start_ms, words[-1].end_ms, " ".join(each.text for each in words))


def _vtt(cues: Sequence[Cue]) -> str:
    """https://www.w3.org/TR/webvtt1/; what would be markup there is escaped."""
    lines = ["WEBVTT", ""]
    for cue in cues:
        text = " ".join(cue.text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        lines += [f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}", text, ""]
    return "\n".join(lines)


def _srt(cues: Sequence[Cue]) -> str:
    lines: list[str] = []
    for number, cue in enumerate(cues, start=1):
        times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
        lines += [str(number), times, " ".join(cue.text.split()), ""]
    return "\n".join(lines)


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}"
