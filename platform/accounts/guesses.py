"""Counters that limit guessing, in a cache that cannot be flushed.

Django's own database cache drops the rows that come first by key once there are too many, and so forgets
counters whose time has not come. This one forgets a row when it expires and never earlier; `purge` deletes what
has expired, so that the table holds no more than the longest window's attempts.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connection

FOREVER = "infinity"


class GuessCache(BaseCache):
    """Django's cache over the table `cache`. Values are JSON. Each call is one statement."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Set a key that does not exist; of two concurrent calls, one gets False."""
        return self._put(key, value, timeout, version, "WHERE cache.expires <= clock_timestamp()")

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._put(key, value, timeout, version, "")

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = self._rows(
            "SELECT value FROM cache WHERE cache_key = %s AND expires > clock_timestamp()",
            [self._named(key, version)],
        )
        return json.loads(found[0][0]) if found else default

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        sql = f"""
            UPDATE cache SET expires = {_EXPIRES} WHERE cache_key = %s AND expires > clock_timestamp() RETURNING 1
        """  # noqa: S608  # nothing of it comes from outside
        return bool(self._rows(sql, [self._seconds(timeout), self._named(key, version)]))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._rows("DELETE FROM cache WHERE cache_key = %s RETURNING 1", [self._named(key, version)]))

    def clear(self) -> None:
        self._rows("DELETE FROM cache RETURNING 1", [])

    def _put(self, key: str, value: Any, timeout: Any, version: int | None, unless: str) -> bool:
        sql = f"""
            INSERT INTO cache (cache_key, value, expires) VALUES (%s, %s, {_EXPIRES})
            ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires {unless}
            RETURNING 1
        """  # noqa: S608  # nothing of it comes from outside
        return bool(self._rows(sql, [self._named(key, version), json.dumps(value), self._seconds(timeout)]))

    def _named(self, key: str, version: int | None) -> str:
        return self.make_and_validate_key(key, version=version)

    def _seconds(self, timeout: Any) -> str:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return FOREVER if seconds is None else f"{seconds} seconds"

    def _rows(self, sql: str, values: list[str]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


_EXPIRES = "clock_timestamp() + %s::interval"


def purge() -> int:
    """Delete expired rows; returns their number."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cache WHERE expires <= clock_timestamp()")
        count: int = cursor.rowcount
        return count
