"""Archives made while they are sent: what they hold, and how much of them is in memory."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from gateway import zips

NOW = datetime(2026, 11, 2, 12, 30, 4, tzinfo=UTC)
PIECE = bytes(range(256)) * 1024


def test_an_archive_opens_with_names_dates_and_bytes() -> None:
    members = [
        zips.Member("a/größer.json", NOW, [b'{"one": ', b"1}"], compress=True),
        zips.Member("b.wav", NOW, [PIECE, PIECE], size=2 * len(PIECE)),
        zips.Member("empty", NOW, []),
    ]
    with zipfile.ZipFile(io.BytesIO(b"".join(zips.stream(members)))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a/größer.json", "b.wav", "empty"]
        assert archive.read("a/größer.json") == b'{"one": 1}'
        assert archive.read("b.wav") == PIECE * 2
        assert archive.getinfo("b.wav").date_time == (2026, 11, 2, 12, 30, 4)


def test_memory_is_a_piece_however_long_the_archive_is() -> None:
    def content() -> Iterator[bytes]:
        for _ in range(400):
            yield PIECE

    tracemalloc.start()
    try:
        sent = sum(
            len(piece) for piece in zips.stream([zips.Member("long.pcm", NOW, content(), 400 * len(PIECE))])
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent > 100_000_000
    assert peak < 8 * len(PIECE)


def test_an_archive_above_4_gib_says_so() -> None:
    """In the local header, which precedes the bytes: from the size alone, before any is read."""
    pieces = zips.stream([zips.Member("huge.pcm", NOW, [b"x"], size=5 << 30)])
    assert next(pieces)[4:6] == b"\x2d\x00"  # version 4.5, which has ZIP64
