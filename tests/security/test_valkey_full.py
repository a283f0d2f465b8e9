"""A Valkey that has no memory left: new jobs are refused, running ones end and are billed, and it recovers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import redis

from billing import verification
from billing.models import Account, UsageRecord
from gateway.workers import BELIEVED_SECONDS, FULL
from inference import channel, redis_memory
from inference.kept_connection import KeptConnections
from inference.models import SynthesisJob
from launch.embedded import VALKEY_MEMORY, EmbeddedValkey
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import Service, running_service, wait_for
from tests.security import services

SECOND = Decimal("0.00075")
FRAMES = 250


class SmallValkey(EmbeddedValkey):
    memory = "12mb"


@pytest.fixture
def valkey(tmp_path: Path, servers: None) -> Iterator[redis.Redis]:
    server = SmallValkey(tmp_path / "redis")
    server.start()
    with redis.Redis.from_url(server.url) as client:
        yield client
    server.stop()


@pytest.fixture
def lonely(alone: None, committed: None, tmp_path: Path, valkey: redis.Redis) -> Iterator[Service]:
    address = f"unix://{valkey.connection_pool.connection_kwargs['path']}"
    environment = {**services.environment(), "REDIS_URL": address, "REQUEST_DEADLINE_SECONDS": "60"}
    with running_service(tmp_path, **environment) as service:
        yield service


def fill(valkey: redis.Redis) -> None:
    """Take what is left, to the last kilobyte; what goes away meanwhile leaves no room either."""
    for size in (1_000_000, 100_000, 10_000, 1_000, 100):
        try:
            while True:
                valkey.rpush("filling", b"x" * size)
        except redis.exceptions.OutOfMemoryError:
            continue


def fill_to(valkey: redis.Redis, part: float) -> None:
    while (memory := valkey.info("memory"))["used_memory"] < part * memory["maxmemory"]:
        valkey.rpush("filling", b"x" * 50_000)


def post(service: Service, customer: Customer, **more: object) -> httpx.Response:
    request = scripted(FRAMES, pace=0.02, max_completion_tokens=FRAMES, **more)  # type: ignore[arg-type]
    url = f"{service.url}/v1/chat/completions"
    return httpx.post(url, json=request, headers=customer.headers, timeout=90)


def test_the_embedded_one_has_an_end(broker: redis.Redis) -> None:
    configured = broker.config_get("maxmemory*")
    assert configured["maxmemory"] == str(int(VALKEY_MEMORY.removesuffix("mb")) * 1024 * 1024)
    assert configured["maxmemory-policy"] == "noeviction", "a limit or a job's message must not vanish"


def test_a_stream_larger_than_the_memory_is_trimmed(valkey: redis.Redis) -> None:
    writer = channel.Writer(KeptConnections(valkey), job := uuid4(), attempt=1)
    writer.started(engine_model="m", transcript="t")
    for _ in range(3_000):
        writer.audio(bytes(8_000))
    entries = valkey.xrange(channel.key(job))
    assert [int(fields[b"number"]) for _, fields in entries[-3:]] == [2_997, 2_998, 2_999], "it goes on live"
    assert len(entries) > redis_memory.KEPT_WHEN_FULL


def test_streams_keep_little_while_memory_is_short(valkey: redis.Redis) -> None:
    """Many streams fit although each is long: what their listeners have heard goes first."""
    room = redis_memory.Room()
    writer = channel.Writer(KeptConnections(valkey), job := uuid4(), attempt=1, room=room)
    for _ in range(30):
        writer.audio(bytes(8_000))
    assert valkey.xlen(channel.key(job)) == 30
    for part, kept in ((0.6, redis_memory.KEPT_WHEN_SHORT), (0.8, redis_memory.KEPT_WHEN_FULL)):
        fill_to(valkey, part)
        room.look(valkey)
        writer.audio(bytes(8_000))
        assert valkey.xlen(channel.key(job)) == kept
    valkey.delete("filling")
    wait_for(lambda: redis_memory.share(valkey.info("memory")) < redis_memory.SHORT, what="it is freed")
    room.look(valkey)
    for _ in range(30):
        writer.audio(bytes(8_000))
    assert valkey.xlen(channel.key(job)) == 30 + redis_memory.KEPT_WHEN_FULL


def test_running_jobs_end_and_new_ones_are_refused(
    lonely: Service, valkey: redis.Redis, customer: Customer
) -> None:
    def running() -> int:
        return SynthesisJob.objects.filter(organization=customer.organization, state="running").count()

    streamed = {"stream": True, "audio": {"voice": "alloy", "format": "pcm16"}}
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(post, lonely, customer, **more) for more in ({}, {}, streamed, streamed)]
        wait_for(lambda: running() == 4, what="all are spoken")
        fill_to(valkey, FULL + 0.02)
        time.sleep(BELIEVED_SECONDS)
        assert post(lonely, customer).status_code == 503, "what is left is for those that are spoken"
        fill(valkey)
        time.sleep(BELIEVED_SECONDS)
        began = time.monotonic()
        refusals = [post(lonely, customer) for _ in range(3)]
        assert time.monotonic() - began < 5, "at once"
        fill(valkey)
        answers = [future.result() for future in asked]
    assert [answer.status_code for answer in refusals] == [503] * 3
    assert {answer.json()["error"]["code"] for answer in refusals} == {"service_overloaded"}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refusals)

    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.json()["usage"]["completion_tokens"] for answer in answers[:2]] == [FRAMES] * 2
    assert all(answer.text.endswith("data: [DONE]\n\n") for answer in answers[2:])
    account = Account.objects.get(organization=customer.organization)
    assert (account.held, 1 - account.balance) == (0, 4 * 10 * SECOND)
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 4

    valkey.delete("filling")
    back = wait_for(
        lambda: (answer := post(lonely, customer)).status_code == 200 and answer,
        what="the service serves again by itself",
    )
    assert "x-ratelimit-limit-requests" in back.headers
    account.refresh_from_db()
    assert (account.held, 1 - account.balance) == (0, 5 * 10 * SECOND)
    assert lonely.worker is not None
    assert lonely.worker.poll() is None
    assert verification.verify().clean
