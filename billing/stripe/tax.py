"""Tax as Stripe Tax finds it, for invoices that are ours: numbered and added up before Stripe has them.

The amount is asked for when the draft is issued; Stripe's own invoice then finds the same by `automatic_tax`, and
keeps it for the tax reports (https://docs.stripe.com/tax/custom). Where the two differ, reconciliation says so.
"""

from __future__ import annotations

from decimal import Decimal

import stripe

from billing.invoices.tax import Tax, TaxUnknown
from billing.models import BillingDetails, Invoice, StripeCustomer
from billing.stripe import customers, sending
from billing.stripe.amounts import CURRENCY, from_cents, to_cents
from billing.stripe.client import create_client

_PERCENT_PLACES = Decimal("0.0001")


def calculate(invoice: Invoice, details: BillingDetails) -> Tax:
    """The tax on a draft where its customer is.

    Raises:
        TaxUnknown: the billing details have no country, or Stripe does not say.
    """
    if not invoice.net:
        return Tax(amount=Decimal(0), percent=Decimal(0))
    if not details.country:
        raise TaxUnknown(f"organization {invoice.organization_id}: its billing details need a country")
    sending.send_now(*customers.describe(invoice.organization, details, awaited=True))
    customer = StripeCustomer.objects.get(organization=invoice.organization).stripe_id
    if not customer:
        raise TaxUnknown(f"organization {invoice.organization_id}: Stripe has not made its customer yet")
    try:
        found = create_client().v1.tax.calculations.create(
            {
                "currency": CURRENCY,
                "customer": customer,
                "line_items": [
                    {"amount": to_cents(invoice.net), "reference": str(invoice.pk), "tax_behavior": "exclusive"}
                ],
            }
        )
    except stripe.StripeError as error:
        raise TaxUnknown(f"invoice {invoice.pk}: {type(error).__name__} {error.code or ''}".strip()) from error
    amount = from_cents(found.tax_amount_exclusive)
    reasons = sorted({str(part.taxability_reason) for part in found.tax_breakdown or []})
    return Tax(
        amount=amount,
        percent=(amount / invoice.net * 100).quantize(_PERCENT_PLACES),
        note="Reverse charge: the recipient owes the tax." if "reverse_charge" in reasons else "",
    )
