"""A customer with something to look at."""

from __future__ import annotations

import pytest

from billing.models import (
    Invoice,
)
from tests.billing.invoices.months_of_use import customer, issue, use
from tests.console.people import Office, called, office


@pytest.fixture
def acme() -> Office:
    """A customer with something in every table."""
    acme = office("Acme")
    called(acme)
    return acme


@pytest.fixture
def invoice() -> Invoice:
    organization = customer(limit="100")
    use(organization, 3_600_000)
    return issue(organization)
