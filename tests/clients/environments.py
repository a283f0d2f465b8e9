"""An environment of its own for each client, made once under build/clients and kept by what it is made of."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "clients"
INSTALL_SECONDS = 300
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def is_made(*requirements: str) -> bool:
    """Whether the environment of `python` with these packages is there, so that nothing is to be installed."""
    return (_folder("python", *requirements, PYTHON) / "made").exists()


def python(*requirements: str) -> list[str]:
    """The command of a Python that has these packages and no other."""
    folder = _folder("python", *requirements, PYTHON)
    interpreter = str(folder / "bin" / "python")
    with _making(folder) as missing:
        if missing:
            _install([sys.executable, "-m", "venv", "--without-pip", str(folder)])
            # Most of what a large package holds is never imported: to compile it all takes longer than the test.
            pip = [sys.executable, "-m", "pip", "--python", interpreter, "--quiet", "--disable-pip-version-check"]
            _install([*pip, "install", "--no-compile", *requirements])
    return [interpreter]


def node(*packages: str) -> list[str]:
    """The command of a Node, and the folder in which a script finds these packages."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("there is no node and npm here")
    folder = _folder("node", *packages)
    with _making(folder) as missing:
        if missing:
            folder.mkdir()
            _install([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *packages])
    return [found, str(folder)]


@contextmanager
def _making(folder: Path) -> Iterator[bool]:
    """Whether the folder is still to be made; the body makes it, while other processes of the tests wait."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = folder / "made"
    with (FOLDER / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = not made.exists()
        if missing:
            shutil.rmtree(folder, ignore_errors=True)
        yield missing
        if missing:
            made.touch()


def _folder(*made_of: str) -> Path:
    digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]
    return FOLDER / f"{made_of[1].split('=')[0].split('>')[0].strip('@').replace('/', '-')}-{digest}"


def _install(command: list[str]) -> None:
    """Skips the test where it cannot be installed: there is no network, or the index does not have it."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{command[-1]} was not installed within {INSTALL_SECONDS} s")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"{command[-1]} cannot be installed here: {last}")
