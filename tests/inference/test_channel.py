"""The stream of one job, and what is made of it when a piece is missing or another attempt speaks."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np
import redis
import redis.asyncio
from django.conf import settings

from gateway.speech.relay import Begun, Piece, _Heard
from inference import channel, kept_codes, redis_memory
from inference.channel import Audio, Ended, Started
from inference.kept_connection import KeptConnections
from inference.results import Result
from inference.stream_reader import StreamReader

DONE = Result(state="succeeded", samples=960, receipt={"cost_usd": "0.000030000"}, transcript="Größe “x”")


def test_what_is_written_is_read(broker: redis.Redis) -> None:
    job_id = uuid4()
    writer = channel.Writer(KeptConnections(broker), job_id, attempt=2)
    writer.started(engine_model="m", transcript="Größe")
    writer.audio(b"\x00\xffRIFF")
    writer.audio(b"")
    writer.ended(DONE, head=b"RIFF")

    async def read() -> list[channel.Event | None]:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
            reader = StreamReader(client)
            with reader.open(job_id) as stream:
                events = [await stream.next(patience_seconds=5) for _ in range(4)]
                events.append(await stream.next(patience_seconds=0.05))
            await reader.aclose()
            return events

    started, *events = asyncio.run(read())
    assert isinstance(started, Started)
    assert 0 <= started.before_ms < 60_000
    assert [replace(started, before_ms=0), *events] == [
        Started(2, "m", "Größe"),
        Audio(2, 0, b"\x00\xffRIFF"),
        Audio(2, 1, b""),
        Ended(2, 2, b"RIFF", DONE),
        None,
    ]
    assert 0 < broker.ttl(channel.key(job_id)) <= channel.TTL_SECONDS


def test_an_attempt_that_begins_costs_no_entry(broker: redis.Redis) -> None:
    """Its first one says so, whichever that is, and says it once."""
    spoken, broken_off = uuid4(), uuid4()
    writer = channel.Writer(KeptConnections(broker), spoken, attempt=1)
    writer.started(engine_model="m", transcript="t")
    assert broker.xlen(channel.key(spoken)) == 0
    writer.audio(b"a")
    writer.audio(b"b")
    (start, *first), second = (list(channel.events(fields)) for _, fields in broker.xrange(channel.key(spoken)))
    assert isinstance(start, Started)
    assert [*first, *second] == [Audio(1, 0, b"a"), Audio(1, 1, b"b")]
    writer = channel.Writer(KeptConnections(broker), broken_off, attempt=1)
    writer.started(engine_model="m", transcript="t")
    writer.ended(DONE)
    ((_, fields),) = broker.xrange(channel.key(broken_off))
    assert list(channel.events(fields)) == [
        Started(1, "m", "t", float(fields[b"before_ms"])),
        Ended(1, 0, b"", DONE),
    ]


def test_the_last_audio_of_an_answer_that_is_not_streamed_travels_with_its_end(broker: redis.Redis) -> None:
    """Nobody takes it before, and an entry less is a command less here and an answer less there."""
    writer = channel.Writer(KeptConnections(broker), job_id := uuid4(), attempt=1, streamed=False)
    lengths = [0]
    for send in (
        lambda: writer.started(engine_model="m", transcript="t"),
        lambda: writer.audio(b"a", frames=1),
        lambda: writer.audio(b"b", frames=2),
        lambda: writer.ended(DONE, head=b"A"),
    ):
        send()
        lengths.append(broker.xlen(channel.key(job_id)))
    assert lengths == [0, 0, 0, 1, 2]
    entries = [list(channel.events(fields)) for _, fields in broker.xrange(channel.key(job_id))]
    assert entries[0][1:] == [Audio(1, 0, b"a", 1)]
    assert entries[1] == [Audio(1, 1, b"b", 2), Ended(1, 2, b"A", DONE)]
    heard = _Heard()
    pieces = [heard.take(event) for event in (*entries[0], *entries[1])]
    assert [each for found in pieces[1:] for each in found] == [Piece(b"a", 1), Piece(b"b", 2)]
    assert heard.whole(Ended(1, 2, b"A", DONE))


def test_an_entry_costs_one_command_and_the_stream_goes_by_itself(broker: redis.Redis) -> None:
    def expires() -> int:
        return int(broker.info("commandstats").get("cmdstat_expire", {"calls": 0})["calls"])

    writer, before = channel.Writer(KeptConnections(broker), job_id := uuid4(), attempt=1), expires()
    writer.started(engine_model="m", transcript="")
    for _ in range(50):
        writer.audio(b"a")
    assert expires() - before == 1
    assert channel.ENDED_TTL_SECONDS < broker.ttl(channel.key(job_id)) <= channel.TTL_SECONDS
    writer.ended(DONE)
    assert 0 < broker.ttl(channel.key(job_id)) <= channel.ENDED_TTL_SECONDS


def test_the_codes_of_the_attempt_that_got_furthest_are_read_back(broker: redis.Redis) -> None:
    job_id = uuid4()
    codes = np.arange(40, dtype=np.int16).reshape(10, 4)
    assert kept_codes.read(broker, job_id, model="higgs@1") is None
    first, second, other = (channel.Writer(KeptConnections(broker), job_id, attempt) for attempt in (1, 2, 3))
    first.started(engine_model="higgs@1", transcript="")
    first.audio(b"head")
    first.audio(b"a", [codes[:2], codes[2:5]])
    second.started(engine_model="higgs@1", transcript="")
    first.audio(b"b", [codes[5:9]])
    second.audio(b"a", [codes[:3]])
    other.started(engine_model="higgs@2", transcript="")
    other.audio(b"a", [codes, codes])
    assert kept_codes.read(broker, job_id, model="higgs@1") == (codes[:9].tobytes(), 4)
    assert kept_codes.read(broker, job_id, model="higgs@3") is None


def test_codes_after_a_gap_are_not_used(broker: redis.Redis) -> None:
    job_id = uuid4()
    codes = np.arange(12, dtype=np.int16).reshape(3, 4)
    writer = channel.Writer(KeptConnections(broker), job_id, attempt=1)
    writer.started(engine_model="higgs@1", transcript="")
    for row in codes:
        writer.audio(b"a", [row[None]])
    entries = broker.xrange(channel.key(job_id))
    broker.xdel(channel.key(job_id), entries[1][0])
    assert kept_codes.read(broker, job_id, model="higgs@1") == (codes[:1].tobytes(), 4)
    broker.xdel(channel.key(job_id), entries[0][0])
    assert kept_codes.read(broker, job_id, model="higgs@1") is None


def test_the_codes_of_long_audio_outlive_its_stream(broker: redis.Redis) -> None:
    """Redis keeps the last 4,096 entries of the audio; an attempt may break after more."""
    job_id = uuid4()
    entries = 2 * redis_memory.MAX_ENTRIES + 100
    codes = np.arange(entries * 4, dtype=np.int16).reshape(entries, 4)
    writer = channel.Writer(KeptConnections(broker), job_id, attempt=1)
    writer.started(engine_model="higgs@1", transcript="")
    writer.audio(b"head")
    for row in codes:
        writer.audio(b"a", [row[None]])
    assert broker.xlen(channel.key(job_id)) < redis_memory.MAX_ENTRIES + 200
    assert kept_codes.read(broker, job_id, model="higgs@1") == (codes.tobytes(), 4)
    assert kept_codes.read(broker, job_id, model="higgs@2") is None
    assert 0 < broker.ttl(channel.codes_key(job_id)) <= channel.TTL_SECONDS
    # What a writer lost while Redis was full ends what can be used.
    second = broker.xrange(channel.codes_key(job_id))[1][0]
    broker.xdel(channel.codes_key(job_id), second)
    assert kept_codes.read(broker, job_id, model="higgs@1") == (
        codes[: channel.ENTRIES_PER_CODES - 1].tobytes(),
        4,
    )
    writer.ended(DONE)
    assert 0 < broker.ttl(channel.codes_key(job_id)) <= channel.ENDED_TTL_SECONDS


def hear(*events: channel.Event, heard: _Heard | None = None) -> tuple[bytes, bool]:
    """What a listener gets of these, and whether that is all."""
    heard = heard or _Heard()
    audio = b"".join(new.data for event in events for new in heard.take(event) if isinstance(new, Piece))
    last = events[-1]
    return audio, isinstance(last, Ended) and heard.whole(last)


def ended(attempt: int, chunks: int) -> Ended:
    return Ended(attempt, chunks, b"", DONE)


def test_the_beginning_is_told_once() -> None:
    heard = _Heard()
    assert heard.take(Started(1, "m", "Hi.")) == [Begun("m", "Hi.")]
    assert heard.take(Started(2, "m", "Hi.")) == []


def test_a_later_attempt_goes_on_where_the_earlier_one_was_heard_to() -> None:
    first = (Started(1, "m", ""), Audio(1, 0, b"abcd"))
    second = (Started(2, "m", ""), Audio(1, 1, b"late"), Audio(2, 0, b"ab"), Audio(2, 1, b"cdef"), ended(2, 2))
    assert hear(*first, *second) == (b"abcdef", True)


def test_a_stream_that_is_read_again_says_nothing_twice() -> None:
    heard = _Heard()
    assert hear(Audio(1, 0, b"abc"), heard=heard) == (b"abc", False)
    heard.start_over()
    assert hear(Audio(1, 0, b"abc"), Audio(1, 1, b"d"), ended(1, 2), heard=heard) == (b"d", True)


def test_after_a_missing_piece_nothing_is_heard_until_the_end() -> None:
    assert hear(Audio(1, 1, b"b"), ended(1, 1)) == (b"", False)
    assert hear(Audio(1, 0, b"a"), Audio(1, 2, b"c"), ended(1, 3)) == (b"a", False)
    assert hear(Audio(1, 0, b"a"), ended(1, 2)) == (b"a", False)
    assert hear(ended(1, 1)) == (b"", False)


def test_hundreds_of_threads_write_at_once(broker: redis.Redis) -> None:
    job_ids = [uuid4() for _ in range(300)]
    before = len(broker.client_list())
    together = threading.Barrier(len(job_ids))

    def write(job_id: UUID) -> None:
        writer = channel.Writer(connections, job_id, attempt=1)
        together.wait()
        for number in range(3):
            writer.audio(b"%d" % number)

    with channel.connect(settings.REDIS_URL) as client:
        connections = channel.connections(client)
        with ThreadPoolExecutor(len(job_ids)) as pool:
            list(pool.map(write, job_ids))
        assert len(broker.client_list()) <= before + channel.MOST_CONNECTIONS
    assert {broker.xlen(channel.key(job_id)) for job_id in job_ids} == {3}
