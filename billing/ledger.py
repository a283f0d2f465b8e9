"""The double-entry ledger: grants in, usage out, each exactly once.

Both functions run in the caller's transaction and are keyed on their cause, so that a second call changes
nothing and returns what the first one did.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from accounts.models import Organization
from billing import pricing
from billing.models import Account, LedgerEntry, LedgerTransaction, Reservation, UsageRecord

_Kind = LedgerTransaction.Kind
_Name = LedgerEntry.Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a job generated, as counted by the platform: 24 samples are a millisecond."""

    job_id: UUID
    api_key_id: UUID
    model: str
    voice: str
    samples: int
    duration_ms: int


@transaction.atomic
def grant(*, organization: Organization, amount: Decimal, cause: str) -> LedgerTransaction:
    """Give promotional credit. `cause` names this grant for ever; a repeat returns the first."""
    if amount <= 0:
        raise ValueError("amount: a grant must be above zero")
    movement, fresh = LedgerTransaction.objects.get_or_create(
        kind=_Kind.GRANT, cause=cause, defaults={"organization": organization}
    )
    if fresh:
        _book(movement, {_Name.PROMOTIONAL_EXPENSE: -amount, _Name.PROMOTIONAL_CREDIT: amount})
        Account.objects.get_or_create(organization=organization)
        Account.objects.filter(organization=organization).update(
            balance=F("balance") + amount, promotional=F("promotional") + amount
        )
    return movement


@transaction.atomic
def settle(usage: Usage) -> UsageRecord:
    """Bill a finished job and release its hold. Promotional credit is spent before paid credit.

    The reservation's state is the guard: it leaves `pending` once, and only the call that moved it books.
    """
    reservation = Reservation.objects.select_related("price").get(job_id=usage.job_id)
    if not _resolve(reservation, Reservation.State.POSTED):
        return UsageRecord.objects.get(job_id=usage.job_id)
    price = reservation.price.dollars_per_minute
    cost = pricing.cost(duration_ms=usage.duration_ms, dollars_per_minute=price)
    record = UsageRecord.objects.create(
        job_id=usage.job_id,
        organization_id=reservation.organization_id,
        api_key_id=usage.api_key_id,
        model=usage.model,
        voice=usage.voice,
        samples=usage.samples,
        duration_ms=usage.duration_ms,
        dollars_per_minute=price,
        cost=cost,
    )
    account = Account.objects.select_for_update().get(organization_id=reservation.organization_id)
    promotional = min(account.promotional, cost)
    Account.objects.filter(pk=account.pk).update(
        balance=F("balance") - cost,
        held=F("held") - reservation.amount,
        promotional=F("promotional") - Least(F("promotional"), cost),
    )
    movement = LedgerTransaction.objects.create(
        kind=_Kind.USAGE, cause=str(usage.job_id), organization_id=reservation.organization_id
    )
    _book(
        movement,
        {
            _Name.PROMOTIONAL_CREDIT: -promotional,
            _Name.CUSTOMER_CREDIT: promotional - cost,
            _Name.REVENUE: cost,
        },
    )
    return record


@transaction.atomic
def void(*, job_id: UUID) -> bool:
    """Release the hold of a job that costs nothing; False where it was resolved before."""
    reservation = Reservation.objects.get(job_id=job_id)
    if not _resolve(reservation, Reservation.State.VOIDED):
        return False
    Account.objects.filter(organization_id=reservation.organization_id).update(held=F("held") - reservation.amount)
    return True


def _resolve(reservation: Reservation, state: Reservation.State) -> bool:
    """Leave `pending`; the row count says whether this call was the one that did."""
    pending = Reservation.objects.filter(job_id=reservation.job_id, state=Reservation.State.PENDING)
    return pending.update(state=state) == 1


def _book(movement: LedgerTransaction, amounts: dict[LedgerEntry.Name, Decimal]) -> None:
    LedgerEntry.objects.bulk_create(
        LedgerEntry(transaction=movement, account=account, amount=amount)
        for account, amount in amounts.items()
        if amount
    )
