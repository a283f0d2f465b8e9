"""Two organizations that must not see each other, in a transaction that is rolled back."""

from __future__ import annotations

import pytest

from tests.console.people import Office, office


@pytest.fixture
def acme(db: None) -> Office:
    return office("Acme")


@pytest.fixture
def rival(db: None) -> Office:
    return office("Rival")
