"""Forms. They validate and type their values; what is done with them is elsewhere."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

from django import forms
from django.utils import timezone

from accounts import limits, names
from accounts.keys import Reach
from accounts.limits import LIMITS, RateLimit
from accounts.models import MAX_AUDIO_DAYS, ApiKey, Membership, every_scope
from billing import budgets
from billing.alerts.rules import MOST as MOST_THRESHOLDS
from billing.alerts.rules import Rules
from billing.models import BillingDetails, Budget
from console import countries
from console.key_actions import Terms
from webhooks import targets
from webhooks.events import EVERY, KINDS

NEVER = ""
EXPIRIES = [(NEVER, "Never"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In 1 year")]
OVERLAPS = [
    ("0", "Revoke now"),
    ("1", "Keep for 1 hour"),
    ("24", "Keep for 1 day"),
    ("168", "Keep for 1 week"),
]
ROLES = [(role, label) for role, label in Membership.Role.choices if role != Membership.Role.OWNER]
MOST_TAX_ID = 60
MOST_NETWORKS = 20
"""Each is looked at on every call."""


def _budget(kind: budgets.Kind) -> forms.DecimalField:
    return forms.DecimalField(
        label=kind.label,
        help_text=kind.about,
        required=False,
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=9,
        widget=forms.NumberInput({"step": "any", "placeholder": "No limit", "inputmode": "decimal"}),
    )


def _limit(limit: RateLimit) -> forms.IntegerField:
    """A rate limit; the default, which a blank field stands for, is shown in it."""
    return forms.IntegerField(
        label=limit.label,
        required=False,
        min_value=limits.MINIMUM,
        max_value=limit.most,
        widget=forms.NumberInput({"placeholder": f"Default: {limits.default(limit.name):,}"}),
    )


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


class QuotaForm(forms.Form):
    """A field for each kind of budget that a key may have, and for each limit of `accounts.limits`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields |= {f"budget_{kind.period}": _budget(kind) for kind in budgets.KINDS}
        self.fields |= {limit.name: _limit(limit) for limit in LIMITS}

    def budget_fields(self) -> list[forms.BoundField]:
        return [self[f"budget_{kind.period}"] for kind in budgets.KINDS]

    def budgets(self) -> dict[Budget.Period, Decimal | None]:
        """What was filled in; None where the field was left empty."""
        return {kind.period: self.cleaned_data[f"budget_{kind.period}"] for kind in budgets.KINDS}

    def limit_fields(self) -> list[forms.BoundField]:
        return [self[limit.name] for limit in LIMITS]

    def limits(self) -> dict[str, int | None]:
        """What was filled in; None where the field was left empty."""
        return {limit.name: self.cleaned_data[limit.name] for limit in LIMITS}


class KeyForm(QuotaForm):
    """A key's name, budgets, limits and reach."""

    name = forms.CharField(
        max_length=100,
        validators=[names.check],
        help_text="For example “Production” or “Ana's laptop”.",
    )
    scopes = forms.MultipleChoiceField(
        label="Permissions",
        choices=ApiKey.Scope.choices,
        initial=every_scope,
        widget=forms.CheckboxSelectMultiple,
    )
    allowed_addresses = forms.CharField(
        label="Allowed IP addresses",
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3, "placeholder": "Any address"}),
        help_text="IP addresses or networks, one per line, such as 203.0.113.7 or 2001:db8::/32.",
    )

    discards_audio = forms.BooleanField(
        label="Do not store audio",
        required=False,
        help_text="Its audio and transcripts are deleted a minute after the answer.",
    )

    def clean_allowed_addresses(self) -> tuple[str, ...]:
        """Networks in their short form, each once."""
        networks = []
        for text in self.cleaned_data["allowed_addresses"].replace(",", " ").split():
            try:
                networks.append(str(ip_network(text)))
            except ValueError:
                raise forms.ValidationError(
                    f"{text[:50]} is not an IP address or network such as 203.0.113.7 or 203.0.113.0/24."
                ) from None
        if len(networks) > MOST_NETWORKS:
            raise forms.ValidationError(f"At most {MOST_NETWORKS} networks.")
        return tuple(dict.fromkeys(networks))

    @staticmethod
    def initial_of(key: ApiKey, amounts: dict[str, Decimal]) -> dict[str, Any]:
        """The key's current values; `amounts` are its budgets by period."""
        reach = {
            "scopes": key.scopes,
            "allowed_addresses": "\n".join(key.allowed_addresses),
            "discards_audio": not key.stores_audio,
        }
        own = {f"budget_{period}": f"{amount.normalize():f}" for period, amount in amounts.items()}
        return {"name": key.name, **limits.of(key), **reach, **own}

    def terms(self) -> Terms:
        cleaned = self.cleaned_data
        return Terms(
            name=cleaned["name"],
            limits=self.limits(),
            reach=Reach(tuple(cleaned["scopes"]), cleaned["allowed_addresses"], not cleaned["discards_audio"]),
            budgets=self.budgets(),
        )


