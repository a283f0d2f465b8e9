"""The reports by name, for commands and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billing.reports import balances, movements, revenue
from billing.reports.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A report: what it says, and the function of (start, end) that makes it. Balances are those of `end`."""

    title: str
    make: Callable[..., Report[Any]]
    is_balance: bool = False


REPORTS = {
    "revenue": Kind(title="Revenue by day, organization and model, recognised on use", make=revenue.by_day),
    "prepaid": Kind(
        title="Credit outstanding: paid (deferred revenue) and promotional", make=balances.prepaid, is_balance=True
    ),
    "receivables": Kind(title="Invoices that are not paid, by age", make=balances.receivables, is_balance=True),
    "top-ups": Kind(title="Paid credit bought", make=movements.top_ups),
    "cash": Kind(title="Money received and returned", make=movements.cash),
    "refunds": Kind(title="Revenue given back", make=movements.refunds),
    "promotional": Kind(title="What promotional credit costs", make=movements.promotional_cost),
    "tax": Kind(title="Tax invoiced and credited", make=movements.tax),
}
