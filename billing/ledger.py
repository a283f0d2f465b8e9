"""The double-entry ledger: credit in, usage out, each exactly once.

Every movement is keyed on its cause: a second call changes nothing and returns what the first one booked. A call
that asks for another amount, reason or expiry under the same cause raises CauseTaken. Movements made by hand name
their operator, who is noted in the audit log. Usage is settled in `billing.settlement`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.models import Organization
from billing import grants
from billing.audit import Operator
from billing.booking import book, find, lock, taken
from billing.models import Account, Grant, LedgerEntry, LedgerTransaction
from billing.reservations import InsufficientCredit
from billing.settlement import Usage, settle, settle_all, void

__all__ = [
    "Operator", "Usage", "adjust", "give_back", "grant", "pay_out", "refund", "settle", "settle_all",
    "take_back", "top_up", "void",
]  # fmt: skip

_Kind = LedgerTransaction.Kind
_Name = LedgerEntry.Name

_COUNTERPART = {
    _Kind.USAGE: _Name.REVENUE,
    _Kind.GRANT: _Name.PROMOTIONAL_EXPENSE,
    _Kind.TOP_UP: _Name.CASH,
    _Kind.PAYOUT: _Name.CASH,
    _Kind.REFUND: _Name.REFUNDS,
}
"""Where the credit of a kind comes from or goes to; a correction of it moves between the same two accounts.

