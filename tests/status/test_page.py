"""The public page: what it says, to whom, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from status import uptime
from status.models import Day, Outage
from status.probes import INTERVAL_SECONDS, KINDS, Probe
from status.recording import record

NAMES = [kind.name for kind in KINDS]


def see(*, ago: int = 0, **works: bool) -> None:
    """A probe of each component, so many intervals ago; what is not named works."""
    at = timezone.now() - ago * timedelta(seconds=INTERVAL_SECONDS)
    for name in NAMES:
        record(Probe(name, at, works.get(name, True)))


def text(path: str = "/status") -> str:
    return Client().get(path).content.decode()


@pytest.mark.django_db
def test_nothing_is_claimed_that_was_not_measured() -> None:
    page = text()
    assert "Some systems are not being measured" in page
    assert page.count("no data yet") == len(NAMES)
    assert Client().get("/status.json").json()["status"] == "unknown"
    see(ago=4)
    assert "Some systems are not being measured" in text(), "the prober is silent"
    see()
    assert "All systems operational" in text()
    assert text().count("100 % uptime") == len(NAMES)


@pytest.mark.django_db
def test_an_outage_is_said_while_it_lasts_and_afterwards() -> None:
    for ago in (5, 4, 3, 2):
        see(ago=ago, speech=ago > 3)
    page, found = text(), Client().get("/status.json").json()
    assert "Speech generation: outage" in page
    assert "Ongoing" in page
    assert found["status"] == "down"
    assert {each["name"]: each["status"] for each in found["components"]} == {
        "api": "up",
        "speech": "down",
        "console": "up",
    }
    (outage,) = found["outages"]
    assert (outage["component"], outage["ended_at"]) == ("speech", None)
    see()
    assert "All systems operational" in text()
    speech = next(c for c in Client().get("/status.json").json()["components"] if c["name"] == "speech")
    assert speech["uptime_percent"] == "60"
    assert [(day["probes"], day["failures"]) for day in speech["days"]][-1][0] <= 5
    assert Client().get("/status.json").json()["outages"][0]["ended_at"] is not None


@pytest.mark.django_db
def test_ninety_days_and_no_more() -> None:
    today = timezone.now().astimezone(UTC).date()
    for ago, failures in ((0, 0), (89, 2880), (90, 2880)):
        Day.objects.create(component="api", date=today - timedelta(days=ago), probes=2880, failures=failures)
    Outage.objects.create(component="api", began_at=timezone.now() - timedelta(days=91), ended_at=timezone.now())
    api = uptime.states()[0]
    assert (len(api.days), api.uptime) == (90, Decimal(50))
    assert [api.days[0].level, api.days[1].level, api.days[-1].level] == ["bad", "none", "good"]
    assert uptime.incidents() == []


@given(st.integers(1, 10**7), st.data())
def test_a_hundred_percent_is_without_any_failure(probes: int, data: st.DataObject) -> None:
    failures = data.draw(st.integers(0, probes))
    percent = uptime.percent(probes, failures)
    assert percent is not None
    assert (percent == 100) == (failures == 0)
    assert 0 <= percent <= Decimal(100 * (probes - failures)) / probes


def test_how_long_is_said_in_minutes() -> None:
    began = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def lasted(**span: float) -> str:
        return uptime.Incident(KINDS[0], began, began + timedelta(**span)).lasted

    assert [lasted(seconds=30), lasted(minutes=59), lasted(hours=2, minutes=5)] == ["1 min", "59 min", "2 h 5 min"]


@pytest.mark.django_db
def test_it_costs_three_queries_and_knows_nobody(django_assert_num_queries: Any) -> None:
    see()
    for path in ("/status", "/status.json"):
        with django_assert_num_queries(3):
            answer = Client().get(path)
        assert answer.headers["cache-control"] == "public, max-age=15"
        assert "set-cookie" not in {name.lower() for name in answer.headers}
        assert "cookie" not in answer.headers.get("vary", "").lower()
        assert not answer.cookies
        assert Client().post(path).status_code == 405
