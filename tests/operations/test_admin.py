"""The operator's admin: who gets in, what each role may do, and that no page breaks or moves anything unasked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import limits
from accounts.models import ApiKey, Organization, User
from billing import ledger, pricing, terms, verification
from billing.models import (
    Account,
    CreditNote,
    Invoice,
    LedgerTransaction,
    OperatorAct,
    Price,
    StripeCall,
    StripeEvent,
)
from gateway import rollups
from gateway.models import RequestLog
from inference import jobs
from inference.models import SynthesisJob
from operations import trace as tracing
from operations.roles import ALLOWED, Act, Role
from tests.billing.books import account_of
from tests.billing.invoices.months_of_use import customer, issue, use
from tests.console.people import MODEL, Office, browser, called, office, person

pytestmark = pytest.mark.django_db
REASON = {"reason": "asked for by the customer"}


def operator(role: Role | None = Role.OPERATIONS, *, factor: bool = True) -> Client:
    user = person(f"{uuid4().hex}@speech.example")
    if role:
        call_command("operator", "appoint", user.email.upper(), "--role", role.value)
    if factor:
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return browser(user)


@pytest.fixture
def acme() -> Office:
    """A customer with something in every table."""
    acme = office("Acme")
    called(acme)
    return acme


def waiting_job(of: Office) -> SynthesisJob:
    now = timezone.now()
    return SynthesisJob.objects.create(
        id=uuid4(),
        organization=of.organization,
        api_key=of.key,
        model="higgs",
        voice="alloy",
        format="wav",
        text="What nobody else is to read.",
        sampling={},
        max_frames=25,
        created_at=now,
        enqueued_at=now,
        deadline_at=now + timedelta(minutes=2),
    )


@pytest.fixture
def invoice() -> Invoice:
    organization = customer(limit="100")
    use(organization, 3_600_000)
    return issue(organization)


def page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))


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
        for odd in ("x", "' OR 1=1 --", "req_" + "0" * 32, "%", "\N{SNOWMAN}", "9" * 40):
            assert client.get(address, {"q": odd}).status_code in (200, 302), (address, odd)
        for row in model._default_manager.all()[:2]:
            assert client.get(page(row)).status_code == 200, row
        assert not shown.has_add_permission(None)
        assert client.get(address + "add/").status_code == 403
        assert client.get(address + "no-such-row/change/").status_code in (302, 404)


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
        (waiting_job(acme), {"text", "style"}),
    )
    for row, columns in hidden:
        fields = client.get(page(row)).context["adminform"].fieldsets[0][1]["fields"]
        assert not columns & {*fields}


def test_the_overview_says_how_things_are(acme: Office) -> None:
    client = operator()
    rollups.refresh_all()
    StripeEvent.objects.create(id="evt_1", type="x", subject="y", state="dead", created_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/admin/")
    figures = {figure.name: figure for figure in answer.context["figures"]}
    assert (figures["Failed webhooks"].value, figures["Failed webhooks"].alarming) == ("1", True)
    assert figures["Drift of the books"].value == "not proved yet"
    assert "Acme" in [row["name"] for row in answer.context["customers"]]
    assert len(queries) <= 18
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
    assert "The first day of the span is needed." in wrong


def test_an_invoice_is_downloaded_as_pdf(invoice: Invoice) -> None:
    answer = operator(Role.SUPPORT).get(reverse("admin:invoice_pdf", args=(invoice.pk,)))
    assert answer.content.startswith(b"%PDF")


# What can be done


def _act_on(name: str, acme: Office, invoice: Invoice) -> tuple[Any, dict[str, str]]:
    """The row that an act is for, and what its form asks for beside the reason."""
    money = {"amount": "2.50", "cause": "ticket-1"}
    call = StripeCall.objects.create(
        key="k", operation="customer.create", parameters={}, state="dead", ended_at=timezone.now()
    )
    event = StripeEvent.objects.create(id="evt_9", type="x", subject="y", state="dead", created_at=timezone.now())
    match name:
        case "give-credit" | "refund":
            return acme.organization, money
        case "pay-out":
            ledger.top_up(organization=acme.organization, amount=Decimal(5), cause="wire")
            return acme.organization, money
        case "end-suspension":
            Account.objects.filter(organization=acme.organization).update(suspended_at=timezone.now())
            return acme.organization, {}
        case "suspend":
            return acme.organization, {}
        case "set-credit-limit":
            return acme.organization, {"credit_limit": "75"}
        case "set-price":
            return acme.organization, {"model": MODEL, "dollars_per_minute": "0.03"}
        case "set-limits":
            return acme.organization, {"concurrent_jobs": "3"}
        case "follow":
            return Price.objects.get(), {"dollars_per_minute": "0.05", "valid_from": "2099-01-01T00:00"}
        case "end":
            own = {"organization": acme.organization, "model": MODEL, "dollars_per_minute": Decimal("0.03")}
            return Price.objects.create(valid_from=timezone.now(), **own), {}
        case "requeue":
            return waiting_job(acme), {}
        case "revoke":
            return acme.key, {}
        case "retry":
            return call, {}
        case "replay":
            return event, {}
        case "credit":
            return invoice, {"net": "1.00", "cause": "ticket-2"}
        case _:
            return invoice, {}


ACTS = {
    "give-credit": (Act.MOVE_MONEY, lambda row: account_of(row).promotional == Decimal("3.5")),
    "refund": (Act.MOVE_MONEY, lambda row: account_of(row).balance >= Decimal("2.5")),
    "pay-out": (Act.MOVE_MONEY, lambda row: LedgerTransaction.objects.filter(kind="payout").exists()),
    "end-suspension": (Act.SUSPEND, lambda row: account_of(row).suspended_at is None),
    "suspend": (Act.SUSPEND, lambda row: Organization.objects.get(pk=row.pk).suspended_at is not None),
    "set-credit-limit": (Act.AGREE, lambda row: account_of(row).credit_limit == 75),
    "set-price": (Act.AGREE, lambda row: price_of(row) == Decimal("0.03")),
    "set-limits": (Act.SERVE, lambda row: Organization.objects.get(pk=row.pk).concurrent_jobs == 3),
    "follow": (Act.AGREE, lambda row: Price.objects.filter(dollars_per_minute=Decimal("0.05")).count() == 1),
    "end": (Act.AGREE, lambda row: price_of(row.organization) == Decimal("0.045")),
    "requeue": (Act.SERVE, lambda row: SynthesisJob.objects.get(pk=row.pk).enqueued_at > row.enqueued_at),
    "revoke": (Act.SERVE, lambda row: ApiKey.objects.get(pk=row.pk).revoked_at is not None),
    "retry": (Act.RUN, lambda row: StripeCall.objects.get(pk=row.pk).state == "pending"),
    "credit": (Act.MOVE_MONEY, lambda row: CreditNote.objects.get().total == 1),
    "void": (Act.MOVE_MONEY, lambda row: Invoice.objects.get(pk=row.pk).state == "void"),
    "write-off": (Act.MOVE_MONEY, lambda row: Invoice.objects.get(pk=row.pk).state == "uncollectible"),
}


def price_of(organization: Organization) -> Decimal:
    """What the next minute costs it."""
    price = pricing.price_at(model=MODEL, at=timezone.now(), organization_id=organization.pk)
    assert price is not None
    return price.dollars_per_minute


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("role", Role)
def test_an_act_needs_the_role_and_a_reason_and_is_noted(
    acme: Office, invoice: Invoice, role: Role, name: str
) -> None:
    needs, done = ACTS[name]
    row, asked = _act_on(name, acme, invoice)
    client = operator(role)
    address = page(row).replace("change/", f"{name}/")
    before = OperatorAct.objects.count()
    if needs not in ALLOWED[role]:
        assert client.get(address).status_code == client.post(address, {**asked, **REASON}).status_code == 403
        assert OperatorAct.objects.count() == before
        return
    drift = verification.verify().drift
    assert client.get(address).status_code == 200
    assert client.post(address, {**asked, "reason": " "}).context["form"].errors["reason"]
    assert OperatorAct.objects.count() == before
    answer = client.post(address, {**asked, **REASON})
    assert answer.status_code == 302, answer.context["form"].errors
    assert done(row)
    note = OperatorAct.objects.order_by("id").last()
    assert note is not None
    assert (OperatorAct.objects.count(), note.reason) == (before + 1, REASON["reason"])
    assert User.objects.get(email=note.actor).is_staff
    assert verification.verify().drift == drift


def test_sent_twice_it_is_booked_once(acme: Office) -> None:
    client = operator(Role.BILLING)
    address = page(acme.organization).replace("change/", "give-credit/")
    asked = {"amount": "2.50", "cause": client.get(address).context["form"]["cause"].value(), **REASON}
    for _ in range(2):
        assert client.post(address, asked).status_code == 302
    assert account_of(acme.organization).promotional == Decimal("3.5")


def test_what_the_books_refuse_is_said_at_the_form(acme: Office) -> None:
    client = operator(Role.BILLING)
    address = page(acme.organization).replace("change/", "pay-out/")
    answer = client.post(address, {"amount": "9999", "cause": "c", **REASON})
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors()
    assert not OperatorAct.objects.filter(actor__endswith="speech.example").exists()


def test_a_suspension_by_hand_is_ended_by_hand(acme: Office) -> None:
    client = operator()
    address = page(acme.organization)
    for act in ("suspend", "end-suspension"):
        assert client.post(address.replace("change/", f"{act}/"), REASON).status_code == 302
        again = client.post(address.replace("change/", f"{act}/"), REASON)
        assert "suspended" in again.context["form"].non_field_errors()[0]
        shown = browser(acme.owner).get(acme.path("usage")).content.decode()
        assert ("Acme is suspended since" in shown) is (act == "suspend")
    whats = OperatorAct.objects.order_by("id").values_list("what", flat=True)
    assert [*whats] == [f"organization {acme.organization.pk} {done}" for done in ("suspended", "resumed")]


def test_a_form_begins_with_what_is_set(acme: Office) -> None:
    client = operator()
    address = page(acme.key).replace("change/", "set-limits/")
    client.post(address, {"requests_per_minute": "60", **REASON})
    form = client.get(address).context["form"]
    assert [form[name].value() for name in limits.NAMES] == [60, None, None]
    for wrong in ("0", "-1", "2147483648", "many"):
        refused = client.post(address, {"requests_per_minute": wrong, **REASON})
        assert refused.context["form"].errors["requests_per_minute"], wrong
    assert ApiKey.objects.get(pk=acme.key.pk).requests_per_minute == 60


def test_a_customers_page_says_what_one_asks_first(acme: Office, django_assert_max_num_queries: Any) -> None:
    acme.join("vera@acme.example", "viewer")
    terms.set_price(model=MODEL, dollars_per_minute=Decimal("0.031"), organization=acme.organization)
    rollups.refresh_all()
    client = operator(Role.SUPPORT)
    with django_assert_max_num_queries(20):
        answer = client.get(page(acme.organization))
    sheet = answer.context["sheet"]
    assert (sheet.account.balance, sheet.spent["month"]) == (Decimal(1), Decimal("0.0015"))
    assert [(m.user.email, m.role) for m in sheet.members] == [
        ("owner@acme.example", "owner"),
        ("vera@acme.example", "viewer"),
    ]
    text = answer.content.decode()
    for said in ("$0.031/min", acme.key.shown, "None was issued."):
        assert said in text
    other = office("Other")
    assert "vera@acme.example" not in client.get(page(other.organization)).content.decode()


def test_a_jobs_page_tells_its_story(acme: Office) -> None:
    job = waiting_job(acme)
    client = operator(Role.SUPPORT)
    jobs.claim(job.pk)
    assert client.post(page(job).replace("change/", "requeue/"), REASON).status_code == 302
    jobs.claim(job.pk)
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


def test_a_waiting_job_is_cancelled_once(acme: Office) -> None:
    job = waiting_job(acme)
    client = operator(Role.SUPPORT)
    address = page(job).replace("change/", "cancel/")
    assert client.post(address, REASON).status_code == 302
    assert SynthesisJob.objects.get(pk=job.pk).state == "cancelled"
    assert "has ended" in client.post(address, REASON).content.decode()
    assert OperatorAct.objects.filter(what=f"job {job.pk} cancelled").count() == 1
