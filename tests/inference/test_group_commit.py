"""What arrives while a batch is under way leaves together; who is alone does not wait."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.jobs.group_commit import GroupCommit
from tests.live import wait_for


class Gate:
    """Work that notes its batches, the first of which waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(items))
        if len(self.batches) == 1:
            self.go.wait(10)
        return [ValueError(item) if item < 0 else item * 10 for item in items]


def test_what_arrives_meanwhile_leaves_together() -> None:
    gate = Gate()
    group = GroupCommit(gate, most=4)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(group, 1)
        wait_for(lambda: gate.batches)
        others = [threads.submit(group, number) for number in range(2, 8)]
        wait_for(lambda: len(group._waiting) == 6)
        gate.go.set()
        assert [each.result(10) for each in (first, *others)] == [10, 20, 30, 40, 50, 60, 70]
    assert [len(batch) for batch in gate.batches] == [1, 4, 2]


def test_one_alone_is_a_batch_at_once() -> None:
    gate = Gate()
    gate.go.set()
    group = GroupCommit(gate, most=4)
    assert [group(1), group(2)] == [10, 20]
    assert gate.batches == [[1], [2]]


def test_an_exception_is_its_callers_alone() -> None:
    gate = Gate()
    group = GroupCommit(gate, most=8)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(group, 1)
        wait_for(lambda: gate.batches)
        bad, good = threads.submit(group, -2), threads.submit(group, 3)
        wait_for(lambda: len(group._waiting) == 2)
        gate.go.set()
        assert first.result(10) == 10
        assert good.result(10) == 30
        with pytest.raises(ValueError, match="-2"):
            bad.result(10)


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_a_batch_that_breaks_frees_all_who_wait(error: type[BaseException]) -> None:
    begun, go = threading.Event(), threading.Event()
    calls: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        calls.append(len(items))
        if len(calls) == 1:
            begun.set()
            go.wait(10)
        if len(calls) == 2:
            raise error
        return list(items)

    group = GroupCommit(work, most=2)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(group, 1)
        begun.wait(10)
        others = [threads.submit(group, number) for number in (2, 3, 4)]
        wait_for(lambda: len(group._waiting) == 3)
        go.set()
        assert first.result(10) == 1
        ends = [other.exception(10) for other in others]
    assert sum(end is not None for end in ends) == 2
    assert calls == [1, 2, 1]
