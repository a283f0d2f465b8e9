"""What the operator's own pages say: overview, reports, a customer, a job; and the acts that they offer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing import terms
from billing.models import (
    Invoice,
    StripeEvent,
)
from inference import jobs
from inference.models import SynthesisJob
from operations import trace as tracing
from operations.roles import Role
from tests.console.people import MODEL, Office, browser, called, office, person, waiting_job
from tests.inference.test_jobs import claim
from tests.operations.operators import REASON, operator, page
from usage import rollups
from usage.models import RequestLog

pytestmark = pytest.mark.django_db


def test_the_overview_says_how_things_are(acme: Office) -> None:
    client = operator()
    client.get("/console")  # the session is noted, once a minute
    rollups.refresh_all()
    StripeEvent.objects.create(id="evt_1", type="x", subject="y", state="dead", created_at=timezone.now())
    called(acme, status=503, error_code="overloaded")
    called(acme, status=429, error_code="rate_limit_exceeded")
    called(acme, status=500, at=timezone.now() - timedelta(minutes=20))
    called(acme, status=500, at=timezone.now() - timedelta(hours=2))
    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/admin/")
    figures = {figure.name: figure for figure in answer.context["figures"]}
    assert (figures["Failed webhooks"].value, figures["Failed webhooks"].alarming) == ("1", True)
    assert figures["Ledger drift"].value == "not verified yet"
    assert "Acme" in [row["name"] for row in answer.context["customers"]]
    failures = answer.context["failures"]
    assert [row["status"] for row in failures] == [503, 500]
    assert {row["customer"] for row in failures} == {"Acme"}
    assert "overloaded" in answer.content.decode()
    assert (figures["Server errors per minute"].value, figures["Server errors per minute"].note) == (
        "0.1",
        "0.1 in the 15 minutes before",
    )
    assert figures["Seller's address"].value == "Missing"
    assert len(queries) <= 20
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_reports_come_to_the_ledger(acme: Office, invoice: Invoice) -> None:
    client = operator(Role.BILLING)
    asked = {"report": "receivables", "end": ""}
    answer = client.get(reverse("admin:reports"), asked)
    assert answer.context["report"].total == answer.context["report"].booked == invoice.total
    csv = client.get(reverse("admin:reports"), {**asked, "csv": "1"})
    assert (csv.headers["content-type"], invoice.number in csv.content.decode()) == (
        "text/csv; charset=utf-8",
        True,
    )
    wrong = client.get(reverse("admin:reports"), {"report": "revenue"}).content.decode()
    assert "Enter the first day." in wrong


def test_an_invoice_is_downloaded_as_pdf(invoice: Invoice) -> None:
    answer = operator(Role.SUPPORT).get(reverse("admin:invoice_pdf", args=(invoice.pk,)))
    assert answer.content.startswith(b"%PDF")


def test_a_customers_page_says_what_one_asks_first(acme: Office, django_assert_max_num_queries: Any) -> None:
    acme.join("vera@acme.example", "viewer")
    terms.set_price(model=MODEL, dollars_per_minute=Decimal("0.031"), organization=acme.organization)
    rollups.refresh_all()
    client = operator(Role.SUPPORT)
    client.get("/console")  # the session is noted, once a minute
    with django_assert_max_num_queries(20):
        answer = client.get(page(acme.organization))
    sheet = answer.context["sheet"]
    assert (sheet.account.balance, sheet.spent["month"]) == (Decimal(1), Decimal("0.0015"))
    assert [(m.user.email, m.role) for m in sheet.members] == [
        ("owner@acme.example", "owner"),
        ("vera@acme.example", "viewer"),
    ]
    text = answer.content.decode()
    for said in ("$0.031/min", acme.key.shown, "No invoices."):
        assert said in text
    other = office("Other")
    assert "vera@acme.example" not in client.get(page(other.organization)).content.decode()


def test_a_jobs_page_tells_its_story(acme: Office) -> None:
    job = waiting_job(acme)
    client = operator(Role.SUPPORT)
    claim()
    assert client.post(page(job).replace("change/", "requeue/"), REASON).status_code == 302
    claim()
    at = job.created_at  # within one transaction PostgreSQL's clock stands still
    job.lost_attempts.update(started_at=at + timedelta(seconds=1), lost_at=at + timedelta(seconds=2))
    SynthesisJob.objects.filter(pk=job.pk).update(started_at=at + timedelta(seconds=3))
    trace = client.get(page(job)).context["trace"]
    assert [step.what for step in trace.steps] == [
        "admitted, its cost held",
        "attempt 1 began",
        "attempt 1 was lost: an operator took it back",
        "attempt 2 began",
    ]
    assert [step.since_ms for step in trace.steps] == [0, 1000, 2000, 3000]
    spoken = RequestLog.objects.get()
    assert spoken.job_id is not None
    job.id, job.created_at = spoken.job_id, spoken.created_at
    rows = {row.table: row for row in tracing.of(job).rows}
    assert rows["Usage"].says == "2000 ms at $0.045000000 = $0.001500000"
    for row in rows.values():
        assert client.get(row.address).status_code == 200, row
    assert {*rows} == {"Usage", "Request"}


def offered(client: Client, row: Any) -> set[str]:
    groups = client.get(page(row)).context["actions_detail"]
    return {item["title"] for group in groups for item in group.get("items", [group])}


def test_only_acts_that_the_role_and_the_state_allow_are_offered(acme: Office) -> None:
    support, billing = operator(Role.SUPPORT), operator(Role.BILLING)
    assert offered(support, acme.organization) == {"Visit the console", "Set limits"}
    before = offered(billing, acme.organization)
    assert {"Give promotional credit", "Suspend"} <= before
    assert "End suspension" not in before
    assert billing.post(page(acme.organization).replace("change/", "suspend/"), REASON).status_code == 302
    assert offered(billing, acme.organization) == before - {"Suspend"} | {"End suspension"}
    job = waiting_job(acme)
    assert offered(support, job) == {"Requeue job", "Cancel job"}
    jobs.cancel(job.pk)
    assert offered(support, job) == set()


def test_one_person_can_have_several_roles(acme: Office) -> None:
    user = person("all@speech.example")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    call_command("operator", "appoint", user.email, "--role", "support", "--role", "billing")
    assert {"Visit the console", "Suspend", "Refund as paid credit"} <= offered(browser(user), acme.organization)
    call_command("operator", "appoint", user.email, "--role", "support")
    assert "Suspend" not in offered(browser(user), acme.organization)
