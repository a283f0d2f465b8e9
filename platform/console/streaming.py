"""Downloads of any length, generated while they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from django.db import connections

Part = TypeVar("Part", str, bytes)
LINES = 1_000
"""Lines per piece: about 200 KB."""


async def pieces(content: Generator[Part], *, at_once: int = LINES) -> AsyncIterator[Part]:
    """The output of a generator, in pieces of `at_once` parts, with one piece in memory at a time.

    The generator runs in a thread of its own, and keeps no transaction open between its parts. Where the reader
    goes away, it is closed.
    """
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, thread_name_prefix="download")
    try:
        while parts := await loop.run_in_executor(thread, _take, content, at_once):
            yield parts[0][:0].join(parts)
    finally:
        thread.submit(_close, content)
        thread.shutdown(wait=False)


def _take(content: Generator[Part], at_once: int) -> list[Part]:
    """The next parts. The connection goes back to the pool: the reader of these may be slow."""
    try:
        return list(islice(content, at_once))
    finally:
        connections.close_all()


def _close(content: Generator[Part]) -> None:
    content.close()
    connections.close_all()
