"""The ASGI application: the gateway in front, Django behind it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from django.core.asgi import get_asgi_application

if TYPE_CHECKING:
    from starlette.types import ASGIApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_asgi_application()  # loads the apps, which the gateway's models need

from gateway import app  # noqa: E402
from gateway.door.gate import Gate  # noqa: E402

# Django and Starlette describe the same protocol with types that do not meet.
application = app.build(fallback=Gate(cast("ASGIApp", _django)))
