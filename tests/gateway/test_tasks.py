"""What the clock sends: tasks that exist, done by the real worker."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from django.conf import settings
from pydantic import SecretStr
from starlette.requests import Request

from config.celery import app
from gateway import metrics
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import Service, wait_for
from usage.models import RollupDue, UsageRollup
from usage.tasks import refresh_rollups, turn_request_log


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {refresh_rollups.name, turn_request_log.name} <= scheduled <= set(app.tasks)


def test_the_worker_sums_up(service: Service, customer: Customer) -> None:
    request = scripted(25, max_completion_tokens=25)
    url = f"{service.url}/v1/chat/completions"
    assert httpx.post(url, json=request, headers=customer.headers, timeout=30).status_code == 200
    due = RollupDue.objects.filter(organization_id=customer.organization.id)
    assert wait_for(due.exists)
    refresh_rollups.delay()
    day = UsageRollup.objects.filter(organization_id=customer.organization.id, period="day", duration_ms=1000)
    wait_for(day.exists, what="the worker sums up")


@pytest.mark.parametrize(
    ("token", "address", "headers", "allowed"),
    [
        (None, "127.0.0.1", {}, True),
        (None, "::1", {}, True),
        (None, "192.0.2.7", {}, False),
        (None, "127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, False),
        ("t0ken", "192.0.2.7", {"authorization": "Bearer t0ken"}, True),
        ("t0ken", "127.0.0.1", {"authorization": "Bearer token"}, False),
        ("t0ken", "127.0.0.1", {}, False),
    ],
)
def test_who_may_see_the_metrics(
    settings: Any, token: str | None, address: str, headers: dict[str, str], allowed: bool
) -> None:
    secret = SecretStr(token) if token else None
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"metrics_token": secret})
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "headers": raw, "client": (address, 1)})
    assert metrics._may_see(request) is allowed
