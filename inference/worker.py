"""The host: one engine per worker process, and the thread that keeps its lease alive.

The claimer takes jobs, and `inference.speaking` speaks each in a thread of its own while the engine batches them
all. The keeper thread beats once a second: it renews the worker's lease, cancels jobs that are no longer this
worker's, announces that the worker lives, and sweeps up after workers that do not. Sweeping needs no leader: each
move is a conditional UPDATE.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
from functools import partial
from uuid import UUID

import redis
from django.conf import settings
from django.db import close_old_connections, connections
from django.db.models import Q
from django.utils.module_loading import import_string

from accounts.identifiers import new_id
from inference import cancellations, channel, doorbell, jobs, presence
from inference.bell import Bell
from inference.claimer import Claimer
from inference.engines.protocol import Engine
from inference.failures import place_of
from inference.models import SynthesisJob
from inference.pace import Pace
from inference.redis_memory import Room
from inference.speaking import JobRunner
from inference.work import Works

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
SWITCH_SECONDS = 0.0005
KEEPER_SECONDS = 1.0
"""How long Redis may take to answer the keeper: a Redis that hangs must not cost the worker its lease."""

_host: Host | None = None


def host() -> Host:
    """This process's host. Raises RuntimeError outside a Celery worker."""
    if _host is None:
        raise RuntimeError("no engine runs in this process: jobs are spoken by Celery workers")
    return _host


class Host:
    """An engine and the jobs that it speaks now.

    Args:
        redis_url: where the streams and the announcements go.
        concurrency: jobs at once; fewer where the engine has fewer slots.
    """

    def __init__(self, engine: Engine, redis_url: str, *, concurrency: int) -> None:
        self.engine = engine
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.id = new_id()
        client = channel.connect(redis_url)
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=KEEPER_SECONDS, socket_connect_timeout=KEEPER_SECONDS
        )
        """The keeper's."""
        self._works = Works()
        self._pace = Pace()
        self._room = Room()
        self._runner = JobRunner(engine, client, self._works, room=self._room, pace=self._pace)
        self._claimer = Claimer(
            most=concurrency,
            slots=lambda: engine.slots,
            listen=Bell(redis_url).wait,
            claim=self._claim,
            speak=self._runner.serve,
            pass_on=partial(doorbell.ring_from_worker, client),
        )
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

    def close(self, *, grace_seconds: float) -> None:
        """Stop, once the jobs in hand are spoken or, after the grace, put back for other workers to go on with.

        A process that is killed before leaves them to the lease.
        """
        self._claimer.close(grace_seconds=grace_seconds, hand_over=self._hand_over)
        self._runner.close()
        self._closing.set()
        self._keeper.join()
        self._cancellations.close()
        self.engine.close()

    def _hand_over(self) -> None:
        for work in self._works.now().values():
            work.hand_over()

    def _claim(self, limit: int) -> list[SynthesisJob]:
        if not self.engine.healthy:
            self._retire()
            return []
        return self._works.take(lambda: jobs.claim(worker=self.id, limit=limit))

    def _retire(self) -> None:
        """End this process, whose engine is broken; the supervisor starts it anew, others take what waits."""
        if not self._retired.is_set():
            self._retired.set()
            self.drain()
            log.critical("%s retires: its engine is broken", self.name)
            os.kill(os.getpid(), signal.SIGTERM)

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
                doorbell.ring_from_worker(self._redis)
        if not self.engine.healthy:
            presence.leave(self._redis, self.name)
            self._retire()
            return
        self._announce(running=len(running))
        for job_id in jobs.sweep(published=self._published):
            log.warning("job %s put back in the queue", job_id)
            doorbell.ring_from_worker(self._redis)

    def _announce(self, *, running: int) -> None:
        """Say that this worker lives. A Redis that is away, or full, must not keep it from sweeping."""
        engine = self.engine
        audio_seconds, real_time_factor = self._pace.read()
        description = {
            "name": self.name,
            "model": engine.model,
            "device": engine.device,
            "slots": self.slots,
            "voices": engine.voices,
            "clones": engine.cloner is not None,
            "running": running,
            "audio_seconds": audio_seconds,
            "real_time_factor": real_time_factor,
        }
        try:
            self._room.look(self._redis)
            presence.announce(self._redis, self.name, description)
        except redis.RedisError as error:
            log.warning("%s is not announced: %s", self.name, type(error).__name__)


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
    # What is loaded now stays for good, and the collector need not walk through it again and again.
    gc.collect()
    gc.freeze()
    _host = Host(engine, settings.REDIS_URL, concurrency=concurrency)
    _host.start()
    log.info("%s speaks as %s on %s, %d at once", _host.name, engine.model, engine.device, _host.slots)


def drain() -> None:
    """Let this process's host claim no more jobs."""
    if _host is not None:
        _host.drain()


def stop() -> None:
    """Close this process's host, within the grace of the settings."""
    if _host is not None:
        _host.close(grace_seconds=settings.WORKER_GRACE_SECONDS)
