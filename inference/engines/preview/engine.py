"""The preview engine: a small neural voice behind the same interface as a model on a GPU.

It needs no download and no accelerator and speaks English about a hundred times faster than real
time. The whole platform can be tried with it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from inference.engines.preview.network import Network
from inference.engines.preview.phonemes import Phonemizer
from inference.engines.preview.renderings import RENDERINGS
from inference.engines.protocol import (
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Chunk,
    EngineError,
    FinishReason,
    Generation,
    Pcm,
    Segment,
    SpeechRequest,
    SpokenWord,
    Unspeakable,
)
from inference.speech.pronounceable import script_refusal
from inference.speech.pronunciation import GivenPhonemes

log = logging.getLogger(__name__)

CHUNK_FRAMES = 10
"""Frames in a chunk at most, 0.4 s. The first is no smaller: a whole sentence takes some 40 ms, so a smaller
one would not be heard earlier."""
PAUSE_SECONDS = 0.35
"""Silence between two sentences."""
SILENCE = 0.002
"""Samples below this, about -54 dBFS, at either end of a sentence are its own silence, which is taken off."""
WAIT_FOR_ROOM_SECONDS = 0.01
"""How often the engine looks at its streams while the mailboxes of all are full."""
MARGIN_SECONDS = 0.04
"""Of that silence what stays, so that no consonant is clipped."""


class Voice:
    """The network and its phonemes: one sentence in, its samples and its words' times out. Not thread-safe."""

    def __init__(self) -> None:
        self._network = Network()
        self._phonemizer = Phonemizer()

    @property
    def name(self) -> str:
        return self._network.name

    def speak(
        self, sentence: str, voice: str, phonemes: Sequence[GivenPhonemes] = (), rate: float = 1.0
    ) -> tuple[Pcm, tuple[SpokenWord, ...]]:
        """Speak a sentence, without silence around it; `phonemes` are those that are given for parts of it.

        Returns:
            Samples at `SAMPLE_RATE` and the words, timed from the first sample; nothing where there is no word.
        """
        read = self._phonemizer.read(sentence, phonemes)
        if not read.ids:
            return np.zeros(0, np.float32), ()
        rendering = RENDERINGS[voice]
        spoken = self._network.speak(read.ids, replace(rendering, pace=rendering.pace * rate))
        audible = np.flatnonzero(np.abs(spoken.pcm) > SILENCE)
        if not len(audible):
            return np.zeros(0, np.float32), ()
        margin = round(MARGIN_SECONDS * SAMPLE_RATE)
        first, last = max(0, audible[0] - margin), min(len(spoken.pcm), audible[-1] + margin)
        pcm = spoken.pcm[first:last]

        def within(phoneme: int) -> int:
            return int(np.clip(spoken.ends[phoneme] - first, 0, len(pcm)))

        # A word begins where the phoneme before it ends; the first phoneme is a pad.
        return pcm, tuple(
            SpokenWord(word.text, within(word.start - 1), within(word.end - 1)) for word in read.words
        )


class PreviewEngine:
    """The voice in a thread of its own, which goes round the requests sentence by sentence.

    A request's `style`, `temperature`, `top_p`, `top_k` and `seed` do nothing: the voice has one way to say a
    sentence, and says it the same every time.

    Args:
        slots: how many requests take turns; further ones wait in line for a place.
        voice: what speaks, if not the bundled network.
    """

    def __init__(self, slots: int = 8, voice: Voice | None = None) -> None:
        self._voice = voice or Voice()
        self._slots = slots
        self._speaking: deque[_Speech] = deque()
        self._waiting: deque[_Speech] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="preview-engine", daemon=True)
        self._thread.start()

    @property
    def model(self) -> str:
        return f"{self._voice.name} (preview)"

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def slots(self) -> int:
        return self._slots

    @property
    def voices(self) -> tuple[str, ...]:
        return tuple(RENDERINGS)

    @property
    def cloner(self) -> None:
        """The preview's network has no input for a recording."""
        return None

    @property
    def healthy(self) -> bool:
        return self._thread.is_alive()

    def submit(self, request: SpeechRequest) -> Generation:
        """Put `request` in line; see `Engine.submit`. After `close` the generation has already failed.

        `prompt_tokens` counts words. Letters of other scripts than Latin fail the generation: `Unspeakable`.
        """
        tokens = sum(len(segment.text.split()) for segment in request.segments)
        generation = Generation(request, prompt_tokens=tokens)
        if refusal := script_refusal("".join(segment.text for segment in request.segments)):
            generation.fail(Unspeakable("unsupported_text", refusal))
            return generation
        with self._changed:
            if self._closed:
                generation.fail(EngineError("the engine is closed"))
            else:
                line = self._speaking if len(self._speaking) < self._slots else self._waiting
                line.append(_Speech(generation, self._voice))
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
        """Wait for the stream whose turn it is; it stays first in the round meanwhile. None once closed.

        A stream whose mailbox is full misses its turn.
        """
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._closed or self._speaking)
                if self._closed:
                    return None
                for _ in range(len(self._speaking)):
                    if not self._speaking[0].generation.full:
                        return self._speaking[0]
                    self._speaking.rotate(-1)
                self._changed.wait(WAIT_FOR_ROOM_SECONDS)

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
            generation.fail(EngineError(f"the preview voice failed: {type(error).__name__}"))
            return False
        if speech.ended is None:
            return True
        generation.finish(speech.ended)
        return False


