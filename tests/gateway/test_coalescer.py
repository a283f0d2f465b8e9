"""Group commit: what comes while a call is in flight goes with the next one, and each is answered for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.coalescer import Coalescer


class Doubler:
    """A call that waits to be let go, and keeps its batches. It cannot double 0, nor anything with -1."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.go.wait()
        if -1 in items:
            raise ConnectionError
        if 0 in items:
            raise ZeroDivisionError
        return [2 * item for item in items]


async def outcomes(items: Sequence[int], *, most: int = 100) -> tuple[list[object], list[list[int]]]:
    """What each got, and the batches, when all but the first come while the first is in flight."""
    call = Doubler()
    coalescer = Coalescer(call, most=most, faults=(ZeroDivisionError,))
    tasks = [asyncio.create_task(coalescer(item)) for item in items]
    await asyncio.sleep(0.01)
    assert call.batches == [[*items[:most]]]  # all came in the same moment
    call.go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert coalescer.idle
    return list(found), call.batches


def test_what_comes_together_leaves_together() -> None:
    assert asyncio.run(outcomes([1, 2, 3])) == ([2, 4, 6], [[1, 2, 3]])


def test_one_alone_leaves_at_once_and_the_others_with_the_next() -> None:
    async def run() -> list[list[int]]:
        call = Doubler()
        coalescer = Coalescer(call, most=100)
        first = asyncio.create_task(coalescer(1))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(coalescer(item)) for item in (2, 3, 4)]
        await asyncio.sleep(0.01)
        assert call.batches == [[1]]
        call.go.set()
        assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
        return call.batches

    assert asyncio.run(run()) == [[1], [2, 3, 4]]


def test_a_batch_has_an_end() -> None:
    assert asyncio.run(outcomes([1, 2, 3], most=2)) == ([2, 4, 6], [[1, 2], [3]])


def test_a_faulty_item_fails_alone() -> None:
    found, batches = asyncio.run(outcomes([1, 0, 3]))
    assert (found[0], found[2]) == (2, 6)
    assert isinstance(found[1], ZeroDivisionError)
    assert batches == [[1, 0, 3], [1], [0], [3]]


def test_another_error_is_everybodys_and_is_not_tried_again() -> None:
    found, batches = asyncio.run(outcomes([1, -1, 3]))
    assert [type(each) for each in found] == [ConnectionError] * 3
    assert len(batches) == 1


def test_who_goes_takes_its_item_back_and_nobody_elses() -> None:
    async def run() -> list[list[int]]:
        call = Doubler()
        coalescer = Coalescer(call, most=100)
        in_flight, waiting, other = (asyncio.create_task(coalescer(item)) for item in (1, 2, 3))
        await asyncio.sleep(0)
        in_flight_2 = asyncio.create_task(coalescer(4))
        await asyncio.sleep(0.01)
        in_flight_2.cancel()
        in_flight.cancel()
        call.go.set()
        assert await asyncio.gather(waiting, other) == [4, 6]
        with pytest.raises(asyncio.CancelledError):
            await in_flight_2
        return call.batches

    assert asyncio.run(run()) in ([[1, 2, 3]], [[1, 2, 3, 4]])
