"""Who is billed."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models import Organization


class BillingDetails(models.Model):
    """What stands on an organization's invoices from the next one on; those that were issued keep a copy.

    Whether an organization is prepaid or invoiced is its account's `credit_limit`; `net_days` is how long one
    that is invoiced has to pay.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, primary_key=True, related_name="billing_details"
    )
    legal_name = models.CharField(max_length=200, blank=True)
    line1 = models.CharField(max_length=200, blank=True)
    line2 = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=100, blank=True)
    country = models.CharField(
        max_length=2,
        blank=True,
        validators=[RegexValidator("^[A-Z]{2}$", "Two capital letters (ISO 3166-1), such as DE.")],
    )
    tax_ids: ClassVar = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    """As they are to be printed: "EU VAT DE123456789"."""
    email = models.EmailField(blank=True)
    """Where invoices go; empty is to the organization's owners."""
    tax_percent = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    tax_note = models.CharField(max_length=200, blank=True)
    """What the invoice says about the tax, such as "Reverse charge: the recipient owes the tax."."""
    net_days = models.PositiveSmallIntegerField(default=30)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(tax_percent__gte=0, tax_percent__lte=100), name="billing_details_tax_in_range"
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex="^[A-Z]{2}$"), name="billing_details_country_code"
            ),
            models.CheckConstraint(condition=Q(net_days__lte=365), name="billing_details_net_days_in_range"),
        )

    def __str__(self) -> str:
        return self.legal_name or str(self.organization_id)
