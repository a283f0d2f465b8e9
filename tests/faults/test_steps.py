"""Each part killed at each step of a request: afterwards every job has ended, and the books are right."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest
import redis
from django.db import connections

from billing import verification
from billing.models import Account, UsageRecord
from inference.models import SynthesisJob
from launch.embedded import EmbeddedPostgres
from tests.conftest import Customer
from tests.faults import steps
from tests.gateway.speaking import scripted
from tests.live import Service, wait_for

FRAMES = 5
COST = FRAMES * Decimal("0.00003")


def kill_worker(service: Service, postgres: EmbeddedPostgres) -> None:
    service.kill_worker()
    service.start_worker()


def kill_gateway(service: Service, postgres: EmbeddedPostgres) -> None:
    service.kill_gateway()
    service.start_gateway()


def kill_postgres(service: Service, postgres: EmbeddedPostgres) -> None:
    assert postgres.process is not None
    os.kill(postgres.process.pid, signal.SIGKILL)
    postgres.process.wait()
    connections.close_all()
    postgres.start()


def ask(service: Service, customer: Customer) -> httpx.Response:
    """As SDKs do: again after a 503. The test before may have left the service connections to a killed server."""
    for pause in (0.5, 1.0, 2.0, 0.0):
        answer = httpx.post(
            f"{service.url}/v1/chat/completions",
            json=scripted(FRAMES, pace=0.01),
            headers=customer.headers,
            timeout=60,
        )
        if answer.status_code != 503:
            break
        time.sleep(pause)
    return answer


@pytest.mark.parametrize("step", steps.STEPS)
@pytest.mark.parametrize("kill", [kill_worker, kill_gateway, kill_postgres])
def test_killed_at(
    service: Service,
    postgres: EmbeddedPostgres,
    customer: Customer,
    broker: redis.Redis,
    kill: Callable[[Service, EmbeddedPostgres], None],
    step: str,
) -> None:
    steps.park_at(broker, step)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, service, customer)
        steps.wait_until_parked(broker)
        kill(service, postgres)
        steps.go(broker)
        if kill is kill_gateway:
            with pytest.raises(httpx.HTTPError):
                answer.result()
        else:
            assert answer.result().status_code == 200, answer.result().text[:300]
    job = wait_for(
        lambda: SynthesisJob.objects.filter(organization=customer.organization, state="succeeded").first(),
        what="the job ends",
    )
    assert UsageRecord.objects.get(organization=customer.organization).job_id == job.id
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (1 - COST, 0)
    report = verification.verify()
    assert report.clean, report
    service.wait_until_ready()
