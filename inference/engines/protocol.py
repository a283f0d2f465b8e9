"""What a voice engine is: many requests in, chunks of PCM out as they are made.

One engine lives in one worker process and owns its device. `Engine.submit` returns at once with a
`Generation`, a bounded mailbox between the engine's own thread and the thread that serves the job: the
engine puts chunks in, the job iterates over them, either side may end it at any time.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from inference.audio import FRAME_RATE, SAMPLE_RATE, SAMPLES_PER_FRAME
from inference.speech.pronunciation import GivenPhonemes

Pcm = npt.NDArray[np.float32]
"""Mono audio, shape (samples,), in [-1, 1]."""
Codes = npt.NDArray[np.int16]
"""A codec's codes, shape (frames, codebooks)."""
FinishReason = Literal["stop", "length"]
MAILBOX_FRAMES = 125
"""Frames that may wait in a generation's mailbox before its engine must pause it: 5 s of audio, 0.5 MB."""

__all__ = [
    "FRAME_RATE",
    "MAILBOX_FRAMES",
    "SAMPLES_PER_FRAME",
    "SAMPLE_RATE",
    "Chunk",
    "Codes",
    "EncodedVoice",
    "Engine",
    "EngineError",
    "FinishReason",
    "Generation",
    "GenerationCancelled",
    "Pcm",
    "Segment",
    "SpeechRequest",
    "SpokenWord",
    "Turn",
    "Unspeakable",
    "VoiceCloner",
    "VoiceReference",
]


@dataclass(frozen=True, slots=True)
class Segment:
    """One normalised sentence and its voice."""

    text: str
    voice: str
    phonemes: tuple[GivenPhonemes, ...] = ()
    """How parts of the text are said; an engine that takes no phonemes reads what is written there."""
    pause_ms: int | None = None
    """Silence before the next; None for the engine's own. An engine that makes no silence ends the sentence."""
    rate: float = 1.0
    """How many times as fast as usual it is spoken, where the engine can."""


@dataclass(frozen=True, slots=True)
class VoiceReference:
    """How a voice sounds: the codes of a recording, and its words; "" where they are not known."""

    transcript: str
    codes: Codes


@dataclass(frozen=True, slots=True)
class Turn:
    """What was spoken earlier in the same conversation; `codes` is None where its engine had none."""

    text: str
    voice: str
    codes: Codes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """One text to speak: its segments in order, as one continuous audio."""

    id: str
    segments: tuple[Segment, ...]
    context: tuple[Turn, ...] = ()
    """Earlier turns, oldest first. An engine without memory does not look at them."""
    checkpoint: Codes | None = None
    """What an earlier attempt has generated. The engine goes on after it, but puts its audio anew, so that every
    attempt's chunks are the whole audio; an engine without codes starts over."""
    references: Mapping[str, VoiceReference] = field(default_factory=dict)
    """By name: voices that this request brings along. A segment that names one of them speaks like its recording.
    An engine with a `cloner` takes them."""
    style: str = ""
    temperature: float | None = None
    """As `top_p` and `top_k`: None for what the engine's checkpoint is best sampled with."""
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    max_frames: int | None = None
    """Audio is cut at exactly this many frames, with `finish_reason` "length"."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it is spoken, in samples from the start of the request's audio."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of audio of whole frames: `len(pcm) == frames * SAMPLES_PER_FRAME`."""

    pcm: Pcm
    frames: int
    codes: Codes | None = None
    """The frames' codes: together, from the first chunk on, they are the request's checkpoint.

    An engine may put rows of its own between them, for what it must know to go on."""
    words: tuple[SpokenWord, ...] = ()
    """The words that begin in this piece, exactly timed; none from an engine that does not know."""
    sentence_ends: tuple[int, ...] = ()
    """Where segments ended, in samples from the start of the audio, as far as it is known by now and was not said
    before; none from an engine that does not know."""


class EngineError(Exception):
    """The engine could not speak this request; another attempt may succeed."""


class Unspeakable(EngineError):
    """This request cannot be spoken, which is known before any audio of it; no other attempt could speak it."""

    def __init__(
        self,
        code: Literal[
            "unsupported_text", "text_too_long", "voice_not_supported", "voice_not_found", "invalid_recording"
        ],
        message: str,
    ) -> None:
        super().__init__(message)
        self.code = code


