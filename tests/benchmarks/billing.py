"""Money alone: admissions (hold and job in one transaction, as the gateway makes them) and settlements, each on
one account that everybody wants and on a thousand.

The clients are tasks of one event loop and threads of one process, on the same cores as PostgreSQL.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from itertools import cycle

from django.conf import settings
from django.db import connection
from psycopg_pool import AsyncConnectionPool

from tests.benchmarks import budget
from tests.benchmarks.load import Load

MODEL = "boson/higgs-audio-v2.5"
ACCOUNTS = (1, budget.number(1000, least=2))
CLIENTS = budget.first_of((1, 8, 32))
SECONDS = budget.seconds(3.0)
WARM_UP_SECONDS = budget.seconds(0.5)
FRAMES = 25


def run() -> None:
    print(f"{'':12} {'accounts':>8} {'clients':>7} {'1/s':>8} {'p50 ms':>8} {'p99 ms':>8}")
    for count in ACCOUNTS:
        customers = _customers(count)
        for clients in CLIENTS:
            asyncio.run(_admit(customers, clients, seconds=WARM_UP_SECONDS))
            admissions, jobs = asyncio.run(_admit(customers, clients, seconds=SECONDS))
            _print("admissions", count, admissions)
            _print("settlements", count, _settle(jobs, clients))


def _print(name: str, accounts: int, load: Load) -> None:
    print(
        f"{name:12} {accounts:8} {load.clients:7} {load.rate:8.0f}"
        f" {load.percentile(50):8.2f} {load.percentile(99):8.2f}"
    )
    sys.stdout.flush()


def _customers(count: int) -> list[tuple[object, object]]:
    """Organization and key of each."""
    from accounts import keys, organizations
    from billing import ledger

    customers = []
    for number in range(count):
        organization = organizations.create(name="Bench", owner_email=f"{count}-{number}@bench.example.com")
        ledger.grant(organization=organization, amount=Decimal(1_000_000), cause=f"bench:{count}:{number}")
        customers.append((organization.pk, keys.create(organization=organization, name="bench")[0].pk))
    return customers


async def _admit(customers: Sequence[tuple[object, object]], clients: int, *, seconds: float) -> tuple[Load, list]:
    from accounts.identifiers import new_id
    from gateway.speech.group_commit import Admission, Admissions
    from inference.jobs import NewJob

    turns = cycle(customers)
    jobs, latencies = [], []

    async def client(admissions: Admissions, until: float) -> None:
        while (began := time.perf_counter()) < until:
            organization_id, key_id = next(turns)
            job = NewJob(
                id=new_id(),
                organization_id=organization_id,  # type: ignore[arg-type]
                api_key_id=key_id,  # type: ignore[arg-type]
                model=MODEL,
                voice="alloy",
                format="wav",
                text="The quick brown fox jumps over the lazy dog.",
                style="",
                max_frames=FRAMES * 4,
                deadline_seconds=600,
                kept_seconds=86_400,
            )
            outcome = await admissions.admit(Admission(job, cap_ms=FRAMES * 4 * 40))
            assert outcome.outcome == "held"
            latencies.append(time.perf_counter() - began)
            jobs.append((job.id, key_id))

    async with AsyncConnectionPool(
        settings.DATABASE_URL, min_size=clients, max_size=clients, kwargs={"autocommit": True}
    ) as pool:
        await pool.wait()
        began = time.perf_counter()
        admissions = Admissions(pool)
        await asyncio.gather(*(client(admissions, began + seconds) for _ in range(clients)))
        return Load(clients, time.perf_counter() - began, latencies), jobs


def _settle(jobs: Sequence[tuple], clients: int) -> Load:
    from billing import ledger

    def client(number: int) -> list[float]:
        latencies = []
        with closing(connection):
            for job_id, key_id in jobs[number::clients]:
                began = time.perf_counter()
                ledger.settle(
                    ledger.Usage(
                        job_id=job_id,
                        api_key_id=key_id,
                        model=MODEL,
                        voice="alloy",
                        samples=FRAMES * 960,
                        duration_ms=FRAMES * 40,
                    )
                )
                latencies.append(time.perf_counter() - began)
        return latencies

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        latencies = [latency for mine in threads.map(client, range(clients)) for latency in mine]
    return Load(clients, time.perf_counter() - began, latencies)
