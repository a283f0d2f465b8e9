"""When a worker listens, which jobs it claims at a message, and when it passes the message on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from uuid import uuid4

import pytest

from inference.claimer import Claimer
from inference.models import SynthesisJob
from tests.live import wait_for

SLOTS = 2


class Worker:
    """A claimer with jobs that wait, each of which is spoken until it is let go."""

    def __init__(self, *, waiting: int) -> None:
        self.waiting = waiting
        self.speaking: list[threading.Event] = []
        self.passed_on = 0
        self.messages: SimpleQueue[None] = SimpleQueue()
        self.claimer = Claimer(
            most=SLOTS,
            slots=lambda: SLOTS,
            listen=self.listen,
            claim=self.claim,
            speak=self.speak,
            pass_on=self.pass_on,
        )
        self.claimer.start()

    def listen(self) -> bool:
        try:
            self.messages.get(timeout=20)
        except Empty:
            return False
        return True

    def claim(self, limit: int) -> list[SynthesisJob]:
        taken = min(limit, self.waiting)
        self.waiting -= taken
        return [SynthesisJob(id=uuid4()) for _ in range(taken)]

    def speak(self, job: SynthesisJob) -> None:
        end = threading.Event()
        self.speaking.append(end)
        end.wait(20)

    def pass_on(self) -> None:
        self.passed_on += 1

    def end_all(self) -> None:
        for end in self.speaking:
            end.set()

    def ring(self) -> None:
        self.messages.put(None)


@pytest.fixture
def busy() -> Iterator[Worker]:
    """A worker with a slot free and more jobs than it can take."""
    worker = Worker(waiting=1)
    worker.ring()
    wait_for(lambda: len(worker.speaking) == 1)
    worker.waiting = 5
    yield worker
    worker.claimer.drain()
    worker.end_all()
    worker.claimer.close(grace_seconds=20, hand_over=worker.end_all)
    worker.ring()  # which ends its listening


def test_a_message_goes_on_if_it_stands_for_more_jobs_than_were_taken(busy: Worker) -> None:
    assert busy.passed_on == 0
    busy.ring()
    wait_for(lambda: busy.passed_on == 1, what="it took one of five")
    busy.speaking[0].set()
    wait_for(lambda: len(busy.speaking) == 3, what="a free slot takes the next")
    assert busy.passed_on == 1, "no message told of that one"


def test_a_full_worker_leaves_messages_to_others_and_listens_once_nothing_waits(busy: Worker) -> None:
    busy.ring()
    wait_for(lambda: busy.passed_on == 1)
    for _ in range(3):
        busy.ring()
    for spoken in range(2, 6):
        assert busy.messages.qsize() == 3, "it needs none to go on"
        busy.speaking[spoken - 2].set()
        wait_for(lambda spoken=spoken: len(busy.speaking) == spoken + 1)  # type: ignore[misc]
    busy.speaking[4].set()
    wait_for(busy.messages.empty, what="a slot is free, and nothing waits for it")
    assert busy.passed_on == 1


def test_a_worker_that_stops_passes_on_what_it_hears() -> None:
    worker = Worker(waiting=0)
    worker.claimer.close(grace_seconds=1, hand_over=worker.end_all)
    worker.waiting = 1
    worker.ring()
    wait_for(lambda: worker.passed_on == 1, what="it takes no job for the message")
    assert worker.waiting == 1
