"""Organizations and their people."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Membership, Organization, User


@transaction.atomic
def create(*, name: str, owner_email: str) -> Organization:
    """Make an organization owned by the person with this address, who is made too where unknown."""
    owner = User.objects.filter(email__iexact=owner_email).first() or User.objects.create_user(owner_email)
    organization = Organization.objects.create(name=name)
    Membership.objects.create(organization=organization, user=owner, role=Membership.Role.OWNER)
    return organization
