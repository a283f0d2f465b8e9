"""The parts that the service is made of, and the command of each: `manage.py run` and Docker Compose run these."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MIGRATE = ("python", "manage.py", "migrate", "--no-input")
GATEWAY = ("python", "manage.py", "gateway")
PROBE = ("python", "manage.py", "probe")


SPEECH, MAINTENANCE = "synthesis", "maintenance"
"""The queues. Each has a worker of its own, so that a flood of speech never delays billing. The maintenance worker
loads no voice; a speech worker needs no secret."""
MAINTENANCE_CONCURRENCY = 4
"""Threads. A purge and a proof of the books take minutes; webhooks and Stripe's events must not wait for them."""


def worker(concurrency: int | str, *queues: str) -> tuple[str, ...]:
    """The command of a worker. It neither gossips nor mingles: workers find each other in PostgreSQL."""
    return (
        "celery", "--quiet", "-A", "config", "worker",
        "--pool", "threads", "--concurrency", str(concurrency), "-Q", ",".join(queues),
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip


def beat(var_dir: Path) -> tuple[str, ...]:
    """The command of the clock that sends the periodic tasks."""
    return ("celery", "--quiet", "-A", "config", "beat", "--schedule", str(var_dir / "beat-schedule"))


def _nothing() -> None:
    pass


def _at_once() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A process that is kept running.

    `prepare` is called before each start. What comes after this part waits until `ready` is true. `command` may
    be a function, for what is only known after `prepare`.
    """

    name: str
    command: tuple[str, ...] | Callable[[], list[str]]
    prepare: Callable[[], None] = _nothing
    ready: Callable[[], bool] = _at_once
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0


def in_this_python(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command with the interpreter that runs us in place of what PATH may hold."""
    program, *arguments = command
    if program == "python":
        return (sys.executable, *arguments)
    return (sys.executable, "-m", program, *arguments)


def of_service(var_dir: Path, worker_concurrency: int) -> tuple[Part, ...]:
    """The parts of ours, in the order in which they start; they stop in the opposite order."""
    return (
        Part(name="worker", command=in_this_python(worker(worker_concurrency, SPEECH)), grace_seconds=10),
        Part(
            name="maintenance",
            command=in_this_python(worker(MAINTENANCE_CONCURRENCY, MAINTENANCE)),
            grace_seconds=10,
        ),
        Part(name="gateway", command=in_this_python(GATEWAY), grace_seconds=12),
        Part(name="beat", command=in_this_python(beat(var_dir)), grace_seconds=3),
        Part(name="probe", command=in_this_python(PROBE), grace_seconds=6),
    )
