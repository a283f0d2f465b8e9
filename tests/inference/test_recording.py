"""Recordings of hundreds of threads: few work at once, and none waits for one that waits for its money."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import numpy as np
import redis

from inference import recording
from inference.channel import Writer
from inference.engines.protocol import SAMPLES_PER_FRAME, Chunk, Codes
from inference.kept_connection import KeptConnections
from inference.recording import Recording

CHUNK = Chunk(np.zeros(10 * SAMPLES_PER_FRAME, np.float32), 10)
STREAMS, CHUNKS = 100, 5


class SlowWriter(Writer):
    """Takes a while to send, and counts how many send."""

    sending = most = sent = 0
    counting = threading.Lock()

    def audio(self, data: bytes, codes: Sequence[Codes] = (), *, frames: int = 0) -> None:
        with self.counting:
            SlowWriter.sending += 1
            SlowWriter.most = max(self.most, self.sending)
        time.sleep(0.001)
        with self.counting:
            SlowWriter.sending -= 1
            SlowWriter.sent += len(data)


def test_few_threads_encode_and_send_at_once(broker: redis.Redis) -> None:
    def record(_: int) -> int:
        made = Recording(
            SlowWriter(KeptConnections(broker), uuid4(), attempt=1),
            format="pcm",
            speed=1,
            max_frames=1000,
            cover=lambda asked: asked,
        )
        for _ in range(CHUNKS):
            made.add(CHUNK)
        size = made.close().size
        made.discard()
        return size

    with ThreadPoolExecutor(STREAMS) as threads:
        sizes = list(threads.map(record, range(STREAMS)))
    assert sum(sizes) == SlowWriter.sent == STREAMS * CHUNKS * len(CHUNK.pcm) * 2
    assert 1 < SlowWriter.most <= recording.TURNS


def test_who_waits_for_money_holds_nobody_up(broker: redis.Redis) -> None:
    paid = threading.Event()

    def cover(asked: int) -> int:
        assert paid.wait(10)
        return asked

    def recorder(cover_frames: Callable[[int], int]) -> Recording:
        return Recording(
            Writer(KeptConnections(broker), uuid4(), attempt=1),
            format="pcm",
            speed=1,
            max_frames=1000,
            cover=cover_frames,
        )

    waiting = [recorder(cover) for _ in range(2 * recording.TURNS)]
    with ThreadPoolExecutor(len(waiting)) as threads:
        waits = [threads.submit(each.add, CHUNK) for each in waiting]
        recorder(lambda asked: asked).add(CHUNK)
        assert not any(wait.done() for wait in waits)
        paid.set()
    assert {each.frames for each in waiting} == {10}
