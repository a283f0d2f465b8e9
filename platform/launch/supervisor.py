"""One command, all parts: each kept running, their lines shown together, all of them stopped at the end."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, cast

from launch import processes
from launch.parts import Part
from launch.processes import CannotRunError
from launch.terminal import Terminal

READY_SECONDS = 30.0
FIRST_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 15.0
STEADY_SECONDS = 30.0
"""A part that has lived this long is well: should it die, it starts again after the first delay."""
LINE_LIMIT = 65_536
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stop(BaseException):
    """The signal to stop; no `except Exception` on its way shall hold it up."""


class Supervisor:
    """Starts parts, keeps them running until a signal, and stops them, the last one first."""

    def __init__(self, terminal: Terminal, folder: Path, environment: dict[str, str]) -> None:
        self._terminal = terminal
        self._folder = folder
        self._environment = environment
        self._runners: list[_Runner] = []
        self._stopping = False
        self._forced = False

    def start(self, part: Part) -> None:
        """Start a part and wait until it is ready.

        Raises:
            CannotRunError: it is not.
        """
        runner = _Runner(part, self._terminal, self._folder, self._environment)
        self._runners.append(runner)
        runner.start()
        runner.wait_until_ready()

    def run(self, start: Callable[[], None]) -> bool:
        """Call `start`, which starts parts, and keep them until a signal; whether they then stopped in peace."""
        handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        try:
            for number in STOP_SIGNALS:
                if number != signal.SIGHUP or handlers[number] != signal.SIG_IGN:  # as `nohup` wants it
                    signal.signal(number, self._on_signal)
            start()
            while True:
                time.sleep(1)  # not for ever: the signal may come to another thread and leave this one asleep
        except _Stop:
            self._terminal.say("stopping; once more to stop at once")
        finally:
            self._stopping = True
            for runner in reversed(self._runners):
                runner.stop()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        self._terminal.say("stopped")
        return not self._forced

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise _Stop
        self._forced = True
        for runner in self._runners:
            runner.kill()


class _Runner:
    """Keeps one part running, from a thread of its own: that thread's end would be the part's (see processes)."""

    def __init__(self, part: Part, terminal: Terminal, folder: Path, environment: dict[str, str]) -> None:
        self._part = part
        self._terminal = terminal
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started = threading.Event()
        self._failed = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.RLock()  # a signal may come while its own thread has it
        self._thread = threading.Thread(target=self._keep, name=part.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait_until_ready(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while not (self._started.is_set() and self._part.ready()):
            if self._failed.is_set():
                raise CannotRunError(f"{self._part.name} does not start: what it says is above.")
            if time.monotonic() > until:
                raise CannotRunError(f"{self._part.name} is not ready after {READY_SECONDS:.0f} s.")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the part for good, with its grace."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is not None:
            processes.end(process, self._part.stop_signal, self._part.grace_seconds)
        self._thread.join()

    def kill(self) -> None:
        """End the part for good, at once."""
        with self._lock:
            self._stopping.set()
            if self._process is not None and self._process.poll() is None:
                processes.kill_group(self._process)

    def _keep(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                end = self._run_once()
            except (OSError, CannotRunError) as error:
                end = f"does not start: {error}"
            self._failed.set()
            if self._stopping.is_set():
                return
            if time.monotonic() - began >= STEADY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._terminal.say(f"{self._part.name} {end}; next try in {delay:g} s")
            self._stopping.wait(delay)
            delay = min(2 * delay, MAX_DELAY_SECONDS)

    def _run_once(self) -> str:
        """Run the part to its end, and tell how that was."""
        part = self._part
        part.prepare()
        command = part.command() if callable(part.command) else processes.die_with_parent(part.command)
        with self._lock:
            if self._stopping.is_set():
                return "was not wanted any more"
            process = self._process = processes.begin(
                command, output=subprocess.PIPE, cwd=self._folder, environment=self._environment
            )
        output = cast("IO[bytes]", process.stdout)
        reader = threading.Thread(target=self._read, args=(output,), name=f"{part.name}-lines", daemon=True)
        reader.start()
        self._started.set()
        code = process.wait()
        processes.kill_group(process)  # what it leaves behind would also hold its output open
        reader.join(1)
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in iter(lambda: output.readline(LINE_LIMIT), b""):
                self._terminal.show(self._part.name, line.decode(errors="replace").rstrip("\r\n"))
