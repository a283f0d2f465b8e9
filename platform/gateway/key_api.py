"""GET /v1/key: what the caller's key may do, what it has done, and what is left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.keys import Principal
from accounts.models import ApiKey
from billing import budgets, pricing
from billing.models import Account
from gateway.limits import limiter
from gateway.limits.limits import ScopedLimits, limits_of
from gateway.rest import ManagementView
from usage import rollups, usage


class KeyView(ManagementView):
    """Money is decimal strings of nine places; `remaining` is null where Redis cannot say it."""

    def get(self, request: Request) -> Response:
        principal = self.principal(request)
        key = ApiKey.objects.select_related("organization").get(id=principal.key_id)
        organization_id = principal.organization_id
        rollups.refresh(organization_id=organization_id)
        return Response(
            {
                "object": "key",
                "id": f"sk-{key.public_id}",
                "name": key.name,
                "created_at": _iso(key.created_at),
                "expires_at": key.expires_at and _iso(key.expires_at),
                "organization": {"id": f"org_{organization_id.hex}", "name": key.organization.name},
                "limits": _limits(principal),
                "spend_usd": {
                    "key": _shown(usage.spent(organization_id=organization_id, api_key_id=key.id)),
                    "organization": _shown(usage.spent(organization_id=organization_id)),
                },
                "budgets": _budgets(principal),
                "credit_usd": _credit(organization_id),
            }
        )


def _limits(principal: Principal) -> dict[str, Any]:
    limits = limits_of(principal)
    remaining = limiter.remaining(limits)
    return {each.scope: _limit(each, left) for each, left in zip(limits, remaining, strict=True)}


def _limit(limits: ScopedLimits, left: dict[str, int] | None) -> dict[str, Any]:
    # What no counter counts is there in full for every request.
    return {
        name: {"limit": value, "remaining": left and left.get(name, value)}
        for name, value in limits.values.items()
    }


def _budgets(principal: Principal) -> list[dict[str, Any]]:
    """The budgets that hold for this key, each with what its running period has used and holds."""
    holding = budgets.status(organization_id=principal.organization_id, api_key_id=principal.key_id)
    return [
        {
            "scope": each.scope,
            "period": each.period,
            **_shown({"limit": each.amount, "spent": each.spent, "held": each.held, "remaining": each.remaining}),
        }
        for each in holding
    ]


def _credit(organization_id: UUID) -> dict[str, str]:
    account = Account.objects.filter(organization_id=organization_id).first() or Account()
    return _shown(
        {
            "balance": account.balance,
            "promotional": account.promotional,
            "held": account.held,
            "available": account.balance + account.credit_limit - account.held,
        }
    )


def _shown(amounts: dict[str, Any]) -> dict[str, str]:
    return {name: pricing.show(amount) for name, amount in amounts.items()}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
