"""The host: one engine per worker process, and the thread that keeps its lease alive.

The claimer's threads call `Host._serve`; each waits for its own job's audio while the engine batches them all.
The keeper thread beats once a second: it renews the worker's lease, cancels what is no longer ours, says that this
worker lives, and sweeps up after workers that do not. Sweeping needs no leader: each move is a conditional UPDATE.
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
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import numpy as np
import redis
from django.conf import settings
from django.db import close_old_connections, connection, connections
from django.db.models import Q
from django.utils.module_loading import import_string

from accounts.identifiers import new_id
from inference import (
    assets,
    cancellations,
    channel,
    cloning,
    doorbell,
    jobs,
    kept_codes,
    presence,
    pronunciations,
    results,
    silence,
    turns,
)
from inference.audio import FRAME_RATE
from inference.claimer import Claimer
from inference.delivery import generation_seconds
from inference.engines.protocol import (
    Codes,
    Engine,
    GenerationCancelled,
    Segment,
    SpeechRequest,
    Turn,
    Unspeakable,
    VoiceReference,
)
from inference.failures import place_of
from inference.hold import Hold
from inference.models import SynthesisJob
from inference.pace import Pace
from inference.recording import Recording
from inference.results import Result
from inference.speech import script as scripts
from inference.speech.formats import AudioFormat
from inference.word_times import WordTimes
from inference.work import Work, Works

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
REJOIN_SECONDS = 2.0
"""How long a job that is spoken, but whose last listener has hung up, waits for that one to ask again."""
REJOIN_POLL_SECONDS = 0.05
SWITCH_SECONDS = 0.0005
HOLD_THREADS = 2
"""They raise the holds of all jobs, and each uses a connection of the pool for some milliseconds at a time."""

_host: Host | None = None


def host() -> Host:
    """This process's host. Raises RuntimeError outside a Celery worker."""
    if _host is None:
        raise RuntimeError("no engine runs in this process: jobs are spoken by Celery workers")
    return _host


