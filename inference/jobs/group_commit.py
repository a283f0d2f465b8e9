"""Group commit: what is handed in while a batch is under way leaves together in the next one.

It has no timer and no thread of its own. A caller that finds no batch under way leads one, in its own thread; the
first of those that arrive meanwhile leads the next. So one caller alone waits for nothing, and a hundred share one
transaction.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


@dataclass(slots=True, eq=False)
class _Entry(Generic[Item, Outcome]):
    """An item and the thread that waits for it.

    `turn` is set once the thread is to lead, or once its outcome is there.
    """

    item: Item
    turn: threading.Event = field(default_factory=threading.Event)
    outcomes: list[Outcome | Exception] = field(default_factory=list)
    """One, once it is there."""


class GroupCommit(Generic[Item, Outcome]):
    """Called with one item by each of many threads; `work` gets the items of a batch.

    Args:
        work: returns an outcome for each item, in their order; an exception is raised to that item's caller alone.
        most: how many items a batch has at most.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Outcome | Exception]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Entry[Item, Outcome]] = deque()
        self._busy = False

    def __call__(self, item: Item) -> Outcome:
        """Return the item's outcome. Raises what `work` gave for it."""
        mine: _Entry[Item, Outcome] = _Entry(item)
        with self._lock:
            self._waiting.append(mine)
            leads, self._busy = not self._busy, True
        if not leads:
            mine.turn.wait()
        if not mine.outcomes:
            self._lead()
        [outcome] = mine.outcomes
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _lead(self) -> None:
        """Work off the batch that the caller is the first of, and appoint the next leader."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        # What stays where the leader's thread itself is ended: nobody may wait for ever.
        outcomes: Sequence[Outcome | Exception] = [RuntimeError("the batch was interrupted")] * len(batch)
        try:
            outcomes = self._work([entry.item for entry in batch])
        except Exception as error:
            outcomes = [error] * len(batch)
        finally:
            with self._lock:
                successor = self._waiting[0] if self._waiting else None
                self._busy = successor is not None
            for entry, outcome in zip(batch, outcomes, strict=True):
                entry.outcomes.append(outcome)
                entry.turn.set()
            if successor is not None:
                successor.turn.set()
