"""What the documents name is there: files, `make` targets, commands of `manage.py`, rules of the database."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.db import connection

from tests.live import ROOT

DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *ROOT.glob("docs/**/*.md")]
)
SPAN = re.compile(r"```.*?```|`([^`\n]+)`", re.DOTALL)
BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
NAMED_ALONE = (".py", ".sql", ".sh", ".md", ".toml", ".yml")
"""Endings that make a word without a slash the name of a file of ours."""
MADE = ("var/", "build/")
"""Where files are that are no part of the repository."""

by_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@by_document
def test_its_paths_are_there(document: Path) -> None:
    text = document.read_text()
    missing = [path for path in _paths(text) if not _is_there(path)]
    missing += [link for link in _links(text) if not (document.parent / link).exists()]
    assert not missing


@by_document
def test_its_make_targets_are_there(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(_commands(document.read_text(), r"make")) <= targets


@by_document
def test_its_management_commands_are_there(document: Path) -> None:
    assert set(_commands(document.read_text(), r"manage(?:\.py)?")) <= set(get_commands())


@pytest.mark.django_db
def test_the_rules_of_the_architecture_are_the_databases() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    tables = re.findall(r"\| rule \| enforced by \|\n\|---\|---\|\n(.*?)\n\n", text, re.DOTALL)
    named = {
        name
        for row in "\n".join(tables).splitlines()
        for name in re.findall(r"`([a-z_]+)`", row.rpartition(" | ")[2])
    }
    assert len(named) > 30
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conname FROM pg_constraint UNION SELECT tgname FROM pg_trigger
            UNION SELECT proname FROM pg_proc UNION SELECT relname FROM pg_class
            """
        )
        there = {name for (name,) in cursor.fetchall()}
    assert named <= there


def test_the_changelog_begins_with_the_version() -> None:
    newest = re.search(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_something_is_found_in_them() -> None:
    """The expressions above see what they are to check."""
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    assert "inference/channel.py" in set(_paths(text))
    assert "docs/api.md" in set(_links(text))
    assert "run" in set(_commands(text, r"make"))
    assert "ledger" in set(_commands(text, r"manage(?:\.py)?"))


def _paths(text: str) -> Iterator[str]:
    """What stands between backticks and is the path of a file or folder of ours."""
    for span in SPAN.findall(text):
        if PATH.fullmatch(span) and not span.startswith(MADE):
            first = span.partition("/")[0]
            if span.endswith(NAMED_ALONE) or ("/" in span and (first in _tops() or first in _tops("platform"))):
                yield span


def _links(text: str) -> Iterator[str]:
    for link in LINK.findall(text):
        if not re.match(r"[a-z]+:|#", link):
            yield link.partition("#")[0]


def _commands(text: str, program: str) -> Iterator[str]:
    """The first argument of each call of a program, in code and between backticks."""
    for code in (*BLOCK.findall(text), *SPAN.findall(text)):
        yield from re.findall(rf"(?:^|[\s;|]|\d ){program} ([a-z_]+)", code, re.MULTILINE)


def _is_there(path: str) -> bool:
    """From the repository's root, from `platform/`, or, of a file alone, anywhere."""
    if (ROOT / path).exists() or (ROOT / "platform" / path).exists():
        return True
    return "/" not in path and path in _names()


@cache
def _tops(folder: str = ".") -> set[str]:
    return {path.name for path in (ROOT / folder).iterdir() if path.is_dir()}


@cache
def _names() -> set[str]:
    """Of all files of ours."""
    folders = ("platform", "inference", "billing", "tests", "docs", "deploy")
    return {path.name for folder in folders for path in (ROOT / folder).rglob("*")}
