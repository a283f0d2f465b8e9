"""The management API's ground: Django REST framework with our callers, our errors and our log.

What is asked thousands of times a second is not here, so it may cost a thread: these routes run in Django, behind
the gateway's router, which has authenticated the caller before it hands the request on (`gateway.app.Managed`).
"""

from __future__ import annotations

import logging
from typing import Any, cast

from django.db import OperationalError
from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.keys import Principal
from gateway.errors import ApiError, internal, missing_key, of_status, service_unavailable
from inference.failures import place_of

log = logging.getLogger(__name__)


class Caller(BaseAuthentication):
    """`request.auth` is the principal that the gateway found; without one there is no way in."""

    def authenticate(self, request: Request) -> tuple[None, Principal]:
        principal = _state(request).get("principal")
        if not isinstance(principal, Principal):
            raise missing_key()
        return None, principal


class OneFormat(BaseContentNegotiation):
    """Whatever the client accepts, it gets what it asked for in the query; errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ManagementView(APIView):
    """A view of the caller's own organization: whatever it asks the database, it asks with that id."""

    authentication_classes = (Caller,)
    permission_classes = ()  # who got past `Caller` may see all that is its organization's
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = OneFormat

    def principal(self, request: Request) -> Principal:
        return cast("Principal", request.auth)


def answer_error(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Any error as OpenAI's envelope, and its code in the request log."""
    refusal = _refusal_of(error)
    if (row := _state(context["request"]).get("row")) is not None:
        row.refuse(refusal.code, refusal.message, refusal.param)
    return HttpResponse(
        refusal.body(), status=refusal.status, headers=refusal.headers, content_type="application/json"
    )


def _refusal_of(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, exceptions.MethodNotAllowed | exceptions.NotAcceptable):
        return of_status(error.status_code)
    log.error("the management API failed\n%s", place_of(error))
    if isinstance(error, OperationalError):
        return service_unavailable()
    return internal()


def _state(request: Request) -> dict[str, Any]:
    """What the gateway put beside the request."""
    scope: dict[str, Any] = getattr(request._request, "scope", {})
    state: dict[str, Any] = scope.get("state", {})
    return state