class GenerationCancelled(Exception):
    """Raised to the consumer whose generation was cancelled."""


@dataclass(eq=False)
class Generation:
    """The mailbox of one request.

    The consumer iterates (`for chunk in generation`) and reads `finish_reason` afterwards. The engine calls
    `put`, then exactly one of `finish` or `fail`, and gives up at its next step once `cancelled` is true.

    An engine that is faster than the consumer would fill memory: while `full` is true, the engine makes no more of
    this request's audio. A batching engine leaves the request out of its steps and goes on with the others; an
    engine with a thread for each request calls `wait_for_room`.
    """

    request: SpeechRequest
    prompt_tokens: int = 0
    finish_reason: FinishReason = "stop"
    _mailbox: queue.SimpleQueue[Chunk | BaseException | None] = field(
        default_factory=queue.SimpleQueue, init=False, repr=False
    )
    _cancelled: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _waiting_frames: int = field(default=0, init=False, repr=False)
    """Frames in the mailbox; guarded by `_room`."""
    _room: threading.Condition = field(default_factory=threading.Condition, init=False, repr=False)

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def full(self) -> bool:
        """Whether the consumer is behind, so that the engine must pause; never true once it is cancelled."""
        return self._waiting_frames >= MAILBOX_FRAMES and not self.cancelled

    def cancel(self) -> None:
        """Ask the engine to stop; the consumer's iteration raises GenerationCancelled at once."""
        self._cancelled.set()
        self._mailbox.put(GenerationCancelled())
        with self._room:
            self._room.notify_all()

    def put(self, chunk: Chunk) -> None:
        """Hand a chunk to the consumer. Never blocks, even where the mailbox is full."""
        with self._room:
            self._waiting_frames += chunk.frames
        self._mailbox.put(chunk)

    def wait_for_room(self) -> None:
        """Block until the mailbox is not full, or the generation is cancelled."""
        with self._room:
            self._room.wait_for(lambda: not self.full)

    def finish(self, reason: FinishReason) -> None:
        self.finish_reason = reason
        self._mailbox.put(None)

    def fail(self, error: BaseException) -> None:
        self._mailbox.put(error)

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks as they come; to be iterated once.

        Raises:
            GenerationCancelled: `cancel` was called.
            EngineError: the engine called `fail`.
        """
        while not self.cancelled:
            item = self._mailbox.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            with self._room:
                self._waiting_frames -= item.frames
                self._room.notify_all()
            yield item
        raise GenerationCancelled


@dataclass(frozen=True, slots=True)
class EncodedVoice:
    """The codes of a recording. `whole` is False where the recording was longer than what they hold."""

    codes: Codes
    whole: bool


class VoiceCloner(Protocol):
    """Encodes recordings of voices for an engine. Implementations are thread-safe."""

    @property
    def codec(self) -> str:
        """Identifies the codec. Codes of another codec mean nothing to this engine."""

    def encode(self, audio: bytes) -> EncodedVoice:
        """The codes of the voice in an audio file, which takes seconds. Raises ValueError: it has no voice."""


class Engine(Protocol):
    """A voice, its device and its batch. Implementations are thread-safe."""

    @property
    def model(self) -> str:
        """What really speaks, for the response's `model`: a checkpoint's id and revision, or a preview."""

    @property
    def device(self) -> str:
        """Where it runs: "cpu", "cuda:0 NVIDIA H200"."""

    @property
    def slots(self) -> int:
        """How many requests it speaks at once."""

    @property
    def voices(self) -> tuple[str, ...]:
        """The names of those it can speak as."""

    @property
    def cloner(self) -> VoiceCloner | None:
        """Encodes the `references` of a request; None where the engine cannot speak like a recording."""

    @property
    def healthy(self) -> bool:
        """Whether it can speak. False for good once it is closed, or broken beyond a single request."""

    def submit(self, request: SpeechRequest) -> Generation:
        """Start speaking `request`; never blocks on other requests' audio."""

    def close(self) -> None:
        """Stop the engine's thread and free its device; unfinished generations fail."""
