"""Writing a movement of credit: its account locked, its cause looked for, its legs and the account in one go."""

from __future__ import annotations

from decimal import Decimal

from accounts.models import Organization
from billing import audit
from billing.audit import Operator
from billing.models import Account, LedgerEntry, LedgerTransaction


class CauseTaken(Exception):
    """The cause names another organization's movement."""


def lock(organization: Organization) -> Account:
    """The organization's account, made where there is none, held until the transaction ends."""
    Account.objects.get_or_create(organization=organization)
    return Account.objects.select_for_update().get(organization=organization)


def find(kind: LedgerTransaction.Kind, cause: str, account: Account) -> LedgerTransaction | None:
    """What the cause booked earlier. Under the account's lock no other call is about to book it.

    Raises:
        CauseTaken: it booked something for another organization.
    """
    earlier = LedgerTransaction.objects.filter(kind=kind, cause=cause).first()
    if earlier and earlier.organization_id != account.organization_id:
        raise CauseTaken(f"{kind} {cause!r} is another organization's")
    return earlier


def book(
    kind: LedgerTransaction.Kind,
    *,
    account: Account,
    cause: str,
    legs: dict[LedgerEntry.Name, Decimal],
    operator: Operator | None = None,
    corrects: LedgerTransaction | None = None,
    owed: bool = False,
) -> LedgerTransaction:
    """Write a movement and its legs and bring the account, whose row the caller has locked, up to date.

    Where it is `owed`, the balance may pass the floor: the overdraft takes what is missing.
    """
    movement = LedgerTransaction.objects.create(
        kind=kind, cause=cause, organization_id=account.organization_id, corrects=corrects
    )
    LedgerEntry.objects.bulk_create(
        LedgerEntry(transaction=movement, account=name, amount=amount) for name, amount in legs.items()
    )
    given = legs.get(LedgerEntry.Name.PROMOTIONAL_CREDIT, Decimal(0))
    account.promotional += given
    account.balance += given + legs.get(LedgerEntry.Name.CUSTOMER_CREDIT, Decimal(0))
    missing = account.held - account.balance - account.credit_limit
    if owed:
        account.overdraft = max(account.overdraft, missing)
    else:
        account.overdraft = max(Decimal(0), min(account.overdraft, missing))
    account.save(update_fields=["balance", "promotional", "overdraft"])
    if operator:
        audit.record(operator, movement)
    return movement