class Host:
    """An engine and the jobs that it speaks now."""

    def __init__(self, engine: Engine, client: redis.Redis, *, concurrency: int) -> None:
        self.engine = engine
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.id = new_id()
        self._redis = client
        self._works = Works()
        self._claimer = Claimer(
            most=concurrency,
            slots=lambda: engine.slots,
            claim=self._claim,
            speak=self._serve,
            pass_on=doorbell.ring,
        )
        self._pace = Pace()
        self._holds = ThreadPoolExecutor(HOLD_THREADS, thread_name_prefix="hold")
        self._closing = threading.Event()
        self._retired = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._cancellations = cancellations.Listener(client, self._works.cancel)

    @property
    def slots(self) -> int:
        """How many jobs this worker speaks at once."""
        return self._claimer.slots

    def start(self) -> None:
        self._claimer.start()
        self._keeper.start()
        self._cancellations.start()

    def drain(self) -> None:
        """Claim no more jobs; safe in a signal handler."""
        self._claimer.drain()

    def close(self) -> None:
        """Speak what is claimed to its end, and stop. A process that is killed before leaves it to the lease."""
        self._claimer.close()
        self._holds.shutdown()
        self._closing.set()
        self._keeper.join()
        self._cancellations.close()
        self.engine.close()

    def answer(self, acknowledge: Callable[[], object]) -> None:
        """Take the message that work waits, and acknowledge it when this worker can take more."""
        self._claimer.answer(acknowledge)

    def _claim(self, limit: int) -> list[SynthesisJob]:
        if not self.engine.healthy:
            self._retire()
            return []
        return self._works.take(lambda: jobs.claim(worker=self.id, limit=limit))

    def _serve(self, job: SynthesisJob) -> None:
        """Speak the job and end it, or put it back."""
        writer = channel.Writer(self._redis, job.id, job.attempt)
        work = self._works.of(job)
        try:
            self._speak(work, writer)
        except GenerationCancelled:
            if (result := jobs.cut(job.id, job.attempt, frames=work.published)) is not None:
                writer.ended(result)
            log.info("job %s: attempt %d cancelled after %d frames", job.id, job.attempt, work.published)
        except (Unspeakable, jobs.HoldRefused) as refusal:
            result = jobs.fail(job.id, job.attempt, error_code=refusal.code, frames=work.published)
            if result is not None:
                writer.ended(result)
        except Exception as error:
            log.error("job %s: attempt %d failed\n%s", job.id, job.attempt, place_of(error))
            if jobs.give_back(job.id, job.attempt, frames=work.published):
                doorbell.ring()
            elif (result := results.of_job(job.id)) is not None:
                writer.ended(result)
        finally:
            self._works.remove(job)
            if work.recording is not None:
                work.recording.discard()

    def _speak(self, work: Work, writer: channel.Writer) -> None:
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
        hold = Hold(job, self._holds)
        recording = work.recording = Recording(
            writer, format=job.format, speed=speed, max_frames=job.max_frames, cover=hold.cover
        )
        times = WordTimes(writer, job, script, speed=speed) if job.timestamps else None
        request = _request(job, script.segments, context, references, self._codes_so_far(job))
        generation = work.begin(self.engine.submit(request) if script.segments else silence.answer(request))
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
                if hold.refusal is not None:
                    break
            if not recording.metered:  # an engine that found no sound in the text
                recording.add(silence.CHUNK)
        finally:
            generation.cancel()  # an encoder that broke must not leave the engine speaking
        recorded = recording.close()
        if times is not None:
            times.close(recording.frames)
        if hold.refusal is not None:
            raise hold.refusal
        format = AudioFormat.parse(job.format)
        path = assets.save(job.id, job.attempt, format.suffix, recorded.file)
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
            size=recorded.size,
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

    def _retire(self) -> None:
        """End this process, whose engine is broken; the supervisor starts it anew, others take what waits."""
        if not self._retired.is_set():
            self._retired.set()
            self.drain()
            log.critical("%s retires: its engine is broken", self.name)
            os.kill(os.getpid(), signal.SIGTERM)
            doorbell.ring()  # Celery's loop acts on a signal once something wakes it, else up to 20 s later

    def _codes_so_far(self, job: SynthesisJob) -> Codes | None:
        """What an earlier attempt at the job has left, from which this one goes on."""
        if job.attempt == 1:
            return None
        found = kept_codes.read(self._redis, job.id, model=self.engine.model)
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
            self._claimer.wake()  # the message of a job that waits may be lost
            if self._closing.wait(BEAT_SECONDS):
                break
        connections.close_all()
        presence.leave(self._redis, self.name)

    def _published(self, job_id: UUID) -> int:
        return channel.published_frames(self._redis, job_id)

    def _beat(self) -> None:
        running = self._works.now()
        held = {
            key: jobs.Held(*key, frames=work.published, max_frames=work.job.max_frames)
            for key, work in running.items()
        }
        kept = jobs.heartbeat(worker=self.id, name=self.name, held=held.values())
        for lost in running.keys() - kept.wanted:
            running[lost].cancel()
        begun = [key for key in kept.wanted if held[key].frames and not running[key].begun]
        jobs.first_audio(held[key] for key in begun)
        for key in begun:
            running[key].begun = True
        for job_id, attempt in self._works.missing(kept.unknown):  # of a claim whose answer was lost
            if jobs.take_back(Q(), job_id, attempt, published=self._published):
                log.warning("job %s: attempt %d put back, for it is not spoken here", job_id, attempt)
                doorbell.ring()
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
                "slots": self.slots,
                "voices": engine.voices,
                "clones": engine.cloner is not None,
                "running": len(running),
                "audio_seconds": audio_seconds,
                "real_time_factor": real_time_factor,
            },
        )
        for job_id in jobs.sweep(published=self._published):
            log.warning("job %s put back in the queue", job_id)
            doorbell.ring()


def start(*, concurrency: int) -> None:
    """Load the engine that the settings name and take work; called once a process, before Celery consumes.

    Args:
        concurrency: jobs at once; fewer where the engine has fewer slots.
    """
    global _host
    # A thread that wakes from PostgreSQL waits this long for one that computes; the default, 5 ms, is much beside
    # the 2 ms that a claim takes.
    sys.setswitchinterval(SWITCH_SECONDS)
    engine: Engine = import_string(settings.ENGINE)()
    _host = Host(engine, redis.Redis.from_url(settings.REDIS_URL), concurrency=concurrency)
    _host.start()
    log.info("%s speaks as %s on %s, %d at once", _host.name, engine.model, engine.device, _host.slots)


def drain() -> None:
    """Let this process's host claim no more jobs."""
    if _host is not None:
        _host.drain()


def stop() -> None:
    """Close this process's host once it has spoken what it claimed."""
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
