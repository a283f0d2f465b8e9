"""Temporary files that are in memory while they are short, and on the disk once they are long."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from tempfile import SpooledTemporaryFile
from typing import IO

from django.conf import settings

PIECE_BYTES = 1 << 16
MEMORY_BYTES = 1 << 20
"""What is longer is on the disk: an hour of audio takes no more memory than a minute."""


def create() -> SpooledTemporaryFile[bytes]:
    """An empty file. It is under VAR_DIR, since /tmp is often memory."""
    return SpooledTemporaryFile(max_size=MEMORY_BYTES, dir=str(settings.VAR_DIR))


def drained(content: Iterable[bytes]) -> Generator[bytes]:
    """Take all of `content` at once, to the disk, and give it as slowly as it is asked for.

    So a client that reads slowly keeps no transaction open that `content` is read in.
    """
    with create() as file:
        file.rollover()
        file.writelines(content)
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


def rewind(file: IO[bytes], *, head: bytes) -> int:
    """Write `head` over the beginning of a file that was written to its end, and go there; returns its size."""
    size = file.tell()
    file.seek(0)
    file.write(head)
    file.seek(0)
    return size
