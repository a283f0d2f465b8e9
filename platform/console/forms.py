"""What people fill in. A form checks and types its values; what they do is elsewhere."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

from django import forms
from django.utils import timezone

from accounts import names
from accounts.keys import LimitOverrides, Reach
from accounts.models import ApiKey, Membership
from billing.alerts import targets
from billing.alerts.rules import MOST as MOST_THRESHOLDS
from billing.alerts.rules import Rules
from billing.models import BillingDetails, Budget
from console.key_actions import Terms

NEVER = ""
EXPIRIES = [(NEVER, "Never"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year")]
OVERLAPS = [
    ("0", "End it now"),
    ("1", "Keep it for an hour"),
    ("24", "Keep it for a day"),
    ("168", "Keep it for a week"),
]
ROLES = [(role, label) for role, label in Membership.Role.choices if role != Membership.Role.OWNER]
MOST_TAX_ID = 60
MOST_NETWORKS = 20
"""Each is looked at on every call."""
MOST = 2_000_000_000
"""More fits no integer column, and no machine."""


def _dollars(label: str, help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=False,
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=9,
        widget=forms.NumberInput({"step": "any", "placeholder": "no budget", "inputmode": "decimal"}),
    )


def _limit(label: str) -> forms.IntegerField:
    widget = forms.NumberInput({"placeholder": "standard"})
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=MOST, widget=widget)


class TopUpForm(forms.Form):
    amount = forms.DecimalField(
        label="Dollars",
        min_value=Decimal(5),
        max_value=Decimal(10_000),
        decimal_places=2,
        initial=Decimal(20),
        help_text="From 5 to 10,000. You pay on Stripe's page; no card number comes near us.",
        widget=forms.NumberInput({"step": "0.01", "inputmode": "decimal"}),
    )
    save_card = forms.BooleanField(label="Keep the card for next time", required=False)


class PromotionForm(forms.Form):
    code = forms.CharField(label="Promotion code", max_length=50, widget=forms.TextInput({"autocomplete": "off"}))


class RechargeForm(forms.Form):
    threshold = forms.DecimalField(
        label="Below", min_value=Decimal(0), max_value=Decimal(10_000), decimal_places=2
    )
    amount = forms.DecimalField(label="Charge", min_value=Decimal(5), max_value=Decimal(10_000), decimal_places=2)
    monthly_ceiling = forms.DecimalField(
        label="At most in a month", min_value=Decimal(5), max_value=Decimal(100_000), decimal_places=2
    )


class DetailsForm(forms.Form):
    """Each field is one of `BillingDetails`."""

    legal_name = forms.CharField(label="Company", max_length=200, required=False, validators=[names.check])
    line1 = forms.CharField(label="Street", max_length=200, required=False)
    line2 = forms.CharField(label="More of the address", max_length=200, required=False)
    postal_code = forms.CharField(label="Postal code", max_length=20, required=False)
    city = forms.CharField(label="City", max_length=100, required=False)
    state = forms.CharField(label="State", max_length=100, required=False)
    country = forms.RegexField(
        "^[A-Z]{2}$", label="Country", required=False, help_text="Two capital letters, such as DE."
    )
    tax_ids = forms.CharField(
        label="Tax ids",
        max_length=300,
        required=False,
        help_text="As they are to be printed, with semicolons between them: EU VAT DE123456789.",
    )
    email = forms.EmailField(
        label="Address for bills", required=False, help_text="Empty: the owners and the billing role."
    )

    def clean_tax_ids(self) -> list[str]:
        ids = [part.strip() for part in self.cleaned_data["tax_ids"].split(";") if part.strip()]
        if any(len(one) > MOST_TAX_ID for one in ids):
            raise forms.ValidationError(f"Each has {MOST_TAX_ID} letters at most.")
        return ids

    @staticmethod
    def of(details: BillingDetails) -> dict[str, str]:
        """What stands in the fields before anything is changed."""
        values = {name: getattr(details, name) for name in DetailsForm.base_fields}
        return values | {"tax_ids": "; ".join(details.tax_ids)}


class KeyForm(forms.Form):
    """A key's name, budgets, limits and reach."""

    name = forms.CharField(
        max_length=100,
        validators=[names.check],
        help_text="Where it is used, such as “production” or “Ana's laptop”.",
    )
    budget_day = _dollars("Dollars a day", "Ends at midnight UTC.")
    budget_month = _dollars("Dollars a month", "The calendar month in UTC.")
    budget_total = _dollars("Dollars in all", "Over the key's whole life.")
    requests_per_minute = _limit("Requests a minute")
    audio_seconds_per_minute = _limit("Seconds of audio a minute")
    concurrent_jobs = _limit("Requests at a time")
    scopes = forms.MultipleChoiceField(
        label="May be used to",
        choices=ApiKey.Scope.choices,
        initial=ApiKey.Scope.values,
        widget=forms.CheckboxSelectMultiple,
    )
    allowed_addresses = forms.CharField(
        label="Works from",
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3, "placeholder": "anywhere"}),
        help_text="Addresses or networks such as 203.0.113.7 or 2001:db8::/32, one a line.",
    )

    def clean_allowed_addresses(self) -> tuple[str, ...]:
        """Networks in their short form, each once."""
        networks = []
        for text in self.cleaned_data["allowed_addresses"].replace(",", " ").split():
            try:
                networks.append(str(ip_network(text)))
            except ValueError:
                raise forms.ValidationError(
                    f"{text[:50]} is no address or network; write 203.0.113.7 or 203.0.113.0/24."
                ) from None
        if len(networks) > MOST_NETWORKS:
            raise forms.ValidationError(f"At most {MOST_NETWORKS} networks.")
        return tuple(dict.fromkeys(networks))

    @staticmethod
    def initial_of(key: ApiKey, amounts: dict[str, Decimal]) -> dict[str, Any]:
        """What a key has now, to be changed; `amounts` are its budgets by period."""
        limits = {name: getattr(key, name) for name in LimitOverrides._fields}
        reach = {"scopes": key.scopes, "allowed_addresses": "\n".join(key.allowed_addresses)}
        budgets = {f"budget_{period}": f"{amount.normalize():f}" for period, amount in amounts.items()}
        return {"name": key.name, **limits, **reach, **budgets}

    def terms(self) -> Terms:
        cleaned = self.cleaned_data
        return Terms(
            name=cleaned["name"],
            limits=LimitOverrides(*(cleaned[name] for name in LimitOverrides._fields)),
            reach=Reach(tuple(cleaned["scopes"]), cleaned["allowed_addresses"]),
            budgets={period: cleaned[f"budget_{period}"] for period in Budget.Period},
        )


