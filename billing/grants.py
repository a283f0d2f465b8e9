"""Which grant promotional credit was spent from: the one that expires soonest. And the end of those that expire.

Spending lowers the account's `promotional` and touches no grant. Before the set of grants changes, `count` takes
what was spent since the last change off the soonest-expiring ones. The set was the same all that time, so the
outcome is that of taking each cent off at once.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing.booking import book
from billing.models import Account, Grant, LedgerEntry, LedgerTransaction

_Name = LedgerEntry.Name


def count(account: Account) -> list[Grant]:
    """Bring an account's grants up to date, its row locked by the caller; returns the open ones, soonest first."""
    grants = list(
        Grant.objects.filter(organization=account.organization_id, remaining__gt=0).order_by(
            F("expires_at").asc(nulls_last=True), "transaction_id"
        )
    )
    spent = sum((grant.remaining for grant in grants), Decimal(0)) - account.promotional
    for grant in grants:
        part = min(grant.remaining, spent)
        if part > 0:
            grant.remaining -= part
            spent -= part
            grant.save(update_fields=["remaining"])
    return [grant for grant in grants if grant.remaining]


def expire_due() -> int:
    """Book what expired grants have left as expired; returns how many were booked.

    What running jobs hold is left for them, and what covers an overdraft stays; the next call takes what is left.
    """
    due = Grant.objects.filter(remaining__gt=0, expires_at__lte=timezone.now())
    return sum(
        _expire(id) for id in due.order_by("organization").values_list("organization", flat=True).distinct()
    )


@transaction.atomic
def _expire(organization_id: UUID) -> int:
    account = Account.objects.select_for_update().get(organization_id=organization_id)
    booked = 0
    for grant in count(account):
        if grant.expires_at is None or grant.expires_at > timezone.now():
            break
        free = min(account.promotional, account.balance + account.credit_limit) - account.held
        amount = min(grant.remaining, free)
        if amount <= 0:
            break
        book(
            LedgerTransaction.Kind.EXPIRY,
            account=account,
            cause=f"{grant.pk}:{grant.remaining}",
            legs={_Name.PROMOTIONAL_CREDIT: -amount, _Name.PROMOTIONAL_EXPENSE: amount},
        )
        grant.remaining -= amount
        grant.save(update_fields=["remaining"])
        booked += 1
    return booked
