"""Child processes: begun so that they die with us, ended so that nothing of them is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


class CannotRunError(Exception):
    """Something does not run here; the message says what to do about it."""


def begin(
    command: Sequence[str], *, output: int, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, where a Ctrl-C in our terminal does not reach it."""
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes], politely: signal.Signals, grace_seconds: float) -> None:
    """Ask a process to end, kill it where it does not in time, and then whatever is left of its group."""
    if process.poll() is not None:
        return  # and its number may be another's by now
    process.send_signal(politely)
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace_seconds)
    kill_group(process)
    process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that `begin` started and its children, now."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(process.pid, signal.SIGKILL)


def die_with_parent(command: Sequence[str], sent: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command, which gets a signal from the kernel when the thread that started it is gone.

    Only Linux does that; elsewhere the command is returned as it is.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return [*command]
    return [setpriv, "--pdeathsig", sent.name.removeprefix("SIG"), "--", *command]


def as_ordinary_user(command: Sequence[str]) -> list[str]:
    """The command, for a program that refuses to run as root: as root, in a user namespace where we are nobody.

    Its files stay ours and private, so that nothing is opened to another user. A change of credentials clears
    the wish of `die_with_parent`: this one goes around that one.
    """
    return ["unshare", "--user", "--map-user=65534", "--", *command] if os.geteuid() == 0 else [*command]


def check_ordinary_user() -> None:
    """Raise CannotRunError where `as_ordinary_user` cannot do its work: in most containers, for root."""
    try:
        tried = subprocess.run(as_ordinary_user(["true"]), capture_output=True, text=True, check=False)
        reason = tried.stderr.strip() if tried.returncode else None
    except OSError as error:
        reason = str(error)
    if reason is not None:
        raise CannotRunError(
            f"PostgreSQL does not run as root, and root may not become another user here ({reason}).\n"
            "Run this as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own."
        )


def end_leftovers(name: str, folder: Path, politely: signal.Signals, grace_seconds: float) -> None:
    """End the programs of that name whose working folder this is: what a killed run left behind."""
    for process in (left := _leftovers(name, folder)):
        _send(process, politely)
    until = time.monotonic() + grace_seconds
    while left:
        time.sleep(0.02)
        left = _leftovers(name, folder)
        if time.monotonic() > until:
            for process in left:
                _send(process, signal.SIGKILL)


def _leftovers(name: str, folder: Path) -> list[psutil.Process]:
    import psutil  # comes with the embedded servers; a production image has none

    found, folder = [], folder.resolve()
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == name:
            try:
                if process.cwd() == str(folder):  # a zombie has none
                    found.append(process)
            except psutil.Error:
                continue
    return found


def _send(process: psutil.Process, signal_number: signal.Signals) -> None:
    import psutil

    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal_number)
