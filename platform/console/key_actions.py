"""What members do to API keys: the key, its budgets and the audit log in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts import audit, keys, limits, service_accounts
from accounts.keys import Reach
from accounts.limits import Limits
from accounts.models import ApiKey, AuditEvent
from accounts.organizations import Refused
from billing import budgets
from billing.models import Budget
from console.access import Member

_Act = AuditEvent.Action
_GONE = "This key was revoked meanwhile."


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a key is called and what it may take; a budget or limit of None is none of its own."""

    name: str
    limits: Limits
    reach: Reach
    budgets: Mapping[Budget.Period, Decimal | None]


@transaction.atomic
def create(*, member: Member, terms: Terms, expires_at: datetime | None) -> tuple[ApiKey, str]:
    """Make a key; the second value is the whole key, which can never be read again."""
    key, secret = keys.create(
        organization=member.organization,
        name=terms.name,
        expires_at=expires_at,
        limits=terms.limits,
        reach=terms.reach,
    )
    _set_budgets(member, key, terms)
    _record(member, _Act.KEY_CREATED, key)
    return key, secret


@transaction.atomic
def change(*, member: Member, key: ApiKey, terms: Terms) -> None:
    """Raises Refused where the key lives no longer."""
    if not keys.change(key=key, name=terms.name, limits=terms.limits, reach=terms.reach):
        raise Refused(_GONE)
    _set_budgets(member, key, terms)
    _record(member, _Act.KEY_CHANGED, key)


@transaction.atomic
def rotate(*, member: Member, key: ApiKey, overlap: timedelta) -> tuple[ApiKey, str]:
    """Make a key like this one, which ends after the overlap, or at once if that is zero.

    The new one has the old one's end, limits, reach and budgets; of a budget in all, what is left of it.

    Raises:
        Refused: the key lives no longer.
    """
    now = timezone.now()
    account = key.service_account_id and service_accounts.lock(key.service_account_id)
    ended = keys.expire(key=key, at=now + overlap) if overlap else keys.revoke(public_id=key.public_id)
    if not ended or (key.expires_at is not None and key.expires_at <= now):
        raise Refused("This key has expired or was revoked. Create a new one.")
    fresh, secret = keys.create(
        organization=member.organization,
        name=key.name,
        expires_at=key.expires_at,
        limits=limits.of(key),
        reach=Reach(tuple(key.scopes), tuple(key.allowed_addresses), key.stores_audio),
        service_account=account or None,
    )
    for each in of_key(key):
        amount = each.remaining if each.period == Budget.Period.TOTAL else each.amount
        period = Budget.Period(each.period)
        budgets.put(organization=member.organization, api_key_id=fresh.id, period=period, amount=amount)
    _record(
        member,
        _Act.KEY_ROTATED,
        key,
        to=f"sk-{fresh.public_id}",
        overlap_hours=int(overlap.total_seconds()) // 3600,
    )
    return fresh, secret


@transaction.atomic
def revoke(*, member: Member, key: ApiKey) -> None:
    """End a key now. Raises Refused where that has been done."""
    if not keys.revoke(public_id=key.public_id):
        raise Refused(_GONE)
    _record(member, _Act.KEY_REVOKED, key)


def of_key(key: ApiKey) -> list[budgets.Status]:
    """The key's own budgets, and how each stands."""
    holding = budgets.status(organization_id=key.organization_id, api_key_id=key.id)
    return [each for each in holding if each.scope == "key"]


def _set_budgets(member: Member, key: ApiKey, terms: Terms) -> None:
    for period, amount in terms.budgets.items():
        if amount is None:
            budgets.remove(organization=member.organization, period=period, api_key_id=key.id)
        else:
            budgets.put(organization=member.organization, period=period, amount=amount, api_key_id=key.id)


def _record(member: Member, action: AuditEvent.Action, key: ApiKey, **detail: str | int) -> None:
    audit.record(
        organization_id=member.organization.id,
        by=member.actor,
        action=action,
        subject=key.name,
        key=f"sk-{key.public_id}",
        **detail,
    )
