"""Whatever happens in whatever order, at Stripe, on the way and here: the money agrees to the cent.

Hypothesis makes up what customers, banks and operators do, which requests and webhooks go wrong and how, where the
process dies, and how time passes. Once all has calmed down, Stripe's double and the ledger are compared.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from accounts.models import Organization
from billing import ledger
from billing.invoices import credit_notes, payments
from billing.models import Invoice, LedgerEntry, StripeCall, StripeEvent, StripeInvoice, StripePayment
from billing.reservations import InsufficientCredit
from billing.stripe import checkout, mirror, recharge, reconciliation, refunds, sending, webhooks
from billing.stripe.checkout import StripeUnavailable
from billing.stripe.recharge import NoCard
from tests.billing.books import OPERATOR, account_of, admit, check_books, usage
from tests.billing.stripe.world import PAGES, invoice_of, let_pass, new_payer, page_of, post, save_card, top_up
from tests.fakes.stripe_server import FakeStripe

CRASH = st.one_of(st.none(), st.none(), st.integers(0, 25))
"""Before which statement of an operation the process dies, if at all."""
FAULTS = st.lists(
    st.sampled_from(["none", "lost before", "lost after", "409", "429", "500 before", "500 after"]), max_size=3
)
CARDS = st.sampled_from(["pays", "pays", "pays", "waits", "card_declined"])
CENTS = st.integers(500, 3000)
SEED = st.integers(0, 10_000)


class Crash(BaseException):
    """The process died."""


class Business(RuleBasedStateMachine):
    """Two customers, a Stripe on which nobody can rely, and us."""

    fake: ClassVar[FakeStripe]

    def __init__(self) -> None:
        super().__init__()
        self._rollback = transaction.atomic()
        self._rollback.__enter__()
        self.fake.__init__(key=self.fake.key, webhook_secret=self.fake.webhook_secret)  # type: ignore[misc]
        self.customers = [new_payer(given="1"), new_payer()]
        self.names = count()
        save_card(self.fake, self.customers[0])
        top_up(self.fake, self.customers[0], "12.00")
        self.order(self.customers[0])
        save_card(self.fake, self.customers[1], "card_declined")
        top_up(self.fake, self.customers[1], "30.00")
        for customer in self.customers:
            page_of(customer)

    def teardown(self) -> None:
        try:
            self._calm_down()
            self._compare()
        finally:
            transaction.set_rollback(True)
            self._rollback.__exit__(None, None, None)

    # What customers do

    @rule(who=st.integers(0, 1), cents=CENTS, save=st.booleans(), faults=FAULTS, crash=CRASH)
    def open_page(self, who: int, cents: int, save: bool, faults: list[Any], crash: int | None) -> None:
        self.fake.faults.extend(faults)
        amount = Decimal(cents) / 100
        self.attempt(
            lambda: checkout.top_up(organization=self.customers[who], amount=amount, save_card=save, **PAGES),
            crash,
        )

    @precondition(lambda self: self.open_pages())
    @rule(data=st.data(), card=CARDS, at_once=st.sampled_from(["nothing", "contested", "refunded"]))
    def fill_in(self, data: Any, card: str, at_once: str) -> None:
        page = data.draw(st.sampled_from(self.open_pages()))
        intent = self.fake.pay_page(page, self.fake.new_card(card))
        if intent["status"] == "succeeded" and at_once == "contested":
            self.fake.dispute(intent)
        elif intent["status"] == "succeeded" and at_once == "refunded":
            self.fake.refund_in_dashboard(intent, 100)

    @precondition(lambda self: self.open_pages())
    @rule(data=st.data())
    def leave(self, data: Any) -> None:
        self.fake.expire_page(data.draw(st.sampled_from(self.open_pages())))

    @rule(who=st.integers(0, 1), crash=CRASH)
    def order_recharge(self, who: int, crash: int | None) -> None:
        self.attempt(lambda: self.order(self.customers[who]), crash)

    @rule(who=st.integers(0, 1), frames=st.integers(1, 200_000))
    def speak(self, who: int, frames: int) -> None:
        organization = self.customers[who]
        try:
            ledger.settle(usage(admit(organization, frames=frames), frames=frames))
        except InsufficientCredit:
            assert account_of(organization).balance < frames * Decimal("0.00003")

    @precondition(lambda self: self.invoices_to_pay())
    @rule(data=st.data())
    def pay_invoice(self, data: Any) -> None:
        self.fake.pay_invoice(data.draw(st.sampled_from(self.invoices_to_pay())))

    # What operators and banks do

    @precondition(lambda self: self.payments())
    @rule(data=st.data(), cents=st.integers(1, 2000), crash=CRASH)
    def refund(self, data: Any, cents: int, crash: int | None) -> None:
        payment = data.draw(st.sampled_from(self.payments()))
        cause = str(next(self.names))
        for _ in range(2):
            self.attempt(
                lambda: refunds.request(
                    payment=payment, amount=Decimal(cents) / 100, cause=cause, operator=OPERATOR
                ),
                crash,
            )

    @rule(cents=CENTS, crash=CRASH)
    def close_month(self, cents: int, crash: int | None) -> None:
        customer = new_payer()
        self.customers.append(customer)
        invoice_of(customer, f"{Decimal(cents) / 100}")
        self.attempt(mirror.show_all, crash)

    @precondition(lambda self: self.invoices())
    @rule(data=st.data(), cents=st.integers(1, 3000), crash=CRASH)
    def receive_transfer(self, data: Any, cents: int, crash: int | None) -> None:
        invoice, cause = data.draw(st.sampled_from(self.invoices())), str(next(self.names))
        for _ in range(2):
            self.attempt(
                lambda: payments.record(invoice_id=invoice.pk, amount=Decimal(cents) / 100, cause=cause), crash
            )

    @precondition(lambda self: self.invoices("open", "paid"))
    @rule(data=st.data(), cents=st.integers(1, 3000), crash=CRASH)
    def credit(self, data: Any, cents: int, crash: int | None) -> None:
        invoice, cause = data.draw(st.sampled_from(self.invoices("open", "paid"))), str(next(self.names))
        net = min(Decimal(cents) / 100, invoice.net)
        self.attempt(
            lambda: credit_notes.issue(
                invoice_id=invoice.pk, net=net, cause=cause, reason="late", operator=OPERATOR
            ),
            crash,
        )

    @rule(crash=CRASH)
    def show(self, crash: int | None) -> None:
        self.attempt(mirror.show_all, crash)

    @precondition(lambda self: self.received())
    @rule(data=st.data(), cents=st.integers(1, 2000))
    def refund_in_dashboard(self, data: Any, cents: int) -> None:
        intent = data.draw(st.sampled_from(self.received()))
        charge = self.fake.store.get("charge", intent["latest_charge"])
        left = charge["amount"] - charge["amount_refunded"]
        if left and not self.fake.store.all("dispute", charge=charge["id"]):
            self.fake.refund_in_dashboard(intent, min(cents, left))

    @precondition(lambda self: self.fake.store.all("refund"))
    @rule(data=st.data())
    def bounce(self, data: Any) -> None:
        self.fake.fail_refund(data.draw(st.sampled_from(self.fake.store.all("refund"))))

    @precondition(lambda self: self.received())
    @rule(data=st.data())
    def contest(self, data: Any) -> None:
        self.fake.dispute(data.draw(st.sampled_from(self.received())))

    @precondition(lambda self: self.fake.store.all("dispute"))
    @rule(data=st.data(), won=st.booleans())
    def decide(self, data: Any, won: bool) -> None:
        self.fake.decide(data.draw(st.sampled_from(self.fake.store.all("dispute"))), won=won)

    @rule()
    def clear(self) -> None:
        self.fake.settle_waiting()

    # What runs here, and time

    @rule(faults=FAULTS, crash=CRASH)
    def send(self, faults: list[Any], crash: int | None) -> None:
        self.fake.faults.extend(faults)
        self.attempt(sending.send_due, crash)

    @rule(faults=FAULTS, crash=CRASH)
    def recharge(self, faults: list[Any], crash: int | None) -> None:
        self.attempt(recharge.run_due, crash)
        self.fake.faults.extend(faults)
        self.attempt(sending.send_due, crash)

    @rule(seed=SEED)
    def deliver(self, seed: int) -> None:
        self.fake.deliver(post, chaos=random.Random(seed))

    @rule(crash=CRASH)
    def process(self, crash: int | None) -> None:
        self.attempt(webhooks.process_due, crash)

    @rule(by=st.sampled_from([timedelta(minutes=3), timedelta(hours=2), timedelta(hours=30)]))
    def wait(self, by: timedelta) -> None:
        let_pass(self.fake, by)

    @invariant()
    def books_are_right(self) -> None:
        check_books()

    @invariant()
    def nothing_is_charged_twice(self) -> None:
        self._check_charges()

    # What there is

    def order(self, organization: Organization) -> None:
        recharge.put(
            organization=organization,
            threshold=Decimal(15),
            amount=Decimal("12.34"),
            monthly_ceiling=Decimal(40),
        )

    def open_pages(self) -> list[str]:
        """Those that a customer has been shown: the call has them."""
        there = {page["url"] for page in self.fake.store.all("checkout.session", status="open")}
        shown = StripeCall.objects.exclude(url="").order_by("url").values_list("url", flat=True)
        return [url for url in shown if url in there]

    def payments(self) -> list[StripePayment]:
        return list(StripePayment.objects.filter(state="paid").order_by("id"))

    def received(self) -> list[dict[str, Any]]:
        return self.fake.store.all("payment_intent", status="succeeded")

    def invoices(self, *states: str) -> list[Invoice]:
        issued = Invoice.objects.filter(
            organization__in=self.customers, **({"state__in": states} if states else {})
        )
        return list(issued.order_by("number"))

    def invoices_to_pay(self) -> list[str]:
        return [invoice["id"] for invoice in self.fake.store.all("invoice", status="open")]

    def attempt(self, operation: Callable[[], Any], crash: int | None) -> None:
        """An operation; what it may refuse is refused, and the process may die in it."""
        left = count(-1 if crash is None else crash, -1)

        def die(execute: Any, statement: str, *arguments: Any) -> Any:
            # What ends a savepoint would be done by PostgreSQL, had the process really died.
            if next(left) == 0 and not statement.startswith(("ROLLBACK", "RELEASE")):
                raise Crash
            return execute(statement, *arguments)

        try:
            with connection.execute_wrapper(die):
                operation()
        except (Crash, StripeUnavailable, InsufficientCredit, NoCard):
            pass
        except ValueError as error:
            if "amount" not in str(error):
                raise

    def _check_charges(self) -> None:
        """At Stripe, each payment of ours is of one charge, and a month's recharges are within the ceiling."""
        charges = Counter(i["metadata"]["payment"] for i in self.received() if "payment" in i["metadata"])
        assert all(times == 1 for times in charges.values()), charges
        for customer in self.customers:
            recharged = StripePayment.objects.filter(organization=customer, purpose="recharge").exclude(
                state="failed"
            )
            assert sum(payment.amount for payment in recharged) <= 40

    def _calm_down(self) -> None:
        """Nothing fails any more, and all that was lost comes again."""
        self.fake.faults.clear()
        for hours in (2, 2, 30, 30):  # within the time that keys are remembered, and after it
            let_pass(self.fake, timedelta(hours=hours))
            mirror.show_all()
            sending.send_due()
            self.fake.settle_waiting()
            self.fake.deliver(post)
            webhooks.process_due()
        found = reconciliation.run(since=timezone.now() - timedelta(days=400), until=timezone.now() + timedelta(1))
        assert found == []

    def _compare(self) -> None:
        check_books()
        self._check_charges()
        cash = LedgerEntry.objects.filter(
            account="cash", transaction__organization__in=self.customers, transaction__cause__startswith="stripe"
        )
        booked = -sum(cash.values_list("amount", flat=True), Decimal(0))
        assert booked * 100 == self.fake.balance()
        assert not StripeCall.objects.filter(state__in=["pending", "dead"]).exists()
        assert not StripeEvent.objects.filter(state__in=["pending", "dead"]).exists()
        there = {customer["metadata"]["organization"] for customer in self.fake.store.all("customer")}
        assert len(self.fake.store.all("customer")) == len(there)
        assert StripeInvoice.objects.count() == len(self.fake.store.all("invoice"))
        asked = {
            theirs["number"]: theirs["amount_due"] for theirs in self.fake.store.all("invoice", status="open")
        }
        for invoice in self.invoices("open"):  # what a bank took back is asked for by us, and no more by Stripe
            assert asked.pop(invoice.number, None) in (None, (invoice.total - invoice.credited) * 100)
        assert not asked


@pytest.mark.django_db
def test_any_order_of_anything_leaves_the_money_equal(fake: FakeStripe) -> None:
    Business.fake = fake
    run_state_machine_as_test(
        Business,
        settings=settings(
            max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
