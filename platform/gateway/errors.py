"""Errors as OpenAI's clients expect them: an envelope whose four members are always there.

`{"error": {"message": str, "type": str, "param": str | null, "code": str | null}}`
(https://github.com/openai/openai-openapi, schema `ErrorResponse`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

import psycopg
import redis
from psycopg_pool import PoolTimeout
from starlette.responses import Response

from billing import budgets
from billing.reservations import Limit


class ApiError(Exception):
    """An answer other than success. `headers` go out with it; `retry` tells OpenAI's SDKs whether to try again."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        type: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
        retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.type = type
        self.headers = dict(headers or {})
        if retry is not None:
            self.headers["x-should-retry"] = str(retry).lower()

    def members(self) -> dict[str, str | None]:
        """What is in the envelope."""
        return {"message": self.message, "type": self.type, "param": self.param, "code": self.code}

    def body(self, **beside: object) -> str:
        """The envelope; in a stream with the usage `beside` it."""
        return json.dumps({"error": self.members(), **beside})

    def response(self) -> Response:
        return Response(self.body(), self.status, self.headers, media_type="application/json")


def invalid(message: str, *, param: str | None = None, code: str = "invalid_value") -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message, code=code, param=param)


def invalid_key() -> ApiError:
    """The same words for a malformed, unknown, wrong, revoked and expired key: nothing to enumerate."""
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "Incorrect API key provided: it is unknown, revoked or expired.",
        code="invalid_api_key",
        headers={"www-authenticate": "Bearer"},
    )


def missing_key() -> ApiError:
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "You didn't provide an API key. Send it as `Authorization: Bearer sk-…`.",
        code="missing_api_key",
        headers={"www-authenticate": "Bearer"},
    )


def wrong_address() -> ApiError:
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "This API key does not work from your address: its organization allows it from certain addresses only.",
        code="ip_not_authorized",
        headers={"www-authenticate": "Bearer"},
    )


def wrong_origin() -> ApiError:
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "This client secret does not work from your web page: it was made for other origins.",
        code="origin_not_allowed",
        headers={"www-authenticate": "Bearer"},
    )


def missing_scope(scope: str) -> ApiError:
    return ApiError(
        HTTPStatus.FORBIDDEN,
        f"You have insufficient permissions for this operation: this API key lacks the scope {scope!r}.",
        code="missing_scope",
    )


def account_deactivated() -> ApiError:
    """OpenAI's code for an account that its operator has closed the door on."""
    return ApiError(
        HTTPStatus.FORBIDDEN,
        "Your organization is suspended by the operator of this service: no request is served. Get in touch with "
        "the operator, who knows why.",
        code="account_deactivated",
    )


def unsupported_type(media_type: str, *, send: str) -> ApiError:
    return ApiError(
        415,
        f"Unsupported content type {media_type[:100]!r}: send {send}.",
        code="unsupported_media_type",
    )


def body_too_large(limit: int, *, recordings: bool = False) -> ApiError:
    """For a body of more than `limit` bytes; where it may hold recordings, they come on top."""
    return ApiError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The request body is larger than the {limit} bytes allowed"
        f"{', not counting recordings' if recordings else ''}.",
        code="request_too_large",
        headers={"connection": "close"},
    )


def not_found(message: str, *, code: str = "not_found", param: str | None = None) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, message, code=code, param=param)


def out_of_credit() -> ApiError:
    return ApiError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "You exceeded your credit: what is left, less what running requests hold, does not cover this request. "
        "Lower max_completion_tokens, send less text, or add credit.",
        code="insufficient_quota",
        type="insufficient_quota",
        retry=False,
    )


def hold_refused(code: str, costs: str) -> ApiError:
    """Speech was ended before its end: it took longer than expected, and no more money could be held for it."""
    reason = {
        "insufficient_quota": "your credit, less what running requests hold, was used up: add credit",
        "budget_exceeded": "a budget of your organization or of this API key was used up",
        "billing_not_active": "your account was suspended: pay the overdue invoice",
    }[code]
    return ApiError(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"The text took longer to speak than expected, and {reason}; {costs}.",
        code=code,
        type="billing_not_active" if code == "billing_not_active" else "insufficient_quota",
        retry=False,
    )


