"""Noticing that a client has closed its connection while it waits or listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from starlette.types import Receive

CANCEL_AGAIN_SECONDS = 0.05


class ClientClosed(Exception):
    """The client has gone."""


@asynccontextmanager
async def noticed(receive: Receive) -> AsyncIterator[None]:
    """Break the body off, as `asyncio.timeout` does, when the client closes.

    The request must have been read, and the answer's last piece is to be sent after the body: a server says that
    the client has gone once it has all.

    Raises:
        ClientClosed: the client has gone.
    """
    task = cast("asyncio.Task[object]", asyncio.current_task())
    cancels = 0

    async def watch() -> None:
        nonlocal cancels
        while (await receive())["type"] != "http.disconnect":
            pass
        while True:  # until the body ends: Python 3.11's wait_for swallows one now and then (python/cpython#86296)
            cancels += 1
            task.cancel()
            await asyncio.sleep(CANCEL_AGAIN_SECONDS)

    watcher = asyncio.create_task(watch())
    try:
        try:
            yield
        finally:
            watcher.cancel()
            if cancels:  # perhaps just now, and on its way: it ends here
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
                for _ in range(cancels):
                    task.uncancel()
    except asyncio.CancelledError:
        if not cancels:
            raise
        raise ClientClosed from None
