"""What others ask about an organization's money."""

from __future__ import annotations

from accounts.models import Organization
from billing.models import Account, LedgerTransaction


def has_paid(organization: Organization) -> bool:
    """Whether money of the organization's has come in, or the operator trusts it with a credit limit."""
    paid = LedgerTransaction.objects.filter(organization=organization, kind=LedgerTransaction.Kind.TOP_UP)
    return paid.exists() or Account.objects.filter(organization=organization, credit_limit__gt=0).exists()
