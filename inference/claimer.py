"""The slots of a worker: how many jobs it may speak at once, and the thread that claims jobs for the free ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections

from inference.failures import place_of
from inference.models import SynthesisJob

log = logging.getLogger(__name__)


class Claimer:
    """A thread that claims jobs while slots are free, and a thread for each job.

    It listens to the doorbell only while it has slots free and knows of no job that waits. So a worker whose slots
    are all taken leaves the messages to workers that can speak. While one stays in the queue the gateways send no
    other (`doorbell.RING`), so that messages cost nothing when the processor is needed most.
    """

    def __init__(
        self,
        *,
        most: int,
        slots: Callable[[], int],
        listen: Callable[[], bool],
        claim: Callable[[int], list[SynthesisJob]],
        speak: Callable[[SynthesisJob], None],
        pass_on: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            most: jobs at once, whatever `slots` says.
            slots: how many the engine speaks at once now; it lowers the number when its device runs out of memory.
            listen: waits a while for a message; returns whether one came.
            claim: takes up to so many jobs.
            speak: speaks a job to its end; called in a thread of its own.
            pass_on: called when a message took the last slots and more jobs may wait, which it stood for as well;
                for workers that have slots free.
        """
        self._most = most
        self._slots = slots
        self._listen = listen
        self._claim = claim
        self._speak = speak
        self._pass_on = pass_on
        self._taken = 0
        self._more = False
        """Whether jobs may wait that the last claim had no slot for."""
        self._rung = False
        """Whether a message came that may stand for such jobs."""
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._claiming = threading.Lock()
        """Held from the decision to claim until the jobs are counted."""
        self._draining = False
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="speak")
        self._thread = threading.Thread(target=self._run, name="claimer", daemon=True)

    @property
    def slots(self) -> int:
        """How many jobs the worker may speak at once."""
        return min(self._most, self._slots())

    def start(self) -> None:
        self._thread.start()

    def drain(self) -> None:
        """Claim no more. Takes no lock: a signal handler calls it."""
        self._draining = True

    def close(self, *, grace_seconds: float, hand_over: Callable[[], None]) -> None:
        """Claim no more and wait until the jobs that are spoken have ended.

        The thread may listen on for a moment; it passes on what it hears.

        Args:
            grace_seconds: how long they may take.
            hand_over: called when they took longer; has the rest end soon.
        """
        self.drain()
        with self._claiming, self._ended:  # what is being claimed counts
            self._ended.notify_all()
        with self._ended:
            in_time = self._ended.wait_for(lambda: not self._taken, grace_seconds)
        if not in_time:
            hand_over()
        self._pool.shutdown()

    def _run(self) -> None:
        while not self._draining:
            try:
                self._wait_for_a_slot()
                if not self._more and not self._draining:
                    self._rung = self._listen()
                with self._claiming:
                    if not self._draining:
                        self._fill()
                    elif self._rung:
                        self._pass_on()
            except Exception as error:
                self._more = False  # it listens before it tries again
                log.error("jobs cannot be claimed\n%s", place_of(error))
            finally:
                close_old_connections()

    def _wait_for_a_slot(self) -> None:
        with self._ended:
            while self._taken >= self.slots and not self._draining:
                # Not for ever: the engine may have more slots again, and a signal that drains wakes nobody.
                self._ended.wait(1)

    def _fill(self) -> None:
        """Claim for the slots that are free, once."""
        with self._lock:
            free = self.slots - self._taken
        if free <= 0:
            return
        self._more = False
        claimed = self._claim(free)
        with self._lock:
            self._taken += len(claimed)
            self._more = len(claimed) == free
            full = self._taken >= self.slots
        for job in claimed:
            self._pool.submit(self._run_job, job)
        if self._rung and self._more and full:
            self._rung = False
            self._pass_on()

    def _run_job(self, job: SynthesisJob) -> None:
        try:
            close_old_connections()
            self._speak(job)
        except Exception as error:  # its lease has it put back
            log.error("job %s: attempt %d was dropped\n%s", job.id, job.attempt, place_of(error))
        finally:
            close_old_connections()
            with self._lock:
                self._taken -= 1
                self._ended.notify_all()
