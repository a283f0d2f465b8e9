"""`manage.py gateway`: serve HTTP."""

from __future__ import annotations

from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

GRACE_SECONDS = 10


class Command(BaseCommand):
    help = "Serve the API and the pages on HOST and PORT."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        uvicorn.run(
            "config.asgi:application",
            host=settings.ENVIRONMENT.host,
            port=settings.ENVIRONMENT.port,
            http="httptools",
            loop="auto",  # uvloop, where there is one
            lifespan="on",
            log_config=None,  # Django's logging stands
            access_log=False,  # every request has a row in the request log
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
