"""The money of a job while it is spoken: no frame leaves that the job's hold does not cover.

A job is admitted with a hold for the audio that its text is expected to become. The hold is raised in a thread
beside, before it is used up, so that the audio waits for the database only where that is slower than the lead.
"""

from __future__ import annotations

import logging
from concurrent.futures import Executor, Future

from django.db import close_old_connections, connection
from django.db.utils import OperationalError

from inference import jobs
from inference.audio import FRAME_RATE
from inference.engines.protocol import GenerationCancelled
from inference.models import SynthesisJob

log = logging.getLogger(__name__)

STEP_SECONDS, LEAST_STEP_SECONDS = 30, 2
"""By how much audio a hold is raised: by a quarter of what it covers, but no more and no less than this."""
LEAD_SECONDS = 10
"""How much of the audio that is covered is left when more is asked for: an eighth, but no more than this."""


class Hold:
    """The hold of one attempt at a job. Used by one thread.

    Attributes:
        frames: how many frames of the job it covers.
        refusal: why it covers no more, once audio was refused for that.
    """

    def __init__(self, job: SynthesisJob, executor: Executor) -> None:
        self.frames = job.max_frames if job.held_frames is None else job.held_frames
        self.refusal: jobs.HoldRefused | None = None
        self._job = job
        self._executor = executor
        self._answer: Future[int] | None = None
        self._refused = False

    def cover(self, frames: int) -> int:
        """How many of the job's first `frames` may leave; waits for the hold to be raised where it is short.

        Raises:
            GenerationCancelled: the job is no longer this attempt's.
            django.db.Error: the database is away, and no frame is covered beyond `self.frames`.
        """
        frames = min(frames, self._job.max_frames)
        if frames <= self.frames:
            if frames > self.frames - self._lead and self.frames < self._job.max_frames and not self._refused:
                self._take_early(self._ask())
            return frames
        while frames > self.frames and self.refusal is None:
            try:
                self._take(self._ask())
            except jobs.HoldRefused as refusal:
                # One that was refused ahead of need is asked for once more: credit may have been added.
                self.refusal, self._refused = (refusal, True) if self._refused else (None, True)
        return min(frames, self.frames)

    @property
    def _lead(self) -> int:
        return min(LEAD_SECONDS * FRAME_RATE, self.frames // 8)

    def _ask(self) -> Future[int]:
        """The answer that is on its way, or to a new question."""
        if self._answer is None:
            step = max(LEAST_STEP_SECONDS * FRAME_RATE, min(STEP_SECONDS * FRAME_RATE, self.frames // 4))
            wanted = min(self.frames + step, self._job.max_frames)
            self._answer = self._executor.submit(_raise, self._job, wanted)
        return self._answer

    def _take_early(self, answer: Future[int]) -> None:
        """Take an answer if it is there; where there is none because the database is away, it is asked again."""
        if not answer.done():
            return
        try:
            self._take(answer)
        except jobs.HoldRefused:
            self._refused = True
        except OperationalError as error:
            log.warning("job %s: its hold could not be raised yet: %s", self._job.id, type(error).__name__)

    def _take(self, answer: Future[int]) -> None:
        try:
            self.frames = max(self.frames, answer.result())
        finally:
            self._answer = None


def _raise(job: SynthesisJob, frames: int) -> int:
    try:
        close_old_connections()
        covered = jobs.raise_hold(job.id, job.attempt, frames=frames)
    finally:
        connection.close()  # back to the pool
    if covered is None:
        raise GenerationCancelled
    return covered
