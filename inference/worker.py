"""The host: one engine per worker process, and the thread that keeps its jobs' leases alive.

Celery's threads call `Host.speak`; each waits for its own job's audio while the engine batches them all. The
keeper thread beats once a second: it extends leases, cancels what is no longer ours, says that this worker
lives, and sweeps up after workers that do not. Sweeping needs no leader: every move is a conditional UPDATE.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import redis
from django.conf import settings
from django.db import close_old_connections, connection, connections
from django.utils.module_loading import import_string

from inference import (
    assets,
    cancellations,
    channel,
    cloning,
    doorbell,
    jobs,
    presence,
    pronunciations,
    results,
    silence,
    turns,
)
from inference.audio import FRAME_RATE
from inference.delivery import generation_seconds
from inference.engines.protocol import (
    Codes,
    Engine,
    Generation,
    GenerationCancelled,
    Segment,
    SpeechRequest,
    Turn,
    Unspeakable,
    VoiceReference,
)
from inference.failures import place_of
from inference.models import SynthesisJob
from inference.pace import Pace
from inference.recording import Recording
from inference.results import Result
from inference.speech import script as scripts
from inference.speech.formats import AudioFormat
from inference.word_times import WordTimes

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
REJOIN_SECONDS = 2.0
"""How long a job that is spoken, but whose last listener has hung up, waits for that one to ask again."""
REJOIN_POLL_SECONDS = 0.05
SWITCH_SECONDS = 0.0005

_host: Host | None = None


@dataclass(slots=True)
class _Work:
    """A job from its claim to its end; its lease is kept alive all the while."""

    job: SynthesisJob
    generation: Generation | None = None
    recording: Recording | None = None

    def cancel(self) -> None:
        """Stop speaking it; its thread then ends it."""
        if self.generation is not None:
            self.generation.cancel()

    @property
    def published(self) -> int:
        """The frames that this attempt has put on the job's stream."""
        return self.recording.published if self.recording else 0


def host() -> Host:
    """This process's host. Raises RuntimeError outside a Celery worker."""
    if _host is None:
        raise RuntimeError("no engine runs in this process: jobs are spoken by Celery workers")
    return _host


