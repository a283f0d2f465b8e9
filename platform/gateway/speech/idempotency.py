"""A request that comes again: the job that is there is joined or its audio is given again, and nothing is paid.

Clients say so with an `Idempotency-Key`. OpenAI's SDKs send none, but retry by themselves and count their tries in
`x-stainless-retry-count`; such a retry is known by its body.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, Self
from uuid import UUID

from django.conf import settings
from starlette.datastructures import Headers

from gateway.errors import ApiError, invalid

MAX_KEY_CHARACTERS = 255
HEADER = "idempotency-key"


@dataclass(frozen=True, slots=True)
class Ask:
    """What tells one request from another."""

    key: str
    fingerprint: UUID
    kind: Literal["first", "retry", "unknown"]
    """Of the SDKs' count: the first try or a later one; "unknown" for who does not count."""

    @classmethod
    def of(cls, headers: Headers, route: str, body: Any) -> Self:
        """Raises ApiError: 400 for a key that is none."""
        key = headers.get(HEADER, "")
        if HEADER in headers and not (key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY_CHARACTERS):
            raise invalid(
                f"Invalid value for 'Idempotency-Key': 1 to {MAX_KEY_CHARACTERS} printable ASCII characters.",
                param="Idempotency-Key",
            )
        count = headers.get("x-stainless-retry-count", "")
        kind: Literal["first", "retry", "unknown"] = "unknown"
        if count.isdecimal():
            kind = "retry" if count.strip("0") else "first"
        canonical = json.dumps([route, body], sort_keys=True, ensure_ascii=False).encode()
        return cls(key, _fingerprint(canonical), kind)

    @property
    def may_repeat(self) -> bool:
        """Whether it may be a repetition of an earlier request."""
        return bool(self.key) or self.kind == "retry"

    @property
    def may_come_again(self) -> bool:
        """Whether a client that hangs up may be about to ask again for the same."""
        return bool(self.key) or self.kind != "unknown"


def may_repeat(headers: Headers) -> bool:
    """Whether a request may be a repetition, as far as its headers tell."""
    return HEADER in headers or headers.get("x-stainless-retry-count", "").strip("0") != ""


def _fingerprint(canonical: bytes) -> UUID:
    """A keyed hash, so that a reader of the database cannot test a guessed text against it."""
    secret = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=64, person=b"repeats").digest()
    return UUID(bytes=hashlib.blake2b(canonical, digest_size=16, key=secret).digest())


def reused() -> ApiError:
    """The refusal of a request whose key stands for another request."""
    return ApiError(
        422,
        "This Idempotency-Key was used within the last 24 hours for another request. "
        "Use a new key for a new request.",
        code="idempotency_key_reused",
        param="Idempotency-Key",
    )
