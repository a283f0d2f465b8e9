"""Parts die in the middle of a job: the answer still comes, and it is billed once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from billing.models import Account, LedgerTransaction, Reservation, UsageRecord
from inference import doorbell, jobs
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import body, decode, scripted
from tests.live import Service, wait_for

Ask = Callable[[dict[str, Any]], "Future[httpx.Response]"]


@pytest.fixture
def ask(service: Service, customer: Customer) -> Iterator[Ask]:
    """Send a request in the background."""
    with ThreadPoolExecutor(16) as pool:

        def send(request: dict[str, Any]) -> Future[httpx.Response]:
            return pool.submit(
                httpx.post,
                f"{service.url}/v1/chat/completions",
                json=request,
                headers=customer.headers,
                timeout=60,
            )

        yield send


def running(customer: Customer, attempt: int = 1) -> SynthesisJob:
    def find() -> SynthesisJob | None:
        own = SynthesisJob.objects.filter(organization=customer.organization)
        return own.filter(state="running", attempt=attempt).first()

    return wait_for(find, what="the job runs")


def check_billed_once(customer: Customer, answer: httpx.Response, frames: int) -> None:
    import base64

    assert answer.status_code == 200, answer.text[:500]
    completion = answer.json()
    samples, *_ = decode(base64.b64decode(completion["choices"][0]["message"]["audio"]["data"]))
    assert len(samples) == frames * 960
    assert completion["usage"]["completion_tokens"] == frames
    cost = frames * Decimal("0.00003")
    assert UsageRecord.objects.get(organization=customer.organization).cost == cost
    assert LedgerTransaction.objects.filter(organization=customer.organization, kind="usage").count() == 1
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (1 - cost, 0)


def test_a_worker_killed_mid_job(service: Service, customer: Customer, ask: Ask) -> None:
    answer = ask(scripted(50, pace=0.06))
    job = running(customer)
    service.kill_worker()
    service.start_worker()
    check_billed_once(customer, answer.result(), 50)
    assert SynthesisJob.objects.get(id=job.id).attempt == 2
    service.wait_until_ready()


def test_a_worker_that_is_stopped_hands_over_what_it_cannot_end_in_time(
    service: Service, customer: Customer, ask: Ask
) -> None:
    answer = ask(scripted(100, pace=0.05))
    job = running(customer)
    assert service.worker is not None
    service.worker.send_signal(signal.SIGTERM)
    service.worker.wait(10)
    job.refresh_from_db()
    assert job.state == "queued", "it waits for no lease to lapse"
    assert job.lost_attempts.get().cause == "worker_stopped"
    service.start_worker()
    check_billed_once(customer, answer.result(), 100)
    service.wait_until_ready()


def test_a_worker_that_is_stopped_ends_what_it_can_in_time(service: Service, customer: Customer, ask: Ask) -> None:
    answer = ask(scripted(10, pace=0.05))
    job = running(customer)
    assert service.worker is not None
    service.worker.send_signal(signal.SIGTERM)
    service.worker.wait(10)
    check_billed_once(customer, answer.result(), 10)
    assert not job.lost_attempts.exists()
    service.start_worker()
    service.wait_until_ready()


def test_a_job_taken_back_from_a_worker_that_lives(customer: Customer, ask: Ask) -> None:
    answer = ask(scripted(50, pace=0.06))
    job = running(customer)
    assert jobs.requeue(job.id)
    doorbell.ring()
    check_billed_once(customer, answer.result(), 50)
    assert SynthesisJob.objects.get(id=job.id).attempt == 2


def test_a_worker_whose_engine_breaks_ends_and_its_job_goes_elsewhere(
    service: Service, customer: Customer, ask: Ask, tmp_path: Path
) -> None:
    mark = tmp_path / "breaks"
    mark.touch()
    answer = ask(scripted(25, script={"breaks": str(mark)}))
    worker = service.worker
    assert worker is not None
    wait_for(lambda: worker.poll() is not None, what="the worker has ended")
    service.start_worker()
    check_billed_once(customer, answer.result(), 25)
    service.wait_until_ready()


def test_a_job_that_a_crash_of_the_database_took(customer: Customer, ask: Ask) -> None:
    """Its client is told, though no worker speaks it and no row of it is left."""
    answer = ask(scripted(100, pace=0.1))
    job = running(customer)
    Reservation.objects.filter(job_id=job.id).update(state="voided")
    Account.objects.filter(organization=customer.organization).update(held=0)
    SynthesisJob.objects.filter(id=job.id).delete()
    refusal = answer.result()
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (503, "worker_lost")


def test_redis_flushed_mid_job(service: Service, customer: Customer, ask: Ask, broker: redis.Redis) -> None:
    answer = ask(scripted(50, pace=0.04))
    running(customer)
    broker.flushall()
    check_billed_once(customer, answer.result(), 50)
    service.wait_until_ready()


def test_redis_flushed_just_after_the_last_word(
    service: Service, customer: Customer, ask: Ask, broker: redis.Redis
) -> None:
    """The end of the stream is lost with the rest: the database and the audio store have it."""
    answer = ask(scripted(25, pace=0.02))
    running(customer)
    stop = threading.Event()

    def keep_flushing() -> None:
        while not stop.wait(0.002):
            broker.flushall()

    flusher = threading.Thread(target=keep_flushing)
    flusher.start()
    try:
        wait_for(lambda: UsageRecord.objects.filter(organization=customer.organization).exists())
    finally:
        stop.set()
        flusher.join()
    broker.flushall()
    check_billed_once(customer, answer.result(), 25)
    service.wait_until_ready()


def test_a_queue_lost_before_the_claim(
    service: Service, customer: Customer, ask: Ask, broker: redis.Redis
) -> None:
    """With every slot busy a request waits in the queue; the queue is wiped; it is spoken all the same."""
    busy = [ask(scripted(40, pace=0.05)) for _ in range(8)]
    wait_for(lambda: SynthesisJob.objects.filter(organization=customer.organization, state="running").count() == 8)
    waiting = ask(body("Not forgotten."))
    wait_for(lambda: SynthesisJob.objects.filter(organization=customer.organization, state="queued").count() == 1)
    broker.flushall()
    assert waiting.result().status_code == 200
    assert [answer.result().status_code for answer in busy] == [200] * 8
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 9


def test_a_gateway_killed_mid_job_leaves_the_job_to_its_end(
    service: Service, customer: Customer, ask: Ask
) -> None:
    answer = ask(scripted(25, pace=0.04))
    job = running(customer)
    service.kill_gateway()
    with pytest.raises(httpx.HTTPError):
        answer.result()
    service.start_gateway()
    wait_for(lambda: UsageRecord.objects.filter(job_id=job.id).exists(), what="the job ends and is billed")
    audio = httpx.get(f"{service.url}/v1/audio/audio_{job.id.hex}", headers=customer.headers)
    assert len(decode(audio.content)[0]) == 25 * 960


def test_no_worker_is_said_at_once(service: Service, customer: Customer) -> None:
    service.kill_worker()
    try:
        wait_for(lambda: httpx.get(f"{service.url}/readyz").status_code == 503, what="it is noticed")
        url = f"{service.url}/v1/chat/completions"
        answer = httpx.post(url, json=body(), headers=customer.headers)
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "no_worker"
        assert answer.headers["retry-after"] == "2"
        ready = httpx.get(f"{service.url}/readyz")
        assert (ready.status_code, ready.json()["checks"]["worker"]) == (503, "none alive")
        assert ready.json()["error"]["code"] == "not_ready"
        assert httpx.get(f"{service.url}/healthz").status_code == 200
    finally:
        service.start_worker()
        service.wait_until_ready()
    account = Account.objects.get(organization=customer.organization)
    assert account.held == 0
