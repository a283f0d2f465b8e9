"""Probing the service the way its customers reach it: over HTTP, from a separate process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

INTERVAL_SECONDS = 30
TIMEOUT_SECONDS = 5
START_SECONDS = 60
"""Grace period for a service that starts together with the prober: it is not down yet, but starting."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A component, as customers know it."""

    name: str
    title: str
    works_when: str


KINDS = (
    Kind("api", "API", "the API answers and reaches its database"),
    Kind("speech", "Speech generation", "a worker is ready to generate speech"),
    Kind("console", "Console", "the sign-in page loads"),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a component worked at a moment."""

    component: str
    at: datetime
    ok: bool

    @property
    def slot(self) -> int:
        return int(self.at.timestamp()) // INTERVAL_SECONDS


def probe(url: str, host: str) -> list[Probe]:
    """Probe every component of the service at `url`, with `host` as the Host header."""
    at = datetime.now(UTC)
    checks = _checks(_ask(f"{url}/readyz", host))
    sign_in = _ask(f"{url}/accounts/login/", host)
    works = {
        "api": checks.get("database") == "ok",
        "speech": bool(checks) and all(state == "ok" for state in checks.values()),
        "console": sign_in is not None and sign_in.status_code == 200 and 'name="password"' in sign_in.text,
    }
    return [Probe(name, at, ok) for name, ok in works.items()]


def wait_until_up(url: str, host: str, stop: Callable[[float], bool]) -> None:
    """Wait until all probes succeed, at most `START_SECONDS`. `stop` waits for the given seconds and returns
    whether to stop."""
    until = time.monotonic() + START_SECONDS
    while not all(each.ok for each in probe(url, host)) and time.monotonic() < until:
        if stop(0.5):
            return


def every_interval(look: Callable[[], None], stop: Callable[[float], bool]) -> None:
    """Call `look` now, and then once per interval until `stop` returns true."""
    while True:
        look()
        if stop(INTERVAL_SECONDS - time.time() % INTERVAL_SECONDS):
            return


def _ask(address: str, host: str) -> requests.Response | None:
    try:
        return requests.get(address, headers={"host": host}, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return None


def _checks(readiness: requests.Response | None) -> dict[str, Any]:
    """The checks of /readyz; empty if it does not answer, or a proxy answers in its place."""
    if readiness is None or readiness.status_code not in (200, 503):
        return {}
    try:
        checks = readiness.json()["checks"]
    except (ValueError, LookupError, TypeError):
        return {}
    return checks if isinstance(checks, dict) else {}
