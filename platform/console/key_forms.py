"""Forms of an API key. They validate and type their values; what is done with them is elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

from django import forms
from django.utils import timezone

from accounts import limits, names
from accounts.keys import Reach
from accounts.limits import LIMITS, RateLimit
from accounts.models import ApiKey, every_scope
from billing import budgets
from billing.models import Budget
from console.key_actions import Terms

NEVER = ""
EXPIRIES = [(NEVER, "Never"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In 1 year")]
OVERLAPS = [
    ("0", "Revoke now"),
    ("1", "Keep for 1 hour"),
    ("24", "Keep for 1 day"),
    ("168", "Keep for 1 week"),
]
MOST_NETWORKS = 20
"""Each is looked at on every call."""


def budget_field(kind: budgets.Kind) -> forms.DecimalField:
    """A budget of a key or of the organization; blank for none."""
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


class QuotaForm(forms.Form):
    """A field for each kind of budget that a key may have, and for each limit of `accounts.limits`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields |= {f"budget_{kind.period}": budget_field(kind) for kind in budgets.KINDS}
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
