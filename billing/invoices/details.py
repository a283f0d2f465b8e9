"""The seller and the customer, as printed on documents."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.models import Membership, Organization
from billing.models import Account, BillingDetails

_PAYERS = (Membership.Role.OWNER, Membership.Role.BILLING)


def of(organization: Organization) -> BillingDetails:
    """The organization's details; those of one that gave none have its name."""
    return BillingDetails.objects.filter(organization=organization).first() or BillingDetails(
        organization=organization
    )


def put(*, organization: Organization, **changes: Any) -> BillingDetails:
    """Change an organization's details, for the invoices from now on.

    Raises:
        ValidationError: a value cannot be right; the error names its field.
    """
    details = of(organization)
    if unknown := changes.keys() - {field.name for field in BillingDetails._meta.fields}:
        raise ValidationError(dict.fromkeys(sorted(unknown), "there is no such field"))
    for name, value in changes.items():
        setattr(details, name, value)
    details.full_clean(exclude=["organization"], validate_constraints=False)
    details.save()
    return details


def terms(organization: Organization) -> str:
    """ "prepaid", or "net 30" where the account may go below zero and is invoiced."""
    invoiced = Account.objects.filter(organization=organization, credit_limit__gt=0).exists()
    return f"net {of(organization).net_days}" if invoiced else "prepaid"


def addressees(organization: Organization) -> list[str]:
    """Where e-mails about money go: the billing address, else the owners and the billing members."""
    if email := of(organization).email:
        return [email]
    payers = Membership.objects.filter(organization=organization, role__in=_PAYERS)
    return list(payers.order_by("created_at").values_list("user__email", flat=True))


def customer(details: BillingDetails) -> dict[str, Any]:
    """What an invoice keeps of whom it is for."""
    place = " ".join(part for part in (details.postal_code, details.city) if part)
    lines = (details.line1, details.line2, place, details.state, details.country)
    return {
        "name": details.legal_name or details.organization.name,
        "address": [line for line in lines if line],
        "tax_ids": list(details.tax_ids),
        "email": details.email,
    }


def seller() -> dict[str, Any]:
    """The seller's details that an invoice keeps."""
    return {
        "name": settings.COMPANY_NAME,
        "address": settings.COMPANY_ADDRESS,
        "tax_ids": settings.COMPANY_TAX_IDS,
        "email": settings.COMPANY_EMAIL,
        "payment": settings.COMPANY_PAYMENT,
    }
