"""The end of jobs: how many a worker settles a second, at which cost of processor time and of commits.

The first table calls `jobs.finish` alone, from as many threads as jobs end at once, on one account that they all
want and on a thousand. The second puts whole requests through a running service whose engine costs nothing.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import psutil
from django.db import connection, connections

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, chat, new_key
from tests.benchmarks.load import Load, put_under_load
from tests.live import Service, running_service

ACCOUNTS = (1, budget.number(1000, least=2))
THREADS = budget.first_of((1, 8, 32, 64))
JOBS = budget.number(4000, least=8)
CLIENTS = budget.first_of((1, 8, 32))
SECONDS = budget.seconds(6.0)
WARM_UP_SECONDS = budget.seconds(1.5)
_RUNNING = """
WITH job AS (
    SELECT uuidv7() AS id, organization_id, key.id AS key
    FROM generate_series(1, %(count)s) AS number
    JOIN (
        SELECT id, organization_id, row_number() OVER (ORDER BY id) AS place FROM accounts_apikey
        WHERE organization_id = ANY (%(organizations)s)
    ) AS key ON key.place = number %% cardinality(%(organizations)s::uuid[]) + 1
), held AS (
    UPDATE billing_account SET held = held + 0.003 * jobs FROM
        (SELECT organization_id, count(*) AS jobs FROM job GROUP BY organization_id) AS share
    WHERE billing_account.organization_id = share.organization_id
), reservation AS (
    INSERT INTO billing_reservation (job_id, organization_id, amount, price_id, state, created_at)
    SELECT id, organization_id, 0.003, (SELECT min(id) FROM billing_price), 'pending', now() FROM job
)
INSERT INTO inference_synthesisjob (id, organization_id, api_key_id, model, voice, format, text, style, sampling,
    max_frames, state, attempt, created_at, enqueued_at, deadline_at, started_at, worker_id)
SELECT id, organization_id, key, 'boson/higgs-audio-v2.5', 'alloy', 'wav', 'Hi.', '', '{}', 100, 'running', 1,
    now(), now(), now() + interval '1 hour', now(), gen_random_uuid()
FROM job RETURNING id
"""


def run() -> None:
    head = f"{'1/s':>7} {'p50 ms':>7} {'p99 ms':>7} {'worker':>7} {'postgres':>8} {'commits':>7}"
    print(f"{'accounts':>8} {'threads':>7} {head}   a job: CPU ms of each, commits")
    with _workers_pool():
        for accounts in ACCOUNTS:
            organizations = _organizations(accounts)
            _finish(_running_jobs(organizations, JOBS // 10), threads=8)
            for threads in THREADS:
                _print(f"{accounts:8} {threads:7}", _finish(_running_jobs(organizations, JOBS), threads=threads))
    request = chat(new_key())
    environment = {"ENGINE": "tests.benchmarks.engines.NullEngine", **NO_LIMITS}
    print(f"\n{'clients':>8} {'':7} {head} {'gateway':>7}   a request: CPU ms of each, commits")
    with TemporaryDirectory() as folder, running_service(Path(folder), concurrency=32, **environment) as service:
        for clients in CLIENTS:
            put_under_load(service.port, request, clients=clients, seconds=WARM_UP_SECONDS)
            _print(f"{clients:8} {'':7}", _serve(service, request, clients))


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of a number of jobs."""

    load: Load
    worker: float
    """Seconds of processor time, as the next two."""
    postgres: float
    gateway: float | None
    commits: int


def _print(name: str, cost: _Cost) -> None:
    jobs = len(cost.load.latencies)
    print(
        f"{name} {cost.load.rate:7.0f} {cost.load.percentile(50):7.2f} {cost.load.percentile(99):7.2f}"
        f" {cost.worker / jobs * 1000:7.2f} {cost.postgres / jobs * 1000:8.2f} {cost.commits / jobs:7.2f}"
        + (f" {cost.gateway / jobs * 1000:7.2f}" if cost.gateway is not None else "")
    )
    sys.stdout.flush()


def _finish(job_ids: Sequence[UUID], *, threads: int) -> _Cost:
    from inference import jobs

    spoken = jobs.SpokenJob(
        engine_model="null",
        finish_reason="stop",
        prompt_tokens=1,
        frames=25,
        audio_frames=25,
        transcript="Hi.",
        path="000000/null-1.wav",
        content_type="audio/wav",
        size=48_044,
        first_audio_ms=1,
        synthesis_ms=2,
        encode_ms=1,
    )

    def client(number: int) -> list[float]:
        latencies = []
        for job_id in job_ids[number::threads]:
            began = time.perf_counter()
            assert jobs.finish(job_id, 1, spoken) is not None
            latencies.append(time.perf_counter() - began)
            connection.close()
        return latencies

    with _Meter() as meter, ThreadPoolExecutor(threads) as pool:
        began, used = time.perf_counter(), time.process_time()
        latencies = [latency for mine in pool.map(client, range(threads)) for latency in mine]
        load, used = Load(threads, time.perf_counter() - began, latencies), time.process_time() - used
    return _Cost(load, used, meter.postgres, None, meter.commits)


def _serve(service: Service, request: bytes, clients: int) -> _Cost:
    assert service.worker
    assert service.gateway
    worker, gateway = psutil.Process(service.worker.pid), psutil.Process(service.gateway.pid)
    before = _cpu(worker), _cpu(gateway)
    with _Meter() as meter:
        load = put_under_load(service.port, request, clients=clients, seconds=SECONDS)
    return _Cost(load, _cpu(worker) - before[0], meter.postgres, _cpu(gateway) - before[1], meter.commits)


class _Meter:
    """PostgreSQL's processor time inside the block, and the transactions that wrote.

    A backend that ends in the block is not counted, so its connections are kept.
    """

    def __enter__(self) -> _Meter:
        self._before = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        postgres, commits = self._read()
        self.postgres, self.commits = postgres - self._before[0], commits - self._before[1]

    @staticmethod
    def _read() -> tuple[float, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            pid, commits = cursor.fetchone()
        server = psutil.Process(pid).parent()
        assert server
        return sum(_cpu(process) for process in server.children()), commits


def _cpu(process: psutil.Process) -> float:
    """Seconds of processor time so far."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0
    return float(times.user + times.system)


def _organizations(count: int) -> list[UUID]:
    """Each has a key, and money enough."""
    from decimal import Decimal

    from accounts import keys, organizations
    from billing import ledger

    made = []
    for number in range(count):
        name = f"finishing-{count}-{number}"
        organization = organizations.create(name="Bench", owner_email=f"{name}@bench.example.com")
        ledger.grant(organization=organization, amount=Decimal(1_000_000), cause=name)
        keys.create(organization=organization, name="bench")
        made.append(organization.pk)
    return made


def _running_jobs(organizations: Sequence[UUID], count: int) -> list[UUID]:
    """Jobs as their worker has them before their end, in a random order of organizations."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, {"organizations": organizations, "count": max(count, 8)})
        return [job_id for (job_id,) in cursor.fetchall()]


@contextmanager
def _workers_pool() -> Iterator[None]:
    """This process's threads share connections as a worker's do."""
    from config.celery import share_connections

    own: dict[str, Any] = connections.settings["default"]
    before = copy.deepcopy(own)
    connection.close()
    share_connections()
    try:
        yield
    finally:
        connection.close_pool()
        own.clear()
        own.update(before)
