"""The first customer of an embedded installation: an organization with a little credit and one key."""

from __future__ import annotations

from django.db import transaction

from accounts import keys
from accounts.models import ApiKey, Organization
from console import onboarding

NAME = "Demo"
OWNER = "demo@example.com"
KEY_NAME = "make run"


@transaction.atomic
def ensure_demo() -> str | None:
    """Make the demo organization and return its key; None where there is one already."""
    if Organization.objects.filter(name=NAME, members__email=OWNER).exists():
        return None
    organization = onboarding.welcome(name=NAME, owner_email=OWNER)
    return keys.create(organization=organization, name=KEY_NAME)[1]


@transaction.atomic
def renew_demo_key() -> str:
    """Revoke the demo organization's keys of ours and make another, for whoever lost the first."""
    organization = Organization.objects.get(name=NAME, members__email=OWNER)
    for key in ApiKey.objects.filter(organization=organization, name=KEY_NAME, revoked_at=None):
        keys.revoke(public_id=key.public_id)
    return keys.create(organization=organization, name=KEY_NAME)[1]
