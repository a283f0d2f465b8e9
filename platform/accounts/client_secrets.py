"""Client secrets: `ek_<payload>.<MAC>`, which a web page may hold for some minutes in place of an API key.

Nothing is stored. The payload names the key that made it, so that revoking the key ends its client secrets, and
what they use is counted and billed as the key's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from django.conf import settings

PREFIX = "ek_"
MAX_CHARACTERS = 2000
# What a key's HMAC is made of is letters and digits alone, so that this can never be one of those.
_PERSON = b"client-secret:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """What a client secret says. `origins`: the web pages that it works from; of none, from everywhere."""

    public_id: str
    """Of the API key that made it."""
    expires_at: datetime
    origins: tuple[str, ...] = ()

    def write(self) -> str:
        """The whole secret."""
        pepper_number = max(settings.API_KEY_PEPPERS)
        members = {
            "k": self.public_id,
            "e": int(self.expires_at.timestamp()),
            "o": self.origins,
            "p": pepper_number,
        }
        payload = _encode(json.dumps(members, separators=(",", ":")).encode())
        return f"{PREFIX}{payload}.{_encode(_mac(payload, pepper_number))}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The secret in `text`, expired or not; None where it is none of ours."""
        if len(text) > MAX_CHARACTERS or not text.startswith(PREFIX) or not text.isascii():
            return None
        payload, _, mac = text.removeprefix(PREFIX).partition(".")
        try:
            members: dict[str, Any] = json.loads(_decode(payload))
            pepper_number = members["p"]
            if pepper_number not in settings.API_KEY_PEPPERS:
                return None
            if not hmac.compare_digest(_mac(payload, pepper_number), _decode(mac)):
                return None
            expires_at = datetime.fromtimestamp(members["e"], UTC)
            return cls(public_id=members["k"], expires_at=expires_at, origins=tuple(members["o"]))
        except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
            return None

    def allows(self, origin: str | None) -> bool:
        """Whether it works from a page of this origin, as its browser says it."""
        return not self.origins or origin in self.origins


def _mac(payload: str, pepper_number: int) -> bytes:
    return hmac.digest(settings.API_KEY_PEPPERS[pepper_number], _PERSON + payload.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
