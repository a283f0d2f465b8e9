"""Sample errors for the API's document. They come from the functions that make the real errors, so that message,
type and code are those that a client gets.
"""

from __future__ import annotations

from decimal import Decimal

from billing.reservations import Limit
from gateway import catalog, errors, pronouncing
from gateway.errors import ApiError
from gateway.limits.limits import Bucket, bucket_refusal
from gateway.parsing import SMALL_BODY_BYTES
from gateway.speech import conversation, own_voices

STATUSES = {
    400: "The request is invalid. `param` names the parameter.",
    401: "The API key is missing, wrong, revoked or expired, or it is not allowed from this IP address.",
    403: "The API key lacks a permission, or the organization is suspended.",
    404: "The resource does not exist, or belongs to another organization.",
    409: "The request was canceled, or what it names is in another state.",
    410: "The audio has expired or was deleted.",
    413: "The request body is too large.",
    415: "The request body is of another type than the route takes.",
    416: "The requested range is outside of the audio.",
    422: "The idempotency key was used with a different request.",
    426: "The route answers a WebSocket only.",
    429: "A rate limit, a budget or your credit is used up. `x-should-retry` says whether to retry.",
    500: "An error on our side. You are billed only for audio that was delivered.",
    503: "The service is temporarily unavailable. Retry after `retry-after` seconds.",
    504: "The audio was not ready in time. You are billed only for audio that was delivered.",
}
"""What an HTTP status means in this API."""

WITH_KEY = (
    errors.missing_key(),
    errors.invalid_key(),
    errors.wrong_address(),
    errors.wrong_origin(),
    errors.missing_scope("speech"),
    errors.account_deactivated(),
)
"""Of every route that needs an API key."""
ANYWHERE = (
    errors.internal(),
    errors.service_unavailable(),
)
RATE_LIMITED = bucket_refusal(Bucket("key", "requests", "", 600), 100_000, {})
UNKNOWN_MODEL = catalog.unknown_model("gpt-4o")


def unknown_audio(param: str) -> ApiError:
    return conversation.unknown_audio("audio_01980000000070008000000000000000", param)


def own_voice(param: str) -> tuple[ApiError, ...]:
    """Of a voice of one's own that is asked for."""
    return errors.voice_not_supported(param), own_voices.unknown("voice_01980000000070008000000000000000", param)


def unknown_dictionary(param: str) -> ApiError:
    return pronouncing.unknown("pd_01980000000070008000000000000000", param=param)


def missing(param: str) -> ApiError:
    return errors.invalid(
        f"Missing required parameter: {param!r}.", param=param, code="missing_required_parameter"
    )


MISSING_NAME = missing("name")
TOO_LARGE = errors.body_too_large(1_048_576)
SMALL_TOO_LARGE = errors.body_too_large(SMALL_BODY_BYTES)
NO_JSON = errors.unsupported_type("text/plain", send="application/json")
NO_FORM = errors.unsupported_type("application/json", send="multipart/form-data")
BAD_LIMIT = errors.invalid("Invalid value for 'limit': expected less than or equal to 100.", param="limit")
"""Of every list that comes by pages."""
BODY = (MISSING_NAME, TOO_LARGE, NO_JSON)
"""Of the routes that take a JSON body and are not speech."""
BAD_QUERY = errors.invalid("Invalid value for 'version': expected greater than or equal to 1.", param="version")

SPEECH = (
    missing("model"),
    errors.invalid("Invalid value for 'temperature': expected less than or equal to 2.", param="temperature"),
    UNKNOWN_MODEL,
    unknown_dictionary("pronunciation"),
    errors.cancelled("it costs nothing"),
    TOO_LARGE,
    NO_JSON,
    ApiError(
        422,
        "This Idempotency-Key was used within the last 24 hours for another request. "
        "Use a new key for a new request.",
        code="idempotency_key_reused",
        param="Idempotency-Key",
    ),
    RATE_LIMITED,
    errors.out_of_credit(),
    errors.out_of_budget(Limit(scope="key", period="month", amount=Decimal(50))),
    errors.account_suspended(),
    errors.timed_out(120, "it costs nothing"),
)
"""Of the routes that generate speech."""
