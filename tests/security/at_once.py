"""Twenty at the same moment, against the real database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
MANY = 20


def at_once(work: Callable[[int], T], count: int = MANY) -> list[T]:
    """What each of the threads came to, which begin together."""
    gate = Barrier(count)

    def begin(number: int) -> T:
        try:
            gate.wait(20)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))
