"""What an admin key does to other keys: the key and the audit log in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import audit, keys, limits
from accounts.audit import KeyActor
from accounts.identifiers import parse_prefixed
from accounts.keys import Principal, Reach
from accounts.models import ApiKey, AuditEvent, Organization, ServiceAccount
from gateway.errors import ApiError, invalid, not_found
from gateway.keys.schemas import ChangedKey, KeyTerms, NewKey

MAX_KEYS = 1000
"""Active ones of an organization."""
DEFAULT_PROJECT = "default"
ACCOUNT_PREFIX = "svc_acct_"
_Act = AuditEvent.Action


def check_project(principal: Principal, name: str) -> None:
    """An organization is one project: `default`, or `proj_` and its digits.

    Raises:
        ApiError: 404, it is none of the caller's.
    """
    if name not in (DEFAULT_PROJECT, f"proj_{principal.organization_id.hex}"):
        raise unknown_project(name)


def active(organization_id: UUID) -> QuerySet[ApiKey]:
    """The keys that work; without those that the playground lends."""
    not_expired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    live = ApiKey.objects.filter(not_expired, organization=organization_id, revoked_at=None, playground_of=None)
    return live.select_related("service_account")


def find(organization_id: UUID, name: str) -> ApiKey:
    """Raises ApiError: 404, there is no such key."""
    id = parse_prefixed("key_", name)
    key = active(organization_id).filter(id=id).first() if id else None
    if key is None:
        raise unknown(name)
    return key


def create(principal: Principal, request: NewKey, address: str | None) -> dict[str, Any]:
    """Make a key; the answer is the only place that shows its `value`.

    Raises:
        ApiError: 400, it would have expired; 409 above `MAX_KEYS`.
    """
    expires_at = None if request.expires_at is None else datetime.fromtimestamp(request.expires_at, UTC)
    if expires_at is not None and expires_at <= timezone.now():
        raise invalid("Invalid value for 'expires_at': it must be later than now.", param="expires_at")
    with transaction.atomic():
        organization = Organization.objects.select_for_update(no_key=True).get(id=principal.organization_id)
        if active(organization.id).count() >= MAX_KEYS:
            raise too_many()
        key, secret = keys.create(
            organization=organization,
            name=request.name,
            expires_at=expires_at,
            limits=request.limits(),
            reach=reach_of(request),
        )
        _record(principal, _Act.KEY_CREATED, key, address)
    return {**as_json(key), "value": secret}


def change(principal: Principal, name: str, request: ChangedKey, address: str | None) -> dict[str, Any]:
    """Give a key other terms. Raises ApiError: 404, there is none; 403, a person made it to manage keys."""

    def act(key: ApiKey) -> bool:
        return keys.change(key=key, name=request.name, limits=request.limits(), reach=reach_of(request))

    return as_json(_do(principal, name, act, _Act.KEY_CHANGED, address))


def revoke(principal: Principal, name: str, address: str | None) -> None:
    """End a key now. Raises ApiError: 404, there is none; 403, a person made it to manage keys."""
    _do(principal, name, lambda key: keys.revoke(public_id=key.public_id), _Act.KEY_REVOKED, address)


@transaction.atomic
def _do(
    principal: Principal,
    name: str,
    act: Callable[[ApiKey], bool],
    action: AuditEvent.Action,
    address: str | None,
) -> ApiKey:
    key = find(principal.organization_id, name)
    if ApiKey.Scope.ADMIN in key.scopes:
        raise protected()
    if not act(key):
        raise unknown(name)
    key.refresh_from_db()
    _record(principal, action, key, address)
    return key


def as_json(key: ApiKey) -> dict[str, Any]:
    return {
        "object": "organization.project.api_key",
        "id": f"key_{key.id.hex}",
        "name": key.name,
        "redacted_value": key.shown,
        "created_at": int(key.created_at.timestamp()),
        "last_used_at": key.last_used_at and int(key.last_used_at.timestamp()),
        "expires_at": key.expires_at and int(key.expires_at.timestamp()),
        "scopes": list(key.scopes),
        "allowed_addresses": list(key.allowed_addresses),
        **limits.of(key),
        "owner": {
            "type": "service_account",
            "service_account": key.service_account and account_as_json(key.service_account),
        },
    }


def account_as_json(account: ServiceAccount) -> dict[str, Any]:
    """A service account, as the owner of a key and by itself."""
    return {
        "id": f"{ACCOUNT_PREFIX}{account.id.hex}",
        "name": account.name,
        "role": "member",
        "created_at": int(account.created_at.timestamp()),
    }


def unknown(name: str) -> ApiError:
    return not_found(f"No API key with id {name[:100]!r}.", code="key_not_found", param="key_id")


def unknown_project(name: str) -> ApiError:
    return not_found(f"No project with id {name[:100]!r}.", code="project_not_found", param="project_id")


def protected() -> ApiError:
    return ApiError(
        403,
        "This key manages keys. Only a person can change or revoke it, in the console.",
        code="key_protected",
        param="key_id",
    )


def too_many() -> ApiError:
    return ApiError(409, f"Your organization has {MAX_KEYS} active keys. Revoke one first.", code="too_many_keys")


def reach_of(request: KeyTerms) -> Reach:
    return Reach(tuple(dict.fromkeys(request.scopes)), tuple(dict.fromkeys(request.allowed_addresses)))


def _record(principal: Principal, action: AuditEvent.Action, key: ApiKey, address: str | None) -> None:
    audit.record(
        organization_id=principal.organization_id,
        by=actor(principal, address),
        action=action,
        subject=key.name,
        key=key.named,
    )


def actor(principal: Principal, address: str | None) -> KeyActor:
    """The admin key that acts, as the audit log names it."""
    acting = ApiKey.objects.get(id=principal.key_id)
    return KeyActor(name=f"{acting.name} ({acting.named})", address=address)
