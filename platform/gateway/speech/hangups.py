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
    """Break the body off, as `asyncio.timeout` does, when the client closes its connection.

    The request must have been read before, and the answer's last piece must be sent after the body: once a server
    has sent all, it reports the client as gone.

    Raises:
        ClientClosed: the client has gone, and the body was broken off. A body that ends in the same moment ends as
            if the client were still there.
    """
    task = cast("asyncio.Task[object]", asyncio.current_task())
    cancels = 0

    async def cancel_when_closed() -> None:
        nonlocal cancels
        while (await receive())["type"] != "http.disconnect":
            pass
        # Again and again until the body ends: Python 3.11's wait_for swallows a cancellation now and then
        # (python/cpython#86296).
        while True:
            cancels += 1
            task.cancel()
            await asyncio.sleep(CANCEL_AGAIN_SECONDS)

    watcher = asyncio.create_task(cancel_when_closed())
    broken_off = False
    try:
        yield
    except asyncio.CancelledError:
        if not cancels:
            raise  # somebody else cancels the task: a timeout, or the server that stops
        broken_off = True
    finally:
        watcher.cancel()
        if cancels:
            await _take_back(task, cancels)
    if broken_off:
        raise ClientClosed


async def _take_back(task: asyncio.Task[object], cancels: int) -> None:
    """Undo the cancellations of the running task, so that what follows can await.

    The last one may have been asked for just now and not have reached the task: it is raised, and ends, here.
    """
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    for _ in range(cancels):
        task.uncancel()