class NewKeyForm(KeyForm):
    expires = forms.ChoiceField(choices=EXPIRIES, required=False, label="Expires")
    field_order = ("name", "expires")

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["expires"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class RotateForm(forms.Form):
    overlap = forms.ChoiceField(choices=OVERLAPS, initial="24", label="The old key")

    def duration(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(choices=ROLES, initial=Membership.Role.DEVELOPER)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=ROLES)


class OrganizationForm(forms.Form):
    name = forms.CharField(max_length=names.MAX_LENGTH, label="Name", validators=[names.check])


class BudgetForm(forms.Form):
    """What the organization with all its keys may spend."""

    day = _dollars("Dollars a day", "Ends at midnight UTC.")
    month = _dollars("Dollars a month", "The calendar month in UTC.")


class AlertsForm(forms.Form):
    """What the organization is told of."""

    percents = forms.CharField(
        label="Percent",
        required=False,
        max_length=100,
        widget=forms.TextInput({"placeholder": "50, 80, 100", "inputmode": "decimal", "autocomplete": "off"}),
        help_text="Of each budget, the organization's and the keys'. Numbers from 1 to 100 with commas between; "
        "empty tells of none.",
    )
    budget_email = forms.BooleanField(label="By e-mail, too", required=False)
    credit = forms.DecimalField(
        label="Below, in dollars",
        required=False,
        min_value=Decimal("0.01"),
        max_value=Decimal(1_000_000),
        decimal_places=2,
        widget=forms.NumberInput({"step": "0.01", "placeholder": "never", "inputmode": "decimal"}),
        help_text="Balance and credit limit together. It tells again once there was more in between.",
    )
    credit_email = forms.BooleanField(label="By e-mail, too", required=False)

    def clean_percents(self) -> tuple[int, ...]:
        """Whole numbers, rising, each once."""
        words = self.cleaned_data["percents"].replace(",", " ").replace("%", " ").split()
        if not all(re.fullmatch("100|[1-9][0-9]?", word) for word in words):
            raise forms.ValidationError("Whole numbers from 1 to 100, such as 50, 80, 100.")
        percents = tuple(sorted({int(word) for word in words}))
        if len(percents) > MOST_THRESHOLDS:
            raise forms.ValidationError(f"At most {MOST_THRESHOLDS}.")
        return percents

    @staticmethod
    def of(rules: Rules) -> dict[str, Any]:
        """What stands in the fields before anything is changed."""
        return {
            "percents": ", ".join(map(str, rules.percents)),
            "budget_email": rules.budget_email,
            "credit": "" if rules.credit is None else f"{rules.credit:.2f}",
            "credit_email": rules.credit_email,
        }

    def rules(self) -> Rules:
        cleaned = self.cleaned_data
        return Rules(
            percents=cleaned["percents"],
            # Where there is nothing to tell, there is no choice to keep.
            budget_email=cleaned["budget_email"] or not cleaned["percents"],
            credit=cleaned["credit"],
            credit_email=cleaned["credit_email"] or cleaned["credit"] is None,
        )


class WebhookForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=500,
        widget=forms.URLInput({"placeholder": "https://example.com/speech-alerts", "autocomplete": "off"}),
        help_text="https, on port 443 or one above 1023, at a public address. Redirects are not followed.",
    )

    def clean_url(self) -> str:
        """Where it leads is looked at for every message; here already, so that a mistake is seen."""
        url: str = self.cleaned_data["url"]
        try:
            targets.resolve(targets.parse(url))
        except targets.Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return url


class DeletionForm(forms.Form):
    """What is deleted for good is typed out first."""

    name = forms.CharField(label="To confirm", max_length=254, widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["name"].label = f"Type {expected} to confirm"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.expected.strip():
            raise forms.ValidationError(f"Type exactly: {self.expected}")
        return name
