"""Service accounts: what speaks for an organization without being a person, and owns the keys it speaks with."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import keys
from accounts.keys import EVERYTHING, Reach
from accounts.limits import Limits
from accounts.models import ApiKey, Organization, ServiceAccount

KEY_NAME = "Secret Key"


@transaction.atomic
def create(
    *, organization: Organization, name: str, limits: Limits, reach: Reach = EVERYTHING
) -> tuple[ServiceAccount, ApiKey, str]:
    """Make a service account with one key; the last value is the whole key, which cannot be read again."""
    account = ServiceAccount.objects.create(organization=organization, name=name)
    key, secret = keys.create(
        organization=organization, name=KEY_NAME, limits=limits, reach=reach, service_account=account
    )
    return account, key, secret


@transaction.atomic
def delete(account: ServiceAccount) -> list[ApiKey] | None:
    """End an account and all its keys; returns the keys that this revoked, None where it had ended before."""
    there = lock(account.id)
    if there is None:
        return None
    now = timezone.now()
    there.deleted_at = now
    there.save(update_fields=["deleted_at"])
    revoked = list(there.keys.filter(revoked_at=None))
    there.keys.filter(revoked_at=None).update(revoked_at=now)
    return revoked


def lock(account_id: UUID) -> ServiceAccount | None:
    """The account if it has not ended, locked: who gives it a key does this first, so that no key outlives it."""
    return ServiceAccount.objects.select_for_update().filter(id=account_id, deleted_at=None).first()