class Host:
    """An engine and the jobs that it speaks now."""

    def __init__(self, engine: Engine, client: redis.Redis) -> None:
        self.engine = engine
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._redis = client
        self._running: dict[tuple[UUID, int], _Work] = {}
        """By job and attempt: a job that was taken back may be here twice for a moment."""
        self._lock = threading.Lock()
        self._pace = Pace()
        self._closing = threading.Event()
        self._retired = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._cancellations = cancellations.Listener(client, self._cancel)

    def start(self) -> None:
        self._keeper.start()
        self._cancellations.start()

    def close(self) -> None:
        """Stop. What still runs is left to its lease."""
        self._closing.set()
        self._keeper.join()
        self._cancellations.close()
        self.engine.close()

    def speak(self) -> None:
        """Claim the job whose turn it is and speak it; returns at once where none waits."""
        close_old_connections()
        if not self.engine.healthy:
            doorbell.ring()
            self._retire()
            self._closing.wait(BEAT_SECONDS)  # so that another worker takes it, not this one again
            return
        job = jobs.claim()
        if job is None:
            return
        writer = channel.Writer(self._redis, job.id, job.attempt)
        work = _Work(job)
        with self._lock:
            self._running[job.id, job.attempt] = work
        try:
            self._speak(work, writer)
        except GenerationCancelled:
            if (result := jobs.cut(job.id, job.attempt, frames=work.published)) is not None:
                writer.ended(result)
            log.info("job %s: attempt %d cancelled after %d frames", job.id, job.attempt, work.published)
        except Unspeakable as refusal:
            if jobs.fail(job.id, job.attempt, error_code=refusal.code):
                writer.ended(Result(state="failed", error_code=refusal.code))
        except Exception as error:
            log.error("job %s: attempt %d failed\n%s", job.id, job.attempt, place_of(error))
            if jobs.give_back(job.id, job.attempt, frames=work.published):
                doorbell.ring()
            elif (result := results.of_job(job.id)) is not None:
                writer.ended(result)
        finally:
            with self._lock:
                del self._running[job.id, job.attempt]

    def _speak(self, work: _Work, writer: channel.Writer) -> None:
        job = work.job
        script = scripts.write(
            job.text,
            voice=job.voice,
            voices=job.voices,
            max_frames=_engine_frames(job),
            dictionary=pronunciations.of_job(job),
            traced=bool(job.timestamps),
        )
        context = turns.load(job.organization_id, job.context)
        references = cloning.references(job, self.engine.cloner)
        connection.close()  # back to the pool: to speak takes long and needs none
        writer.started(engine_model=self.engine.model, transcript=script.transcript)
        speed = job.speed if script.segments else 1
        recording = work.recording = Recording(writer, format=job.format, speed=speed, max_frames=job.max_frames)
        times = WordTimes(writer, job, script, speed=speed) if job.timestamps else None
        request = _request(job, script.segments, context, references, self._codes_so_far(job))
        generation = work.generation = self.engine.submit(request) if script.segments else silence.answer(request)
        until = math.inf
        late = False
        try:
            for chunk in generation:
                recording.add(chunk)
                if times is not None:
                    times.take(chunk)
                if until == math.inf:
                    until = time.monotonic() + generation_seconds(job.max_frames)
                elif time.monotonic() > until:
                    late = True
                    break
            if not recording.metered:  # an engine that found no sound in the text
                recording.add(silence.CHUNK)
        finally:
            generation.cancel()  # an encoder that broke must not leave the engine speaking
        recorded = recording.close()
        if times is not None:
            times.close(recording.frames)
        format = AudioFormat.parse(job.format)
        path = assets.save(job.id, job.attempt, format.suffix, recorded.data)
        codes_path = turns.save_codes(job.id, job.attempt, recording.codes)
        spoken = jobs.SpokenJob(
            engine_model=self.engine.model,
            finish_reason="length" if recording.cut or late else generation.finish_reason,
            prompt_tokens=generation.prompt_tokens,
            frames=recording.metered,
            audio_frames=recording.frames,
            transcript=script.transcript,
            path=path,
            codes_path=codes_path,
            content_type=format.content_type,
            size=len(recorded.data),
            first_audio_ms=recording.first_audio_ms,
            synthesis_ms=recording.elapsed_ms,
            encode_ms=recording.encode_ms,
        )
        result = self._finish(job, spoken)
        if result is None:
            assets.discard(path, codes_path)
            raise GenerationCancelled
        if times is not None:
            times.keep(path)
        self._pace.add(audio_seconds=recording.frames / FRAME_RATE, synthesis_seconds=recording.elapsed_ms / 1000)
        writer.ended(result, head=recorded.head)

    def _finish(self, job: SynthesisJob, spoken: jobs.SpokenJob) -> Result | None:
        """End the job well; one whose last listener has hung up waits a moment for that one to ask again."""
        until = time.monotonic() + REJOIN_SECONDS
        while (result := jobs.finish(job.id, job.attempt, spoken)) is None:
            if time.monotonic() > until or not jobs.is_left(job.id, job.attempt):
                return None
            time.sleep(REJOIN_POLL_SECONDS)
        return result

    def _cancel(self, job_id: UUID) -> None:
        """Stop speaking the job, if this worker does."""
        with self._lock:
            works = [work for (running, _), work in self._running.items() if running == job_id]
        for work in works:
            work.cancel()

    def _retire(self) -> None:
        """End this process, whose engine is broken: Celery takes no more jobs, the supervisor starts it anew."""
        if not self._retired.is_set():
            self._retired.set()
            log.critical("%s retires: its engine is broken", self.name)
            os.kill(os.getpid(), signal.SIGTERM)

    def _codes_so_far(self, job: SynthesisJob) -> Codes | None:
        """What an earlier attempt at the job has left, from which this one goes on."""
        if job.attempt == 1:
            return None
        found = channel.read_codes(self._redis, job.id, model=self.engine.model)
        if found is None:
            return None
        codes, codebooks = found
        log.info("job %s: attempt %d goes on after %d rows", job.id, job.attempt, len(codes) // 2 // codebooks)
        return np.frombuffer(codes, np.int16).reshape(-1, codebooks)

    def _keep(self) -> None:
        """Beat until closed. A beat that fails (the database or Redis is away) is logged; the next may not."""
        while True:
            try:
                close_old_connections()
                self._beat()
            except Exception as error:
                log.error("heartbeat failed\n%s", place_of(error))
            if self._closing.wait(BEAT_SECONDS):
                break
        connections.close_all()
        presence.leave(self._redis, self.name)

    def _published(self, job_id: UUID) -> int:
        return channel.published_frames(self._redis, job_id)

    def _beat(self) -> None:
        with self._lock:
            running = dict(self._running)
        kept = jobs.heartbeat(
            jobs.Held(job_id, attempt, work.published, work.job.max_frames)
            for (job_id, attempt), work in running.items()
        )
        for lost in running.keys() - kept:
            running[lost].cancel()
        engine = self.engine
        if not engine.healthy:
            presence.leave(self._redis, self.name)
            self._retire()
            return
        audio_seconds, real_time_factor = self._pace.read()
        presence.announce(
            self._redis,
            self.name,
            {
                "name": self.name,
                "model": engine.model,
                "device": engine.device,
                "slots": engine.slots,
                "voices": engine.voices,
                "clones": engine.cloner is not None,
                "running": len(running),
                "audio_seconds": audio_seconds,
                "real_time_factor": real_time_factor,
            },
        )
        queue_is_empty = self._redis.llen(doorbell.QUEUE) == 0
        for job_id in jobs.sweep(queue_is_empty=queue_is_empty, published=self._published):
            log.warning("job %s put back in the queue", job_id)
            doorbell.ring()


def start() -> None:
    """Load the engine that the settings name and take work; called once a process, before Celery consumes."""
    global _host
    # A thread that wakes from PostgreSQL waits this long for one that computes; the default, 5 ms, is much beside
    # the 2 ms that a claim takes.
    sys.setswitchinterval(SWITCH_SECONDS)
    engine: Engine = import_string(settings.ENGINE)()
    _host = Host(engine, redis.Redis.from_url(settings.REDIS_URL))
    _host.start()
    log.info("%s speaks as %s on %s, %d at once", _host.name, engine.model, engine.device, engine.slots)


def stop() -> None:
    """Close this process's host; Celery has let its running tasks end."""
    if _host is not None:
        _host.close()


def _engine_frames(job: SynthesisJob) -> int:
    """How many frames the engine may speak, of which the job's speed makes fewer or more.

    What is billed is the longer of what is generated and of the audio, so the cap is one for both.
    """
    return min(job.max_frames, math.ceil(job.max_frames * job.speed))


def _request(
    job: SynthesisJob,
    segments: tuple[Segment, ...],
    context: tuple[Turn, ...],
    references: Mapping[str, VoiceReference],
    checkpoint: Codes | None,
) -> SpeechRequest:
    return SpeechRequest(
        id=str(job.id),
        segments=segments,
        context=context,
        references=references,
        checkpoint=checkpoint,
        style=job.style,
        max_frames=_engine_frames(job),
        **job.sampling,
    )
