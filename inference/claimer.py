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
    """A thread that claims jobs whenever it is woken and slots are free, and a thread for each job.

    Wakes that come while a claim is in flight share the next one, so that a burst of requests costs one or two
    statements. No wake is needed when a slot becomes free: the claimer knows whether more may wait.
    """

    def __init__(
        self,
        *,
        most: int,
        slots: Callable[[], int],
        claim: Callable[[int], list[SynthesisJob]],
        speak: Callable[[SynthesisJob], None],
        pass_on: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            most: jobs at once, whatever `slots` says.
            slots: how many the engine speaks at once now; it lowers the number when its device runs out of memory.
            claim: takes up to so many jobs.
            speak: speaks a job to its end; called in a thread of its own.
            pass_on: called when a message took the last slots and more jobs may wait, which it stood for as well;
                for workers that have slots free.
        """
        self._most = most
        self._slots = slots
        self._claim = claim
        self._speak = speak
        self._pass_on = pass_on
        self._taken = 0
        self._more = False
        """Whether jobs may wait that the last claim had no slot for."""
        self._rung = False
        """Whether a message came since the last look for jobs."""
        self._unanswered: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._woken = threading.Event()
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

        Args:
            grace_seconds: how long they may take.
            hand_over: called when they took longer; has the rest end soon.
        """
        self.drain()
        self._woken.set()
        self._thread.join()
        with self._ended:
            in_time = self._ended.wait_for(lambda: not self._taken, grace_seconds)
        if not in_time:
            hand_over()
        self._pool.shutdown()

    def wake(self) -> None:
        """Look for jobs if a slot is free; called once a second.

        It also acknowledges one message: what the broker delivers next may be of another task, which must not wait
        for as long as all slots are taken.
        """
        self._acknowledge(1)
        self._woken.set()

    def answer(self, acknowledge: Callable[[], object]) -> None:
        """Look for jobs because a message says so, and acknowledge it once a slot is free that no job waits for.

        The broker delivers only so many messages before an acknowledgement, so that a worker whose slots are all
        taken leaves the others to workers that can speak. While jobs wait it needs none: it claims the next one
        whenever a slot becomes free. And while a message stays in the queue the gateways send no other
        (`doorbell.ring_through`), so that messages cost nothing when the processor is needed most.
        """
        with self._lock:
            full = self._taken >= self.slots
            if full:
                self._unanswered.append(acknowledge)
        if not full:
            acknowledge()
        self._rung = True
        self._woken.set()

    def _run(self) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            if self._draining:
                return
            try:
                self._fill()
            except Exception as error:  # the next heartbeat wakes it again
                log.error("jobs cannot be claimed\n%s", place_of(error))
            finally:
                close_old_connections()

    def _fill(self) -> None:
        """Claim until the slots are taken or nothing waits."""
        rung, self._rung = self._rung, False
        first = claimed = self._claim_once()
        while self._more and claimed:
            claimed = self._claim_once()
        if not self._more:
            self._acknowledge()
        elif first and rung:
            self._pass_on()

    def _claim_once(self) -> list[SynthesisJob]:
        with self._lock:
            free = self.slots - self._taken
            if free <= 0:
                self._more = True
                return []
        claimed = self._claim(free)
        with self._lock:
            self._taken += len(claimed)
            self._more = len(claimed) == free
        for job in claimed:
            self._pool.submit(self._run_job, job)
        return claimed

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
                more = self._more
            if more:
                self._woken.set()
            else:
                self._acknowledge()

    def _acknowledge(self, most: int | None = None) -> None:
        """Acknowledge the messages that are kept, or so many of them."""
        with self._lock:
            answered = self._unanswered[:most]
            del self._unanswered[:most]
        for acknowledge in answered:
            acknowledge()
