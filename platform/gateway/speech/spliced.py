"""JSON around audio: the base64 is put between two pieces of it and never passes through a JSON encoder."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import pybase64

HERE = secrets.token_hex(16)
"""Marks the place of the audio; no customer's text contains it."""
PIECE_BYTES = 48_000
"""Of audio that is on the disk; whole groups of base64."""


class Spliced:
    """Encoded JSON that has `HERE` where the audio goes."""

    def __init__(self, text: bytes) -> None:
        self._before, self._after = text.split(HERE.encode())

    def with_audio(self, audio: bytes) -> bytes:
        return b"".join((self._before, pybase64.b64encode(audio), self._after))

    def with_file(self, file: IO[bytes], *, size: int) -> SplicedFile:
        return SplicedFile(self._before, file, size, self._after)


@dataclass(frozen=True, slots=True)
class SplicedFile:
    """JSON around audio that is too long for memory: encoded piece by piece, as it is sent."""

    before: bytes
    file: IO[bytes]
    size: int
    """Of the file."""
    after: bytes

    def __len__(self) -> int:
        return len(self.before) + 4 * -(-self.size // 3) + len(self.after)

    def __iter__(self) -> Iterator[bytes]:
        yield self.before
        self.file.seek(0)
        while audio := self.file.read(PIECE_BYTES):
            yield pybase64.b64encode(audio)
        yield self.after
