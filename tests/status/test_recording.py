"""Probes as they are counted: once each, in order, and none lost while the database is away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from launch.embedded import EmbeddedPostgres
from status import probes
from status.models import Component, Day, Outage
from status.probes import INTERVAL_SECONDS, Probe
from status.recording import MOST_MISSED, ProbeRecorder, record
from tests.live import ROOT, Service, wait_for

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(number: int) -> datetime:
    """The so-many-th probe's moment."""
    return NOON + number * timedelta(seconds=INTERVAL_SECONDS)


def found(*works: bool, component: str = "api", first: int = 0) -> list[Probe]:
    return [Probe(component, at(first + number), ok) for number, ok in enumerate(works)]


def outages(component: str = "api") -> list[tuple[datetime, datetime | None]]:
    rows = Outage.objects.filter(component=component).order_by("began_at")
    return [(row.began_at, row.ended_at) for row in rows]


@pytest.mark.django_db
def test_an_outage_is_two_failures_from_the_first_of_them_to_the_first_success() -> None:
    for probe in found(True, False, True, False, False, False, True, True):
        assert record(probe)
    assert outages() == [(at(3), at(6))]
    day = Day.objects.get()
    assert (day.date, day.probes, day.failures) == (NOON.date(), 8, 4)
    seen = Component.objects.get()
    assert (seen.ok, seen.since, seen.times) == (True, at(6), 2)


@pytest.mark.django_db
def test_what_was_not_probed_is_no_outage() -> None:
    for number in (0, 1 + MOST_MISSED + 1):
        assert record(Probe("api", at(number), False))
    assert outages() == []
    assert record(Probe("api", at(2 * (1 + MOST_MISSED) + 1), False))
    assert outages() == [(at(1 + MOST_MISSED + 1), None)]


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "answer",
    ["<h1>Bad gateway</h1>", "{", "[]", "null", '{"checks": null}', '{"checks": "ok"}', '{"status": "ok"}'],
)
def test_a_proxy_in_its_place_is_no_service(answer: str) -> None:
    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *args: Any) -> None:
            pass

    with listening(Proxy) as url:
        found = probes.probe(url, "127.0.0.1")
    assert [probe.ok for probe in found] == [False, False, False]


@pytest.mark.django_db
def test_a_day_ends_at_midnight_utc() -> None:
    record(Probe("api", datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC), True))
    record(Probe("api", datetime(2026, 11, 21, tzinfo=UTC), True))
    assert [str(day.date) for day in Day.objects.order_by("date")] == ["2026-11-20", "2026-11-21"]


@pytest.mark.django_db
def test_components_are_counted_apart() -> None:
    for probe in found(False, False) + found(True, True, component="console"):
        record(probe)
    assert (len(outages()), outages("console")) == (1, [])


@pytest.mark.django_db
def test_a_moment_counts_once_and_nothing_counts_backwards() -> None:
    late = replace(found(True)[0], at=NOON + timedelta(seconds=INTERVAL_SECONDS - 1))
    assert record(late)
    assert not record(found(False)[0])
    assert not record(found(False, first=-1)[0])
    assert (Day.objects.get().probes, Day.objects.get().failures) == (1, 0)


def test_two_probers_count_as_one(committed: None) -> None:
    name = uuid4().hex[:16]
    same = found(*[True, False, False, True] * 10, component=name)

    def probe_all() -> int:
        try:
            return sum(record(each) for each in same)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        counted = [pool.submit(probe_all) for _ in range(4)]
        assert sum(each.result() for each in counted) <= len(same)
    day = Day.objects.get(component=name)
    assert day.probes == sum(each.result() for each in counted)
    assert Outage.objects.filter(component=name, ended_at=None).count() <= 1


@pytest.mark.django_db
def test_the_database_refuses_what_cannot_be() -> None:
    Outage.objects.create(component="api", began_at=at(0))
    for wrong in (
        Day(component="api", date=NOON.date(), probes=1, failures=2),
        Outage(component="console", began_at=at(1), ended_at=at(0)),
        Outage(component="api", began_at=at(1)),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong.save()


def ok(service: Service) -> dict[str, bool]:
    return {probe.component: probe.ok for probe in probes.probe(service.url, "127.0.0.1")}


def test_what_runs_is_found_working_and_what_is_killed_is_not(service: Service) -> None:
    assert ok(service) == {"api": True, "speech": True, "console": True}
    service.kill_worker()
    try:
        wait_for(lambda: not ok(service)["speech"], what="the worker is missed")
        assert ok(service) == {"api": True, "speech": False, "console": True}
    finally:
        service.start_worker()
        service.wait_until_ready()
    assert not any(probe.ok for probe in probes.probe("http://127.0.0.1:1", "127.0.0.1"))


def test_the_databases_own_outage_is_on_record(
    service: Service, postgres: EmbeddedPostgres, committed: None
) -> None:
    recorder, name = ProbeRecorder(), uuid4().hex[:8]

    def look(number: int) -> list[Probe]:
        looked = probes.probe(service.url, "127.0.0.1")
        return [replace(probe, component=f"{name}{probe.component}", at=at(number)) for probe in looked]

    assert recorder.add(look(0))
    assert postgres.process is not None
    os.kill(postgres.process.pid, signal.SIGKILL)
    postgres.process.wait()
    try:
        for number in (1, 2, 3):
            assert not recorder.add(look(number))
        page = httpx.get(f"{service.url}/status")
        assert (page.status_code, "Database outage" in page.text) == (503, True)
        assert httpx.get(f"{service.url}/status.json").json()["status"] == "down"
    finally:
        postgres.start()
    wait_for(lambda: all(probe.ok for probe in look(4)), what="all is back")
    assert recorder.add(look(4))
    assert outages(f"{name}api") == outages(f"{name}speech") == [(at(1), at(4))]
    day = Day.objects.get(component=f"{name}api")
    assert (day.probes, day.failures) == (5, 3)


@contextmanager
def prober(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py probe`, to whom no component was known."""
    Component.objects.all().delete()
    Day.objects.all().delete()
    database = settings.DATABASES["default"]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "probe"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}",
            "REDIS_URL": settings.REDIS_URL,
            "SECRET_KEY": settings.SECRET_KEY,
            "API_KEY_PEPPERS": f"1:{'ab' * 32}",
            "PUBLIC_URL": url,
            "PROBE_URL": url,
        },
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_prober_looks_at_once_and_stops_when_asked(service: Service, committed: None) -> None:
    with prober(service.url) as process:
        wait_for(lambda: Component.objects.filter(ok=True).count() == 3, what="all was seen")
        process.terminate()
        assert process.wait(10) == 0


def test_what_starts_with_the_prober_is_on_its_way_and_not_out(service: Service, committed: None) -> None:
    asked: list[str] = []

    class Starting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer = httpx.get(f"{service.url}{self.path}", headers={"host": "127.0.0.1"})
            self.send_response(answer.status_code if len(asked) > 4 else 502)
            self.send_header("content-type", answer.headers["content-type"])
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: Any) -> None:
            pass

    with listening(Starting) as url, prober(url):
        wait_for(lambda: Component.objects.count() == 3, what="something was written down")
        assert asked[:5] == [*["/readyz", "/accounts/login/"] * 2, "/readyz"]
        assert not Component.objects.filter(ok=False).exists()
        assert not Day.objects.filter(failures__gt=0).exists()
