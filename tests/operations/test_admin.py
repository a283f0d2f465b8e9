"""The operator's admin: who gets in, and that no page breaks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing import terms, verification
from billing.models import (
    Invoice,
    LedgerTransaction,
    StripeEvent,
)
from inference import jobs
from inference.models import SynthesisJob
from operations import trace as tracing
from operations.roles import Role
from tests.billing.invoices import months_of_use
from tests.console.people import MODEL, Office, browser, called, office, person, waiting_job
from tests.inference.test_jobs import claim
from tests.operations.operators import REASON, operator, page
from usage import rollups
from usage.models import RequestLog

pytestmark = pytest.mark.django_db

LIST_QUERIES, OVERVIEW_QUERIES = 6, 14
"""A list's: session, person, second factor, permissions, a count, and the rows with their customers."""


def lists() -> list[str]:
    models = admin.site._registry
    return [reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in models]


# Who gets in


def test_strangers_sign_in_and_customers_are_refused(acme: Office) -> None:
    for address in ("/admin/", *lists(), reverse("admin:reports")):
        assert Client().get(address, follow=True).redirect_chain[-1][0].startswith("/accounts/login/?next=")
        assert browser(acme.owner).get(address, follow=True).status_code == 403


def test_one_of_ours_without_a_second_factor_is_sent_to_set_it_up() -> None:
    answer = operator(factor=False).get("/admin/", follow=True)
    assert any("/accounts/2fa/totp/activate/" in address for address, _ in answer.redirect_chain)


def test_a_second_factor_alone_lets_nobody_in() -> None:
    assert operator(None).get("/admin/", follow=True).status_code == 403


def test_whom_we_dismiss_is_out_at_once() -> None:
    user = person("gone@speech.example")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    call_command("operator", "appoint", user.email, "--role", "billing")
    client = browser(user)
    assert client.get("/admin/").status_code == 200
    call_command("operator", "dismiss", user.email)
    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("appoint", "nobody@x.example", "--role", "billing"), "email"), (("appoint", "known@x.example"), "--role")],
)
def test_the_command_says_what_is_wrong(arguments: tuple[str, ...], said: str) -> None:
    person("known@x.example")
    with pytest.raises(CommandError, match=said):
        call_command("operator", *arguments)


# What there is to see


@pytest.mark.parametrize("role", Role)
def test_every_list_and_every_row_can_be_looked_at(acme: Office, invoice: Invoice, role: Role) -> None:
    client = operator(role)
    verification.publish()
    for model, shown in admin.site._registry.items():
        meta = model._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        assert client.get(address).status_code == 200, address
        for row in model._default_manager.all()[:2]:
            assert client.get(page(row)).status_code == 200, row
        assert not shown.has_add_permission(None)
        assert client.get(address + "add/").status_code == 403
        assert client.get(address + "no-such-row/change/").status_code in (302, 404)


def test_every_list_can_be_searched_for_anything(acme: Office, invoice: Invoice) -> None:
    client = operator(Role.OPERATIONS)
    for address in lists():
        for odd in ("x", "' OR 1=1 --", "req_" + "0" * 32, "%", "\N{SNOWMAN}", "9" * 40):
            assert client.get(address, {"q": odd}).status_code in (200, 302), (address, odd)


def test_a_list_asks_as_often_however_long_it_is(invoice: Invoice) -> None:
    client = operator(Role.OPERATIONS)

    def queries() -> dict[str, int]:
        asked = {}
        for address in (*lists(), "/admin/"):
            client.get(address)  # what is kept of the first look does not count
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            asked[address] = len(captured)
        return asked

    def grow(number: int) -> None:
        rival = office(f"Rival {number}")
        called(rival)
        called(rival, status=429)
        organization = months_of_use.customer(name=f"Invoiced {number}", limit="100")
        months_of_use.use(organization, 60_000)
        months_of_use.issue(organization)

    grow(0)
    verification.publish()
    few = queries()
    for number in range(1, 6):
        grow(number)
    assert queries() == few
    assert few == {**dict.fromkeys(lists(), LIST_QUERIES), "/admin/": OVERVIEW_QUERIES}


def test_nothing_can_be_edited_or_deleted(acme: Office) -> None:
    client = operator(Role.BILLING)
    movement = LedgerTransaction.objects.first()
    for address in (page(acme.organization), page(movement)):
        assert client.post(address, {"name": "Changed"}).status_code == 403
        assert client.post(address.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403


def test_a_row_is_found_by_what_a_customer_quotes(acme: Office) -> None:
    client = operator(Role.SUPPORT)
    other = office("Other")
    quoted = {"q": f"org_{acme.organization.id.hex}"}
    found = client.get(reverse("admin:accounts_organization_changelist"), quoted)
    assert "Acme" in found.content.decode()
    assert "Other" not in found.content.decode()
    found = client.get(reverse("admin:accounts_apikey_changelist"), {"q": f"sk-{other.key.public_id}"})
    assert [key.pk for key in found.context["cl"].result_list] == [other.key.pk]


def test_no_secret_and_no_text_is_shown(acme: Office) -> None:
    client = operator(Role.OPERATIONS)
    hidden = (
        (acme.key, {"secret_hmac", "pepper_number"}),
        (acme.owner, {"password"}),
        (waiting_job(acme), {"text", "style", "recordings", "recorded_texts"}),
    )
    for row, columns in hidden:
        fields = client.get(page(row)).context["adminform"].fieldsets[0][1]["fields"]
        assert not columns & {*fields}


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


# Finding, and acting


@pytest.mark.parametrize("term", ["acm", "ACME", "owner@acme", "org_{hex}", "{pk}"])
def test_a_customer_is_found_by_a_part_of_the_name_or_of_a_members_address(acme: Office, term: str) -> None:
    office("Other")
    acme.join("vera@acme.example", "viewer")
    id = acme.organization.pk
    asked = {"q": term.format(hex=id.hex, pk=id)}
    found = operator(Role.SUPPORT).get(reverse("admin:accounts_organization_changelist"), asked)
    assert [each.pk for each in found.context["cl"].result_list] == [id]
    assert f"org_{id.hex}" in found.content.decode()


def test_people_are_found_by_a_part_of_the_address(acme: Office) -> None:
    person("someone@other.example")
    found = operator(Role.SUPPORT).get(reverse("admin:accounts_user_changelist"), {"q": "OWNER@acme"})
    assert [each.pk for each in found.context["cl"].result_list] == [acme.owner.pk]


def test_the_request_log_names_the_customer_and_is_filtered_by_result(acme: Office) -> None:
    other = office("Other")
    now = timezone.now()
    earlier = RequestLog.objects.get()
    spoken, refused, broken = (called(acme, at=now, status=status) for status in (200, 429, 500))
    called(other, at=now - timedelta(hours=2), status=500)
    client, address = operator(Role.SUPPORT), reverse("admin:usage_requestlog_changelist")
    for outcome, rows in {"failed": {refused, broken}, "server": {broken}, "succeeded": {spoken, earlier}}.items():
        found = client.get(address, {"outcome": outcome})
        assert {*found.context["cl"].result_list} == rows, outcome
    html = client.get(address).content.decode()
    assert ">Acme</a>" in html
    assert ">Other</a>" in html
    assert f"req_{spoken.pk.hex}" in html
    assert f"{now:%Y-%m-%d %H:%M:%S}" in html


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


def test_an_empty_list_offers_nothing_to_create() -> None:
    html = operator(Role.SUPPORT).get(reverse("admin:billing_invoice_changelist")).content.decode()
    assert "No results" in html
    assert "Create a new item" not in html
