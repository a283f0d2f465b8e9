"""Forms of payment, of the billing details and of the organization's budgets.

They validate and type their values; what is done with them is elsewhere.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from accounts import names
from billing import budgets
from billing.models import BillingDetails, Budget
from console import countries
from console.key_forms import budget_field

MOST_TAX_ID = 60


class TopUpForm(forms.Form):
    amount = forms.DecimalField(
        label="Amount (USD)",
        min_value=Decimal(5),
        max_value=Decimal(10_000),
        decimal_places=2,
        initial=Decimal(20),
        help_text="$5 to $10,000. You pay on a page of Stripe; we never see your card number.",
        widget=forms.NumberInput({"step": "0.01", "inputmode": "decimal"}),
    )
    save_card = forms.BooleanField(label="Save this card", required=False)


class PromotionForm(forms.Form):
    code = forms.CharField(label="Promotion code", max_length=50, widget=forms.TextInput({"autocomplete": "off"}))


class RechargeForm(forms.Form):
    threshold = forms.DecimalField(
        label="When the balance falls below (USD)",
        min_value=Decimal(0),
        max_value=Decimal(10_000),
        decimal_places=2,
    )
    amount = forms.DecimalField(
        label="Charge (USD)", min_value=Decimal(5), max_value=Decimal(10_000), decimal_places=2
    )
    monthly_ceiling = forms.DecimalField(
        label="Monthly maximum (USD)", min_value=Decimal(5), max_value=Decimal(100_000), decimal_places=2
    )


class DetailsForm(forms.Form):
    """Each field is one of `BillingDetails`."""

    legal_name = forms.CharField(label="Company", max_length=200, required=False, validators=[names.check])
    line1 = forms.CharField(label="Street", max_length=200, required=False)
    line2 = forms.CharField(label="Address line 2", max_length=200, required=False)
    postal_code = forms.CharField(label="Postal code", max_length=20, required=False)
    city = forms.CharField(label="City", max_length=100, required=False)
    state = forms.CharField(label="State", max_length=100, required=False)
    country = forms.ChoiceField(
        label="Country", required=False, choices=[("", "Select a country"), *countries.NAMES]
    )
    tax_ids = forms.CharField(
        label="Tax ids",
        max_length=300,
        required=False,
        help_text="As printed on the invoice, separated by semicolons: EU VAT DE123456789.",
    )
    email = forms.EmailField(
        label="Billing e-mail",
        required=False,
        help_text="Leave blank to send bills to the owner and the billing role.",
    )

    def clean_tax_ids(self) -> list[str]:
        ids = [part.strip() for part in self.cleaned_data["tax_ids"].split(";") if part.strip()]
        if any(len(one) > MOST_TAX_ID for one in ids):
            raise forms.ValidationError(f"Each tax id can have at most {MOST_TAX_ID} characters.")
        return ids

    @staticmethod
    def of(details: BillingDetails) -> dict[str, str]:
        """The values to start from."""
        values = {name: getattr(details, name) for name in DetailsForm.base_fields}
        return values | {"tax_ids": "; ".join(details.tax_ids)}


class BudgetForm(forms.Form):
    """The budgets of the organization, including all its keys: a field for each kind."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields |= {kind.period.value: budget_field(kind) for kind in budgets.KINDS if kind.of_organization}

    def amounts(self) -> dict[Budget.Period, Decimal | None]:
        """What was filled in, by the period."""
        return {Budget.Period(name): amount for name, amount in self.cleaned_data.items()}
