"""Downloads of any length, generated while they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from django.db import connections

LINES = 1_000
"""Lines per piece: about 200 KB."""


async def pieces(lines: Generator[str]) -> AsyncIterator[str]:
    """The output of a generator, in pieces, with one in memory at a time.

    The generator runs in a thread of its own from its first line on, since a database cursor belongs to a thread.
    Where the reader goes away, it is closed.
    """
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, thread_name_prefix="download")
    try:
        while piece := await loop.run_in_executor(thread, _take, lines):
            yield piece
    finally:
        thread.submit(_close, lines)
        thread.shutdown(wait=False)


def _take(lines: Generator[str]) -> str:
    return "".join(islice(lines, LINES))


def _close(lines: Generator[str]) -> None:
    lines.close()
    connections.close_all()
