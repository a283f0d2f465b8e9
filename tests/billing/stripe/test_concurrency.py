"""Several workers at once: one sends, one charges, one gives an event its effect."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from billing import promotions
from billing.models import Redemption, StripePayment
from billing.promotions import AlreadyRedeemed, NotRedeemable
from billing.stripe import recharge, refunds, sending, webhooks
from tests.billing.books import OPERATOR, account_of, check_books
from tests.billing.stripe.world import new_payer, post, save_card, top_up
from tests.fakes.stripe_server import FakeStripe

pytestmark = pytest.mark.usefixtures("swept")

WORKERS = 6


def at_once(work: Callable[[], object]) -> list[object]:
    """What it returns, or the kind of exception it raises, in several threads that begin together."""
    gate = Barrier(WORKERS)

    def begin(_: int) -> object:
        gate.wait()
        try:
            return work()
        except (AlreadyRedeemed, NotRedeemable, ValueError) as error:
            return type(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as threads:
        return list(threads.map(begin, range(WORKERS)))


def test_many_workers_do_each_thing_once(fake: FakeStripe) -> None:
    organization = new_payer()
    save_card(fake, organization)
    for threshold in (5, 15):
        recharge.put(
            organization=organization,
            threshold=Decimal(threshold),
            amount=Decimal(10),
            monthly_ceiling=Decimal(15),
        )
        begun = at_once(recharge.run_due)
        assert sum(int(str(count)) for count in begun) == (
            1 if threshold == 5 else 0
        )  # the second is above the ceiling
        at_once(sending.send_due)
        fake.deliver(post)
        at_once(webhooks.process_due)
    assert fake.balance() == 1000
    assert account_of(organization).balance == 10
    check_books()


def test_no_more_goes_back_than_was_paid(fake: FakeStripe) -> None:
    organization = new_payer(paid="100.00")
    payment = top_up(fake, organization)
    causes = iter(range(WORKERS))
    answers = at_once(
        lambda: (
            refunds.request(
                payment=payment, amount=Decimal(8), cause=f"{payment.pk}:{next(causes)}", operator=OPERATOR
            ).amount
        )
    )
    assert sorted(map(str, answers)) == ["8", "8", *["<class 'ValueError'>"] * (WORKERS - 2)]
    assert StripePayment.objects.get(pk=payment.pk).returned == 16
    same = at_once(
        lambda: (
            refunds.request(payment=payment, amount=Decimal(4), cause=f"{payment.pk}:same", operator=OPERATOR).pk
        )
    )
    assert len(set(same)) == 1


def test_a_code_is_redeemed_once_however_often_it_is_sent() -> None:
    organization = new_payer()
    code = promotions.create(code=organization.pk.hex, amount=Decimal(5), max_redemptions=WORKERS)
    answers = at_once(lambda: promotions.redeem(organization=organization, code=code.code))
    assert sum(isinstance(answer, Redemption) for answer in answers) == 1
    assert answers.count(AlreadyRedeemed) == WORKERS - 1
    code.refresh_from_db()
    assert code.redemptions == 1
    assert account_of(organization).balance == 5
