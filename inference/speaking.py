"""Speaking one job: from its claim to its end, in the thread that the claimer gave it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import redis
from django.db import connection

from inference import assets, channel, cloning, doorbell, jobs, kept_codes, pronunciations, results, silence, turns
from inference.audio import FRAME_RATE
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
from inference.redis_memory import Room
from inference.results import Result
from inference.speech import script as scripts
from inference.speech.formats import AudioFormat
from inference.word_times import WordTimes
from inference.work import Work, Works

log = logging.getLogger(__name__)

REJOIN_SECONDS = 2.0
"""How long a job that is spoken, but whose last listener has hung up, waits for that one to ask again."""
REJOIN_POLL_SECONDS = 0.05
HOLD_THREADS = 2
"""They raise the holds of all jobs, and each uses a connection of the pool for some milliseconds at a time."""


class JobRunner:
    """Speaks claimed jobs with an engine; thread-safe.

    Args:
        works: the jobs in hand, among them those that are spoken.
        room: how much of their audio Redis has room for.
        pace: is told how long each took.
    """

    def __init__(self, engine: Engine, client: redis.Redis, works: Works, *, room: Room, pace: Pace) -> None:
        self._engine = engine
        self._redis = client
        self._connections = channel.connections(client)
        self._works = works
        self._room = room
        self._pace = pace
        self._holds = ThreadPoolExecutor(HOLD_THREADS, thread_name_prefix="hold")

    def close(self) -> None:
        """Wait for the holds that are being raised. No job may be spoken any more."""
        self._holds.shutdown()

    def serve(self, job: SynthesisJob) -> None:
        """Speak the job and end it, or put it back."""
        writer = channel.Writer(self._connections, job.id, job.attempt, self._room, streamed=job.streamed)
        work = self._works.of(job)
        try:
            self._speak(work, writer)
        except GenerationCancelled:
            if work.handed_over and jobs.hand_over(job.id, job.attempt, frames=work.published):
                log.info("job %s: attempt %d handed over after %d frames", job.id, job.attempt, work.published)
                doorbell.ring_from_worker(self._redis)
                return
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
                doorbell.ring_from_worker(self._redis)
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
        references = cloning.references(job, self._engine.cloner)
        connection.close()  # back to the pool: to speak takes long and needs none
        writer.started(engine_model=self._engine.model, transcript=script.transcript)
        speed = job.speed if script.segments else 1
        hold = Hold(job, self._holds)
        recording = work.recording = Recording(
            writer, format=job.format, speed=speed, max_frames=job.max_frames, cover=hold.cover
        )
        times = WordTimes(writer, job, script, speed=speed) if job.timestamps else None
        request = _request(job, script.segments, context, references, self._codes_so_far(job))
        generation = work.begin(self._engine.submit(request) if script.segments else silence.answer(request))
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
            engine_model=self._engine.model,
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

    def _codes_so_far(self, job: SynthesisJob) -> Codes | None:
        """What an earlier attempt at the job has left, from which this one goes on."""
        if job.attempt == 1:
            return None
        found = kept_codes.read(self._redis, job.id, model=self._engine.model)
        if found is None:
            return None
        codes, codebooks = found
        log.info("job %s: attempt %d goes on after %d rows", job.id, job.attempt, len(codes) // 2 // codebooks)
        return np.frombuffer(codes, np.int16).reshape(-1, codebooks)


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