An invoice is not corrected here: `billing.invoices` voids it, or issues a credit note.
"""


@transaction.atomic
def grant(
    *,
    organization: Organization,
    amount: Decimal,
    cause: str,
    expires_at: datetime | None = None,
    operator: Operator | None = None,
) -> LedgerTransaction:
    """Give promotional credit. It is spent before paid credit, the soonest to expire first."""
    _require_positive(amount)
    account = lock(organization)
    moves = {_Name.PROMOTIONAL_CREDIT: amount}
    if earlier := find(_Kind.GRANT, cause, account, moves=moves, operator=operator):
        if earlier.grant.expires_at != expires_at:
            raise taken(earlier, _until(earlier.grant.expires_at), _until(expires_at))
        return earlier
    grants.count(account)
    legs = {_Name.PROMOTIONAL_EXPENSE: -amount, _Name.PROMOTIONAL_CREDIT: amount}
    movement = book(_Kind.GRANT, account=account, cause=cause, legs=legs, operator=operator)
    Grant.objects.create(
        transaction=movement, organization=organization, amount=amount, remaining=amount, expires_at=expires_at
    )
    return movement


def top_up(
    *, organization: Organization, amount: Decimal, cause: str, operator: Operator | None = None
) -> LedgerTransaction:
    """Book money received from the customer as paid credit."""
    return _move(_Kind.TOP_UP, _Name.CASH, _Name.CUSTOMER_CREDIT, organization, amount, cause, operator)


def pay_out(
    *, organization: Organization, amount: Decimal, cause: str, operator: Operator | None = None
) -> LedgerTransaction:
    """Return paid credit that is neither used nor held to the customer as money.

    Raises:
        InsufficientCredit: there is not as much.
    """
    return _move(_Kind.PAYOUT, _Name.CUSTOMER_CREDIT, _Name.CASH, organization, amount, cause, operator)


def refund(
    *, organization: Organization, amount: Decimal, cause: str, operator: Operator | None = None
) -> LedgerTransaction:
    """Give back what was billed, as paid credit; `pay_out` turns that into money."""
    return _move(_Kind.REFUND, _Name.REFUNDS, _Name.CUSTOMER_CREDIT, organization, amount, cause, operator)


def take_back(
    *, organization: Organization, amount: Decimal, cause: str, disputed: bool = False
) -> LedgerTransaction:
    """Book money that went back to the customer without our doing, out of their paid credit.

    It has left, so it is booked even where the credit is used: the account's `overdraft` is what is then owed.
    What a bank takes back of an invoice's payment is booked by `billing.invoices.payments`.
    """
    kind = _Kind.DISPUTE if disputed else _Kind.PAYOUT
    return _move(kind, _Name.CUSTOMER_CREDIT, _Name.CASH, organization, amount, cause, owed=True)


@transaction.atomic
def give_back(*, of: LedgerTransaction, amount: Decimal, cause: str) -> LedgerTransaction:
    """Book that money of a payout or a dispute did not leave after all, or came back."""
    _require_positive(amount)
    account = lock(of.organization)
    if earlier := find(_Kind.CORRECTION, cause, account, moves={_Name.CASH: -amount}, corrects=of):
        return earlier
    legs = {_Name.CASH: -amount, _Name.CUSTOMER_CREDIT: amount}
    return book(_Kind.CORRECTION, account=account, cause=cause, legs=legs, corrects=of)


@transaction.atomic
def _move(
    kind: LedgerTransaction.Kind,
    source: LedgerEntry.Name,
    target: LedgerEntry.Name,
    organization: Organization,
    amount: Decimal,
    cause: str,
    operator: Operator | None = None,
    *,
    owed: bool = False,
) -> LedgerTransaction:
    """Move an amount from one ledger account to another, once."""
    _require_positive(amount)
    account = lock(organization)
    if earlier := find(kind, cause, account, moves={target: amount}, operator=operator):
        return earlier
    if (
        source == _Name.CUSTOMER_CREDIT
        and not owed
        and amount > account.balance - max(account.held, account.promotional)
    ):
        raise InsufficientCredit(amount)
    legs = {source: -amount, target: amount}
    return book(kind, account=account, cause=cause, legs=legs, operator=operator, owed=owed)


@transaction.atomic
def adjust(*, corrects: UUID, amount: Decimal, cause: str, operator: Operator) -> LedgerTransaction:
    """Correct a transaction: the customer gets `amount` more by it, or less where `amount` is below zero.

    The other leg goes to the account that the corrected transaction moved. A grant can only be made less: to
    give more, grant again.

    Raises:
        InsufficientCredit: what would be taken is used or held already.
        LedgerTransaction.DoesNotExist: there is nothing of that id to correct.
    """
    wrong = LedgerTransaction.objects.select_related("organization").get(id=corrects)
    kind = _Kind(wrong.kind)
    if kind not in _COUNTERPART:
        raise ValueError(f"corrects: what is booked as {kind} is corrected where it came from")
    if not amount or (kind is _Kind.GRANT and amount > 0):
        raise ValueError("amount: above or below zero, and below it for a grant")
    account = lock(wrong.organization)
    credit = _Name.PROMOTIONAL_CREDIT if kind is _Kind.GRANT else _Name.CUSTOMER_CREDIT
    moves = {credit: amount}
    if earlier := find(_Kind.CORRECTION, cause, account, moves=moves, operator=operator, corrects=wrong):
        return earlier
    if amount < 0:
        _require_free(account, -amount, given=kind is _Kind.GRANT)
    if kind is _Kind.GRANT:
        _lower(account, wrong, by=-amount)
    legs = {_COUNTERPART[kind]: -amount, credit: amount}
    return book(_Kind.CORRECTION, account=account, cause=cause, legs=legs, operator=operator, corrects=wrong)


def _until(expires_at: datetime | None) -> str:
    return f"until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "without an end"


def _require_free(account: Account, amount: Decimal, *, given: bool) -> None:
    """That an amount of given or of paid credit can be taken: it is there, and no running job holds it."""
    there = account.promotional if given else account.balance - account.promotional + account.credit_limit
    if amount > min(there, account.balance + account.credit_limit - account.held):
        raise InsufficientCredit(amount)


def _lower(account: Account, grant: LedgerTransaction, *, by: Decimal) -> None:
    """Take back the rest of one grant; other grants keep theirs."""
    left = next((open_grant for open_grant in grants.count(account) if open_grant.pk == grant.pk), None)
    if left is None or left.remaining < by:
        raise InsufficientCredit(by)
    left.remaining -= by
    left.save(update_fields=["remaining"])


def _require_positive(amount: Decimal) -> None:
    if amount <= 0:
        raise ValueError("amount: must be above zero")