class NewKeyForm(KeyForm):
    expires = forms.ChoiceField(choices=EXPIRIES, required=False, label="Expires")
    field_order = ("name", "expires")

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["expires"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class RotateForm(forms.Form):
    overlap = forms.ChoiceField(choices=OVERLAPS, initial="24", label="Old key")

    def duration(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(choices=ROLES, initial=Membership.Role.DEVELOPER)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=ROLES)


class OrganizationForm(forms.Form):
    name = forms.CharField(max_length=names.MAX_LENGTH, label="Name", validators=[names.check])


class RetentionForm(forms.Form):
    """How long an organization's audio is kept."""

    audio_days = forms.IntegerField(
        label="Days",
        required=False,
        min_value=0,
        max_value=MAX_AUDIO_DAYS,
        help_text=f"0 to {MAX_AUDIO_DAYS}. 0 deletes audio a minute after the answer. Empty: the default.",
    )


class BudgetForm(forms.Form):
    """The budgets of the organization, including all its keys: a field for each kind."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields |= {kind.period.value: _budget(kind) for kind in budgets.KINDS if kind.of_organization}

    def amounts(self) -> dict[Budget.Period, Decimal | None]:
        """What was filled in, by the period."""
        return {Budget.Period(name): amount for name, amount in self.cleaned_data.items()}


class AlertsForm(forms.Form):
    """Which alerts the organization gets."""

    percents = forms.CharField(
        label="Alert at (% of budget)",
        required=False,
        max_length=100,
        widget=forms.TextInput({"placeholder": "50, 80, 100", "inputmode": "decimal", "autocomplete": "off"}),
        help_text="For the organization's and the keys' budgets. Numbers from 1 to 100, separated by commas. "
        "Leave blank for no alerts.",
    )
    budget_email = forms.BooleanField(label="Also send by e-mail", required=False)
    credit = forms.DecimalField(
        label="Alert when credit falls below (USD)",
        required=False,
        min_value=Decimal("0.01"),
        max_value=Decimal(1_000_000),
        decimal_places=2,
        widget=forms.NumberInput({"step": "0.01", "placeholder": "No alert", "inputmode": "decimal"}),
        help_text="Counts your balance and credit limit. Re-arms when credit rises above the threshold.",
    )
    credit_email = forms.BooleanField(label="Also send by e-mail", required=False)

    def clean_percents(self) -> tuple[int, ...]:
        """Whole numbers, rising, each once."""
        words = self.cleaned_data["percents"].replace(",", " ").replace("%", " ").split()
        if not all(re.fullmatch("100|[1-9][0-9]?", word) for word in words):
            raise forms.ValidationError("Enter whole numbers from 1 to 100, such as 50, 80, 100.")
        percents = tuple(sorted({int(word) for word in words}))
        if len(percents) > MOST_THRESHOLDS:
            raise forms.ValidationError(f"Enter at most {MOST_THRESHOLDS} thresholds.")
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
            # Without thresholds the checkbox has no meaning: keep its default.
            budget_email=cleaned["budget_email"] or not cleaned["percents"],
            credit=cleaned["credit"],
            credit_email=cleaned["credit_email"] or cleaned["credit"] is None,
        )


class WebhookEventsForm(forms.Form):
    """The events that a webhook is told of."""

    enabled_events = forms.MultipleChoiceField(
        label="Events",
        choices=[(kind, f"{kind}: {text}") for kind, text in KINDS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Select none for every event, including those that are added later.",
    )

    def clean_enabled_events(self) -> list[str]:
        return self.cleaned_data["enabled_events"] or [EVERY]


class WebhookForm(WebhookEventsForm):
    field_order = ("url", "enabled_events")
    url = forms.CharField(
        label="URL",
        max_length=500,
        widget=forms.URLInput({"placeholder": "https://example.com/speech-alerts", "autocomplete": "off"}),
        help_text="An https URL at a public address, on port 443 or above 1023. We don't follow redirects.",
    )

    def clean_url(self) -> str:
        """The target is checked for every message; it is checked here, too, so that a mistake shows at once."""
        url: str = self.cleaned_data["url"]
        try:
            targets.resolve(targets.parse(url))
        except targets.Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return url


class DeletionForm(forms.Form):
    """Deletion is confirmed by typing the name."""

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
