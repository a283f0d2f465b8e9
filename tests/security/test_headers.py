"""What answers say to browsers and caches: https and nothing else, and nothing of a customer's is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Customer
from tests.gateway.speaking import body
from tests.live import ROOT, Service
from tests.security import services

PUBLIC_URL = "https://speech.example.com"
HOST = {"host": "speech.example.com"}
HSTS = "strict-transport-security"


@pytest.fixture(scope="module")
def public(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway that people reach by https, through a proxy on this machine."""
    folder = tmp_path_factory.mktemp("public")
    service = Service(folder, **services.environment(), PUBLIC_URL=PUBLIC_URL, PROXIES="1")
    try:
        service.start_gateway()
        yield service
    finally:
        service.stop()


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/v1/models", "/v1/usage", "/healthz", "/nonexistent"])
def test_https_is_to_be_kept_to(public: Service, path: str) -> None:
    answer = httpx.get(public.url + path, headers={**HOST, "x-forwarded-for": "203.0.113.1"})
    assert answer.status_code in (200, 401, 404)
    assert answer.headers.get_list(HSTS) == ["max-age=31536000"]


def test_whoever_comes_by_http_is_sent_to_https(public: Service) -> None:
    headers = {**HOST, "x-forwarded-for": "203.0.113.1", "x-forwarded-proto": "http"}
    answer = httpx.get(f"{public.url}/accounts/login/", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (301, f"{PUBLIC_URL}/accounts/login/")
    assert HSTS not in answer.headers


def test_without_https_there_is_none_of_it(service: Service) -> None:
    for claimed in ("http", "https"):
        answer = httpx.get(f"{service.url}/accounts/login/", headers={"x-forwarded-proto": claimed})
        assert answer.status_code == 200
        assert HSTS not in answer.headers


@pytest.mark.parametrize("path", ["/v1/key", "/v1/usage", "/v1/models", "/v1/audio/audio_0", "/v1/usage?from=x"])
def test_what_is_a_customers_is_not_kept(service: Service, customer: Customer, path: str) -> None:
    answer = httpx.get(service.url + path, headers=customer.headers)
    assert answer.headers["cache-control"] == "no-store"


def test_speech_in_json_is_not_kept(service: Service, customer: Customer) -> None:
    url = f"{service.url}/v1/chat/completions"
    answer = httpx.post(url, json=body(), headers=customer.headers, timeout=30)
    assert answer.headers["cache-control"] == "no-store"


def test_djangos_own_check_for_deployment_is_content() -> None:
    """But for W005 and W021: whether subdomains are meant too, and browsers' lists, is for their owner to say."""
    environment = {**os.environ, "PUBLIC_URL": PUBLIC_URL, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {line.split(")")[0] for line in checked.stderr.splitlines() if line.startswith("?: (security.W")}
    assert found <= {"?: (security.W005", "?: (security.W021"}
