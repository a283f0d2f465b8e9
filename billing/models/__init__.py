"""Money's tables. Amounts are dollars with nine places, a nano-dollar; no float comes near them."""

from __future__ import annotations

from billing.models.audit import OperatorAct, Verification
from billing.models.budgets import Budget, BudgetPeriod
from billing.models.customers import BillingDetails
from billing.models.invoices import (
    CreditNote,
    DunningStep,
    Invoice,
    InvoiceDay,
    InvoiceLine,
    InvoiceMovement,
    NumberSeries,
)
from billing.models.ledger import Account, Grant, LedgerEntry, LedgerTransaction
from billing.models.money import dollars
from billing.models.pricing import Price
from billing.models.reservations import Reservation
from billing.models.usage import UsageRecord

__all__ = [
    "Account",
    "BillingDetails",
    "Budget",
    "BudgetPeriod",
    "CreditNote",
    "DunningStep",
    "Grant",
    "Invoice",
    "InvoiceDay",
    "InvoiceLine",
    "InvoiceMovement",
    "LedgerEntry",
    "LedgerTransaction",
    "NumberSeries",
    "OperatorAct",
    "Price",
    "Reservation",
    "UsageRecord",
    "Verification",
    "dollars",
]
