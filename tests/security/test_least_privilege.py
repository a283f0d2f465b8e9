"""The parts that hold no secret work without one, as docker-compose.yml starts them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from launch import parts
from launch.embedded import EmbeddedValkey
from tests.conftest import Customer
from tests.gateway.speaking import body
from tests.live import Service, wait_for
from tests.security import services

KEYLESS = {"SECRET_KEY": "", "API_KEY_PEPPERS": "", "KEYLESS": "true"}


@pytest.fixture
def valkey(tmp_path: Path, servers: None) -> Iterator[EmbeddedValkey]:
    """One where no worker of the session's is seen."""
    server = EmbeddedValkey(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


def test_speech_and_maintenance_apart(tmp_path: Path, customer: Customer, valkey: EmbeddedValkey) -> None:
    """The one who speaks has no secret; the other loads no voice, and nobody takes it for one who speaks."""
    service = Service(tmp_path, **{**services.environment(), "REDIS_URL": valkey.url})
    _, *speech = parts.worker(2, parts.SPEECH)
    _, *maintenance = parts.worker(2, parts.MAINTENANCE)
    other = None
    try:
        other = service._start("maintenance", "-m", "celery", *without_quiet(maintenance), ENGINE="no.such.Engine")
        service.start_gateway()
        wait_for(lambda: " ready." in service.log("maintenance"), what="maintenance is ready")
        answer = ask(service, customer)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_worker")

        service.worker = service._start("worker", "-m", "celery", *without_quiet(speech), **KEYLESS)
        service.wait_until_ready()
        assert ask(service, customer).status_code == 200
        workers = httpx.get(f"{service.url}/readyz").json()["workers"]
        assert len(workers) == 1
        assert other.poll() is None
    finally:
        service.stop()
        if other is not None:
            other.terminate()
            other.wait(20)


def without_quiet(arguments: list[str]) -> list[str]:
    """With Celery's banner, so that the log says when it is ready."""
    return [argument for argument in arguments if argument != "--quiet"]


def ask(service: Service, customer: Customer) -> httpx.Response:
    url = f"{service.url}/v1/chat/completions"
    return httpx.post(url, json=body(), headers=customer.headers, timeout=30)
