"""What tax an invoice bears: the organization's own rate or, with STRIPE_TAX, what a tax service finds.

Tax is on what the invoice asks for: paid credit is taxed where it is sold, and promotional credit is a discount.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from accounts.ports import Port
from billing.invoices.amounts import tax_on
from billing.models import BillingDetails, Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """`amount` is in whole cents."""

    amount: Decimal
    percent: Decimal
    note: str = ""


class TaxUnknown(Exception):
    """The tax cannot be found now; the draft stays one, and the next run asks again."""


found_by_service = Port[[Invoice, BillingDetails], Tax]("finds the tax of an invoice")


def of(invoice: Invoice, details: BillingDetails) -> Tax:
    """The tax on a draft.

    Raises:
        TaxUnknown: the tax service cannot say.
    """
    return found_by_service(invoice, details) if settings.STRIPE_TAX else at_rate(invoice, details)


def at_rate(invoice: Invoice, details: BillingDetails) -> Tax:
    """The organization's own rate."""
    return Tax(amount=tax_on(invoice.net, details.tax_percent), percent=details.tax_percent, note=details.tax_note)
