"""How the news that work waits reaches a worker: Celery's message, in which nothing of a job travels."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
import redis.asyncio
from celery import current_app
from django.conf import settings

from gateway.scripts import Scripts
from gateway.service import ring_through
from inference import cancellations, doorbell, jobs
from inference.models import SynthesisJob, Worker
from inference.worker import BEAT_SECONDS
from tests.conftest import Customer
from tests.live import Service, wait_for
from tests.security.test_fairness import ENDED, SLOTS, waiting_job

AT_ONCE = timedelta(seconds=0.6 * BEAT_SECONDS)
"""Too soon for a heartbeat that came just before."""
TRIES = 5
"""A loaded machine may be late, but not each time."""


def from_a_gateway(times: int = 1) -> None:
    async def ring() -> None:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
            scripts = Scripts(client)
            for _ in range(times):
                await ring_through(scripts)
            await scripts.aclose()

    asyncio.run(ring())


def from_a_worker() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        doorbell.ring_from_worker(client)


@pytest.mark.parametrize("ring", [doorbell.ring, from_a_gateway, from_a_worker])
def test_a_message_wakes_a_worker_at_once(
    service: Service, customer: Customer, ring: Callable[[], object]
) -> None:
    """As Celery sends it, by the task's name, and as the gateway and a worker write it."""
    for _ in range(TRIES):
        after_a_heartbeat()
        job_id = waiting_job(customer.organization, customer.key, ago=0)
        ring()
        job = ended(job_id)
        assert (job.state, job.attempt) == ("succeeded", 1)
        if job.started_at is not None and job.started_at - job.created_at < AT_ONCE:
            return
    raise AssertionError("a heartbeat found each job, and no message")


def test_a_message_that_waits_does_for_later_jobs(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = uuid4().hex  # to which no worker listens
    monkeypatch.setattr(doorbell, "QUEUE", queue)

    from_a_gateway(3)
    assert broker.llen(queue) == 1
    assert broker.rpop(queue)
    from_a_gateway(2)
    assert broker.llen(queue) == 1


def test_a_cancelled_job_stops_at_once(service: Service, customer: Customer, broker: redis.Redis) -> None:
    for _ in range(TRIES):
        job_id = waiting_job(customer.organization, customer.key, style='script: {"frames": 100, "pace": 0.05}')
        doorbell.ring()
        wait_for(lambda id=job_id: SynthesisJob.objects.get(id=id).state == "running", what="it runs")  # type: ignore[misc]
        after_a_heartbeat()
        assert jobs.cancel(job_id)
        cancellations.announce_from_thread(broker, job_id)
        job = ended(job_id)
        assert job.state == "cancelled"
        if at(job.finished_at) - at(job.cancel_requested_at) < AT_ONCE:
            return
    raise AssertionError("a heartbeat found each cancelled job, and no message")


def test_a_worker_without_a_free_slot_leaves_the_messages_and_answers_celery(
    service: Service, customer: Customer, broker: redis.Redis
) -> None:
    wait_for(lambda: not broker.llen(doorbell.QUEUE), what="earlier messages are taken")
    for _ in range(SLOTS):
        waiting_job(customer.organization, customer.key, style='script: {"frames": 60, "pace": 0.05}')
    running = SynthesisJob.objects.filter(organization=customer.organization, state="running")
    wait_for(lambda: running.count() == SLOTS, what="every slot is taken")
    for _ in range(SLOTS):
        doorbell.ring()
    inspect = current_app.control.inspect(timeout=5, limit=1)
    (pong,), (queues,), (stats,) = (
        (answer or {}).values() for answer in (inspect.ping(), inspect.active_queues(), inspect.stats())
    )
    assert pong == {"ok": "pong"}
    assert {queue["name"] for queue in queues} == {doorbell.VOICES, "maintenance"}
    assert stats["pool"]["max-concurrency"] == SLOTS
    assert running.count() == SLOTS, "the slots were taken all the while"
    assert broker.llen(doorbell.QUEUE) == SLOTS
    wait_for(lambda: not broker.llen(doorbell.QUEUE), what="the messages are taken")
    of_customer = SynthesisJob.objects.filter(organization=customer.organization)
    wait_for(lambda: of_customer.filter(state="succeeded").count() == SLOTS, what="every job is spoken")


def after_a_heartbeat() -> None:
    """Wait until the worker has just looked for work by itself; the next time is a second later."""
    newest = Worker.objects.order_by("-lease_expires_at").values_list("lease_expires_at", flat=True)
    before = newest[0]
    wait_for(lambda: newest.all()[0] != before, what="a heartbeat")
    time.sleep(0.1 * BEAT_SECONDS)


def ended(job_id: Any) -> SynthesisJob:
    return wait_for(lambda: SynthesisJob.objects.filter(id=job_id, state__in=ENDED).first(), what="its end")


def at(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment
