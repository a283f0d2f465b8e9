"""Writing a movement of credit: its account locked, its cause looked for, its legs and the account in one go."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from accounts.models import Organization
from billing import audit
from billing.audit import Operator
from billing.models import Account, LedgerEntry, LedgerTransaction, OperatorAct


class CauseTaken(Exception):
    """The cause names a movement that is not the one that is asked for; the message says what it booked."""


def lock(organization: Organization) -> Account:
    """The organization's account, made where there is none, held until the transaction ends."""
    Account.objects.get_or_create(organization=organization)
    return Account.objects.select_for_update().get(organization=organization)


def find(
    kind: LedgerTransaction.Kind,
    cause: str,
    account: Account,
    *,
    moves: Mapping[LedgerEntry.Name, Decimal],
    operator: Operator | None = None,
    corrects: LedgerTransaction | None = None,
) -> LedgerTransaction | None:
    """What the cause booked earlier. Under the account's lock no other call is about to book it.

    A repeat must ask for the same movement: answered as if it had been booked, a different one would be lost.

    Args:
        moves: the legs that say how much is asked for.

    Raises:
        CauseTaken: it booked something for another organization, of another amount, for another reason, or as the
            correction of something else.
    """
    earlier = LedgerTransaction.objects.filter(kind=kind, cause=cause).first()
    if earlier is None:
        return None
    if earlier.organization_id != account.organization_id:
        raise CauseTaken(f"{kind} {cause!r} is another organization's")
    booked = {LedgerEntry.Name(leg.account): leg.amount for leg in earlier.entries.all()}
    for name, amount in moves.items():
        if booked.get(name, Decimal(0)) != amount:
            raise taken(earlier, f"${booked.get(name, Decimal(0)).copy_abs()}", f"${amount.copy_abs()}")
    if corrects and earlier.corrects_id != corrects.pk:
        raise taken(earlier, f"a correction of {earlier.corrects_id}", f"one of {corrects.pk}")
    act = OperatorAct.objects.filter(transaction=earlier).first() if operator else None
    if operator and act and act.reason != operator.reason:
        raise taken(earlier, f"with the reason {act.reason!r}", f"with {operator.reason!r}")
    return earlier


def taken(earlier: LedgerTransaction, booked: str, asked: str) -> CauseTaken:
    """The refusal of a known cause with other terms: says what it `booked` and what was `asked`."""
    return CauseTaken(
        f"{earlier.kind} {earlier.cause!r} booked {booked} on {earlier.created_at:%Y-%m-%d %H:%M} UTC as "
        f"{earlier.pk}, not {asked}; name another cause for another movement"
    )


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
