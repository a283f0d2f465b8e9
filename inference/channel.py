"""The Redis Stream that carries one job's audio from a worker to whoever waits for it.

Entries are numbered within an attempt. A reader that sees a higher attempt starts over; one that finds a number
missing (the stream is bounded, and Redis may be wiped) takes the stored audio instead. Nothing here is the
truth: the job's row is. `inference.stream_reader` reads the streams.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

import redis
import redis.asyncio

from inference.kept_connection import Command, KeptConnections
from inference.redis_memory import KEPT_WHEN_FULL, Room
from inference.results import Result
from inference.speech.alignment import Timed

if TYPE_CHECKING:  # the web side has no numpy
    from inference.engines.protocol import Codes

log = logging.getLogger(__name__)

ENTRIES_PER_CODES = 1024
"""After so many audio entries their codes are put into a stream of their own, which drops none."""
MOST_CONNECTIONS = 32
"""Of the writers of one process, and of what else its threads do. Each uses one for less than a millisecond at a
time."""
CONNECTION_SECONDS = 60.0
"""How long a writer waits for one before its stream counts as lost. Its engine pauses meanwhile."""
TTL_SECONDS = 600
"""For a stream whose writer was lost, from the writer's last renewal."""
RENEW_SECONDS = 60.0
"""How often a writer renews the time: a command for each entry would be one in two."""
ENDED_TTL_SECONDS = 30
"""After the end: time for a retry and for current listeners. Then the stored audio answers."""


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt began to speak, as `engine_model`, so many milliseconds before its first entry."""

    attempt: int
    engine_model: str
    transcript: str
    before_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Audio:
    """Encoded bytes, in order: `number` counts from 0 within the attempt."""

    attempt: int
    number: int
    data: bytes
    frames: int = 0
    """Frames of the attempt so far, as they are billed."""


@dataclass(frozen=True, slots=True)
class TimesKnown:
    """When the next words of the attempt are spoken; `quality` is exact or estimated."""

    attempt: int
    times: tuple[Timed, ...]
    quality: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The job's row is final. `head` replaces the first bytes of the audio when the job succeeded."""

    attempt: int
    chunks: int
    head: bytes
    result: Result


Event = Started | Audio | TimesKnown | Ended


def key(job_id: UUID) -> str:
    return f"spoken:{job_id.hex}"


def codes_key(job_id: UUID) -> str:
    """Of the stream of codes; see `inference.kept_codes`."""
    return f"spoken:{job_id.hex}:codes"


def connect(url: str) -> redis.Redis:
    """A client for any number of threads, which wait for one of its connections.

    redis-py's default pool refuses a connection to more than 100 threads at once.
    """
    pool = redis.BlockingConnectionPool.from_url(url, max_connections=MOST_CONNECTIONS, timeout=CONNECTION_SECONDS)
    return redis.Redis(connection_pool=pool)


def connections(client: redis.Redis) -> KeptConnections:
    """For the writers of any number of threads, which wait for one of them: a refused entry would be a gap."""
    return KeptConnections(client, most=MOST_CONNECTIONS, wait_seconds=CONNECTION_SECONDS)


