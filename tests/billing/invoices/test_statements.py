"""From a statement anybody can derive the bill again, request by request."""

from __future__ import annotations

import csv
import json
import tracemalloc
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.identifiers import new_id
from billing import ledger
from billing.invoices import statements
from billing.models import Invoice
from tests.billing.books import admit, new_organization, usage
from tests.billing.invoices.months_of_use import OCTOBER, close, customer, use
from usage.models import RequestLog

pytestmark = pytest.mark.django_db

SPAN = {"start": OCTOBER.start, "end": OCTOBER.end}


def test_the_invoice_follows_from_the_statement() -> None:
    organization = customer(limit="100")
    use(organization, 61_234, requests=40, apart="1 hour")
    use(organization, 1_237, requests=3, voice="nova", price=Decimal("0.031"))
    use(organization, 999, at=OCTOBER.end)
    use(customer(limit="100"), 999)
    rows = list(csv.DictReader(statements.as_csv(organization=organization, **SPAN)))
    assert len(rows) == 43
    total = Decimal(0)
    for row in rows:
        milliseconds = Decimal(row["samples"]) / Decimal(row["sample_rate"]) * 1000
        assert milliseconds == Decimal(row["duration_ms"])
        cost = milliseconds * Decimal(row["dollars_per_minute"]) / 60_000
        total += round(cost, 9)
        assert round(cost, 9) == Decimal(row["cost"])
        assert int(row["frames"]) == -(-int(row["samples"]) // 960)
    assert total == close(organization).exact == Invoice.objects.get().exact


def test_lines_of_json_say_the_same() -> None:
    organization = customer(limit="100")
    use(organization, 61_234)
    (line,) = statements.as_json_lines(organization=organization, **SPAN)
    item = json.loads(line)
    assert (item["cost"], item["frames"], item["sample_rate"]) == ("0.045925500", 1531, 24_000)


def test_it_names_the_request_that_the_customer_knows() -> None:
    organization = new_organization(paid="1")
    others = new_organization(paid="1")
    job_id, unlogged = admit(organization), admit(organization)
    request, replay = new_id(), new_id()
    for id, of, job in (
        (request, organization, job_id),
        (replay, organization, job_id),
        (new_id(), others, unlogged),
    ):
        RequestLog.objects.create(
            id=id, created_at=timezone.now(), organization_id=of.pk, job_id=job, method="POST",
            route="/v1/audio/speech", status=200, total_ms=1,
        )  # fmt: skip
    for job in (job_id, unlogged):
        ledger.settle(usage(job))
    span = {"start": timezone.now() - timedelta(hours=1), "end": timezone.now() + timedelta(hours=1)}
    items = {item.job_id: item.request_id for item in statements.items(organization=organization, **span)}
    assert items == {job_id: request, unlogged: None}


def test_its_memory_does_not_grow_with_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "BATCH", 200)
    organization = customer(limit="100000")

    def peak() -> int:
        tracemalloc.start()
        for _ in statements.as_csv(organization=organization, **SPAN):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    use(organization, 40, requests=2 * statements.BATCH, apart="1 second")
    peak()
    short = peak()
    use(organization, 40, requests=20 * statements.BATCH, apart="1 second")
    assert peak() < 2 * short


def test_nothing_is_a_statement_too() -> None:
    assert len(list(statements.as_csv(organization=customer(name=uuid4().hex), **SPAN))) == 1
