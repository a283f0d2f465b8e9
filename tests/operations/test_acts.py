"""What the operator's people do: each act needs a role and a reason, and is noted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.utils import timezone

from accounts import limits
from accounts.models import ApiKey, Organization, User
from billing import ledger, pricing, verification
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
from inference import cancellations
from inference.models import SynthesisJob
from operations.roles import ALLOWED, Act, Role
from tests.billing.books import account_of
from tests.console.people import MODEL, Office, browser, waiting_job
from tests.operations.operators import REASON, operator, page

pytestmark = pytest.mark.django_db


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
            price = Price.objects.get(organization=None, model="boson/higgs-audio-v2.5")
            return price, {"dollars_per_minute": "0.05", "valid_from": "2099-01-01T00:00"}
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
    answer = client.post(address, {"amount": "999", "cause": "c", **REASON})
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
        assert ("Acme has been suspended since" in shown) is (act == "suspend")
    whats = OperatorAct.objects.order_by("id").values_list("what", flat=True)
    assert [*whats] == [f"organization {acme.organization.pk} {done}" for done in ("suspended", "resumed")]


def test_a_form_begins_with_what_is_set(acme: Office) -> None:
    client = operator()
    address = page(acme.key).replace("change/", "set-limits/")
    client.post(address, {"requests_per_minute": "60", **REASON})
    form = client.get(address).context["form"]
    assert [form[limit.name].value() for limit in limits.LIMITS] == [60, None, None, None]
    for wrong in ("0", "-1", "2147483648", "many"):
        refused = client.post(address, {"requests_per_minute": wrong, **REASON})
        assert refused.context["form"].errors["requests_per_minute"], wrong
    assert ApiKey.objects.get(pk=acme.key.pk).requests_per_minute == 60


def test_a_waiting_job_is_cancelled_once(acme: Office) -> None:
    job = waiting_job(acme)
    client = operator(Role.SUPPORT)
    address = page(job).replace("change/", "cancel/")
    assert client.post(address, REASON).status_code == 302
    assert SynthesisJob.objects.get(pk=job.pk).state == "cancelled"
    assert "has ended" in client.post(address, REASON).content.decode()
    assert OperatorAct.objects.filter(what=f"job {job.pk} cancelled").count() == 1


def test_the_workers_hear_at_once_of_a_job_that_is_cancelled(
    acme: Office, broker: redis.Redis, django_capture_on_commit_callbacks: Any
) -> None:
    job = waiting_job(acme)
    SynthesisJob.objects.filter(pk=job.pk).update(state="running", worker_id=uuid4())
    with broker.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(cancellations.CHANNEL)
        heard.get_message(timeout=5)
        with django_capture_on_commit_callbacks(execute=True):
            operator(Role.SUPPORT).post(page(job).replace("change/", "cancel/"), REASON)
        message = heard.get_message(timeout=5)
    assert message is not None
    assert message["data"] == job.pk.hex.encode()
