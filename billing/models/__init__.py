"""Money's tables. Amounts are dollars with nine places, a nano-dollar; no float comes near them."""

from __future__ import annotations

from billing.models.alerts import Alert, AlertKind, AlertRule
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
from billing.models.outbox import StripeCall
from billing.models.payments import (
    AutoRecharge,
    StripeCustomer,
    StripeDispute,
    StripeInvoice,
    StripePayment,
    StripeRefund,
)
from billing.models.pricing import Price
from billing.models.promotions import PromotionalClaim, PromotionalNetworkDay, PromotionCode, Redemption
from billing.models.reconciliation import StripeBalanceTransaction, StripeDifference
from billing.models.reservations import Reservation
from billing.models.seals import MonthSeal, SealedSum
from billing.models.usage import UsageRecord
from billing.models.webhooks import StripeDelivery, StripeEvent

__all__ = [
    "Account",
    "Alert",
    "AlertKind",
    "AlertRule",
    "AutoRecharge",
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
    "MonthSeal",
    "NumberSeries",
    "OperatorAct",
    "Price",
    "PromotionCode",
    "PromotionalClaim",
    "PromotionalNetworkDay",
    "Redemption",
    "Reservation",
    "SealedSum",
    "StripeBalanceTransaction",
    "StripeCall",
    "StripeCustomer",
    "StripeDelivery",
    "StripeDifference",
    "StripeDispute",
    "StripeEvent",
    "StripeInvoice",
    "StripePayment",
    "StripeRefund",
    "UsageRecord",
    "Verification",
    "dollars",
]
