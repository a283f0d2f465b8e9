"""What `make run` shows: every part's lines behind the part's name, and our own words between them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

COLOURS = (36, 32, 33, 34, 35, 96, 92, 93)
OURS = "run"
MAX_LOG_BYTES = 20_000_000


class Terminal:
    """Lines of many parts on one stream and each in a file; whole lines, whoever writes at once.

    A terminal that went away is no reason to stop: the files go on.
    """

    def __init__(
        self, names: Sequence[str], stream: TextIO, logs: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._stream = stream
        self._logs = logs
        self._lock = threading.Lock()
        environment = os.environ if environment is None else environment
        coloured = stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        width = max(len(name) for name in (*names, OURS))
        self._prefixes = {
            name: _paint(f"{name:<{width}} │", colour if coloured else 0)
            for name, colour in zip((*names, OURS), _colours(len(names)), strict=True)
        }
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._files = {name: _open_log(logs / f"{name}.log") for name in names}

    def show(self, name: str, line: str) -> None:
        """A line that a part wrote."""
        with self._lock:
            self._files[name].write(line + "\n")
            self._write(f"{self._prefixes[name]} {line}\n")

    def say(self, line: str) -> None:
        """A line of our own, beside the parts'."""
        with self._lock:
            self._write(f"{self._prefixes[OURS]} {line}\n")

    def say_block(self, text: str) -> None:
        """Lines that belong together and are there to be read and copied: no prefix. They go to no file."""
        with self._lock:
            self._write(f"\n{text}\n\n")

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):  # closed, at either end
            pass


def _colours(count: int) -> list[int]:
    return [*(COLOURS[i % len(COLOURS)] for i in range(count)), 1]


def _paint(text: str, colour: int) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def _open_log(path: Path) -> TextIO:
    """Open a log to go on with it; a long one is put aside first, in place of the one put aside before."""
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("a", encoding="utf-8", buffering=1)
