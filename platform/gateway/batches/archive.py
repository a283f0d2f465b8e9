"""A batch's audio as one tar or zip file, made while it is sent: nothing is stored twice.

The length of the tar file is known before its first byte, so that a client can show how far it is.
"""

from __future__ import annotations

import asyncio
import re
import tarfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from gateway import zips
from gateway.batches import fetched
from gateway.models import BatchLine, SpeechBatch
from inference import assets
from inference.models import AudioAsset

Format = Literal["tar", "zip"]
MEDIA_TYPES: dict[Format, str] = {"tar": "application/x-tar", "zip": zips.MEDIA_TYPE}
PIECE_BYTES = 1 << 18
BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
MAX_NAME_CHARACTERS = 60
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive."""

    job_id: UUID
    name: str
    path: str
    size: int
    made_at: datetime

    def header(self) -> bytes:
        info = tarfile.TarInfo(self.name)
        info.size, info.mtime, info.mode = self.size, int(self.made_at.timestamp()), 0o644
        return info.tobuf(tarfile.USTAR_FORMAT)


def entries(batch: SpeechBatch) -> list[Entry]:
    """The audio that is there now, in the order of the input."""
    lines = batch.lines.filter(state=BatchLine.State.SUCCEEDED).order_by("number")
    named = {line.job_id: line for line in lines.only("job_id", "number", "custom_id")}
    kept = AudioAsset.objects.filter(job_id__in=named, purged_at=None).select_related("job")
    found = [
        (named[asset.job_id].number, _name(named[asset.job_id], asset.job.format), asset)
        for asset in kept.only("path", "size", "created_at", "job__format")
    ]
    return [
        Entry(asset.job_id, name, asset.path, asset.size, asset.created_at)
        for _, name, asset in sorted(found, key=_first)
    ]


def tar_size(several: Sequence[Entry]) -> int:
    """How many bytes the tar file has."""
    return sum(BLOCK + each.size + _padding(each.size) for each in several) + len(END)


def stream(several: Sequence[Entry], format: Format) -> AsyncIterator[bytes]:
    """The archive's bytes. Audio that is purged meanwhile breaks it off, so that nobody takes it for whole."""
    content = _tar(several) if format == "tar" else _zip(several)
    return fetched.noted(content, [each.job_id for each in several])


async def _zip(several: Sequence[Entry]) -> AsyncIterator[bytes]:
    pieces = zips.stream(
        zips.Member(each.name, each.made_at, assets.pieces(each.path, start=0, size=PIECE_BYTES), each.size)
        for each in several
    )
    try:
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece
    finally:
        await asyncio.to_thread(pieces.close)


async def _tar(several: Sequence[Entry]) -> AsyncIterator[bytes]:
    for each in several:
        yield each.header()
        file = await asyncio.to_thread(assets.store().open, each.path)
        try:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece
        finally:
            await asyncio.to_thread(file.close)
        yield bytes(_padding(each.size))
    yield END


def _padding(length: int) -> int:
    return -length % BLOCK


def _first(found: tuple[int, str, AudioAsset]) -> int:
    return found[0]


def _name(line: BatchLine, format: str) -> str:
    """The line's number first, so that names sort as the input does and two never meet."""
    custom = _UNSAFE.sub("_", line.custom_id)[:MAX_NAME_CHARACTERS].strip("._")
    return f"{line.number:05d}{'-' if custom else ''}{custom}.{'pcm' if format == 'pcm16' else format}"
