"""SQL names the tables of its own app, so that an app's schema can change without a search of all others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parents[2]
ROOMS = {
    path.name: path
    for folder in (ROOT, ROOT / "platform")
    for path in folder.iterdir()
    if (path / "apps.py").exists()
}
OWNERS = {model._meta.db_table: model._meta.app_label for model in apps.get_models(include_auto_created=True)}
TABLE = re.compile(r"\b(" + "|".join(sorted(map(re.escape, OWNERS), key=len, reverse=True)) + r")\b")
STATEMENT = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|JOIN)\b")

EXCEPTIONS = {
    "billing/alerts/detection.py": "a key's budget is the key's own column, and an alert names the key",
    "billing/reports/balances.py": "a report names the organization beside its sums, in the same query",
    "billing/reports/movements.py": "as above",
    "billing/reports/revenue.py": "as above",
    "platform/gateway/metrics.py": "one scrape reads the backlog of every room on one connection",
    "platform/gateway/speech/settlement.py": "its checks compare what two rooms say of the same job",
    "platform/usage/hours.sql": "an hour's sums are of usage records, which are billing's",
}
"""Files that name another app's tables, with the reason."""


def sources() -> Iterator[tuple[str, str]]:
    """Each room's files, without its migrations: the room, and the path from the root."""
    for room, folder in ROOMS.items():
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.sql")]):
            if "migrations" not in path.parts:
                yield room, str(path.relative_to(ROOT))


def statements(path: Path) -> list[str]:
    """The SQL in a file: whole files of it, and Python's strings that read like it, f-strings' parts as one."""
    text = path.read_text("utf-8")
    if path.suffix == ".sql":
        return [text]
    strings = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            strings.append(" ".join(p.value for p in node.values if isinstance(p, ast.Constant)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.append(node.value)
    return [string for string in strings if STATEMENT.search(string)]


def foreign(room: str, path: str) -> set[str]:
    """The tables of other apps that a file's SQL names."""
    named = {table for statement in statements(ROOT / path) for table in TABLE.findall(statement)}
    return {table for table in named if OWNERS[table] != room}


def test_sql_names_the_tables_of_its_own_app() -> None:
    read = list(sources())
    assert len(read) > 300
    offenders = {path: tables for room, path in read if (tables := foreign(room, path)) and path not in EXCEPTIONS}
    assert offenders == {}


@pytest.mark.parametrize("path", EXCEPTIONS)
def test_every_exception_is_still_needed(path: str) -> None:
    rooms = {path: room for room, path in sources()}
    assert foreign(rooms[path], path)
