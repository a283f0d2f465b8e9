"""The mailbox between an engine and the thread that encodes its audio is bounded, for each request by itself."""

from __future__ import annotations

import threading

import numpy as np

from inference.engines.preview.engine import PreviewEngine, Voice
from inference.engines.protocol import (
    MAILBOX_FRAMES,
    SAMPLES_PER_FRAME,
    Chunk,
    Generation,
    GenerationCancelled,
    Pcm,
    Segment,
    SpeechRequest,
    SpokenWord,
)

SECONDS = 20
ONE = Chunk(np.zeros(SAMPLES_PER_FRAME, np.float32), 1)


def generation(frames: int) -> Generation:
    made = Generation(SpeechRequest(id="test", segments=()))
    for _ in range(frames):
        made.put(ONE)
    return made


def waits_for_room(full: Generation) -> threading.Thread:
    thread = threading.Thread(target=full.wait_for_room, daemon=True)
    thread.start()
    return thread


def test_it_is_full_until_the_consumer_takes_a_chunk() -> None:
    made = generation(MAILBOX_FRAMES - 1)
    made.wait_for_room()
    made.put(ONE)
    assert made.full
    engine = waits_for_room(made)
    engine.join(0.05)
    assert engine.is_alive()
    next(iter(made))
    engine.join(SECONDS)
    assert not engine.is_alive()
    assert not made.full


def test_a_cancelled_one_is_not_full() -> None:
    made = generation(MAILBOX_FRAMES)
    engine = waits_for_room(made)
    made.cancel()
    engine.join(SECONDS)
    assert not engine.is_alive()
    try:
        next(iter(made))
    except GenerationCancelled:
        return
    raise AssertionError("it was cancelled")


class Second(Voice):
    """Says every sentence in one second of silence."""

    def __init__(self) -> None:
        self.sentences = 0

    @property
    def name(self) -> str:
        return "second"

    def speak(self, *_: object) -> tuple[Pcm, tuple[SpokenWord, ...]]:
        self.sentences += 1
        return np.zeros(25 * SAMPLES_PER_FRAME, np.float32), ()


def test_the_preview_leaves_out_whom_nobody_listens_to() -> None:
    voice = Second()
    engine = PreviewEngine(slots=2, voice=voice)
    long = SpeechRequest(id="long", segments=(Segment("A.", "alloy"),) * 100)
    unheard = engine.submit(long)
    heard = engine.submit(long)
    assert sum(chunk.frames for chunk in heard) > 100 * 25
    spoken_to_nobody = voice.sentences - 100
    assert spoken_to_nobody <= MAILBOX_FRAMES // 25 + 1
    assert sum(chunk.frames for chunk in unheard) > 100 * 25, "it goes on once somebody listens"
    engine.close()
