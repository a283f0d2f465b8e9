"""GET /healthz: this process answers. GET /readyz: so do the database, Redis and at least one worker."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.service import Service
from inference import presence

CHECK_SECONDS = 2.0


async def healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """200 where a request would be spoken, else 503 that names what is missing."""
    service: Service = request.state.service
    database, workers = await asyncio.gather(
        _check(_ask_database(service)), _check(presence.workers(service.redis))
    )
    checks = {
        "database": "ok" if database is not None else "unavailable",
        "redis": "ok" if workers is not None else "unavailable",
        "worker": "ok" if workers else "none alive",
    }
    missing = [name for name, state in checks.items() if state != "ok"]
    shown = ("model", "device", "slots", "running")
    body: dict[str, Any] = {
        "status": "unavailable" if missing else "ok",
        "checks": checks,
        "workers": [{name: worker[name] for name in shown} for worker in workers or ()],
    }
    if missing:
        body["error"] = {
            "message": f"Not ready: {', '.join(missing)}.",
            "type": "service_unavailable_error",
            "param": None,
            "code": "not_ready",
        }
    return JSONResponse(body, 503 if missing else 200, {"retry-after": "2"} if missing else None)


async def _ask_database(service: Service) -> bool:
    async with service.database.connection(timeout=CHECK_SECONDS) as connection:
        await connection.execute("SELECT 1")
    return True


async def _check(question: Any) -> Any:
    """The answer, or None where there is none in time: a health check reports failures, it has none."""
    try:
        return await asyncio.wait_for(question, CHECK_SECONDS)
    except Exception:
        return None
