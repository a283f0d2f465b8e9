"""/v1/organization/projects/{project_id}/service_accounts, in OpenAI's shape
(https://platform.openai.com/docs/api-reference/project-service-accounts).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accounts import audit, service_accounts
from accounts.identifiers import parse_prefixed
from accounts.keys import Principal
from accounts.models import AuditEvent, Organization, ServiceAccount
from gateway import database_threads
from gateway.errors import ApiError, not_found
from gateway.keys import acts
from gateway.keys.api import address_of, admin
from gateway.keys.schemas import NewServiceAccount
from gateway.pages import Page
from gateway.parsing import SMALL_BODY_BYTES, parse, read_request

MAX_ACCOUNTS = 1000
"""Of an organization."""
_Act = AuditEvent.Action


class ServiceAccountsResource(HTTPEndpoint):
    """/v1/organization/projects/{project_id}/service_accounts"""

    async def post(self, request: Request) -> Response:
        principal = await admin(request)
        body = await read_request(request, NewServiceAccount, limit=SMALL_BODY_BYTES)
        return JSONResponse(await database_threads.run(_create, principal, body, address_of(request)))

    async def get(self, request: Request) -> Response:
        principal = await admin(request)
        page = parse(Page, dict(request.query_params))
        found = await database_threads.run(_list, principal.organization_id, page)
        return JSONResponse(page.listed(found, as_json))


class ServiceAccountResource(HTTPEndpoint):
    """/v1/organization/projects/{project_id}/service_accounts/{service_account_id}"""

    async def get(self, request: Request) -> Response:
        principal = await admin(request)
        name = request.path_params["service_account_id"]
        return JSONResponse(as_json(await database_threads.run(_find, principal.organization_id, name)))

    async def delete(self, request: Request) -> Response:
        principal = await admin(request)
        name = request.path_params["service_account_id"]
        await database_threads.run(_delete, principal, name, address_of(request))
        return JSONResponse(
            {"id": name, "object": "organization.project.service_account.deleted", "deleted": True}
        )


def as_json(account: ServiceAccount) -> dict[str, Any]:
    return {"object": "organization.project.service_account", **acts.account_as_json(account)}


def unknown(name: str) -> ApiError:
    return not_found(
        f"No service account with id {name[:100]!r}.",
        code="service_account_not_found",
        param="service_account_id",
    )


def too_many() -> ApiError:
    return ApiError(
        409,
        f"Your organization has {MAX_ACCOUNTS} service accounts. Delete one first.",
        code="too_many_service_accounts",
    )


def _create(principal: Principal, request: NewServiceAccount, address: str | None) -> dict[str, Any]:
    """Make a service account; the answer is the only place that shows its key's `value`.

    Raises:
        ApiError: 409 above `MAX_ACCOUNTS`, or above `acts.MAX_KEYS`.
    """
    with transaction.atomic():
        organization = Organization.objects.select_for_update(no_key=True).get(id=principal.organization_id)
        if _live(organization.id).count() >= MAX_ACCOUNTS:
            raise too_many()
        if acts.active(organization.id).count() >= acts.MAX_KEYS:
            raise acts.too_many()
        account, key, secret = service_accounts.create(
            organization=organization, name=request.name, limits=request.limits(), reach=acts.reach_of(request)
        )
        _record(principal, _Act.SERVICE_ACCOUNT_CREATED, account, address, key=key.named)
    made = {
        "object": "organization.project.service_account.api_key",
        "id": f"key_{key.id.hex}",
        "name": key.name,
        "created_at": int(key.created_at.timestamp()),
        "value": secret,
    }
    return {**as_json(account), "api_key": made}


@transaction.atomic
def _delete(principal: Principal, name: str, address: str | None) -> None:
    """End a service account with its keys. Raises ApiError: 404, there is none."""
    account = _find(principal.organization_id, name)
    revoked = service_accounts.delete(account)
    if revoked is None:
        raise unknown(name)
    keys = ", ".join(key.named for key in revoked) or "none"
    _record(principal, _Act.SERVICE_ACCOUNT_DELETED, account, address, keys=keys)


def _live(organization_id: UUID) -> QuerySet[ServiceAccount]:
    return ServiceAccount.objects.filter(organization=organization_id, deleted_at=None)


def _find(organization_id: UUID, name: str) -> ServiceAccount:
    """Raises ApiError: 404, there is no such service account."""
    id = parse_prefixed(acts.ACCOUNT_PREFIX, name)
    account = _live(organization_id).filter(id=id).first() if id else None
    if account is None:
        raise unknown(name)
    return account


def _list(organization_id: UUID, page: Page) -> list[ServiceAccount]:
    return page.newest(_live(organization_id), lambda name: _find(organization_id, name))


def _record(
    principal: Principal,
    action: AuditEvent.Action,
    account: ServiceAccount,
    address: str | None,
    **detail: str,
) -> None:
    audit.record(
        organization_id=principal.organization_id,
        by=acts.actor(principal, address),
        action=action,
        subject=account.name,
        **detail,
    )
