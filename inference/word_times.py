"""When each word of an attempt is spoken: told on its stream as it is known, and kept beside its audio."""

from __future__ import annotations

import logging
from typing import cast

from inference import stored_times
from inference.channel import Writer
from inference.engines.protocol import Chunk
from inference.models import SynthesisJob
from inference.speech.alignment import Aligner, Granularity, Timed
from inference.speech.script import SpokenScript
from inference.stored_times import StoredTimes

log = logging.getLogger(__name__)


class WordTimes:
    """Those of one attempt."""

    def __init__(self, writer: Writer, job: SynthesisJob, script: SpokenScript, *, speed: float) -> None:
        self._writer = writer
        self._job = job
        granularity = cast("Granularity", job.timestamps)
        self._aligner = Aligner(job.text, script.traced, granularity=granularity, speed=speed)
        self._found: list[Timed] = []

    def take(self, chunk: Chunk) -> None:
        self._tell(self._aligner.take(chunk))

    def close(self, frames: int) -> None:
        """Tell of the rest, when the audio has so many frames."""
        self._tell(self._aligner.close(frames))

    def keep(self, path: str) -> None:
        """Keep them beside the stored audio. What cannot be kept costs the captions, not the audio."""
        times = StoredTimes(self._job.timestamps, self._aligner.quality, tuple(self._found))
        try:
            stored_times.keep(self._job.id, times, path=path)
        except OSError as error:
            log.error("job %s: its word times are not kept: %s", self._job.id, type(error).__name__)

    def _tell(self, found: list[Timed]) -> None:
        self._found += found
        self._writer.times(found, quality=self._aligner.quality)
