"""PostgreSQL and Valkey from their wheels: started, killed, started again, by root and by others."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
import pytest
import redis

from launch import embedded, processes
from launch.embedded import EmbeddedPostgres, EmbeddedServer, EmbeddedValkey
from launch.processes import CannotRunError
from tests.live import ROOT, wait_for

SERVERS = (EmbeddedPostgres, EmbeddedValkey)
TRIAL = """
import sys
import tempfile
from pathlib import Path
from launch.embedded import EmbeddedPostgres, EmbeddedValkey
servers = [kind(Path(sys.argv[1])) for kind in (EmbeddedPostgres, EmbeddedValkey)]
for server in servers:
    server.start()
print("serving", flush=True)
if sys.argv[2] == "stay":
    sys.stdin.read()
for server in servers:
    server.stop()
"""


@pytest.fixture(scope="module")
def made_var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VAR_DIR whose PostgreSQL has been made, to copy: making one takes half a second."""
    var_dir = tmp_path_factory.mktemp("made")
    postgres = EmbeddedPostgres(var_dir)
    postgres.start()
    postgres.stop()
    return var_dir


@pytest.fixture
def var_dir(made_var_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(made_var_dir / "postgres", tmp_path / "postgres")
    return tmp_path


@pytest.fixture
def running(var_dir: Path) -> Iterator[list[EmbeddedServer]]:
    servers: list[EmbeddedServer] = [kind(var_dir) for kind in SERVERS]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.stop()


def ask_postgres(var_dir: Path, statement: LiteralString) -> object:
    """The first value of the answer; None where there is none."""
    with psycopg.connect(embedded.postgres_url(var_dir)) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def ask_valkey(var_dir: Path, *command: str) -> object:
    with closing(redis.Redis.from_url(embedded.valkey_url(var_dir), decode_responses=True)) as client:
        answer: object = client.execute_command(*command)  # type: ignore[no-untyped-call]
        return answer


def trial(var_dir: Path, mode: str = "go", prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Another process that starts both servers; it stops them and ends, or stays."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", TRIAL, str(var_dir), mode],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "platform")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def leftovers(var_dir: Path) -> list[psutil.Process]:
    return [
        *processes._leftovers("postgres", var_dir / "postgres"),
        *processes._leftovers("valkey-server", embedded.socket_dir(var_dir)),
    ]


def test_postgres_is_as_safe_as_the_ledger_needs(running: list[EmbeddedServer], var_dir: Path) -> None:
    assert ask_postgres(var_dir, "SHOW fsync") == "on"
    assert ask_postgres(var_dir, "SHOW synchronous_commit") == "on"
    assert ask_postgres(var_dir, "SHOW full_page_writes") == "on"
    assert ask_postgres(var_dir, "SHOW data_checksums") == "on"
    assert ask_postgres(var_dir, "SHOW server_encoding") == "UTF8"
    assert ask_postgres(var_dir, "SELECT current_database()") == "speech"
    assert ask_postgres(var_dir, "SELECT upper('é')") == "É"


