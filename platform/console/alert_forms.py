"""Forms of alerts and of webhooks. They validate and type their values; what is done with them is elsewhere."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms

from billing.alerts.rules import MOST as MOST_THRESHOLDS
from billing.alerts.rules import Rules
from webhooks import targets
from webhooks.events import EVERY, KINDS


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
