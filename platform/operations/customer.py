"""One customer on one page: money, people, keys, agreements and links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, Membership, Organization
from billing.models import Account, Invoice, Price
from usage import usage

MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What an operator needs first."""

    account: Account
    available: Decimal
    spent: dict[str, Decimal]
    """`today` and this `month`."""
    prices: list[Price]
    """Custom prices, current and future."""
    members: list[Membership]
    keys: list[ApiKey]
    """Active keys, most recently used first."""
    invoices: list[Invoice]
    now: datetime


def sheet(organization: Organization) -> Sheet:
    """In a fixed number of queries."""
    now = timezone.now()
    account = Account.objects.filter(organization=organization).first() or Account()
    live = Q(expires_at=None) | Q(expires_at__gt=now)
    keys = ApiKey.objects.filter(live, organization=organization, revoked_at=None, playground_of=None)
    invoices = Invoice.objects.filter(organization=organization).exclude(number=None)
    return Sheet(
        account=account,
        available=account.balance + account.credit_limit - account.held,
        spent=usage.spent(organization_id=organization.pk),
        prices=list(
            Price.objects.filter(Q(valid_to=None) | Q(valid_to__gt=now), organization=organization).order_by(
                "valid_from"
            )
        ),
        members=list(
            Membership.objects.filter(organization=organization).select_related("user").order_by("user__email")
        ),
        keys=list(keys.order_by("-last_used_at", "-id")[:MOST]),
        invoices=list(invoices.order_by("-start", "-number")[:MOST]),
        now=now,
    )
