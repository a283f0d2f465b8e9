"""What PostgreSQL did for each statement of a block of code: auto_explain tells, as it would tell an operator.

It sees statements as they run, prepared ones and those of triggers too, with the blocks that each read.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from django.db import connection

T = TypeVar("T")

_ON = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_level = 'notice';
SET auto_explain.log_analyze = on;
SET auto_explain.log_buffers = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_format = 'json';
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement that ran."""

    statement: str
    blocks: int
    """Read from the cache or from the disk, 8 KiB each."""

    def __str__(self) -> str:
        return f"{self.blocks} blocks: {' '.join(self.statement.split())[:200]}"


@contextmanager
def watched() -> Iterator[list[Plan]]:
    """Collect the plans of the statements that run inside the block on Django's connection."""
    connection.ensure_connection()
    own: psycopg.Connection[Any] = connection.connection
    plans: list[Plan] = []

    def take(notice: psycopg.errors.Diagnostic) -> None:
        _, found, told = (notice.message_primary or "").partition("plan:\n")
        if found:
            plans.append(_plan(json.loads(told)))

    own.add_notice_handler(take)
    try:
        own.execute(_ON)
        yield plans
    finally:
        own.execute("SET auto_explain.log_min_duration = -1")
        own.remove_notice_handler(take)


class Prepared:
    """Django's connection as the gateway's asynchronous code wants one, in the same transaction.

    Each statement is prepared and gets a plan that knows none of its values, as PostgreSQL may choose for the
    gateway's long-lived connections.
    """

    def __init__(self) -> None:
        connection.ensure_connection()
        self._own: psycopg.Connection[Any] = connection.connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Prepared]:
        """Itself: it is a pool, too."""
        yield self

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        with self._own.transaction():
            yield

    @asynccontextmanager
    async def cursor(self, row_factory: Any = psycopg.rows.tuple_row) -> AsyncIterator[_Cursor]:
        yield _Cursor(psycopg.Cursor(self._own, row_factory=row_factory))

    async def execute(self, query: Any, parameters: Any = None, *, prepare: bool = True) -> _Cursor:
        cursor = _Cursor(psycopg.Cursor(self._own, row_factory=psycopg.rows.tuple_row))
        await cursor.execute(query, parameters)
        return cursor


class _Cursor:
    def __init__(self, own: psycopg.Cursor[Any]) -> None:
        self._own = own

    @property
    def rowcount(self) -> int:
        return self._own.rowcount

    async def execute(self, query: Any, parameters: Any = None) -> None:
        self._own.execute("SET plan_cache_mode = force_generic_plan")
        try:
            self._own.execute(query, parameters, prepare=True)
        finally:
            psycopg.Cursor(self._own.connection).execute("RESET plan_cache_mode")

    async def fetchone(self) -> Any:
        return self._own.fetchone()

    async def fetchall(self) -> list[Any]:
        return self._own.fetchall()


def done(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of asynchronous code on a `Prepared`, which never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        outcome: T = end.value
        return outcome
    raise AssertionError("it waited")


def _plan(told: dict[str, Any]) -> Plan:
    top = told["Plan"]
    return Plan(told["Query Text"], top["Shared Hit Blocks"] + top["Shared Read Blocks"])
