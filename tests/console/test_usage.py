"""The usage page says what the records say, to the nano-dollar, over each period and by each group."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.http import QueryDict
from django.utils import timezone

from accounts import keys
from console import formatting, periods
from console.periods import BadPeriod
from console.usage_report import UsageReport
from tests.console.people import Office, browser, called


@pytest.fixture
def used(acme: Office) -> Office:
    """Three calls today, one yesterday, one refused; and one long before."""
    staging, _ = keys.create(organization=acme.organization, name="staging")
    now = timezone.now()
    called(acme, frames=25, at=now)
    called(acme, frames=50, voice="nova", at=now)
    called(acme, frames=75, key=staging, at=now)
    called(acme, status=429, at=now)
    called(acme, frames=100, at=now - timedelta(days=1))
    called(acme, frames=25, at=now - timedelta(days=40))
    return acme


def figures(office: Office) -> dict[str, tuple[str, str, str, str]]:
    report = UsageReport(office.organization.id, periods.default())
    return {figure.name: (figure.value, figure.exact, figure.note, figure.change) for figure in report.figures}


def test_the_sums_are_the_records(used: Office) -> None:
    found = figures(used)
    assert found["Audio"] == ("10 s", "10,000 ms", "2.5 s per request", "+900 %")
    assert found["Cost"] == ("$0.00750", "$0.0075", "$0.00188 per request", "+900 %")
    assert found["Requests"] == ("5", "", "1 failed", "+400 %")
    milliseconds = int(found["Latency"][0].removesuffix(" ms"))
    assert 380 <= milliseconds <= 420  # each call took 400, and a percentile is within 5 %
    assert found["Latency"][3] == "±0 %"
    html = browser(used.owner).get(used.path("usage")).content.decode()
    assert '<dd title="10,000 ms">10 s</dd>' in html
    assert '<dd title="$0.0075">$0.00750</dd>' in html
    assert "$0.00188 per request · +900 %" in html


def test_a_day_has_its_own_row(used: Office) -> None:
    report = UsageReport(used.organization.id, periods.parse(QueryDict("range=7d")))
    by_day = {row.name: (row.line.requests, row.line.errors, row.line.cost) for row in report.steps}
    today, yesterday = (f"{timezone.now() - timedelta(days=days):%b %-d}" for days in (0, 1))
    assert len(by_day) == 7
    assert by_day.pop(today) == (4, 1, Decimal("0.0045"))
    assert by_day.pop(yesterday) == (1, 0, Decimal("0.003"))
    assert set(by_day.values()) == {(0, 0, Decimal(0))}


@pytest.mark.parametrize(
    ("group", "rows"),
    [
        ("voice", [("alloy", 4, "0.006"), ("nova", 1, "0.0015")]),
        ("model", [("boson/higgs-audio-v2.5", 5, "0.0075")]),
    ],
)
def test_it_is_split_by_group(used: Office, group: str, rows: list[tuple[str, int, str]]) -> None:
    html = browser(used.owner).get(used.path(f"usage?by={group}")).content.decode()
    table = html[html.index(f'aria-label="By {group}"') :]
    found = re.findall(
        r'<td>([^<]+)</td><td class="number">[^<]+</td><td class="number">(\d+)</td>',
        table.replace("\n        ", ""),
    )
    assert [(name, int(requests)) for name, requests in found[: len(rows)]] == [row[:2] for row in rows]
    report = UsageReport(used.organization.id, periods.default(), "voice" if group == "voice" else "model")
    assert [row.line.cost for row in report.groups] == [Decimal(cost) for _, _, cost in rows]


def test_keys_are_named(used: Office) -> None:
    html = browser(used.owner).get(used.path("usage?by=key")).content.decode()
    assert f"production ({used.key.named})" in html
    assert "staging (sk-" in html


def test_many_groups_are_the_greatest_and_others(acme: Office) -> None:
    for number, voice in enumerate("abcdefgh"):
        called(acme, voice=voice, frames=100 - number)
    report = UsageReport(acme.organization.id, periods.default(), "voice")
    audio, cost, *_ = report.charts
    assert [each.name for each in audio.series] == ["a", "b", "c", "d", "e", "others"]
    assert [sum(v or 0 for v in each.values) for each in audio.series] == [4000, 3960, 3920, 3880, 3840, 11280]
    assert sum(sum(v or 0 for v in each.values) for each in cost.series) == report.total.cost


def test_the_csv_is_the_same(used: Office) -> None:
    answer = browser(used.owner).get(used.path("usage.csv?range=7d&by=voice"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert sum(Decimal(row["cost_usd"]) for row in rows) == Decimal("0.0075")
    assert {row["voice"] for row in rows} == {"alloy", "nova"}


@pytest.mark.parametrize(
    "query", ["range=week", "start=2026-11-02&end=2026-11-01", "start=nonsense", "start=2020-01-01&end=2026-01-01"]
)
def test_a_range_that_is_none_is_said(acme: Office, query: str) -> None:
    client = browser(acme.owner)
    page = client.get(acme.path(f"usage?{query}"))
    assert page.status_code == 400
    assert 'role="alert"' in page.content.decode()
    assert client.get(acme.path(f"usage.csv?{query}")).status_code == 400


def test_nothing_is_shown_as_nothing(acme: Office) -> None:
    html = browser(acme.owner).get(acme.path("usage?by=voice")).content.decode()
    assert html.count("No data in this period.") == 4


@pytest.mark.parametrize(
    ("query", "number", "bucket"),
    [
        ("range=24h", 24, "hour"),
        ("range=7d", 7, "day"),
        ("range=90d", 90, "day"),
        ("range=12m", 12, "month"),
        ("start=2026-02-28&end=2026-03-01", 48, "hour"),
        ("start=2024-02-01&end=2024-03-31", 60, "day"),
        ("start=2024-01-15&end=2024-12-31", 12, "month"),
    ],
)
def test_periods(query: str, number: int, bucket: str) -> None:
    period = periods.parse(QueryDict(query))
    steps = list(period.steps())
    assert (len(steps), period.bucket) == (number, bucket)
    assert steps[0] == period.start
    assert steps == sorted(set(steps))
    assert period.before.end == period.start
    assert period.start - period.before.start >= timedelta(hours=24)


def test_a_period_needs_both_days() -> None:
    with pytest.raises(BadPeriod):
        periods.parse(QueryDict("start=2026-11-01"))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.00003", "$0.00003"),
        ("0.2", "$0.20"),
        ("0.03754", "$0.03754"),
        ("0.013", "$0.01300"),
        ("0.99999", "$0.99999"),
        ("12.345", "$12.34"),
        ("-1234.5", "−$1,234.50"),
    ],
)
def test_dollars_are_short(amount: str, text: str) -> None:
    assert formatting.dollars(Decimal(amount)) == text


def test_funds_are_never_more_than_there_are() -> None:
    assert formatting.funds(Decimal("349.999")) == "$349.99"
    assert formatting.funds(Decimal("-0.001")) == "−$0.01"


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0 s"), (840, "840 ms"), (12_400, "12.4 s"), (200_000, "3 min 20 s"), (72_240_000, "20 h 4 min")],
)
def test_durations_are_readable(ms: int, text: str) -> None:
    assert formatting.minutes(ms) == text


def test_moments_are_utc() -> None:
    assert formatting.moment(datetime(2026, 11, 1, 9, 5, 3, tzinfo=UTC)) == "Nov 1, 2026, 09:05:03 UTC"
