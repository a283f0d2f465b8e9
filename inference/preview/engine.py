"""The preview engine: espeak-ng behind the same interface as a model on a GPU.

It needs no download and no accelerator and speaks hundreds of times faster than real time, in a voice that
nobody takes for a person's: the whole platform can be tried with it, except how it sounds.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import soxr

from inference.engine.protocol import (
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Chunk,
    EngineError,
    FinishReason,
    Generation,
    Pcm,
    Segment,
    SpeechRequest,
)
from inference.preview import espeak
from inference.preview.voices import PRESETS

log = logging.getLogger(__name__)

CHUNK_FRAMES = 10
"""Frames in a chunk at most, 0.4 s. The first is no smaller: espeak-ng has a whole sentence in milliseconds,
so a smaller one would not be heard earlier."""
PAUSE_SECONDS = 0.2
"""Silence between two sentences; espeak-ng leaves none after the last word."""

_TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


class PreviewEngine:
    """espeak-ng in a thread of its own, which goes round the requests sentence by sentence.

    A request's `style`, `temperature`, `top_p`, `top_k` and `seed` do nothing: espeak-ng follows rules, has
    one way to say a sentence, and says it the same every time.

    Args:
        slots: how many requests take turns; further ones wait in line for a place.
    """

    def __init__(self, slots: int = 8) -> None:
        self._model = f"espeak-ng-{espeak.version()} (preview)"
        self._slots = slots
        self._speaking: deque[_Speech] = deque()
        self._waiting: deque[_Speech] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="preview-engine", daemon=True)
        self._thread.start()

    @property
    def model(self) -> str:
        return self._model

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def slots(self) -> int:
        return self._slots

    @property
    def voices(self) -> tuple[str, ...]:
        return tuple(PRESETS)

    @property
    def healthy(self) -> bool:
        return self._thread.is_alive()

    def submit(self, request: SpeechRequest) -> Generation:
        """Put `request` in line; see `Engine.submit`. After `close` the generation has already failed.

        `prompt_tokens` is the preview's own measure: words and punctuation marks, as espeak-ng has no tokens.
        """
        tokens = sum(len(_TOKEN.findall(segment.text)) for segment in request.segments)
        generation = Generation(request, prompt_tokens=tokens)
        with self._changed:
            if self._closed:
                generation.fail(EngineError("the engine is closed"))
            else:
                line = self._speaking if len(self._speaking) < self._slots else self._waiting
                line.append(_Speech(generation))
                self._changed.notify()
        return generation

    def close(self) -> None:
        """Stop after the sentence being spoken and fail what is unfinished. May be called again."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (speech := self._next()) is not None:
            unfinished = self._advance(speech)
            with self._changed:
                self._speaking.popleft()
                if unfinished:
                    self._speaking.append(speech)
                elif self._waiting:
                    self._speaking.append(self._waiting.popleft())
        for speech in (*self._speaking, *self._waiting):
            speech.generation.fail(EngineError("the engine was closed"))

    def _next(self) -> _Speech | None:
        """Wait for work: whose turn it is, who stays first in the round meanwhile. None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._speaking)
            return None if self._closed else self._speaking[0]

    @staticmethod
    def _advance(speech: _Speech) -> bool:
        """Speak its next sentence. False when it needs no more turns."""
        generation = speech.generation
        if generation.cancelled:
            return False
        try:
            speech.step()
        except Exception as error:
            log.exception("request %s failed", generation.request.id)
            generation.fail(EngineError(f"espeak-ng failed: {type(error).__name__}"))
            return False
        if speech.ended is None:
            return True
        generation.finish(speech.ended)
        return False


@dataclass(eq=False)
class _Speech:
    """One generation on its way: one resampler and one remainder, so that its audio has no seams."""

    generation: Generation
    ended: FinishReason | None = None
    """Set by the step that put the last chunk."""
    _spoken: int = 0
    _voiced: bool = False
    _frames: int = 0
    _rest: Pcm = field(default_factory=lambda: np.zeros(0, np.float32))
    """Resampled audio that is not yet a whole frame, or that `max_frames` has cut off."""
    _resampler: soxr.ResampleStream = field(
        default_factory=lambda: soxr.ResampleStream(espeak.SAMPLE_RATE, SAMPLE_RATE, 1, dtype="float32")
    )

    def step(self) -> None:
        """Speak the next sentence and put what chunks it makes, or end."""
        segments = self.generation.request.segments
        if self._spoken < len(segments):
            self._speak(segments[self._spoken])
            self._spoken += 1
        if self._spoken == len(segments) and not self._cut:
            self._flush()
            self.ended = "stop"
        if self._cut:
            self.ended = "length"

    @property
    def _cut(self) -> bool:
        """There is more audio than may leave."""
        limit = self.generation.request.max_frames
        return limit is not None and self._frames >= limit and len(self._rest) > 0

    def _speak(self, segment: Segment) -> None:
        samples = espeak.speak(segment.text, PRESETS[segment.voice])
        if not samples.any():  # nothing to say, for which some variants take a buffer of zeros
            return
        if self._voiced:
            self._resample(np.zeros(round(espeak.SAMPLE_RATE * PAUSE_SECONDS), np.float32))
        self._voiced = True
        self._resample(samples.astype(np.float32) / np.float32(32768))
        self._put_whole_frames()

    def _flush(self) -> None:
        """Put what the resampler still holds, with silence up to the end of its last frame."""
        self._resample(np.zeros(0, np.float32), last=True)
        self._rest = np.pad(self._rest, (0, -len(self._rest) % SAMPLES_PER_FRAME))
        self._put_whole_frames()

    def _resample(self, samples: Pcm, *, last: bool = False) -> None:
        resampled = self._resampler.resample_chunk(samples, last=last)
        # A peak between two samples may come out a little above full scale.
        self._rest = np.concatenate([self._rest, np.clip(resampled, -1.0, 1.0)])

    def _put_whole_frames(self) -> None:
        limit = self.generation.request.max_frames
        frames = len(self._rest) // SAMPLES_PER_FRAME
        if limit is not None:
            frames = min(frames, limit - self._frames)
        for start in range(0, frames, CHUNK_FRAMES):
            count = min(CHUNK_FRAMES, frames - start)
            first = start * SAMPLES_PER_FRAME
            self.generation.put(Chunk(self._rest[first : first + count * SAMPLES_PER_FRAME], count))
        self._frames += frames
        self._rest = self._rest[frames * SAMPLES_PER_FRAME :]
