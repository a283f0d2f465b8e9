"""Statements of ours are planned once a connection, and their rows are models."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import organizations, prepared
from accounts.models import Organization

NAMED = "SELECT name, id, length(name) AS length FROM accounts_organization WHERE name = ANY (%(names)s::text[])"


@pytest.fixture
def threshold() -> Any:
    connection.ensure_connection()
    connection.connection.prepare_threshold = 2
    yield
    connection.connection.prepare_threshold = None


def prepared_statements() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%accounts_organization%%'"
        )
        return int(cursor.fetchone()[0])


def find(name: str) -> list[Organization]:
    with prepared.cursor() as cursor:
        cursor.execute(NAMED, {"names": [name]})
        return prepared.fetch(cursor, Organization)


@pytest.mark.django_db
def test_rows_are_models_whose_other_fields_are_deferred() -> None:
    organization = organizations.create(name="Acme", owner_email="a@example.com")
    (found,) = find("Acme")
    assert (found, found.length) == (organization, 4)  # type: ignore[attr-defined]
    assert "created_at" in found.get_deferred_fields()
    assert found.created_at == organization.created_at


@pytest.mark.django_db
def test_a_statement_is_prepared_once_it_was_sent_often(threshold: None) -> None:
    for _ in range(2):
        find("Acme")
    assert prepared_statements() == 0
    find("Acme")
    find("Other")
    assert prepared_statements() == 1


@pytest.mark.django_db
def test_it_counts_as_a_query_and_raises_djangos_errors(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        find("Acme")
    organizations.create(name="Acme", owner_email="a@example.com")
    with pytest.raises(IntegrityError), transaction.atomic(), prepared.cursor() as cursor:
        cursor.execute("INSERT INTO accounts_organization SELECT * FROM accounts_organization")
