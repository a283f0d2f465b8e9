"""The key that a member's playground calls the API with: one per member, renewed every few minutes.

It is one row, so that the usage has one line for it. Each loan has a public id of its own: what a gateway still
remembers of the loan before is then about another key, and refuses nothing that is good.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey, Organization, User

LIFE = timedelta(minutes=10)
NAME = "Playground"


def lend_key(*, organization: Organization, user: User) -> tuple[str, datetime]:
    """A whole key and its expiry. It can only generate speech. The member's previous key is revoked."""
    secret = keys.new_secret()
    expires_at = timezone.now() + LIFE
    ApiKey.objects.update_or_create(
        organization=organization,
        playground_of=user,
        defaults={
            **secret.columns,
            "name": NAME,
            "scopes": [ApiKey.Scope.SPEECH.value],
            "expires_at": expires_at,
            "revoked_at": None,
        },
    )
    return secret.whole, expires_at
