"""Money's tables. Amounts are dollars with nine places, a nano-dollar; no float comes near them."""

from __future__ import annotations

from billing.models.audit import OperatorAct, Verification
from billing.models.budgets import Budget, BudgetPeriod
from billing.models.ledger import Account, Grant, LedgerEntry, LedgerTransaction
from billing.models.money import dollars
from billing.models.pricing import Price
from billing.models.reservations import Reservation
from billing.models.usage import UsageRecord

__all__ = [
    "Account",
    "Budget",
    "BudgetPeriod",
    "Grant",
    "LedgerEntry",
    "LedgerTransaction",
    "OperatorAct",
    "Price",
    "Reservation",
    "UsageRecord",
    "Verification",
    "dollars",
]
