"""Forms for agreements with a customer: prices, credit, limits; and their effects."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import limits
from accounts.limits import LIMITS, RateLimit
from accounts.models import ApiKey, Organization
from billing import audit, terms
from billing.audit import Operator
from billing.models import Account
from gateway.catalog import MODELS
from operations.admin.base import ReasonForm


def _moment(help_text: str) -> forms.DateTimeField:
    widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": 60})
    return forms.DateTimeField(required=False, widget=widget, help_text=help_text)


def _limit(limit: RateLimit) -> forms.IntegerField:
    return forms.IntegerField(
        label=limit.label,
        required=False,
        min_value=limits.MINIMUM,
        max_value=limit.most,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Empty is the default.",
    )


class PriceForm(ReasonForm):
    dollars_per_minute = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=9, widget=UnfoldAdminDecimalFieldWidget()
    )
    valid_from = _moment("UTC. Empty is at once; never in the past.")
    valid_to = _moment("UTC, the first moment at which it no longer holds. Empty is for ever.")
    field_order = ("model", "dollars_per_minute", "valid_from", "valid_to", "reason")


class OwnPriceForm(PriceForm):
    model = forms.ChoiceField(choices=[(name, name) for name in MODELS], widget=UnfoldAdminSelectWidget())


class CreditLimitForm(ReasonForm):
    credit_limit = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text="Dollars below zero, to be invoiced. 0 is prepaid.",
    )
    field_order = ("credit_limit", "reason")

    @classmethod
    def initial_of(cls, row: Organization) -> dict[str, Any]:
        account = Account.objects.filter(organization=row).first() or Account()
        return {"credit_limit": f"{account.credit_limit:.2f}"}


class LimitsForm(ReasonForm):
    """A field for each limit of `accounts.limits`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields |= {limit.name: _limit(limit) for limit in LIMITS}
        self.order_fields([*(limit.name for limit in LIMITS), "reason"])

    @classmethod
    def initial_of(cls, row: Organization | ApiKey) -> dict[str, Any]:
        return {**limits.of(row)}


def enter_price(
    operator: Operator,
    *,
    organization: Organization | None,
    model: str,
    dollars_per_minute: Decimal,
    valid_from: datetime | None,
    valid_to: datetime | None,
    **_: Any,
) -> str:
    """Enter the price of a form; returns a message."""
    price = terms.set_price(
        model=model,
        dollars_per_minute=dollars_per_minute,
        organization=organization,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    whose = f"organization {organization.pk}" if organization else "everybody"
    audit.record(operator, what=f"price {price.pk} entered for {whose}: {price}")
    return f"Entered: {price}."


def put_limits(subject: Organization | ApiKey, operator: Operator, asked: dict[str, Any], *, of: str) -> str:
    """Set the limits of a form; returns a message."""
    values = {limit: asked[limit.name] for limit in LIMITS}
    limits.put(subject, **{limit.name: value for limit, value in values.items()})
    said = ", ".join(f"{value or 'default'} {limit.name.replace('_', ' ')}" for limit, value in values.items())
    audit.record(operator, what=f"limits of {of} set: {said}")
    return f"Limits: {said}."
