"""`manage.py gateway`: serve HTTP."""

from __future__ import annotations

import resource
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from gateway import database_threads
from gateway.door import gate

GRACE_SECONDS = 10
POOL_SECONDS = 3
"""How long a page waits for a connection before it says that the database is away."""
OTHER_FILES = 512
"""Open files beside the clients' connections: those to PostgreSQL and Redis, audio, code."""


class Command(BaseCommand):
    help = "Serve the API and the pages on HOST and PORT."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        from gateway.door import sockets  # once the apps are there
        from gateway.door.server import BoundedProtocol
        from gateway.door.sockets import CountedSocket

        environment = settings.ENVIRONMENT
        _allow_files(environment.max_connections + OTHER_FILES)
        _share_connections()
        uvicorn.run(
            "config.asgi:application",
            host=environment.host,
            port=environment.port,
            http=BoundedProtocol,
            ws=CountedSocket,
            ws_max_size=sockets.MAX_MESSAGE_BYTES,
            ws_ping_interval=sockets.PING_SECONDS,
            ws_ping_timeout=sockets.PING_SECONDS,
            ws_per_message_deflate=False,  # audio does not compress, and a small message can become a large one
            loop="auto",  # uvloop, where there is one
            lifespan="on",
            log_config=None,  # Django's logging stands
            access_log=False,  # every request has a row in the request log
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=environment.keep_alive_seconds,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )


def _allow_files(wanted: int) -> None:
    """Let this process open so many files, as far as it may decide that: many shells start with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _share_connections() -> None:
    """Let Django borrow from a pool: under ASGI each request has a thread of its own, so that a connection kept by
    the thread serves no second one. The role is the pages' own; speech has connections that they cannot use up.
    """
    database = connections.settings["default"]
    web = settings.WEB_DATABASE
    database.update({name: web[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")})
    size = gate.AT_ONCE + database_threads.THREADS
    # A connection that does not come back in that time is asked for anew, not after ever longer waits.
    pool = {"min_size": 1, "max_size": size, "timeout": POOL_SECONDS, "reconnect_timeout": POOL_SECONDS}
    database["CONN_MAX_AGE"] = 0
    database["OPTIONS"] = {**web["OPTIONS"], "pool": pool}
