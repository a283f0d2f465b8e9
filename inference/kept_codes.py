"""The codes of a job that is being spoken, from which another attempt goes on: its checkpoint.

They are beside the audio in the entries of the job's stream, which is bounded. Before the stream drops them, the
writer has put them into a stream of their own, many entries' in one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import redis

from inference import channel

log = logging.getLogger(__name__)

READ_AT_ONCE = 256


def read(client: redis.Redis, job_id: UUID, *, model: str) -> tuple[bytes, int] | None:
    """What attempts with this very model have made of a job: int16 codes, row after row, and codebooks in a row.

    The attempt that got furthest counts. A gap ends what can be used of it; None where nothing can.
    """
    found = _Found(model.encode())
    try:
        for fields in entries(client, channel.codes_key(job_id)):
            found.take_kept(fields)
        for fields in entries(client, channel.key(job_id)):
            found.take(fields)
    except redis.RedisError as error:
        log.warning("%s: its codes could not be read: %s", channel.key(job_id), error)
        return None
    codes = max((b"".join(pieces) for pieces in found.codes.values()), key=len, default=b"")
    return (codes, found.width) if codes else None


def entries(client: redis.Redis, key: str) -> Iterator[dict[bytes, bytes]]:
    """The entries of a stream, a few in memory at a time. Raises redis.RedisError: it is away."""
    position = "-"
    while page := client.xrange(key, min=position, count=READ_AT_ONCE):
        some: Any = page
        for id, fields in some:
            position = f"({id.decode()}"
            yield fields


class _Found:
    """The codes of each attempt with a model, as far as they are without a gap."""

    def __init__(self, model: bytes) -> None:
        self.codes: dict[bytes, list[bytes]] = {}
        self.width = 0
        self._model = model
        self._next: dict[bytes, int] = {}
        """The number of the audio entry whose codes follow."""

    def take_kept(self, fields: dict[bytes, bytes]) -> None:
        """Of the stream of codes."""
        if fields[b"model"] == self._model:
            self._begin(fields[b"attempt"])
            self._add(fields, int(fields[b"first"]), int(fields[b"last"]))

    def take(self, fields: dict[bytes, bytes]) -> None:
        """Of the job's stream."""
        if fields.get(b"model") == self._model:
            self._begin(fields[b"attempt"])
        if fields[b"kind"] == b"audio":
            number = int(fields[b"number"])
            self._add(fields, number, number)

    def _begin(self, attempt: bytes) -> None:
        self.codes.setdefault(attempt, [])
        self._next.setdefault(attempt, 0)

    def _add(self, fields: dict[bytes, bytes], first: int, last: int) -> None:
        attempt = fields[b"attempt"]
        if self._next.get(attempt) == first:
            self._next[attempt] = last + 1
            self.codes[attempt].append(fields.get(b"codes", b""))
            self.width = int(fields.get(b"codebooks", self.width))
