"""Redis dies and comes back, under a service of its own: no request is lost, and money is counted all along."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.conf import settings

from billing.models import Account, UsageRecord
from launch.embedded import EmbeddedValkey
from tests.conftest import Customer
from tests.console.people import person
from tests.gateway.speaking import scripted
from tests.live import Service, running_service, wait_for

ONE_SECOND = scripted(25, max_completion_tokens=25)
SLOWLY = scripted(25, pace=0.1, max_completion_tokens=25)
"""It is still being spoken when a second has passed: workers find it without Redis."""
PRICE = Decimal("0.00075")


@pytest.fixture
def valkey(tmp_path: Path, servers: None) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def lonely(alone: None, committed: None, tmp_path: Path, valkey: EmbeddedValkey) -> Iterator[Service]:
    database = settings.DATABASES["default"]
    with running_service(
        tmp_path,
        DATABASE_URL=f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}",
        REDIS_URL=valkey.url,
        SECRET_KEY=settings.SECRET_KEY,
        API_KEY_PEPPERS=",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
        REQUEST_DEADLINE_SECONDS="30",
        RATE_LIMIT_GRACE_SECONDS="4",
    ) as service:
        yield service


def test_away_for_a_moment_and_for_too_long(lonely: Service, valkey: EmbeddedValkey, customer: Customer) -> None:
    def post(request: dict[str, Any] = ONE_SECOND) -> httpx.Response:
        url = f"{lonely.url}/v1/chat/completions"
        return httpx.post(url, json=request, headers=customer.headers, timeout=40)

    assert "x-ratelimit-limit-requests" in post().headers
    valkey.stop()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(post, SLOWLY) for _ in range(4)]
        time.sleep(1)
        account = Account.objects.get(organization=customer.organization)
        assert account.held == 4 * PRICE, "admitted, and held for"
        time.sleep(5)
        refused = post()
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "rate_limits_unavailable")
        valkey.start()
        answers = [future.result() for future in waiting]
    assert [answer.status_code for answer in answers] == [200] * 4
    back = wait_for(lambda: (answer := post()).status_code == 200 and answer, what="limits are counted again")
    assert "x-ratelimit-limit-requests" in back.headers
    account.refresh_from_db()
    assert (account.held, 1 - account.balance) == (0, 6 * PRICE)
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 6
    assert "\nspeech_rate_limits_uncounted_total 4.0\n" in httpx.get(f"{lonely.url}/metrics").text


def test_people_sign_in_all_the_same(lonely: Service, valkey: EmbeddedValkey) -> None:
    somebody = person(f"{uuid4().hex}@example.com")
    somebody.set_password("correct horse battery")
    somebody.save()
    valkey.stop()
    login = f"{lonely.url}/accounts/login/"
    token = httpx.get(login).cookies["csrftoken"]
    cookie = {"cookie": f"csrftoken={token}"}  # it is for https alone, so no client would send it here
    form = {"login": somebody.email, "csrfmiddlewaretoken": token}
    wrong = httpx.post(login, data={**form, "password": "wrong"}, headers=cookie)
    assert (wrong.status_code, "not correct" in wrong.text) == (200, True)
    right = httpx.post(login, data={**form, "password": "correct horse battery"}, headers=cookie)
    assert (right.status_code, right.headers["location"]) == (302, "/console")
