"""Stripe's books beside ours, every day: what differs is a row until a later look finds that it agrees.

Compared are the balance transactions (money that moved) with the ledger, invoices with ours, and the payments and
refunds that Stripe has with the calls that the outbox says were sent. What Stripe charges us, and its payouts to
our bank, are no customer's money and not compared; the fees are copied with the balance transactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import stripe
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from billing.models import (
    LedgerEntry,
    StripeBalanceTransaction,
    StripeCall,
    StripeDifference,
    StripeInvoice,
    StripePayment,
    StripeRefund,
)
from billing.stripe import webhooks
from billing.stripe.amounts import from_cents
from billing.stripe.client import create_client
from billing.stripe.payments import cause_of

WINDOW = timedelta(days=8)
GRACE = timedelta(hours=1)
"""What is younger may still be on its way."""
EDGE = timedelta(days=1)
"""How much further back Stripe is asked: what was booked within the window may have been made before it."""

_Kind = StripeDifference.Kind
_State = StripeDifference.State
_NOTHING = Decimal(0)
_CHARGES, _REFUNDS = {"charge", "payment"}, {"refund", "payment_refund"}
_RETURNS = {"refund_failure", "payment_failure_refund"}
_COMPARED = _CHARGES | _REFUNDS | _RETURNS | {"adjustment"}


@dataclass(frozen=True, slots=True)
class Difference:
    kind: StripeDifference.Kind
    subject: str
    ours: Decimal
    theirs: Decimal


def run(*, since: datetime | None = None, until: datetime | None = None) -> list[StripeDifference]:
    """Compare what happened from `since` (eight days ago) to `until` (an hour ago); returns what is open.

    Events that never arrived are fetched and processed first. The window reaches back to what is still open, so
    that it can be resolved.
    """
    until = until or timezone.now() - GRACE
    since = min(since or until - WINDOW, _oldest_open() or until)
    webhooks.catch_up(since=since - EDGE)
    webhooks.process_due()
    client = create_client()
    _copy_balance_transactions(client, since - EDGE)
    found = {
        (difference.kind, difference.subject): difference
        for difference in (
            *_compare_money(since, until),
            *_compare_payments(client, since, until),
            *_compare_invoices(client, since, until),
        )
    }
    return _note(found)


def _copy_balance_transactions(client: stripe.StripeClient, since: datetime) -> None:
    listed = client.v1.balance_transactions.list(
        {"created": {"gte": int(since.timestamp())}, "expand": ["data.source"], "limit": 100}
    )
    StripeBalanceTransaction.objects.bulk_create(
        (
            StripeBalanceTransaction(
                stripe_id=line["id"],
                type=line["type"],
                subject=_subject_of(line),
                amount=from_cents(line["amount"]),
                fee=from_cents(line["fee"]),
                created_at=_moment(line),
            )
            for line in (line.to_dict() for line in listed.auto_paging_iter())
        ),
        ignore_conflicts=True,
    )


def _subject_of(line: dict[str, Any]) -> str:
    if line["type"] == "adjustment":
        return str(line["id"])
    source = line["source"]
    if not isinstance(source, dict):  # what is no charge or refund may come without
        return str(source or line["id"])
    return str((line["type"] in _CHARGES and source.get("payment_intent")) or source["id"])


def _compare_money(since: datetime, until: datetime) -> Iterator[Difference]:
    """Each movement of a customer's money at Stripe with the cash in the ledger, and the reverse."""
    lines = StripeBalanceTransaction.objects.filter(created_at__range=(since, until), type__in=_COMPARED)
    for line in lines.iterator():
        ours = _booked(line)
        if ours != line.amount:
            kind = _Kind.AMOUNT if ours else _Kind.NOT_BOOKED
            yield Difference(kind, line.subject, ours, line.amount)
    copied = StripeBalanceTransaction.objects.values("subject")
    paid = StripePayment.objects.filter(state=StripePayment.State.PAID, movement__created_at__range=(since, until))
    for payment in paid.exclude(payment_intent__in=copied).iterator():
        yield Difference(_Kind.NOT_AT_STRIPE, str(payment.payment_intent), payment.amount, _NOTHING)
    returned = StripeRefund.objects.filter(
        state=StripeRefund.State.SUCCEEDED, movement__created_at__range=(since, until)
    )
    for refund in returned.exclude(stripe_id__in=copied).iterator():
        yield Difference(_Kind.NOT_AT_STRIPE, str(refund.stripe_id), -refund.amount, _NOTHING)


