"""The service as it really runs: gateway and worker as processes, over the session's PostgreSQL and Valkey."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
Value = TypeVar("Value")


def wait_for(question: Callable[[], Value], *, seconds: float = 60, what: str = "") -> Value:
    """The first true answer. Raises TimeoutError when there is none in time."""
    until = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s: {what or question}")
        time.sleep(0.02)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """A gateway and a worker. Each may be killed and started again."""

    def __init__(self, folder: Path, *, port: int | None = None, concurrency: int = 8, **environment: str) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._concurrency = concurrency
        self.environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
            "PYTHONUNBUFFERED": "1",
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "ALERTS_PRIVATE_TARGETS": "false",
            "WORKER_GRACE_SECONDS": "1",
            "ENGINE": "tests.engines.ScriptedEngine",
            "C_FORCE_ROOT": "1",
            "CELERY_SKIP_CHECKS": "1",  # the gateway makes the same, which take a fifth of a worker's start
            **environment,
        }
        self.gateway: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    def start_gateway(self) -> None:
        self.gateway = self._start("gateway", "manage.py", "gateway")
        wait_for(lambda: self._answers("/healthz"), seconds=START_SECONDS, what="the gateway answers")

    def start_worker(self, **environment: str) -> None:
        """Start it, with variables of its own if need be."""
        self.worker = self._start(
            "worker", "-m", "celery", "-A", "config", "worker",
            "--pool", "threads", "--concurrency", str(self._concurrency), "-Q", "synthesis,maintenance",
            **environment,
        )  # fmt: skip

    def wait_until_ready(self) -> None:
        wait_for(lambda: self._answers("/readyz"), seconds=START_SECONDS, what="a worker is ready")

    def kill_worker(self) -> None:
        """As the kernel would: no goodbye."""
        assert self.worker
        self.worker.kill()
        self.worker.wait()

    def kill_gateway(self) -> None:
        assert self.gateway
        self.gateway.kill()
        self.gateway.wait()

    def log(self, part: str) -> str:
        return (self._folder / f"{part}.log").read_text()

    def logs(self) -> dict[str, str]:
        """What each process that was ever started has written."""
        return {path.stem: path.read_text() for path in sorted(self._folder.glob("*.log"))}

    def stop(self) -> None:
        for process in (self.gateway, self.worker):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _start(self, part: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        output: IO[bytes]
        with (self._folder / f"{part}.log").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**self.environment, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self, path: str) -> bool:
        for process in (self.gateway, self.worker):
            assert process is None or process.poll() is None, self.log("gateway")[-2000:]
        try:
            return httpx.get(self.url + path, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def running_service(
    folder: Path, *, port: int | None = None, concurrency: int = 8, **environment: str
) -> Iterator[Service]:
    service = Service(folder, port=port, concurrency=concurrency, **environment)
    try:
        service.start_worker()
        service.start_gateway()
        service.wait_until_ready()
        yield service
    finally:
        service.stop()