def test_valkey_refuses_rather_than_forgets(running: list[EmbeddedServer], var_dir: Path) -> None:
    assert ask_valkey(var_dir, "CONFIG", "GET", "maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert ask_valkey(var_dir, "CONFIG", "GET", "save") == {"save": ""}


def test_only_we_can_reach_them(running: list[EmbeddedServer], var_dir: Path) -> None:
    for server in running:
        assert server.process
        assert not psutil.Process(server.process.pid).net_connections("inet")
    for folder in (var_dir / "run", var_dir / "postgres", var_dir / "logs"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == os.geteuid()


def test_killed_servers_start_again_with_all_that_was_committed(
    running: list[EmbeddedServer], var_dir: Path
) -> None:
    ask_postgres(var_dir, "CREATE TABLE kept AS SELECT 42 AS n")
    for server in running:
        assert server.process
        server.process.kill()
        server.process.wait()
        assert server.process.returncode < 0
        server.start()
    assert ask_postgres(var_dir, "SELECT n FROM kept") == 42
    assert ask_valkey(var_dir, "PING") is True


def test_servers_that_lost_their_parent_are_replaced(running: list[EmbeddedServer], var_dir: Path) -> None:
    with trial(var_dir) as other:
        output, errors = other.communicate(timeout=20)
    assert output == "serving\n", errors
    assert all(server.process and server.process.wait(5) is not None for server in running)


def test_a_pid_file_that_names_another_program_hurts_nobody(var_dir: Path) -> None:
    with subprocess.Popen(["sleep", "100"]) as bystander:
        (var_dir / "postgres" / "postmaster.pid").write_text(f"{bystander.pid}\n{var_dir / 'postgres'}\n")
        server = EmbeddedPostgres(var_dir)
        server.start()
        server.stop()
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_servers_end_with_a_killed_parent(var_dir: Path) -> None:
    with trial(var_dir, "stay") as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "serving\n"
        assert leftovers(var_dir)
        parent.kill()
    wait_for(lambda: not leftovers(var_dir))


def test_an_interrupted_initdb_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres.draft" / "base").mkdir(parents=True)
    server = EmbeddedPostgres(tmp_path)
    server.start()
    assert ask_postgres(tmp_path, "SELECT 1") == 1
    server.stop()
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("name", ["long" * 30, "with space, comma and é"])
def test_a_path_that_no_socket_can_have(var_dir: Path, name: str) -> None:
    odd = var_dir / name
    odd.mkdir()
    (var_dir / "postgres").rename(odd / "postgres")
    sockets = embedded.socket_dir(odd)
    assert sockets == embedded.socket_dir(odd)
    assert not sockets.is_relative_to(odd)
    servers = [kind(odd) for kind in SERVERS]
    try:
        for server in servers:
            server.start()
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert ask_postgres(odd, "SELECT 1") == 1
        assert ask_valkey(odd, "PING") is True
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(sockets)


def test_two_installations_run_side_by_side(
    running: list[EmbeddedServer], var_dir: Path, made_var_dir: Path
) -> None:
    ask_postgres(var_dir, "CREATE TABLE ours ()")
    ask_valkey(var_dir, "SET", "ours", "1")
    others = [kind(made_var_dir) for kind in SERVERS]
    for server in others:
        server.start()
    assert ask_postgres(made_var_dir, "SELECT to_regclass('ours')") is None
    assert ask_valkey(made_var_dir, "GET", "ours") is None
    for server in others:
        server.stop()
    assert ask_postgres(var_dir, "SELECT to_regclass('ours')") == "ours"


def test_a_folder_of_someone_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "run").symlink_to(target)
    with pytest.raises(CannotRunError, match="belongs to someone else"):
        EmbeddedValkey(tmp_path).start()
    (tmp_path / "run").unlink()
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(CannotRunError, match="belongs to someone else"):
        EmbeddedValkey(tmp_path).start()


def test_a_server_that_does_not_start_tells_why(var_dir: Path) -> None:
    (var_dir / "postgres" / "global" / "pg_control").unlink()
    server = EmbeddedPostgres(var_dir)
    with pytest.raises(CannotRunError, match="could not find the database system"):
        server.start()
    assert server.process is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a user namespace")
def test_root_without_user_namespaces_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "as_ordinary_user", lambda command: ["unshare", "--no-such-option"])
    with pytest.raises(CannotRunError, match=r"ordinary user, or set DATABASE_URL"):
        EmbeddedPostgres(tmp_path).start()


AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
IN_A_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--")


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test runs as an ordinary user already")
@pytest.mark.parametrize("prefix", [AS_NOBODY, IN_A_NAMESPACE], ids=["nobody", "namespace"])
def test_an_ordinary_user_needs_nothing_of_root(prefix: tuple[str, ...]) -> None:
    usable = [*prefix, sys.executable, "-c", "import config, psycopg, redis"]
    if subprocess.run(usable, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("this Python cannot be used by such a user, or there is no becoming one")
    with tempfile.TemporaryDirectory(prefix="speech-ordinary-") as folder:
        if prefix == AS_NOBODY:
            os.chown(folder, 65534, 65534)
        with trial(Path(folder), prefix=prefix) as process:
            output, errors = process.communicate(timeout=30)
        assert output == "serving\n", errors
