"""The service behind a real PgBouncer in transaction mode, with fewer server connections than it has clients."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest
from celery import Celery
from django.conf import settings
from openai import OpenAI

from gateway.batches import advance, doorbell
from launch import processes
from tests.conftest import Customer
from tests.gateway.batching import ended, results, start, tone_line
from tests.live import ROOT, Service, free_port, running_service, wait_for

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
SERVER_CONNECTIONS = 4
REQUESTS = 60

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed (apt install pgbouncer)")


@dataclass(frozen=True)
class PgBouncer:
    """A running PgBouncer."""

    port: int
    database: str

    def url(self, database: str | None = None) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database or self.database}"

    def shows(self, what: str) -> list[dict[str, Any]]:
        """The rows of `SHOW what` on its console."""
        with psycopg.ClientCursor(
            psycopg.connect(self.url("pgbouncer"), autocommit=True), row_factory=psycopg.rows.dict_row
        ) as console:
            return console.execute(f"SHOW {what}").fetchall()


@pytest.fixture(scope="module")
def pgbouncer(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PgBouncer]:
    folder = tmp_path_factory.mktemp("pgbouncer")
    database = settings.DATABASES["default"]
    bouncer = PgBouncer(free_port(), database["NAME"])
    (folder / "users.txt").write_text('"postgres" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"""
        [databases]
        {bouncer.database} = host={database["HOST"]} dbname={bouncer.database} user=postgres
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {bouncer.port}
        unix_socket_dir =
        auth_type = any
        auth_file = {folder / "users.txt"}
        admin_users = postgres
        pool_mode = transaction
        default_pool_size = {SERVER_CONNECTIONS}
        max_client_conn = 200
        ignore_startup_parameters = extra_float_digits,options
        """.replace("        ", "")
    )
    command = [str(PROGRAM), str(folder / "pgbouncer.ini")]
    with (folder / "log").open("wb") as log:
        process = processes.begin(
            processes.as_ordinary_user(processes.die_with_parent(command)), output=log.fileno()
        )
    try:
        wait_for(lambda: _answers(bouncer), what=(folder / "log").read_text())
        yield bouncer
    finally:
        process.terminate()
        process.wait(10)


def _answers(bouncer: PgBouncer) -> bool:
    try:
        with psycopg.connect(bouncer.url()) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


@pytest.fixture(scope="module")
def behind(alone: None, pgbouncer: PgBouncer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(
        tmp_path_factory.mktemp("service"),
        DATABASE_URL=pgbouncer.url(),
        REDIS_URL=f"{settings.REDIS_URL}?db=6",
        SECRET_KEY=settings.SECRET_KEY,
        API_KEY_PEPPERS=",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
        PGBOUNCER="true",
    ) as service:
        yield service


def test_requests_share_few_server_connections(
    behind: Service, pgbouncer: PgBouncer, new_customer: Callable[..., Customer]
) -> None:
    """Each is admitted, spoken, billed and logged, by statements that the gateway would else prepare."""
    customer = new_customer(credit="5.00")

    def ask(number: int) -> httpx.Response:
        return httpx.post(
            f"{behind.url}/v1/audio/speech",
            headers={**customer.headers, "idempotency-key": f"bouncer-{number}"},
            json={"model": "tts-1", "voice": "alloy", "input": "Hello."},
            timeout=60,
        )

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(REQUESTS)))
    assert [answer.status_code for answer in answers] == [200] * REQUESTS, answers[0].text
    found = httpx.get(f"{behind.url}/v1/usage", headers=customer.headers, timeout=30)
    assert found.status_code == 200, found.text
    assert Decimal(found.json()["total"]["cost_usd"]) > 0
    assert len(pgbouncer.shows("SERVERS")) <= SERVER_CONNECTIONS


def test_a_process_holds_four_connections(behind: Service, pgbouncer: PgBouncer) -> None:
    """Those of gateway and worker for speech; pages have a pool of their own."""
    assert len([row for row in pgbouncer.shows("CLIENTS") if row["database"] != "pgbouncer"]) <= 3 * 4


def test_a_batch_is_spoken(
    behind: Service, pgbouncer: PgBouncer, new_customer: Callable[..., Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever moves it leaves no lock on a server connection, which others are given next."""
    client = OpenAI(base_url=f"{behind.url}/v1", api_key=new_customer(credit="5.00").secret)
    broker = behind.environment["REDIS_URL"].replace("unix://", "redis+socket://", 1)
    with Celery(broker=broker, set_as_current=False) as clock:
        clock.conf.task_default_queue = settings.CELERY_TASK_DEFAULT_QUEUE
        monkeypatch.setattr(doorbell, "current_app", clock)
        batch = ended(client, start(client, [tone_line(number) for number in range(20)]))
    assert batch.status == "completed"
    assert len(results(client, batch.output_file_id)) == 20
    with psycopg.connect(pgbouncer.url()) as connection:
        held = connection.execute("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted").fetchall()
    assert (advance.LOCK,) not in held


def test_commands_work(behind: Service) -> None:
    """Among them those that read without end, by a cursor, and the proof, which copies and needs one snapshot."""
    for arguments in (["ledger", "verify"], ["rebuild_rollups", "--from", "2026-01-01", "--to", "2026-01-02"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=behind.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
