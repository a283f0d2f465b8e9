"""What runs by the clock or by request costs what is alive, not what has been: plans over a million ended jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from tests import past as pasts
from tests.past import BY_REQUEST, BY_THE_CLOCK, Past
from tests.plans import watched

pytestmark = pytest.mark.xdist_group("history")  # one process makes the past, and not each
MOST_BLOCKS = 100
"""What a statement may read, of 8 KiB. All of the history is 1,500 blocks of the smallest index of the jobs, and
30,000 of the jobs themselves."""


@pytest.fixture(scope="module")
def past(django_db_setup: None, django_db_blocker: Any) -> Iterator[Past]:
    """Made in a transaction that is undone at the end, for all tests of this file."""
    with django_db_blocker.unblock():
        _compact()  # what other tests left is no part of this past
        with transaction.atomic():
            yield pasts.make(jobs_alone=850_000, requests=100_000, asked_alike=50_000)
            transaction.set_rollback(True)
        _compact()
        connection.close()


def _compact() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (FULL, ANALYZE)")


@pytest.mark.parametrize("act", (BY_THE_CLOCK | BY_REQUEST).values(), ids=(BY_THE_CLOCK | BY_REQUEST).keys())
def test_it_reads_what_is_alive(past: Past, act: Callable[[Past], object]) -> None:
    with transaction.atomic(), watched() as plans:
        act(past)
        transaction.set_rollback(True)
    assert plans, "no statement ran"
    dear = [str(plan) for plan in plans if plan.blocks > MOST_BLOCKS]
    assert not dear, "\n".join(dear)