def _booked(line: StripeBalanceTransaction) -> Decimal:
    """The cash that the ledger has for a line of Stripe's; above zero is received."""
    cash = LedgerEntry.objects.filter(account=LedgerEntry.Name.CASH)
    if line.type in _CHARGES:
        payment = StripePayment.objects.filter(payment_intent=line.subject).exclude(movement=None).first()
        booked = cash.filter(transaction=payment.movement_id) if payment else cash.none()
    elif line.type in _REFUNDS:
        booked = cash.filter(
            transaction__in=StripeRefund.objects.filter(stripe_id=line.subject).values("movement")
        )
    elif line.type in _RETURNS:
        failed = StripeRefund.objects.filter(stripe_id=line.subject, state=StripeRefund.State.FAILED)
        booked = cash.filter(transaction__corrects__in=failed.values("movement"))
    else:
        booked = cash.filter(transaction__cause=cause_of(line.subject))
    return -sum(booked.values_list("amount", flat=True), _NOTHING)


def _compare_payments(client: stripe.StripeClient, since: datetime, until: datetime) -> Iterator[Difference]:
    """What Stripe received for a payment of ours is booked, and what the outbox says was sent is there."""
    listed = client.v1.payment_intents.list({"created": {"gte": int((since - EDGE).timestamp())}, "limit": 100})
    intents = {intent.id: intent.to_dict() for intent in listed.auto_paging_iter()}
    for id, intent in intents.items():
        ours = intent["status"] == "succeeded" and (intent["metadata"] or {}).get("payment")
        if not ours or not since <= _moment(intent) <= until:
            continue
        if not StripePayment.objects.filter(payment_intent=id).exists():
            yield Difference(_Kind.NOT_BOOKED, id, _NOTHING, from_cents(intent["amount_received"]))
    refunds = client.v1.refunds.list({"created": {"gte": int((since - EDGE).timestamp())}, "limit": 100})
    there = intents.keys() | {refund.id for refund in refunds.auto_paging_iter()}
    sent = StripeCall.objects.filter(
        operation__in=["payment_intent.create", "refund.create"],
        state=StripeCall.State.SENT,
        first_tried_at__range=(since, until),
    )
    for call in sent.exclude(stripe_id__in=there).iterator():
        yield Difference(_Kind.CALL, call.key, from_cents(call.parameters["amount"]), _NOTHING)


def _compare_invoices(client: stripe.StripeClient, since: datetime, until: datetime) -> Iterator[Difference]:
    listed = client.v1.invoices.list({"created": {"gte": int((since - EDGE).timestamp())}, "limit": 100})
    theirs = {invoice.id: invoice.to_dict() for invoice in listed.auto_paging_iter()}
    ours = StripeInvoice.objects.filter(created_at__range=(since, until), stripe_id__isnull=False)
    for invoice in ours.iterator():
        found = theirs.get(str(invoice.stripe_id))
        total = from_cents(found["total"]) if found else _NOTHING
        if found is None or (total, found["status"]) != (invoice.total, invoice.status):
            yield Difference(_Kind.INVOICE, str(invoice.invoice_id), invoice.total, total)


@transaction.atomic
def _note(found: dict[tuple[StripeDifference.Kind, str], Difference]) -> list[StripeDifference]:
    now = timezone.now()
    known = StripeDifference.objects.filter(state=_State.OPEN)
    for row in known:
        if (row.kind, row.subject) not in found:
            row.state, row.resolved_at = _State.RESOLVED, now
            row.save(update_fields=["state", "resolved_at"])
    for (kind, subject), difference in found.items():
        StripeDifference.objects.update_or_create(
            kind=kind,
            subject=subject,
            defaults={
                "ours": difference.ours,
                "theirs": difference.theirs,
                "state": _State.OPEN,
                "resolved_at": None,
            },
        )
    return list(StripeDifference.objects.filter(state=_State.OPEN).order_by("kind", "subject"))


def _oldest_open() -> datetime | None:
    oldest: datetime | None = StripeDifference.objects.filter(state=_State.OPEN).aggregate(at=Min("found_at"))[
        "at"
    ]
    return oldest - WINDOW if oldest else None


def _moment(thing: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(thing["created"], UTC)
