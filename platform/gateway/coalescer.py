"""Group commit: what arrives while a call is in flight leaves together with the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Coalescer(Generic[Item, Answer]):
    """Merges items that come at the same time into one call, as PostgreSQL's group commit merges the flushes of
    many transactions into one (https://www.postgresql.org/docs/current/wal-configuration.html) and as TigerBeetle
    batches transfers (https://docs.tigerbeetle.com/coding/requests/).

    One call is in flight at a time. There is no timer and nothing waits for company: an item that finds no call in
    flight leaves at once, alone. The busier it is, the larger are the batches.

    Args:
        call: takes a batch and answers each of its items, in their order.
        most: items in one batch.
        faults: errors of a call that one item may have caused, and that mean that nothing was done. The items of
            such a batch are tried again one by one, so that the error is that item's alone. Any other error is
            raised to each item of the batch.
    """

    def __init__(
        self,
        call: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        most: int,
        faults: tuple[type[Exception], ...] = (),
    ) -> None:
        self._call = call
        self._most = most
        self._faults = faults
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._flight: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is in flight, and nothing waits."""
        return self._flight is None

    async def __call__(self, item: Item) -> Answer:
        """The answer to the item. A caller that is cancelled before its item has left takes it back."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._flight is None:
            # A task of its own: a caller that is cancelled must not take the others' call with it.
            self._flight = asyncio.create_task(self._fly())
        return await future

    async def _fly(self) -> None:
        try:
            while batch := self._next():
                await self._answer(batch)
        finally:
            self._flight = None

    def _next(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        batch: list[tuple[Item, asyncio.Future[Answer]]] = []
        while self._waiting and len(batch) < self._most:
            item, future = self._waiting.popleft()
            if not future.done():
                batch.append((item, future))
        return batch

    async def _answer(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = list(await self._call([item for item, _ in batch]))
            if len(answers) != len(batch):
                raise ValueError(f"{len(answers)} answers to {len(batch)} items")
        except self._faults as error:
            if len(batch) == 1:
                _fail(batch, error)
            else:
                for one in batch:
                    await self._answer([one])
        except Exception as error:
            _fail(batch, error)
        except asyncio.CancelledError:  # the process stops
            for _, future in batch:
                future.cancel()
            raise
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _fail(batch: Sequence[tuple[Item, asyncio.Future[Answer]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
