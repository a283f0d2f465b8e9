"""Zip archives of any length, written while they are sent: one piece of one member is in memory at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import datetime

MEDIA_TYPE = "application/zip"


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. `content` is read when its turn comes."""

    name: str
    made_at: datetime
    content: Iterable[bytes]
    size: int = 0
    """In bytes, as far as it is known: above 2 GiB it selects the ZIP64 format."""
    compress: bool = False


def stream(members: Iterable[Member]) -> Generator[bytes]:
    """The archive's bytes. Its directory comes last, so that an answer that is broken off does not open as whole.

    Sizes and checksums follow each member, because nothing that was sent can be written again.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:  # type: ignore[call-overload]  # it needs no more than a writer
        for member in members:
            info = zipfile.ZipInfo(member.name, member.made_at.timetuple()[:6])
            info.file_size = member.size
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED if member.compress else zipfile.ZIP_STORED
            with archive.open(info, "w") as file:
                for piece in member.content:
                    file.write(piece)
                    if taken := sink.take():
                        yield taken
    yield sink.take()


class _Sink:
    """What `ZipFile` writes to: no `seek` and no `tell`, which tells it to stream."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """`ZipFile` calls it after each member."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