def account_suspended() -> ApiError:
    """OpenAI's code for an account that does not pay."""
    return ApiError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Your account is suspended: an invoice is overdue in spite of our reminders. Pay it, and requests are "
        "served again.",
        code="billing_not_active",
        type="billing_not_active",
        retry=False,
    )


def out_of_budget(limit: Limit) -> ApiError:
    """A budget that the organization set is used up; which one, and for how long, is said."""
    owner = {"organization": "your organization", "key": "this API key"}[limit.scope]
    return ApiError(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"You exceeded the budget of {owner}: ${limit.amount.normalize():f} "
        f"{budgets.kind_of(limit.period).span}. What is left of it, less what "
        "running requests hold, does not cover this request.",
        code="budget_exceeded",
        type="insufficient_quota",
        retry=False,
    )


def rate_limited(message: str, *, type: str, headers: Mapping[str, str]) -> ApiError:
    """A limit is reached that time alone lifts; `headers` say when."""
    return ApiError(
        HTTPStatus.TOO_MANY_REQUESTS, message, code="rate_limit_exceeded", type=type, headers=headers, retry=True
    )


def unavailable(message: str, *, code: str, retry_after_seconds: int) -> ApiError:
    return ApiError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        message,
        code=code,
        type="service_unavailable_error",
        headers={"retry-after": str(retry_after_seconds)},
    )


def service_unavailable() -> ApiError:
    return unavailable(
        "The service is not available for a moment. Please try again.",
        code="service_unavailable",
        retry_after_seconds=1,
    )


def unforeseen(error: Exception) -> ApiError:
    """What a client is told of an error that is no refusal: whether the database or Redis is away, and no more."""
    if isinstance(error, psycopg.OperationalError | PoolTimeout | redis.RedisError):
        return service_unavailable()
    return internal()


def no_room() -> ApiError:
    """Redis has no memory for another stream; running requests finish and free some."""
    return unavailable(
        "The service has no room for a further request right now. Please try again shortly.",
        code="service_overloaded",
        retry_after_seconds=5,
    )


def timed_out(seconds: float, costs: str) -> ApiError:
    """The first audio, or after it the rest, took too long. `costs` says what is billed."""
    return ApiError(
        HTTPStatus.GATEWAY_TIMEOUT,
        f"The audio was not ready within {seconds:g} seconds, or its rest took too long after that; {costs}.",
        code="timeout",
        type="server_error",
    )


def cancelled(costs: str) -> ApiError:
    """`costs` says what is billed."""
    return ApiError(
        HTTPStatus.CONFLICT,
        f"This request was cancelled; {costs}.",
        code="cancelled",
        retry=False,
    )


def client_closed() -> ApiError:
    """For the log only: the client is gone. 499 is nginx's status for it."""
    return ApiError(499, "The client closed the connection.", code="client_closed")


def voice_not_supported(param: str = "voice") -> ApiError:
    return invalid(
        "The engine in service cannot speak in a voice of your own: choose one that `GET /v1/voices` lists.",
        code="voice_not_supported",
        param=param,
    )


def expired(param: str = "audio_id") -> ApiError:
    return ApiError(HTTPStatus.GONE, "This audio has expired or was deleted.", code="audio_expired", param=param)


def internal(costs: str = "it costs nothing") -> ApiError:
    """`costs` says what is billed."""
    return ApiError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"The server had an error while processing your request; {costs}. "
        "Please try again, and name the x-request-id if it happens again.",
        code="internal_error",
        type="server_error",
    )


def of_status(status: int, headers: Mapping[str, str] | None = None) -> ApiError:
    """The envelope for what the router refuses: 404, 405 and their kin."""
    phrase = HTTPStatus(status).phrase
    return ApiError(
        status,
        f"{phrase}: there is no such route here, or not with this method.",
        code=phrase.lower().replace(" ", "_"),
        headers=headers,
    )
