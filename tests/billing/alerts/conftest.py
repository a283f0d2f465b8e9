from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Organization
from tests.billing.alerts.world import Receiver, receiving
from tests.billing.books import new_organization


@pytest.fixture
def organization(db: None) -> Organization:
    return new_organization(given="1")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
