"""What an export has of a customer's money, and of whom it has told."""

from __future__ import annotations

from accounts.exporting import Table
from billing.models import (
    Account,
    Alert,
    AlertRule,
    AutoRecharge,
    BillingDetails,
    Budget,
    BudgetPeriod,
    CreditNote,
    DunningStep,
    Grant,
    Invoice,
    InvoiceDay,
    InvoiceLine,
    LedgerEntry,
    LedgerTransaction,
    Price,
    Redemption,
    StripeCustomer,
    StripeDispute,
    StripeInvoice,
    StripePayment,
    StripeRefund,
    UsageRecord,
)
from webhooks.models import Delivery, WebhookEndpoint

TABLES = (
    Table("billing_details", BillingDetails, "organization"),
    Table("account", Account, "organization"),
    Table("ledger_transactions", LedgerTransaction, "organization"),
    Table("ledger_entries", LedgerEntry, "transaction__organization"),
    Table("grants", Grant, "organization"),
    Table("promotion_redemptions", Redemption, "organization"),
    Table("prices", Price, "organization"),
    Table("usage", UsageRecord, "organization", order="created_at"),
    Table("budgets", Budget, "organization"),
    Table("budget_periods", BudgetPeriod, "budget__organization"),
    Table("alert_rules", AlertRule, "organization"),
    Table("alerts", Alert, "organization"),
    Table("invoices", Invoice, "organization"),
    Table("invoice_lines", InvoiceLine, "invoice__organization"),
    Table("invoice_days", InvoiceDay, "line__invoice__organization"),
    Table("invoice_reminders", DunningStep, "invoice__organization"),
    Table("credit_notes", CreditNote, "invoice__organization"),
    Table("stripe_customer", StripeCustomer, "organization"),
    Table("stripe_invoices", StripeInvoice, "invoice__organization"),
    Table("stripe_payments", StripePayment, "organization"),
    Table("stripe_refunds", StripeRefund, "payment__organization"),
    Table("stripe_disputes", StripeDispute, "payment__organization"),
    Table("auto_recharge", AutoRecharge, "organization"),
    Table("webhook_endpoints", WebhookEndpoint, "organization"),
    Table("event_deliveries", Delivery, "organization"),
)
