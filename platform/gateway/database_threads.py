"""Django's database calls from the event loop: in a few threads, which give their connections back each time.

A thread of `asyncio.to_thread` would keep the connection that it once used, out of reach of the pool and broken
after the next restart of the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import connections

THREADS = 4
"""So many of the pool's connections are theirs."""
_executor = ThreadPoolExecutor(THREADS, "database")
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def run(call: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """What the call returns; it waits for one of the threads."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_executor, partial(_run, partial(call, *args, **kwargs)))


def _run(call: Callable[[], Result]) -> Result:
    try:
        return call()
    finally:
        connections.close_all()
