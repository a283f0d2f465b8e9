"""Statements that PostgreSQL plans once a connection, on Django's connections.

Django writes the parameters into the text of a statement, so that each is parsed and planned anew. For a long
statement that runs once a request this costs more than its work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


@contextmanager
def cursor() -> Iterator[Any]:
    """A cursor like Django's whose parameters travel apart from the statement.

    The driver prepares a statement that it has sent often enough, where the connection's `prepare_threshold` says
    how often that is (see config.celery). It must name the columns that it returns: one that returned `*` would
    fail on the first use after a migration.
    """
    connection.ensure_connection()
    own: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]  # the stubs know no argument
    with connection.make_debug_cursor(own) if connection.queries_logged else connection.make_cursor(own) as ready:
        yield ready


def fetch(cursor: Any, model: type[Row]) -> list[Row]:
    """The rows of the statement that ran, as instances of the model. Other columns become attributes.

    Fields that the statement does not name are deferred.
    """
    rows = cursor.fetchall()
    # `cursor.description` would make an object for each column.
    plan = _plan(model, tuple(map(cursor.pgresult.fname, range(cursor.pgresult.nfields))))
    found = []
    for row in rows:
        values = [row[place] for place in plan.places]
        for place, convert in plan.converters:
            values[place] = convert(values[place], None, connection)
        instance = model.from_db(connection.alias, plan.names, values)
        for name, place in plan.others:
            setattr(instance, name, row[place])
        found.append(instance)
    return found


class _Plan(NamedTuple):
    """Which field each of a statement's columns is."""

    names: list[str]
    places: list[int]
    converters: list[tuple[int, Any]]
    others: list[tuple[str, int]]


@cache
def _plan(model: type[Model], encoded: tuple[bytes, ...]) -> _Plan:
    columns = [name.decode() for name in encoded]
    fields = [field for field in model._meta.concrete_fields if field.attname in columns]
    names = [field.attname for field in fields]
    return _Plan(
        names,
        [columns.index(name) for name in names],
        [(place, each) for place, field in enumerate(fields) for each in field.get_db_converters(connection)],
        [(name, place) for place, name in enumerate(columns) if name not in names],
    )
