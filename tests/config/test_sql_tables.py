"""SQL names only the tables of its own app, so that a table can change without a search through other rooms."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from django.apps import apps

from tests.config.test_layout import PACKAGES

REPORTS = "a report shows organizations by name, read in the one statement that is its snapshot"
PROOFS = "a proof compares the books with what was made; the gateway, which knows both, registers it"
EXCEPTIONS = {
    "billing/alerts/detection.py": (
        {"accounts_apikey"},
        "an alert keeps the key's name, in the INSERT that raises it",
    ),
    "billing/reports/balances.py": ({"accounts_organization"}, REPORTS),
    "billing/reports/movements.py": ({"accounts_organization"}, REPORTS),
    "billing/reports/revenue.py": ({"accounts_organization"}, REPORTS),
    "platform/gateway/speech/settlement.py": (
        {
            "billing_price",
            "billing_reservation",
            "billing_usagerecord",
            "gateway_requestlog",
            "inference_synthesisjob",
        },
        PROOFS,
    ),
    "platform/usage/hours.sql": (
        {"billing_usagerecord"},
        "an hour is counted from the log and the bill in one statement",
    ),
}
"""Other apps' tables that a file names, and why it may."""
ADMIN_MENU = "platform/config/unfold.py"
"""Not SQL: the URLs of the admin's pages are named like tables."""


def _tables() -> dict[str, str]:
    """Each table and its app's package."""
    return {model._meta.db_table: model._meta.app_label for model in apps.get_models(include_auto_created=True)}


def _foreign(text: str, package: str) -> set[str]:
    tables = _tables()
    return {word for word in re.findall(r"\w+", text) if word in tables and tables[word] != package}


def _foreign_tables_of(file: Path, package: str) -> set[str]:
    """Every string of a Python file counts, the parts of f-strings too; a .sql file counts whole."""
    if file.suffix == ".sql":
        return _foreign(file.read_text(), package)
    nodes = ast.walk(ast.parse(file.read_text()))
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return set().union(*(_foreign(string, package) for string in strings))


def test_sql_names_only_the_tables_of_its_own_app() -> None:
    root = Path(__file__).parents[2]
    found: dict[str, set[str]] = {}
    for package, source in PACKAGES.items():
        for file in sorted((source / package).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.suffix not in {".py", ".sql"} or "migrations" in file.parts or path == ADMIN_MENU:
                continue
            if tables := _foreign_tables_of(file, package):
                found[path] = tables
    assert found == {path: tables for path, (tables, _) in EXCEPTIONS.items()}


def test_the_tables_of_other_apps_are_found(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text(
        'only = "x"\nq = f"SELECT {only} FROM usage JOIN billing_account USING (id), inference_audioasset"\n'
    )
    assert _foreign_tables_of(code, "billing") == {"inference_audioasset"}
    statement = tmp_path / "statement.sql"
    statement.write_text("DELETE FROM accounts_apikey;")
    assert _foreign_tables_of(statement, "billing") == {"accounts_apikey"}
    assert _foreign_tables_of(statement, "accounts") == set()
