"""GET /v1/usage, /v1/key and /metrics: what was used and what is left, to its owner and in exact dollars."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from accounts import keys
from accounts.models import ApiKey
from billing.models import UsageRecord
from billing.models.budgets import Budget
from gateway.authentication import REMEMBER_SECONDS
from tests.conftest import Customer
from tests.gateway.speaking import body, scripted
from tests.live import Service, wait_for
from usage.models import RequestLog


def get(service: Service, customer: Customer, path: str, **parameters: Any) -> httpx.Response:
    return httpx.get(f"{service.url}{path}", params=parameters, headers=customer.headers, timeout=30)


def speak(service: Service, customer: Customer, request: dict[str, Any]) -> httpx.Response:
    url = f"{service.url}/v1/chat/completions"
    answer = httpx.post(url, json=request, headers=customer.headers, timeout=30)
    logged = RequestLog.objects.filter(id=answer.headers["x-request-id"].removeprefix("req_"))
    wait_for(logged.exists, what="the row is written")
    return answer


def voiced(voice: str, frames: int = 25) -> dict[str, Any]:
    return scripted(frames, max_completion_tokens=frames, audio={"voice": voice, "format": "wav"})


@pytest.fixture
def used(service: Service, customer: Customer) -> Customer:
    """A customer of two keys: 3 answers and 1 refusal by the first, 1 answer by the second."""
    for voice in ("alloy", "alloy", "nova"):
        assert speak(service, customer, voiced(voice)).status_code == 200
    assert speak(service, customer, body(model="gpt-4o")).status_code == 404
    second = Customer(*(customer.organization, *keys.create(organization=customer.organization, name="=2+2")))
    assert speak(service, second, voiced("nova", 50)).status_code == 200
    return customer


def test_usage_is_live_and_exact(service: Service, used: Customer) -> None:
    answer = get(service, used, "/v1/usage")
    assert answer.status_code == 200, answer.text
    usage = answer.json()
    today = datetime.now(UTC)
    assert usage["bucket"] == "day"
    assert usage["start"] == f"{today:%Y-%m}-01T00:00:00Z"
    [line] = usage["data"]
    assert line["start"] == f"{today:%Y-%m-%d}T00:00:00Z"
    assert (line["requests"], line["errors"], line["duration_ms"]) == (5, 1, 5000)
    assert line["cost_usd"] == usage["total"]["cost_usd"] == "0.003750000"
    latency = line["latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] < 20_000
    records = UsageRecord.objects.filter(organization=used.organization)
    assert sum(record.cost for record in records) == Decimal(line["cost_usd"])


def test_usage_is_grouped_and_filtered(service: Service, used: Customer) -> None:
    own = f"sk-{used.key.public_id}"
    by_both = get(service, used, "/v1/usage", bucket="total", group_by="key,voice").json()["data"]
    assert {(line["key_name"], line["voice"], line["requests"], line["duration_ms"]) for line in by_both} == {
        ("test", "alloy", 2, 2000),
        ("test", "nova", 1, 1000),
        ("test", "", 1, 0),
        ("=2+2", "nova", 1, 2000),
    }
    of_key = get(service, used, "/v1/usage", bucket="hour", key=own, group_by=["model", "key"]).json()
    assert {line["key"] for line in of_key["data"]} == {own}
    assert of_key["total"]["cost_usd"] == "0.002250000"
    nova = get(service, used, "/v1/usage", bucket="month", voice="nova", model="boson/higgs-audio-v2.5").json()
    assert nova["total"]["requests"] == 2
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert get(service, used, "/v1/usage", start=tomorrow, end="2100-01-01", bucket="total").status_code == 400
    assert get(service, used, "/v1/usage", start="2020-01-01", end="2020-02-01").json()["data"] == []


def test_usage_as_csv(service: Service, used: Customer) -> None:
    answer = get(service, used, "/v1/usage", format="csv", group_by="key", bucket="total")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == [
        *("start", "key", "key_name", "requests", "errors", "duration_ms", "cost_usd"),
        *("latency_p50_ms", "latency_p95_ms", "latency_p99_ms"),
    ]
    assert {(row["key_name"], row["cost_usd"]) for row in rows} == {
        ("test", "0.002250000"),
        ("'=2+2", "0.001500000"),
    }
    nothing = get(service, used, "/v1/usage", format="csv", start="2020-01-01", end="2020-02-01", group_by="voice")
    assert nothing.text.startswith("start,voice,requests")
    assert len(nothing.text.splitlines()) == 1


def test_nobody_sees_anothers_usage(
    service: Service, used: Customer, new_customer: Callable[..., Customer]
) -> None:
    stranger = new_customer()
    usage = get(service, stranger, "/v1/usage", bucket="total").json()
    assert (usage["data"], usage["total"]["requests"]) == ([], 0)
    refused = get(service, stranger, "/v1/usage", key=f"sk-{used.key.public_id}")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "key")
    key = get(service, stranger, "/v1/key").json()
    assert key["organization"]["name"] == stranger.organization.name
    assert key["spend_usd"]["organization"] == {"today": "0.000000000", "month": "0.000000000"}


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({"bucket": "week"}, "bucket", "unsupported_value"),
        ({"group_by": "color"}, "group_by", "unsupported_value"),
        ({"start": "yesterday"}, "start", "invalid_value"),
        ({"start": "2026-13-01"}, "start", "invalid_value"),
        ({"start": "2026-11-01T00:30:00Z"}, "start", "invalid_value"),
        ({"start": "2026-11-02", "end": "2026-11-01"}, "end", "invalid_value"),
        ({"start": "2020-01-01", "end": "2026-01-01"}, "start", "invalid_value"),
        ({"start": "2026-01-01", "end": "2026-03-01", "bucket": "hour"}, "start", "invalid_value"),
        ({"key": "sk-unknown"}, "key", "invalid_value"),
        ({"format": "xml"}, "format", "unsupported_value"),
        ({"key": "k" * 101}, "key", "invalid_value"),
        ({"start[]": "2026-11-01"}, "start[]", "unknown_parameter"),
        ({"from": "2026-11-01"}, "from", "unknown_parameter"),
    ],
)
def test_a_wrong_parameter_is_named(
    service: Service, customer: Customer, parameters: dict[str, str], param: str, code: str
) -> None:
    answer = get(service, customer, "/v1/usage", **parameters)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code), error
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["/v1/usage", "/v1/key"])
def test_the_door_is_the_same_as_everywhere(service: Service, customer: Customer, path: str) -> None:
    assert httpx.get(service.url + path).json()["error"]["code"] == "missing_api_key"
    wrong = httpx.get(service.url + path, headers={"authorization": f"Bearer {customer.secret[:-1]}?"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
    posted = httpx.post(service.url + path, headers=customer.headers, json={})
    assert (posted.status_code, posted.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "set-cookie" not in posted.headers
    elsewhere = httpx.get(f"{service.url}{path}/more", headers=customer.headers)
    assert elsewhere.json()["error"]["code"] == "not_found"
    row = wait_for(lambda: RequestLog.objects.filter(organization_id=customer.organization.id).first())
    assert (row.method, row.route, row.status, row.error_code) == ("POST", path, 405, "method_not_allowed")
    assert row.api_key_id == customer.key.id
    assert f"req_{row.id.hex}" == posted.headers["x-request-id"]


def test_a_key_knows_what_is_left(service: Service, used: Customer) -> None:
    ApiKey.objects.filter(id=used.key.id).update(requests_per_minute=10)
    Budget.objects.create(organization=used.organization, api_key_id=used.key.id, period="day", amount="0.5")
    time.sleep(REMEMBER_SECONDS)
    assert speak(service, used, voiced("echo")).status_code == 200
    answer = get(service, used, "/v1/key")
    assert answer.status_code == 200, answer.text
    key = answer.json()
    assert (key["object"], key["id"], key["name"]) == ("key", f"sk-{used.key.public_id}", "test")
    assert used.secret.rpartition("-")[2] not in answer.text
    assert key["limits"]["key"]["requests_per_minute"]["limit"] == 10
    assert 5 <= key["limits"]["key"]["requests_per_minute"]["remaining"] < 10
    assert key["limits"]["organization"]["concurrent_jobs"] == {"limit": 100, "remaining": 100}
    assert key["spend_usd"] == {
        "key": {"today": "0.003000000", "month": "0.003000000"},
        "organization": {"today": "0.004500000", "month": "0.004500000"},
    }
    [budget] = key["budgets"]
    assert budget == {
        "scope": "key",
        "period": "day",
        "limit": "0.500000000",
        "spent": "0.000750000",
        "held": "0.000000000",
        "remaining": "0.499250000",
    }
    assert key["credit_usd"]["available"] == key["credit_usd"]["balance"] == "0.995500000"
    assert json.dumps(key).count("null") == 1, "only expires_at"


def test_metrics_are_for_this_machine(service: Service) -> None:
    shown = httpx.get(f"{service.url}/metrics")
    assert shown.status_code == 200
    assert "speech_rate_limits_uncounted_total" in shown.text
    assert httpx.get(f"{service.url}/metrics", headers={"x-forwarded-for": "203.0.113.1"}).status_code == 404
