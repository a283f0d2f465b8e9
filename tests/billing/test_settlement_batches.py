"""Jobs settled together cost what they cost one by one, whatever their accounts, holds and budgets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.identifiers import new_id
from billing import budgets, ledger
from billing.ledger import Usage
from billing.models import Account, Budget, BudgetPeriod, LedgerEntry, Reservation, UsageRecord
from billing.settlement import ExceedsHold
from tests.billing.books import FRAME, admit, check_books, new_organization, usage

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Job:
    """One of an organization's; in frames."""

    organization: int
    cap: int
    spoken: int
    released: bool


JOBS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(1, 60), st.floats(0, 1), st.booleans()).map(
        lambda job: Job(job[0], job[1], round(job[1] * job[2]), job[3])
    ),
    min_size=1,
    max_size=8,
)
CREDIT = st.tuples(st.integers(0, 60), st.integers(0, 60))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=JOBS, credit=st.tuples(CREDIT, CREDIT), budget=st.booleans())
def test_a_batch_books_what_single_settlements_book(
    jobs: list[Job], credit: tuple[tuple[int, int], ...], budget: bool
) -> None:
    with transaction.atomic():
        usages, late = _admitted(jobs, credit, budget=budget)
        together = _undone(lambda: ledger.settle_all(usages))
        one_by_one = _undone(
            lambda: [
                ledger.settle(each) for each in sorted(usages, key=lambda each: (each.job_id in late, each.job_id))
            ]
        )
        assert together == one_by_one
        transaction.set_rollback(True)


def _admitted(
    jobs: list[Job], credit: tuple[tuple[int, int], ...], *, budget: bool
) -> tuple[list[Usage], set[UUID]]:
    """What the jobs used that there was credit for, and those whose hold was released meanwhile."""
    organizations = [new_organization(given=str(given * FRAME), paid=str(paid * FRAME)) for given, paid in credit]
    if budget:
        for organization in organizations:
            budgets.put(organization=organization, period=Budget.Period.MONTH, amount=Decimal(1))
    usages, late = [], set()
    for job in jobs:
        try:
            job_id = admit(organizations[job.organization], frames=job.cap)
        except ledger.InsufficientCredit:
            continue
        usages.append(usage(job_id, frames=job.spoken))
        if job.released:  # what it held may be held by the next
            ledger.void(job_id=job_id)
            late.add(job_id)
    return usages, late


def _undone(work: Callable[[], object]) -> list[Any]:
    """The books after `work`, which is taken back."""
    with transaction.atomic():
        work()
        check_books()
        tables = (
            Account.objects.values_list("organization", "balance", "promotional", "held", "overdraft"),
            BudgetPeriod.objects.values_list("id", "held", "spent"),
            Reservation.objects.values_list("job_id", "state", "late"),
            UsageRecord.objects.values_list("job_id", "organization", "samples", "cost"),
            LedgerEntry.objects.values_list("transaction", "account", "amount"),
        )
        found = [Counter(table) for table in tables]
        transaction.set_rollback(True)
    return found


def test_a_batch_is_one_statement(django_assert_num_queries: Any) -> None:
    organizations = [new_organization(given="1") for _ in range(3)]
    usages = [usage(admit(organization)) for organization in organizations for _ in range(3)]
    with django_assert_num_queries(1):
        records = ledger.settle_all(usages)
    assert {*records} == {each.job_id for each in usages}
    with django_assert_num_queries(2):
        assert ledger.settle_all(usages) == records
    check_books()


@pytest.mark.parametrize("wrong", [ExceedsHold, Reservation.DoesNotExist])
def test_one_that_is_wrong_is_named_and_the_batch_is_the_callers_to_undo(wrong: type[Exception]) -> None:
    organization = new_organization(given="1")
    good = usage(admit(organization))
    bad = usage(admit(organization, frames=24) if wrong is ExceedsHold else new_id(), frames=25)
    with pytest.raises(wrong), transaction.atomic():
        ledger.settle_all([good, bad])
    assert not UsageRecord.objects.exists()
    assert ledger.settle(good).cost == 25 * FRAME
    check_books()
