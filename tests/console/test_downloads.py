"""What a customer takes along from the billing page: a month's movements, and every request of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connection

from accounts.models import Organization
from billing.models import Account, UsageRecord
from tests.billing.invoices.months_of_use import use
from tests.console.people import Office, browser, called, office
from tests.live import Service, wait_for


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def busy(django_db_setup: None, django_db_blocker: Any) -> Iterator[Office]:
    """A customer of some thousand requests in October."""
    with django_db_blocker.unblock():
        busy = office(uuid4().hex, credit="0")
        Organization.objects.filter(pk=busy.organization.pk).update(name="Busy")
        Account.objects.create(organization=busy.organization, credit_limit=1000)
        use(busy.organization, 1_240, requests=30_000, apart="1 second")
        yield busy


def session(of: Office) -> dict[str, str]:
    return {"sessionid": browser(of.owner).cookies["sessionid"].value}


def test_a_statement_has_every_request_and_comes_to_the_bill(service: Service, busy: Office) -> None:
    answer = httpx.get(service.url + busy.path("billing/statement.csv?month=2026-10"), cookies=session(busy))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="statement-2026-10.csv"'
    found = rows(answer.text)
    records = UsageRecord.objects.filter(organization=busy.organization)
    assert {row["job_id"] for row in found} == {str(id) for id in records.values_list("job_id", flat=True)}
    assert len(found) == 30_000
    assert sum(Decimal(row["cost"]) for row in found) == Decimal("27.9")
    assert {(row["frames"], row["duration_ms"]) for row in found} == {("31", "1240")}
    other = httpx.get(service.url + busy.path("billing/statement.csv?month=2026-09"), cookies=session(busy))
    assert rows(other.text) == []


def test_it_is_read_while_it_is_made_and_left_in_the_middle(service: Service, busy: Office) -> None:
    address, cookies = service.url + busy.path("billing/statement.csv?month=2026-10"), session(busy)
    with httpx.stream("GET", address, cookies=cookies) as answer:
        assert "content-length" not in answer.headers
        next(answer.iter_raw())
    with connection.cursor() as cursor:

        def open_cursors() -> int:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE '%%usagerecord%%'"
            )
            return int(cursor.fetchone()[0])

        wait_for(lambda: not open_cursors(), what="nothing is read any more")


@pytest.mark.django_db
def test_movements_are_exact(acme: Office) -> None:
    called(acme, frames=31)
    answer = browser(acme.owner).get(acme.path("billing/movements.csv"))
    found = {row["what"]: row["dollars"] for row in rows(answer.content.decode())}
    assert found == {"Promotional credit": "1.000000000", "Usage": "-0.000930000"}
    before = browser(acme.owner).get(acme.path("billing/movements.csv?month=2020-01"))
    assert rows(before.content.decode()) == []
    assert before.headers["content-disposition"] == 'attachment; filename="movements-2020-01.csv"'
