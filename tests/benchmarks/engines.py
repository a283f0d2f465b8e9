"""Engines that cost nothing, so that what is left is the service around them."""

from __future__ import annotations

import json
import os
import threading
import time
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

import numpy as np

from inference.engines.protocol import FRAME_RATE, SAMPLES_PER_FRAME, Chunk, Generation, SpeechRequest
from inference.speech.voices import VOICES


class NullEngine:
    """Silence at once: a second of it, or as many as BENCH_SECONDS says."""

    model = "null"
    device = "cpu"
    slots = 1000
    voices = VOICES
    healthy = True
    cloner = None

    def __init__(self) -> None:
        frames = round(float(os.environ.get("BENCH_SECONDS", "1")) * FRAME_RATE)
        self._chunk = Chunk(np.zeros(frames * SAMPLES_PER_FRAME, np.float32), frames)

    def submit(self, request: SpeechRequest) -> Generation:
        generation = Generation(request)
        generation.put(self._chunk)
        generation.finish("stop")
        return generation

    def close(self) -> None:
        pass


class WordsEngine(NullEngine):
    """Silence of as many frames as the text has words, a tenth of a second after it was asked for."""

    slots = 128

    def submit(self, request: SpeechRequest) -> Generation:
        generation = Generation(request)
        frames = sum(len(segment.text.split()) for segment in request.segments)
        chunk = Chunk(np.zeros(frames * SAMPLES_PER_FRAME, np.float32), frames)

        def speak() -> None:
            generation.put(chunk)
            generation.finish("stop")

        timer = threading.Timer(0.1, speak)
        timer.daemon = True
        timer.start()
        return generation


class MarkedGeneration(Generation):
    """One that knows when it was told to stop, by the clock of this machine."""

    stopped_at: float | None = None

    def cancel(self) -> None:
        self.stopped_at = self.stopped_at or time.time()
        super().cancel()


class PacedEngine(NullEngine):
    """Silence in real time: BENCH_SECONDS of it, or what is asked for at most, if that is less.

    A chunk comes every BENCH_CHUNK_SECONDS and is as long as that.

    When each chunk was made, and when the request was cancelled, by the clock of this machine, goes to the file
    BENCH_MARKS, a line a request.
    """

    slots = 10_000

    def __init__(self) -> None:
        super().__init__()
        self._pace = float(os.environ["BENCH_CHUNK_SECONDS"])
        self._chunks = round(float(os.environ["BENCH_SECONDS"]) / self._pace)
        frames = round(self._pace * FRAME_RATE)
        self._chunk = Chunk(np.zeros(frames * SAMPLES_PER_FRAME, np.float32), frames)
        self._marks = Path(os.environ["BENCH_MARKS"])
        self._due: list[tuple[float, int, MarkedGeneration, list[float]]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        threading.Thread(target=self._tick, name="pace", daemon=True).start()

    def submit(self, request: SpeechRequest) -> Generation:
        generation = MarkedGeneration(request)
        with self._changed:
            heappush(self._due, (time.monotonic(), next(self._numbers), generation, []))
            self._changed.notify()
        return generation

    def _tick(self) -> None:
        with self._marks.open("a", buffering=1) as marks:
            while True:
                with self._changed:
                    while not self._due or (wait := self._due[0][0] - time.monotonic()) > 0:
                        self._changed.wait(wait if self._due else None)
                    due, _, generation, made = heappop(self._due)
                made.append(time.time())
                generation.put(self._chunk)
                most = min(self._chunks, -(-generation.request.max_frames // self._chunk.frames))
                if len(made) == most or generation.cancelled:
                    mark = {"id": generation.request.id, "made": made, "stopped": generation.stopped_at}
                    marks.write(json.dumps(mark) + "\n")
                    generation.finish("stop")
                    continue
                with self._changed:
                    heappush(self._due, (due + self._pace, next(self._numbers), generation, made))


class HastyEngine(NullEngine):
    """Silence, a second of it at a time: BENCH_SECONDS in all, one every BENCH_CHUNK_SECONDS."""

    def __init__(self) -> None:
        super().__init__()
        self._chunk = Chunk(np.zeros(FRAME_RATE * SAMPLES_PER_FRAME, np.float32), FRAME_RATE)
        self._chunks = int(os.environ["BENCH_SECONDS"])
        self._pace = float(os.environ["BENCH_CHUNK_SECONDS"])

    def submit(self, request: SpeechRequest) -> Generation:
        generation = Generation(request)
        threading.Thread(target=self._speak, args=(generation,), daemon=True).start()
        return generation

    def _speak(self, generation: Generation) -> None:
        for _ in range(self._chunks):
            generation.wait_for_room()
            if generation.cancelled:
                return
            generation.put(self._chunk)
            time.sleep(self._pace)
        generation.finish("stop")