class Writer:
    """The worker's end, for one attempt.

    Args:
        room: how many entries Redis has room for, by which old ones are trimmed; None where it has enough.
        streamed: whether a listener takes the audio as it is made. Where none does, the newest of it waits for
            what comes next, so that the last leaves with the end, in one entry.
    """

    def __init__(
        self,
        connections: KeptConnections,
        job_id: UUID,
        attempt: int,
        room: Room | None = None,
        *,
        streamed: bool = True,
    ) -> None:
        self._connections = connections
        self._room = room or Room()
        self._streamed = streamed
        self._newest: dict[str, Any] = {}
        """The audio that waits."""
        self._key = key(job_id)
        self._codes_key = codes_key(job_id)
        self._attempt = attempt
        self._model = ""
        self._started: dict[Any, Any] = {}
        """What the first entry is to say of the attempt, until it has."""
        self._started_at = time.monotonic()
        self._codes: list[bytes] = []
        """Of the entries since the last ones that were kept."""
        self._kept = 0
        """How many audio entries' codes were kept."""
        self._broken = False
        self._renewed_at = -math.inf
        self.chunks = 0

    def started(self, *, engine_model: str, transcript: str) -> None:
        """The attempt begins to speak. Its first entry says so: one by itself would cost as much as that one."""
        self._model = engine_model
        self._started = {"model": engine_model, "transcript": transcript}
        self._started_at = time.monotonic()

    def audio(self, data: bytes, codes: Sequence[Codes] = (), *, frames: int = 0) -> None:
        """Send encoded bytes, and beside them the codes made since the last ones were sent.

        Args:
            frames: what is billed of the attempt up to here.
        """
        entry: dict[str, Any] = {"kind": "audio", "number": self.chunks, "data": data, "frames": frames}
        if codes:
            self._codes.append(b"".join(rows.tobytes() for rows in codes))
            entry |= {"codes": self._codes[-1], "codebooks": codes[0].shape[1]}
        waited, self._newest = (entry, {}) if self._streamed else (self._newest, entry)
        if waited:
            self._add(waited)
        self.chunks += 1
        if codes and self.chunks - self._kept >= ENTRIES_PER_CODES:
            self._keep_codes(codes[0].shape[1])

    def times(self, times: Sequence[Timed], *, quality: str) -> None:
        """Say when words are spoken; nothing is sent where there are none."""
        if times:
            self._add(
                {"kind": "times", "quality": quality, "times": json.dumps([each.as_list() for each in times])}
            )

    def ended(self, result: Result, *, head: bytes = b"") -> None:
        last = {"kind": "ended", "chunks": self.chunks, "head": head, "result": result.to_json()}
        self._add({**self._newest, **last}, ttl_seconds=ENDED_TTL_SECONDS)

    def _keep_codes(self, codebooks: int) -> None:
        kept: dict[Any, Any] = {
            "attempt": self._attempt,
            "model": self._model,
            "codebooks": codebooks,
            "codes": b"".join(self._codes),
            "first": self._kept,
            "last": self.chunks - 1,
        }
        self._codes, self._kept = [], self.chunks
        try:
            self._connections.ask(
                ("XADD", self._codes_key, "*", *chain.from_iterable(kept.items())),
                ("EXPIRE", self._codes_key, TTL_SECONDS),
            )
        except redis.RedisError as error:
            log.warning("%s: its codes were not kept: %s", self._key, error)

    def _add(self, fields: dict[Any, Any], *, ttl_seconds: int = TTL_SECONDS) -> None:
        """Send an entry. Redis away or full costs the listener the stream, not the job: the audio is stored."""
        if self._broken and fields["kind"] in ("audio", "times"):
            return  # behind a gap nobody hears it
        try:
            try:
                self._send(fields, ttl_seconds)
            except redis.exceptions.OutOfMemoryError:
                self._connections.ask(("XTRIM", self._key, "MAXLEN", KEPT_WHEN_FULL))
                self._send(fields, ttl_seconds)
        except redis.RedisError as error:
            self._broken = True
            log.warning("%s: from here on the stream is lost: %s", self._key, error)

    def _send(self, fields: dict[Any, Any], ttl_seconds: int) -> None:
        now = time.monotonic()
        entry = {**fields, "attempt": self._attempt}
        if self._started:
            entry |= {**self._started, "before_ms": round((now - self._started_at) * 1000, 1)}
        trimmed = ("MAXLEN", "~", self._room.entries)
        commands: list[Command] = [("XADD", self._key, *trimmed, "*", *chain.from_iterable(entry.items()))]
        renews = ttl_seconds != TTL_SECONDS or now - self._renewed_at >= RENEW_SECONDS
        if renews:
            kept = (self._key, self._codes_key) if self._kept else (self._key,)
            commands += (("EXPIRE", key, ttl_seconds) for key in kept)
        self._connections.ask(*commands)
        if renews:
            self._renewed_at, self._started = now, {}


async def delete(client: redis.asyncio.Redis, job_id: UUID) -> None:
    """Forget all that a job's stream holds: audio, codes and transcript. Raises redis.RedisError: it is away."""
    await client.delete(key(job_id), codes_key(job_id))


def published_frames(client: redis.Redis, job_id: UUID) -> int:
    """The most frames of a job that an attempt has put on its stream; 0 where there is no stream any more.

    Raises:
        redis.RedisError: Redis is away.
    """
    newest: Any = client.xrevrange(key(job_id), count=1)
    for _, fields in newest:
        if fields[b"kind"] == b"audio":
            return int(fields[b"frames"])
    entries: Any = client.xrange(key(job_id)) if newest else []
    return max((int(fields.get(b"frames", 0)) for _, fields in entries), default=0)


def is_end(fields: dict[bytes, bytes]) -> bool:
    """Whether nothing follows this entry."""
    return fields[b"kind"] == b"ended"


def is_audio(fields: dict[bytes, bytes]) -> bool:
    return fields[b"kind"] == b"audio"


def events(fields: dict[bytes, bytes]) -> Iterator[Event]:
    """What an entry tells: its attempt's start, if it is the first of it, and audio before the end."""
    attempt, kind = int(fields[b"attempt"]), fields[b"kind"]
    if b"model" in fields:
        transcript, before_ms = fields[b"transcript"].decode(), float(fields[b"before_ms"])
        yield Started(attempt, fields[b"model"].decode(), transcript, before_ms)
    if b"data" in fields:
        yield Audio(attempt, int(fields[b"number"]), fields[b"data"], int(fields[b"frames"]))
    if kind == b"times":
        times = tuple(Timed(*each) for each in json.loads(fields[b"times"]))
        yield TimesKnown(attempt, times, fields[b"quality"].decode())
    if kind == b"ended":
        yield Ended(attempt, int(fields[b"chunks"]), fields[b"head"], Result.from_json(fields[b"result"]))