@dataclass(eq=False)
class _Speech:
    """One generation on its way."""

    generation: Generation
    voice: Voice
    ended: FinishReason | None = None
    """Set by the step that put the last chunk."""
    _spoken: int = 0
    """Segments so far."""
    _frames: int = 0
    """Frames put so far."""
    _rest: Pcm = field(default_factory=lambda: np.zeros(0, np.float32))
    """Audio that is not yet a whole frame, or that `max_frames` has cut off."""
    _pause_seconds: float = PAUSE_SECONDS
    """Silence before the next sentence."""
    _words: deque[SpokenWord] = field(default_factory=deque)
    """Those that begin in no chunk yet."""

    def step(self) -> None:
        """Speak the next sentence and put what chunks it makes, or end."""
        segments = self.generation.request.segments
        if self._spoken < len(segments):
            self._speak(segments[self._spoken])
            self._spoken += 1
        if self._spoken == len(segments) and not self._cut:
            self._rest = np.pad(self._rest, (0, -len(self._rest) % SAMPLES_PER_FRAME))
            self._put_whole_frames()
            self.ended = "stop"
        if self._cut:
            self.ended = "length"

    @property
    def _cut(self) -> bool:
        """There is more audio than may leave."""
        limit = self.generation.request.max_frames
        return limit is not None and self._frames >= limit and len(self._rest) > 0

    @property
    def _samples(self) -> int:
        return self._frames * SAMPLES_PER_FRAME + len(self._rest)

    def _speak(self, segment: Segment) -> None:
        pcm, words = self.voice.speak(segment.text, segment.voice, segment.phonemes, segment.rate)
        if not len(pcm):
            return
        pause = round(SAMPLE_RATE * self._pause_seconds) if self._samples else 0
        self._pause_seconds = PAUSE_SECONDS if segment.pause_ms is None else segment.pause_ms / 1000
        start = self._samples + pause
        self._words.extend(SpokenWord(word.text, start + word.start, start + word.end) for word in words)
        self._rest = np.concatenate([self._rest, np.zeros(pause, np.float32), pcm])
        self._put_whole_frames()

    def _put_whole_frames(self) -> None:
        limit = self.generation.request.max_frames
        frames = len(self._rest) // SAMPLES_PER_FRAME
        if limit is not None:
            frames = min(frames, limit - self._frames)
        for start in range(0, frames, CHUNK_FRAMES):
            count = min(CHUNK_FRAMES, frames - start)
            first = start * SAMPLES_PER_FRAME
            end = (self._frames + start + count) * SAMPLES_PER_FRAME
            pcm = self._rest[first : first + count * SAMPLES_PER_FRAME]
            self.generation.put(Chunk(pcm, count, words=self._begun_before(end)))
        self._frames += frames
        self._rest = self._rest[frames * SAMPLES_PER_FRAME :]

    def _begun_before(self, end: int) -> tuple[SpokenWord, ...]:
        words = []
        while self._words and self._words[0].start < end:
            words.append(self._words.popleft())
        return tuple(words)
