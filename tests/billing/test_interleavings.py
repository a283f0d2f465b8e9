"""Whatever happens in whatever order, crashes between any two statements included, the books are right.

Hypothesis makes up the orders. Beside the database a model of a few lines knows what every balance must be.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing import budgets, grants, ledger, reservations
from billing.models import Budget, BudgetPeriod, LedgerTransaction, Reservation, UsageRecord
from billing.reservations import BudgetExceeded, InsufficientCredit
from tests.billing.books import FRAME, OPERATOR, account_of, admit, check_books, new_organization, usage

CRASH = st.one_of(st.none(), st.integers(0, 10))
"""Before which statement of an operation the process dies, if at all."""
FRAMES = st.integers(1, 60)


class Crash(Exception):
    """The process died."""


class Books(RuleBasedStateMachine):
    """One organization: in frames of audio what it has, and of each job how it stands."""

    def __init__(self) -> None:
        super().__init__()
        self._rollback = transaction.atomic()
        self._rollback.__enter__()
        self.organization = new_organization()
        self.paid = self.given = self.revenue = 0
        self.jobs: dict[UUID, tuple[str, int]] = {}
        self.budget: int | None = None
        self.causes = count()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._rollback.__exit__(None, None, None)

    @initialize(paid=st.integers(0, 100), given=st.integers(0, 100), budget=st.one_of(st.none(), FRAMES))
    def open(self, paid: int, given: int, budget: int | None) -> None:
        self.add_credit(ledger.top_up, paid, None)
        self.add_credit(ledger.grant, given, None)
        if budget is not None:
            self.budget = 3 * budget
            budgets.put(organization=self.organization, period=Budget.Period.MONTH, amount=self.budget * FRAME)

    @rule(frames=FRAMES, crash=CRASH)
    def admit(self, frames: int, crash: int | None) -> None:
        refusal: type[Exception] | None = None
        if self.paid + self.given - self.held < frames:
            refusal = InsufficientCredit
        elif self.budget is not None and self.spent + self.held + frames > self.budget:
            refusal = BudgetExceeded
        if refusal and crash is None:
            with pytest.raises(refusal):
                admit(self.organization, frames=frames)
        elif not refusal and (job := self.attempt(lambda: admit(self.organization, frames=frames), crash)):
            self.jobs[job] = ("pending", frames)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), repeat=st.booleans(), crash=CRASH)
    def settle(self, data: Any, repeat: bool, crash: int | None) -> None:
        """Any job at all: one that runs, one whose hold is gone, one that was settled before."""
        job = data.draw(st.sampled_from(list(self.jobs)))
        state, cap = self.jobs[job]
        frames = data.draw(st.integers(0, cap))
        if not self.attempt(lambda: ledger.settle(usage(job, frames=frames)), crash):
            return
        if repeat:  # a no-op, and where it crashes, too
            self.attempt(lambda: ledger.settle(usage(job, frames=frames)), crash)
        if state != "posted":
            self.jobs[job] = ("posted", cap)
            from_given = min(self.given, frames)
            self.given -= from_given
            self.paid -= frames - from_given
            self.revenue += frames

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), crash=CRASH)
    def void(self, data: Any, crash: int | None) -> None:
        job = data.draw(st.sampled_from(list(self.jobs)))
        if self.attempt(lambda: ledger.void(job_id=job), crash):
            assert self.jobs[job][0] == "pending"
            self.jobs[job] = ("voided", self.jobs[job][1])

    @rule(data=st.data(), crash=CRASH)
    def expire(self, data: Any, crash: int | None) -> None:
        running = [job for job, (state, _) in self.jobs.items() if state == "pending"]
        overdue = data.draw(st.lists(st.sampled_from(running), unique=True)) if running else []
        past = timezone.now() - timedelta(seconds=1)
        Reservation.objects.filter(job_id__in=overdue).update(expires_at=past)
        if self.attempt(reservations.expire_overdue, crash) is not None:
            for job, state in Reservation.objects.filter(job_id__in=self.jobs).values_list("job_id", "state"):
                self.jobs[job] = (state, self.jobs[job][1])

    @rule(
        verb=st.sampled_from([ledger.top_up, ledger.refund, ledger.grant]), frames=st.integers(1, 100), crash=CRASH
    )
    def add_credit(self, verb: Any, frames: int, crash: int | None) -> None:
        if not frames:
            return
        arguments = {"organization": self.organization, "amount": frames * FRAME, "cause": str(next(self.causes))}
        if not self.attempt(lambda: verb(**arguments), crash):
            return
        self.attempt(lambda: verb(**arguments), crash)  # a no-op, and where it crashes, too
        if verb is ledger.grant:
            self.given += frames
        else:
            self.paid += frames

    @rule(frames=st.integers(1, 100), crash=CRASH)
    def give_for_a_moment(self, frames: int, crash: int | None) -> None:
        if self.attempt(
            lambda: ledger.grant(
                organization=self.organization,
                amount=frames * FRAME,
                cause=str(next(self.causes)),
                expires_at=timezone.now() - timedelta(seconds=1),
            ),
            crash,
        ):
            self.given += frames

    @rule(crash=CRASH)
    def expire_grants(self, crash: int | None) -> None:
        if self.attempt(grants.expire_due, crash) is not None:
            given = int(account_of(self.organization).promotional / FRAME)
            assert min(self.given, self.held) <= given <= self.given
            self.given = given

    @rule(frames=st.integers(1, 100), crash=CRASH)
    def pay_out(self, frames: int, crash: int | None) -> None:
        def pay() -> LedgerTransaction:
            return ledger.pay_out(
                organization=self.organization, amount=frames * FRAME, cause=str(next(self.causes))
            )

        if frames > self.paid + self.given - max(self.held, self.given):
            if crash is None:
                with pytest.raises(InsufficientCredit), transaction.atomic():
                    pay()
        elif self.attempt(pay, crash):
            self.paid -= frames

    @precondition(lambda self: any(state == "posted" for state, _ in self.jobs.values()))
    @rule(data=st.data(), frames=st.integers(1, 20), crash=CRASH)
    def correct(self, data: Any, frames: int, crash: int | None) -> None:
        usages = LedgerTransaction.objects.filter(organization=self.organization, kind="usage")
        wrong = data.draw(st.sampled_from([None, *usages.order_by("id").values_list("id", flat=True)]))
        if wrong and self.attempt(
            lambda: ledger.adjust(
                corrects=wrong, amount=frames * FRAME, cause=str(next(self.causes)), operator=OPERATOR
            ),
            crash,
        ):
            self.paid += frames

    @invariant()
    def books_are_right(self) -> None:
        check_books()
        account = account_of(self.organization)
        expected = (self.given + self.paid, self.given, self.held)
        assert (account.balance, account.promotional, account.held) == tuple(n * FRAME for n in expected)
        assert account.overdraft == max(0, account.held - account.balance)
        records = UsageRecord.objects.filter(organization=self.organization)
        assert sum((record.cost for record in records), Decimal(0)) == self.revenue * FRAME
        for period in BudgetPeriod.objects.filter(budget__organization=self.organization):
            assert (period.held, period.spent) == (self.held * FRAME, self.spent * FRAME)

    @property
    def held(self) -> int:
        return sum(frames for state, frames in self.jobs.values() if state == "pending")

    @property
    def spent(self) -> int:
        return self.revenue

    def attempt(self, operation: Callable[[], Any], crash: int | None) -> Any:
        """What an operation returns; None where the process died before it was done."""
        left = count(-1 if crash is None else crash, -1)

        def die(execute: Any, *arguments: Any) -> Any:
            if next(left) == 0:
                raise Crash
            return execute(*arguments)

        try:
            with transaction.atomic(), connection.execute_wrapper(die):
                return operation()
        except Crash:
            return None


@pytest.mark.django_db
def test_any_order_of_anything_leaves_the_books_right() -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
