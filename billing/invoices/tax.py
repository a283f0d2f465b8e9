"""What tax an invoice bears. `settings.INVOICE_TAX` names the function; one that asks a service has its shape.

Tax is on what the invoice asks for: paid credit is taxed where it is sold, and promotional credit is a discount.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.module_loading import import_string

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


def of(invoice: Invoice, details: BillingDetails) -> Tax:
    """The tax on a draft, as the settings' function has it.

    Raises:
        TaxUnknown: it cannot say.
    """
    found: Callable[[Invoice, BillingDetails], Tax] = import_string(settings.INVOICE_TAX)
    return found(invoice, details)


def at_rate(invoice: Invoice, details: BillingDetails) -> Tax:
    """The organization's own rate."""
    return Tax(amount=tax_on(invoice.net, details.tax_percent), percent=details.tax_percent, note=details.tax_note)
