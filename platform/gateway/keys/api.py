"""/v1/organization/projects/{project_id}/api_keys, in OpenAI's shape where it fits
(https://platform.openai.com/docs/api-reference/project-api-keys), and POST /v1/realtime/client_secrets.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accounts.client_secrets import ClientSecret
from accounts.keys import Principal
from accounts.models import ApiKey
from gateway import database_threads
from gateway.keys import acts
from gateway.keys.schemas import ChangedKey, ClientSecretRequest, NewKey
from gateway.pages import Page
from gateway.parsing import SMALL_BODY_BYTES, parse, read_request
from gateway.service import Service


class KeysResource(HTTPEndpoint):
    """/v1/organization/projects/{project_id}/api_keys"""

    async def post(self, request: Request) -> Response:
        principal = await admin(request)
        body = await read_request(request, NewKey, limit=SMALL_BODY_BYTES)
        return JSONResponse(await database_threads.run(acts.create, principal, body, address_of(request)))

    async def get(self, request: Request) -> Response:
        principal = await admin(request)
        page = parse(Page, dict(request.query_params))
        found = await database_threads.run(_list, principal.organization_id, page)
        return JSONResponse(page.listed(found, acts.as_json))


class KeyResource(HTTPEndpoint):
    """/v1/organization/projects/{project_id}/api_keys/{key_id}"""

    async def get(self, request: Request) -> Response:
        principal = await admin(request)
        key = await database_threads.run(acts.find, principal.organization_id, request.path_params["key_id"])
        return JSONResponse(acts.as_json(key))

    async def post(self, request: Request) -> Response:
        principal = await admin(request)
        name = request.path_params["key_id"]
        await database_threads.run(acts.find, principal.organization_id, name)
        body = await read_request(request, ChangedKey, limit=SMALL_BODY_BYTES)
        return JSONResponse(await database_threads.run(acts.change, principal, name, body, address_of(request)))

    async def delete(self, request: Request) -> Response:
        principal = await admin(request)
        name = request.path_params["key_id"]
        await database_threads.run(acts.revoke, principal, name, address_of(request))
        return JSONResponse({"id": name, "object": "organization.project.api_key.deleted", "deleted": True})


async def create_client_secret(request: Request) -> Response:
    """POST /v1/realtime/client_secrets"""
    service: Service = request.state.service
    principal = await service.keys.authenticate(request)
    async with service.limiter.slot(principal) as slot:
        body = await read_request(request, ClientSecretRequest, limit=SMALL_BODY_BYTES)
        expires_at = timezone.now() + timedelta(seconds=body.expires_after.seconds)
        if principal.expires_at is not None:
            expires_at = min(expires_at, principal.expires_at)
        key = await database_threads.run(ApiKey.objects.get, id=principal.key_id)
        secret = ClientSecret(public_id=key.public_id, expires_at=expires_at, origins=tuple(body.origins))
        answer = {
            "object": "client_secret",
            "value": secret.write(),
            "expires_at": int(expires_at.timestamp()),
            "scopes": body.scopes,
            "origins": body.origins,
        }
        return JSONResponse(answer, headers=slot.headers)


async def admin(request: Request) -> Principal:
    """The caller, an admin key. Raises ApiError: another key, or 404 for another's project."""
    service: Service = request.state.service
    principal = await service.keys.authenticate(request)
    acts.check_project(principal, request.path_params["project_id"])
    return principal


def address_of(request: Request) -> str | None:
    return request.client.host if request.client else None


def _list(organization_id: UUID, page: Page) -> list[ApiKey]:
    return page.newest(acts.active(organization_id), lambda name: acts.find(organization_id, name))
