"""How an organization begins: with an owner, and with the promotional credit of the settings."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from accounts import organizations
from accounts.models import Organization
from billing import ledger


@transaction.atomic
def welcome(*, name: str, owner_email: str) -> Organization:
    """Make an organization and grant it the credit that a newcomer gets."""
    organization = organizations.create(name=name, owner_email=owner_email)
    if credit := settings.ENVIRONMENT.promo_credit_dollars:
        ledger.grant(organization=organization, amount=credit, cause=f"welcome:{organization.id}")
    return organization
