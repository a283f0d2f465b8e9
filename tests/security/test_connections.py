"""However many ask for pages, nobody gets a 500 for want of a connection, and speech goes on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import httpx
import psycopg
import pytest
from django.conf import settings
from openai import AsyncOpenAI

from gateway import database_threads
from gateway.door.gate import AT_ONCE, AT_ONCE_OF_AN_ADDRESS, WAITING, Busy, Turns
from launch.embedded import WEB_CONNECTIONS, WEB_ROLE
from tests.conftest import Customer
from tests.gateway.speaking import MODEL
from tests.live import Service, running_service

VISITORS = 200
SPEECHES, SECONDS = 2, 5.0
"""How often somebody speaks beside the visitors, and for how long, both at least."""


@pytest.fixture(scope="module")
def service(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, servers: None) -> Iterator[Service]:
    """A service whose pages have the role of their own, as `manage.py run` gives them."""
    name, host = settings.DATABASES["default"]["NAME"], settings.DATABASES["default"]["HOST"]
    with running_service(
        tmp_path_factory.mktemp("crowded"),
        DATABASE_URL=f"postgresql://postgres@/{name}?host={host}",
        WEB_DATABASE_URL=f"postgresql://{WEB_ROLE}@/{name}?host={host}",
        REDIS_URL=settings.REDIS_URL,
        SECRET_KEY=settings.SECRET_KEY,
        API_KEY_PEPPERS=",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
    ) as running:
        yield running


def connections_of_the_pages(watcher: psycopg.Connection) -> int:
    row = watcher.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (WEB_ROLE,)).fetchone()
    assert row is not None
    return int(row[0])


def test_a_crowd_at_the_pages_gets_no_error_and_speech_goes_on(service: Service, customer: Customer) -> None:
    async def crowd() -> tuple[Counter[int], int]:
        spoken = asyncio.Event()
        statuses: Counter[int] = Counter()
        most = 0

        async def visitor(client: httpx.AsyncClient) -> None:
            while not spoken.is_set():
                answer = await client.get(f"{service.url}/accounts/login/")
                statuses[answer.status_code] += 1
                if answer.status_code == 503:
                    assert int(answer.headers["retry-after"]) > 0
                    await asyncio.sleep(0.2)

        async def speak(client: AsyncOpenAI) -> None:
            until, speeches = time.monotonic() + SECONDS, 0
            try:
                while speeches < SPEECHES or time.monotonic() < until:
                    answer = await client.audio.speech.create(model=MODEL, voice="alloy", input="Still here.")
                    assert len(answer.content) > 1000
                    speeches += 1
            finally:
                spoken.set()

        async def watch() -> None:
            nonlocal most
            with psycopg.connect(service.environment["DATABASE_URL"], autocommit=True) as watcher:
                while True:
                    most = max(most, connections_of_the_pages(watcher))
                    await asyncio.sleep(0.1)

        limits = httpx.Limits(max_connections=VISITORS)
        watching = asyncio.create_task(watch())
        async with (
            httpx.AsyncClient(limits=limits, timeout=60) as visitors,
            AsyncOpenAI(
                base_url=f"{service.url}/v1", api_key=customer.secret, max_retries=0, timeout=60
            ) as openai,
        ):
            await asyncio.gather(speak(openai), *(visitor(visitors) for _ in range(VISITORS)))
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        return statuses, most

    statuses, most = asyncio.run(crowd())
    assert set(statuses) <= {200, 503}
    assert statuses[200] > 20
    assert 1 <= most <= AT_ONCE + database_threads.THREADS < WEB_CONNECTIONS


def test_the_pages_role_cannot_take_speechs_connections(service: Service) -> None:
    url = service.environment["WEB_DATABASE_URL"]
    taken: list[psycopg.Connection] = []
    try:
        with suppress(psycopg.OperationalError):
            while len(taken) <= WEB_CONNECTIONS:
                taken.append(psycopg.connect(url))
        assert 0 < len(taken) <= WEB_CONNECTIONS
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(url)
        with psycopg.connect(service.environment["DATABASE_URL"]) as speech:
            assert speech.execute("SELECT 1").fetchone() == (1,)
    finally:
        for each in taken:
            each.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE billing_ledgerentry DISABLE TRIGGER append_only",
        "SET session_replication_role = replica",
        "TRUNCATE billing_ledgerentry CASCADE",
        "DROP TABLE accounts_auditevent",
        "CREATE ROLE mallory",
    ],
)
def test_the_pages_role_writes_rows_and_nothing_else(service: Service, statement: str) -> None:
    with (
        psycopg.connect(service.environment["WEB_DATABASE_URL"]) as pages,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        pages.execute(statement)


def test_slow_bodies_hold_no_turn(service: Service) -> None:
    async def slow() -> None:
        head = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nslow"
        for _ in range(AT_ONCE):
            _, writer = await asyncio.open_connection("127.0.0.1", service.port)
            writer.write(head)
            await writer.drain()
            open_ones.append(writer)
        async with httpx.AsyncClient(timeout=10) as client:
            assert (await client.get(f"{service.url}/accounts/login/")).status_code == 200
        for writer in open_ones:
            writer.close()

    open_ones: list[asyncio.StreamWriter] = []
    asyncio.run(slow())


def test_turns_are_fair_between_addresses() -> None:
    async def run() -> None:
        turns, done, release = Turns(), list[str](), asyncio.Event()

        async def ask(address: str) -> None:
            async with turns.turn(address):
                await release.wait()
                done.append(address)

        greedy = [asyncio.create_task(ask("greedy")) for _ in range(AT_ONCE_OF_AN_ADDRESS + WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await ask("greedy")
        others = [asyncio.create_task(ask(f"visitor {n}")) for n in range(20)]
        await asyncio.sleep(0)
        release.set()
        refused = [each for each in await asyncio.gather(*greedy, return_exceptions=True) if each]
        await asyncio.gather(*others)
        assert len(refused) == 20 - (AT_ONCE - AT_ONCE_OF_AN_ADDRESS)  # of those who waited, one for each newcomer
        assert len([address for address in done[:60] if address != "greedy"]) == 20
        assert turns._running.total() == 0
        assert not turns._waiting

    asyncio.run(run())


def test_a_turn_that_is_not_waited_for_is_given_on() -> None:
    async def run() -> None:
        turns = Turns()
        async with turns.turn("a"):
            waiting = [asyncio.create_task(turns.turn("a").__aenter__()) for _ in range(AT_ONCE)]
            await asyncio.sleep(0)
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        assert not turns._waiting

    asyncio.run(run())
