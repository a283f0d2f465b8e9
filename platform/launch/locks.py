"""What only one of us can have: the lock on VAR_DIR, and the port."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch.processes import CannotRunError


@contextmanager
def sole_run(var_dir: Path) -> Iterator[None]:
    """Hold the lock on this VAR_DIR; the kernel lets go of it when we are gone, however we went.

    Raises:
        CannotRunError: another run has it.
    """
    folder = var_dir / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            raise CannotRunError(
                f"{var_dir} is already being run, by process {pid}. "
                f"Stop it (kill {pid}), or set VAR_DIR to another folder and PORT to another port."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def check_port(host: str, port: int) -> None:
    """Raise CannotRunError where nobody could listen on this address now."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise CannotRunError(f"HOST: {host} is no address to listen on: {error.strerror}.") from None
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                raise CannotRunError(_complaint(host, port, error)) from None


def _complaint(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use by another program. Set PORT to a free one, e.g. PORT={port + 1}."
    if error.errno == errno.EACCES:
        return f"Port {port} is for root only. Set PORT to one above 1023."
    return f"HOST: cannot listen on {host}: {error.strerror}."
