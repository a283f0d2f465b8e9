"""The stream of one job, and what is made of it when a piece is missing or another attempt speaks."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import numpy as np
import redis
import redis.asyncio
from django.conf import settings

from gateway.relay import _Collected
from inference import channel
from inference.channel import Audio, Ended, Started
from inference.results import Result

DONE = Result(state="succeeded", samples=960, receipt={"cost_usd": "0.000030000"}, transcript="Größe “x”")


def test_what_is_written_is_read(broker: redis.Redis) -> None:
    job_id = uuid4()
    writer = channel.Writer(broker, job_id, attempt=2)
    writer.started("espeak")
    writer.audio(b"\x00\xffRIFF")
    writer.audio(b"")
    writer.ended(DONE, head=b"RIFF")

    async def read() -> list[channel.Event | None]:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
            events: list[channel.Event | None] = []
            async for event in channel.read(client, job_id, patience_seconds=0.05):
                events.append(event)
                if event is None:
                    return events
        return events

    assert asyncio.run(read()) == [
        Started(2),
        Audio(2, 0, b"\x00\xffRIFF"),
        Audio(2, 1, b""),
        Ended(2, 2, b"RIFF", DONE),
        None,
    ]
    assert 0 < broker.ttl(channel.key(job_id)) <= channel.TTL_SECONDS


def test_the_codes_of_the_attempt_that_got_furthest_are_read_back(broker: redis.Redis) -> None:
    job_id = uuid4()
    codes = np.arange(40, dtype=np.int16).reshape(10, 4)
    assert channel.read_codes(broker, job_id, model="higgs@1") is None
    first, second, other = (channel.Writer(broker, job_id, attempt) for attempt in (1, 2, 3))
    first.started("higgs@1")
    first.audio(b"head")
    first.audio(b"a", [codes[:2], codes[2:5]])
    second.started("higgs@1")
    first.audio(b"b", [codes[5:9]])
    second.audio(b"a", [codes[:3]])
    other.started("higgs@2")
    other.audio(b"a", [codes, codes])
    assert channel.read_codes(broker, job_id, model="higgs@1") == (codes[:9].tobytes(), 4)
    assert channel.read_codes(broker, job_id, model="higgs@3") is None


def test_codes_after_a_gap_are_not_used(broker: redis.Redis) -> None:
    job_id = uuid4()
    codes = np.arange(12, dtype=np.int16).reshape(3, 4)
    writer = channel.Writer(broker, job_id, attempt=1)
    writer.started("higgs@1")
    for row in codes:
        writer.audio(b"a", [row[None]])
    entries = broker.xrange(channel.key(job_id))
    broker.xdel(channel.key(job_id), entries[2][0])
    assert channel.read_codes(broker, job_id, model="higgs@1") == (codes[:1].tobytes(), 4)
    broker.xdel(channel.key(job_id), entries[0][0])
    assert channel.read_codes(broker, job_id, model="higgs@1") is None


def collect(*events: channel.Event) -> bytes | None:
    collected = _Collected()
    for event in events:
        collected.take(event)
    last = events[-1]
    assert isinstance(last, Ended)
    return collected.audio(last)


def test_the_head_replaces_the_first_bytes() -> None:
    assert collect(Started(1), Audio(1, 0, b"abc"), Audio(1, 1, b"def"), Ended(1, 2, b"XY", DONE)) == b"XYcdef"


def test_a_later_attempt_starts_over_and_an_earlier_one_is_not_heard() -> None:
    events = (Audio(1, 0, b"old"), Started(2), Audio(1, 1, b"late"), Audio(2, 0, b"new"), Ended(2, 1, b"", DONE))
    assert collect(*events) == b"new"


def test_a_missing_piece_is_noticed() -> None:
    assert collect(Audio(1, 1, b"b"), Ended(1, 1, b"", DONE)) is None
    assert collect(Audio(1, 0, b"a"), Audio(1, 2, b"c"), Ended(1, 3, b"", DONE)) is None
    assert collect(Audio(1, 0, b"a"), Ended(1, 2, b"", DONE)) is None
    assert collect(Ended(1, 1, b"", DONE)) is None
