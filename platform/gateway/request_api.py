"""GET /v1/requests/{id}: what the log says of one call, for whoever has its `x-request-id`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accounts.identifiers import parse_prefixed
from billing import pricing
from gateway.errors import ApiError, not_found
from gateway.service import Service
from inference.audio import SAMPLE_RATE

LOOKS = 10
LOOK_SECONDS = 0.1
"""Between two looks for a row that may be on its way: rows are written in batches behind the answers."""
ON_ITS_WAY_SECONDS = 900.0
"""How long ago a call may have begun whose row is waited for."""


@dataclass(frozen=True, slots=True)
class _Logged:
    id: UUID
    created_at: datetime
    job_id: UUID | None
    method: str
    route: str
    status: int
    error_code: str
    error_message: str
    error_param: str
    model: str
    voice: str
    format: str
    characters: int | None
    samples: int | None
    cost: Decimal | None
    queue_ms: int | None
    first_audio_ms: int | None
    synthesis_ms: int | None
    total_ms: int

    def as_json(self) -> dict[str, Any]:
        failed = {"code": self.error_code, "message": self.error_message, "param": self.error_param or None}
        return {
            "id": f"req_{self.id.hex}",
            "object": "request",
            "created_at": self.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "method": self.method,
            "route": self.route,
            "status": self.status,
            "error": failed if self.error_code else None,
            "model": self.model or None,
            "voice": self.voice or None,
            "format": self.format or None,
            "characters": self.characters,
            "audio_id": f"audio_{self.job_id.hex}" if self.job_id else None,
            "audio_seconds": None if self.samples is None else self.samples / SAMPLE_RATE,
            "cost_usd": None if self.cost is None else pricing.show(self.cost),
            "timings": {
                "queue_ms": self.queue_ms,
                "first_audio_ms": self.first_audio_ms,
                "synthesis_ms": self.synthesis_ms,
                "total_ms": self.total_ms,
            },
        }


async def get_request(request: Request) -> Response:
    """One call of the caller's organization. Raises ApiError: 404 for what is unknown or another's."""
    service: Service = request.state.service
    principal = await service.keys.authenticate(request)
    name = request.path_params["request_id"]
    id = parse_prefixed("req_", name)
    if id is not None:
        for _ in range(LOOKS if _may_be_on_its_way(id) else 1):
            if (logged := await _find(service, id, principal.organization_id)) is not None:
                return JSONResponse(logged.as_json())
            await asyncio.sleep(LOOK_SECONDS)
    raise unknown(name)


def unknown(name: str) -> ApiError:
    return not_found(
        f"No request with id {name[:100]!r}. A request is in the log once its answer has ended.",
        code="request_not_found",
        param="request_id",
    )


async def _find(service: Service, id: UUID, organization_id: UUID) -> _Logged | None:
    columns = ", ".join(_Logged.__slots__)
    async with (
        service.database.connection() as connection,
        connection.cursor(row_factory=class_row(_Logged)) as cursor,
    ):
        await cursor.execute(
            f"SELECT {columns} FROM gateway_requestlog WHERE id = %s AND organization_id = %s",  # noqa: S608 - our own
            (id, organization_id),
        )
        return await cursor.fetchone()


def _may_be_on_its_way(id: UUID) -> bool:
    """Whether the id, a UUIDv7, is of these minutes."""
    return abs(time.time() - (id.int >> 80) / 1000) < ON_ITS_WAY_SECONDS
