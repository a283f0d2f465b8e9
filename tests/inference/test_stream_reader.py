"""One connection reads all streams of a process: none waits for another, and none holds another up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
import redis.asyncio
from django.conf import settings

from inference import channel, job_stream, stream_reader
from inference.channel import Audio, Ended, Started, Writer
from inference.job_stream import JobStream
from inference.kept_connection import KeptConnections
from inference.results import Result
from inference.stream_reader import StreamReader
from tests.live import free_port, wait_for

PATIENCE_SECONDS = 10.0
ENDED = Result(state="succeeded")


@asynccontextmanager
async def reading() -> AsyncIterator[StreamReader]:
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
        reader = StreamReader(client)
        yield reader
        await reader.aclose()


def run(test: Callable[[StreamReader], Coroutine[Any, Any, None]]) -> None:
    async def with_reader() -> None:
        async with reading() as reader:
            await test(reader)

    asyncio.run(with_reader())


async def hear(stream: JobStream) -> bytes:
    """The next piece of audio."""
    event = await stream.next(patience_seconds=PATIENCE_SECONDS)
    assert isinstance(event, Audio)
    return event.data


async def hear_all(stream: JobStream) -> bytes:
    audio = b""
    while not isinstance(event := await stream.next(patience_seconds=PATIENCE_SECONDS), Ended):
        assert isinstance(event, Audio)
        audio += event.data
    return audio


async def until(question: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_for, question)


def listening(broker: redis.Redis) -> list[str]:
    """The clients that wait in XREAD."""
    clients: Any = broker.client_list()
    return [each["id"] for each in clients if each["cmd"] == "xread" and "b" in each["flags"]]


def test_two_hundred_streams_take_one_connection(broker: redis.Redis) -> None:
    async def test(reader: StreamReader) -> None:
        job_ids = [uuid4() for _ in range(200)]
        before = len(broker.client_list())

        async def listen(job_id: UUID) -> bytes:
            with reader.open(job_id) as stream:
                return await hear_all(stream)

        heard = [asyncio.create_task(listen(job_id)) for job_id in job_ids]
        await until(lambda: len(listening(broker)) == 1)
        connections = KeptConnections(broker)
        writers = [Writer(connections, job_id, attempt=1) for job_id in job_ids]
        for turn in range(3):
            for number, writer in enumerate(writers):
                writer.audio(b"%d-%d;" % (number, turn))
            await asyncio.sleep(0)
        for writer in writers:
            writer.ended(ENDED)
        expected = [b"".join(b"%d-%d;" % (number, turn) for turn in range(3)) for number in range(200)]
        assert await asyncio.gather(*heard) == expected
        # That of the XREADs, one that ends their waits, and the writers'.
        assert len(broker.client_list()) <= before + 3

    run(test)


def test_a_new_stream_does_not_wait_for_the_silence_of_the_others(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_reader, "BLOCK_SECONDS", 60.0)

    async def test(reader: StreamReader) -> None:
        with reader.open(uuid4()):
            await until(lambda: len(listening(broker)) == 1)
            for _ in range(20):
                Writer(KeptConnections(broker), job_id := uuid4(), attempt=1).audio(b"new")
                with reader.open(job_id) as stream:
                    assert await hear(stream) == b"new"

    run(test)


def test_the_first_audio_does_not_wait_for_the_rest_of_streams_that_flow(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(reader: StreamReader) -> None:
        flowing = Writer(KeptConnections(broker), flowing_id := uuid4(), attempt=1)
        with reader.open(flowing_id) as stream:
            monkeypatch.setattr(stream_reader, "FLOWING_REST_SECONDS", 0.3)
            for piece in (b"first", b"second", b"third"):
                flowing.audio(piece)
                assert await hear(stream) == piece
            monkeypatch.setattr(stream_reader, "FLOWING_REST_SECONDS", 60.0)
            flowing.audio(b"fourth")
            assert await hear(stream) == b"fourth"
            for _ in range(3):
                writer = Writer(KeptConnections(broker), job_id := uuid4(), attempt=1)
                with reader.open(job_id) as new:
                    await asyncio.sleep(0.01)
                    writer.started(engine_model="m", transcript="t")
                    writer.audio(b"new")
                    assert isinstance(await new.next(patience_seconds=PATIENCE_SECONDS), Started)
                    assert await hear(new) == b"new"

    run(test)


def test_a_slow_listener_holds_nobody_up_and_little_memory(broker: redis.Redis) -> None:
    piece, pieces = bytes(10_000), 100

    async def test(reader: StreamReader) -> None:
        slow_id, quick_id = uuid4(), uuid4()
        writers = [Writer(KeptConnections(broker), job_id, attempt=1) for job_id in (slow_id, quick_id)]
        with reader.open(slow_id) as slow, reader.open(slow_id) as beside, reader.open(quick_id) as quick:
            for _ in range(pieces):
                for writer in writers:
                    writer.audio(piece)
            for writer in writers:
                writer.ended(ENDED)
            for stream in (quick, beside):
                assert len(await hear_all(stream)) == pieces * len(piece)
            most = job_stream.MOST_WAITING + stream_reader.ENTRIES_AT_ONCE
            assert len(slow._waiting) <= most
            assert slow._waiting_bytes <= job_stream.MOST_WAITING_BYTES + most * (len(piece) + 100)
            assert len(await hear_all(slow)) == pieces * len(piece)

    run(test)


def commands(broker: redis.Redis) -> int:
    """How many XREAD Redis has answered."""
    statistics: Any = broker.info("commandstats")
    return int(statistics.get("cmdstat_xread", {"calls": 0})["calls"])


def test_one_answer_does_not_grow_with_the_streams_that_are_behind(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece, pieces, answer_bytes = bytes(20_000), 10, 100_000
    monkeypatch.setattr(stream_reader, "ANSWER_BYTES", answer_bytes)

    async def test(reader: StreamReader) -> None:
        async def listen(job_id: UUID) -> int:
            with reader.open(job_id) as stream:
                return len(await hear_all(stream))

        writers = {
            job_id: Writer(KeptConnections(broker), job_id, attempt=1) for job_id in (uuid4() for _ in range(20))
        }
        for writer in writers.values():
            writer.audio(piece)
        heard = [asyncio.create_task(listen(job_id)) for job_id in writers]
        await asyncio.sleep(0.1)  # each has heard its first
        before = commands(broker)
        for writer in writers.values():
            for _ in range(pieces - 1):
                writer.audio(piece)
            writer.ended(ENDED)
        assert await asyncio.gather(*heard) == [pieces * len(piece)] * len(writers)
        assert commands(broker) - before >= len(writers) * (pieces - 1) * len(piece) / answer_bytes

    run(test)


def test_streams_that_no_command_waits_for_are_not_asked_for_without_rest(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_reader, "ANSWER_BYTES", 1000)

    async def test(reader: StreamReader) -> None:
        job_ids = [uuid4() for _ in range(2)]
        writers = [Writer(KeptConnections(broker), job_id, attempt=1) for job_id in job_ids]
        with ExitStack() as stack:
            streams = [stack.enter_context(reader.open(job_id)) for job_id in job_ids]
            for writer, stream in zip(writers, streams, strict=True):
                writer.audio(bytes(10_000))
                await hear(stream)
            before = commands(broker)
            await asyncio.sleep(0.5)
            assert 2 <= commands(broker) - before <= 2 * 0.5 / stream_reader.POLL_REST_SECONDS + 2
            writers[1].audio(b"more")
            assert await hear(streams[1]) == b"more"

    run(test)


def test_listeners_to_one_stream_each_hear_all_of_it(broker: redis.Redis) -> None:
    async def test(reader: StreamReader) -> None:
        writer = Writer(KeptConnections(broker), job_id := uuid4(), attempt=1)
        for number in range(12):
            writer.audio(b"%d;" % number)
        with reader.open(job_id) as early:
            for number in range(7):
                assert await hear(early) == b"%d;" % number
            with reader.open(job_id) as late:
                writer.ended(ENDED)
                both = await asyncio.gather(hear_all(early), hear_all(late))
        whole = b"".join(b"%d;" % number for number in range(12))
        assert both == [whole[14:], whole]

    run(test)


def test_a_connection_that_breaks_is_opened_again_and_nothing_is_lost(broker: redis.Redis) -> None:
    async def test(reader: StreamReader) -> None:
        writer = Writer(KeptConnections(broker), job_id := uuid4(), attempt=1)
        with reader.open(job_id) as stream:
            writer.audio(b"a")
            assert await hear(stream) == b"a"
            await until(lambda: len(listening(broker)) == 1)
            broker.client_kill_filter(_id=listening(broker)[0])
            writer.audio(b"b")
            assert await hear(stream) == b"b"

    run(test)


def test_redis_away_is_said_to_every_listener() -> None:
    async def test() -> None:
        async with redis.asyncio.Redis(port=free_port()) as client:
            reader = StreamReader(client)
            with reader.open(uuid4()) as one, reader.open(uuid4()) as other:
                for stream in (one, other):
                    with pytest.raises(redis.ConnectionError):
                        await stream.next(patience_seconds=PATIENCE_SECONDS)
            await reader.aclose()

    asyncio.run(test())


def test_a_stream_that_has_ended_or_that_nobody_listens_to_is_not_read(broker: redis.Redis) -> None:
    async def test(reader: StreamReader) -> None:
        writer = Writer(KeptConnections(broker), job_id := uuid4(), attempt=1)
        writer.ended(ENDED)
        with reader.open(job_id) as stream:
            assert await hear_all(stream) == b""
            assert listening(broker) == []
            with reader.open(uuid4()):
                await until(lambda: len(listening(broker)) == 1)
            await until(lambda: listening(broker) == [])

    run(test)


def test_what_is_deleted_meanwhile_is_silent(broker: redis.Redis) -> None:
    async def test(reader: StreamReader) -> None:
        writer = Writer(KeptConnections(broker), job_id := uuid4(), attempt=1)
        with reader.open(job_id) as stream:
            writer.audio(b"a")
            assert await hear(stream) == b"a"
            broker.delete(channel.key(job_id))
            assert await stream.next(patience_seconds=0.05) is None

    run(test)
