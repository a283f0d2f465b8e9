"""Tables cut by month along a UUIDv7 key: made ahead, dropped whole, never emptied row by row.

A UUIDv7 begins with its milliseconds, so a month is a range of ids and the primary key alone decides the
partition: it stays unique over the whole table, which a cut along a timestamp could not promise. A row lies in
the month in which its id was made. What no month takes (a clock far ahead, an id of another kind) lies in the
default partition until a month that takes it is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, LiteralString
from uuid import UUID

from django.db import connection, migrations, transaction
from django.utils import timezone
from psycopg import sql

from accounts.identifiers import uuid7_floor

LOCK_TIMEOUT = "3s"
"""A change of partitions waits no longer than this for the table, so that requests do not queue up behind it."""


class CreatePartitionedModel(migrations.CreateModel):
    """A migration's CreateModel for a table cut along its primary key. It needs partitions before any row."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        key = to_state.apps.get_model(app_label, self.name)._meta.pk.column
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE ({schema_editor.quote_name(key)})"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain


def ensure_partitions(table: str, *, months_ahead: int = 2, since: date | None = None) -> None:
    """Make the default partition and those of the months from `since` (else this month) to `months_ahead` on.

    Rows that waited in the default partition move to the month that takes them.
    """
    today = timezone.now().date()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        existing = _partitions(cursor, table)
        months = _months(since or today, _add_months(today, months_ahead))
        missing = [month for month in months if name_of(table, month) not in existing]
        default = f"{table}_default"
        waiting = default in existing and any(_holds(cursor, default, month) for month in missing)
        if waiting:
            _run(cursor, "ALTER TABLE {} DETACH PARTITION {}", table, default)
            _run(cursor, "ALTER TABLE {} RENAME TO {}", default, f"{table}_waiting")
        for month in missing:
            _attach(cursor, table, name_of(table, month), _bounds(month))
        if waiting or default not in existing:
            _attach(cursor, table, default, None)
        if waiting:
            _run(cursor, "INSERT INTO {} SELECT * FROM {}", table, f"{table}_waiting")
            _run(cursor, "DROP TABLE {}", f"{table}_waiting")


def drop_partitions(table: str, *, before: date) -> list[str]:
    """Drop the months that were over by `before`; returns the names of their partitions."""
    dropped = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        for name in sorted(_partitions(cursor, table)):
            found = re.fullmatch(rf"{table}_y(\d{{4}})m(\d\d)", name)
            if found and _add_months(date(int(found[1]), int(found[2]), 1), 1) <= before:
                _run(cursor, "DROP TABLE {}", name)
                dropped.append(name)
    return dropped


def _attach(cursor: Any, table: str, name: str, bounds: tuple[UUID, UUID] | None) -> None:
    """Make a partition. Attaching locks less than creating in place: the table serves on meanwhile."""
    _run(cursor, "CREATE TABLE {} (LIKE {} INCLUDING ALL)", name, table)
    if bounds is None:
        _run(cursor, "ALTER TABLE {} ATTACH PARTITION {} DEFAULT", table, name)
    else:
        limits = sql.SQL("FROM ({}) TO ({})").format(*(sql.Literal(str(bound)) for bound in bounds))
        attach = sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES {}")
        cursor.execute(attach.format(sql.Identifier(table), sql.Identifier(name), limits))


def _partitions(cursor: Any, table: str) -> set[str]:
    cursor.execute(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass",
        (table,),
    )
    return {name for (name,) in cursor.fetchall()}


def _holds(cursor: Any, partition: str, month: date) -> bool:
    """Whether a partition has a row of the month."""
    cursor.execute(
        """
        SELECT a.attname FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = %s::regclass AND i.indisprimary
        """,
        (partition,),
    )
    (key,) = cursor.fetchone()
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {key} >= %s AND {key} < %s)")
    cursor.execute(query.format(sql.Identifier(partition), key=sql.Identifier(key)), _bounds(month))
    return bool(cursor.fetchone()[0])


def _run(cursor: Any, statement: LiteralString, *names: str) -> None:
    cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def name_of(table: str, month: date) -> str:
    """The partition that holds a month."""
    return f"{table}_y{month:%Y}m{month:%m}"


def _bounds(month: date) -> tuple[UUID, UUID]:
    first, after = (datetime(m.year, m.month, 1, tzinfo=UTC) for m in (month, _add_months(month, 1)))
    return uuid7_floor(first), uuid7_floor(after)


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _add_months(month, 1)


def _add_months(day: date, months: int) -> date:
    """The first of the month that lies `months` after a day's."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)
