"""Looking at the service as its customers reach it: over HTTP, from a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

INTERVAL_SECONDS = 30
TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A component, as people know it."""

    name: str
    title: str
    works_when: str


KINDS = (
    Kind("api", "API", "the gateway answers and knows its customers"),
    Kind("speech", "Speech", "a worker is there to speak what is asked for"),
    Kind("console", "Console", "the page to sign in on is shown"),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a component worked, at a moment."""

    component: str
    at: datetime
    ok: bool

    @property
    def slot(self) -> int:
        return int(self.at.timestamp()) // INTERVAL_SECONDS


def probe(url: str, host: str) -> list[Probe]:
    """Look at every component of the service at `url`, which is asked for under the name `host`."""
    at = datetime.now(UTC)
    readiness = _ask(f"{url}/readyz", host)
    checks: dict[str, Any] = readiness.json()["checks"] if readiness is not None and _is_ours(readiness) else {}
    sign_in = _ask(f"{url}/accounts/login/", host)
    works = {
        "api": checks.get("database") == "ok",
        "speech": bool(checks) and all(state == "ok" for state in checks.values()),
        "console": sign_in is not None and sign_in.status_code == 200,
    }
    return [Probe(name, at, ok) for name, ok in works.items()]


def every_interval(look: Callable[[], None], stop: Callable[[float], bool]) -> None:
    """Look once in each interval until `stop`, which waits for so many seconds, says so."""
    while True:
        look()
        if stop(INTERVAL_SECONDS - time.time() % INTERVAL_SECONDS):
            return


def _ask(address: str, host: str) -> requests.Response | None:
    try:
        return requests.get(address, headers={"host": host}, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return None


def _is_ours(answer: requests.Response) -> bool:
    """Not a proxy's page in our place."""
    return answer.status_code in (200, 503) and answer.headers.get("content-type", "") == "application/json"
