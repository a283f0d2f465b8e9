"""Listening to many jobs at once costs little: no audio is kept that was passed on, and silence asks together."""

from __future__ import annotations

import asyncio
import tracemalloc
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
import redis.asyncio
from django.conf import settings
from psycopg_pool import AsyncConnectionPool

from gateway.speech import relay
from gateway.speech.ends import LOST, Ends
from gateway.speech.group_commit import Admissions
from gateway.speech.relay import Begun, Finished, Piece, Silence
from inference import jobs
from inference.channel import Writer
from inference.kept_connection import KeptConnections
from inference.results import Result
from inference.stream_reader import StreamReader
from tests.conftest import Customer
from tests.gateway.test_admission import asked

ENDED = Result(state="succeeded")


def test_who_waits_for_the_next_piece_keeps_none_of_the_last(broker: redis.Redis) -> None:
    async def test() -> None:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
            service: Any = SimpleNamespace(streams=(reader := StreamReader(client)))
            writer = Writer(KeptConnections(broker), job_id := uuid4(), attempt=1)
            heard = relay.listen(service, job_id, deadline_seconds=60)
            writer.started(engine_model="m", transcript="t")
            writer.audio(bytes(size := 1 << 20))
            tracemalloc.start()
            assert isinstance(await anext(heard), Begun)
            piece = await anext(heard)
            assert isinstance(piece, Piece)
            assert len(piece.data) == size
            assert tracemalloc.get_traced_memory()[0] > size
            del piece
            following = asyncio.ensure_future(anext(heard))
            await asyncio.sleep(0.1)
            assert tracemalloc.get_traced_memory()[0] < size / 2
            tracemalloc.stop()
            writer.ended(ENDED)
            assert isinstance(await following, Finished)
            await heard.aclose()
            await reader.aclose()

    asyncio.run(test())


class CountingPool(AsyncConnectionPool):
    """Counts how often it is asked for a connection."""

    asked = 0

    def connection(self, timeout: float | None = None) -> Any:
        self.asked += 1
        return super().connection(timeout)


@pytest.mark.usefixtures("committed")
def test_listeners_who_hear_nothing_ask_the_database_together(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "PATIENCE_SECONDS", 0.5)
    database = settings.DATABASES["default"]
    url = f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}"

    async def first_of(service: Any, job_id: UUID) -> list[relay.Event]:
        """What is heard until the database has been asked."""
        heard = relay.listen(service, job_id, deadline_seconds=60)
        events = [await anext(heard), await anext(heard)]
        await heard.aclose()
        return events

    async def test() -> None:
        async with (
            redis.asyncio.Redis.from_url(settings.REDIS_URL) as client,
            CountingPool(url, min_size=1, max_size=4, kwargs={"autocommit": True}, open=False) as pool,
        ):
            service: Any = SimpleNamespace(
                streams=(reader := StreamReader(client)), database=pool, ends=Ends(pool)
            )
            admission = asked(customer)
            await Admissions(pool).admit(admission)
            assert await asyncio.to_thread(jobs.cancel, admission.job.id)
            before = pool.asked
            job_ids = [admission.job.id, *(uuid4() for _ in range(200))]
            cancelled, *others = await asyncio.gather(*(first_of(service, job_id) for job_id in job_ids))
            assert isinstance(cancelled[1], Finished)
            assert cancelled[1].result.state == "cancelled"
            assert others == [[Silence(), Finished(LOST)]] * 200
            assert pool.asked - before < 10
            await reader.aclose()

    asyncio.run(test())
