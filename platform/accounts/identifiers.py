"""Identifiers: UUIDv7 (RFC 9562), so that rows that are created together are close in every index."""

from __future__ import annotations

import secrets
import string
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils import compat

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALPHABET = string.ascii_letters + string.digits


def new_id() -> UUID:
    """A UUIDv7: its first 48 bits are the time in milliseconds."""
    return compat.uuid7()


def uuid7_floor(moment: datetime) -> UUID:
    """The least id that a UUIDv7 made at `moment` or later can have."""
    return UUID(int=(moment - _EPOCH) // timedelta(milliseconds=1) << 80)


def uuid7_moment(id: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=id.int >> 80)


def random_token(length: int) -> str:
    """`length` characters from the operating system's random generator, 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def parse_prefixed(prefix: str, text: str) -> UUID | None:
    """The UUID in `<prefix><32 hex digits>`, as ids are shown to customers; None if it is not one."""
    digits = text.removeprefix(prefix)
    if not text.startswith(prefix) or len(digits) != 32 or not set(digits) <= set("0123456789abcdef"):
        return None
    return UUID(hex=digits)


def id_argument(text: str) -> UUID:
    """An id on a command line: a UUID, or as pages show it (`org_…`, `audio_…`).

    Raises:
        ArgumentTypeError: it is neither.
    """
    prefix, _, rest = text.rpartition("_")
    try:
        return UUID(rest if prefix.isalpha() or not prefix else text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an id such as org_ with 32 digits, or a UUID") from None
