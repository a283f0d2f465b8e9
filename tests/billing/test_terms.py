"""Prices and credit limits as operators agree on them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from billing import pricing, terms
from billing.models import Price

pytestmark = pytest.mark.django_db
MODEL = "boson/higgs-audio-v2.5"
DAY = timedelta(days=1)


@pytest.fixture
def acme() -> Organization:
    return Organization.objects.create(name="Acme")


def enter(amount: str, **terms_of_it: Any) -> Price:
    return terms.set_price(model=MODEL, dollars_per_minute=Decimal(amount), **terms_of_it)


def price(of: Organization | None = None, *, days: int = 0) -> str:
    at = timezone.now() + days * DAY
    found = pricing.price_at(model=MODEL, at=at, organization_id=of.pk if of else None)
    assert found is not None
    return f"{found.dollars_per_minute.normalize():f}"


def test_a_price_for_some_days_and_then_the_old_one(acme: Organization) -> None:
    now = timezone.now()
    enter("0.03", organization=acme, valid_from=now + DAY, valid_to=now + 3 * DAY)
    assert [price(acme, days=day) for day in (0, 2, 4)] == ["0.045", "0.03", "0.045"]
    assert price(days=2) == "0.045"


def test_no_price_begins_in_the_past_or_twice_at_a_moment_or_ends_before_it_begins() -> None:
    now = timezone.now()
    with pytest.raises(ValueError, match="valid_from: what was used"):
        enter("0.01", valid_from=now - timedelta(seconds=1))
    with pytest.raises(ValueError, match="valid_to"):
        enter("0.01", valid_from=now + DAY, valid_to=now + DAY)
    enter("0.05", valid_from=now + DAY)
    with pytest.raises(ValueError, match="entered already"):
        enter("0.06", valid_from=now + DAY)
    assert price(days=2) == "0.05"


def test_a_price_that_ends_gives_way_to_the_one_below(acme: Organization) -> None:
    own = enter("0.03", organization=acme)
    assert price(acme) == "0.03"
    terms.end_price(own)
    assert price(acme) == "0.045"
    with pytest.raises(ValueError, match="has ended"):
        terms.end_price(own)


def test_a_price_that_has_not_begun_can_be_taken_back() -> None:
    mistaken = enter("45", valid_from=timezone.now() + DAY)
    terms.end_price(mistaken)
    assert price(days=2) == "0.045"


def test_what_is_sold_keeps_a_price() -> None:
    with pytest.raises(ValueError, match="Nobody could buy"):
        terms.end_price(Price.objects.get(organization=None, model="boson/higgs-audio-v2.5"))
    enter("0.05", valid_to=timezone.now() + DAY)
    with pytest.raises(ValueError, match="Nobody could buy"):
        terms.end_price(Price.objects.get(dollars_per_minute=Decimal("0.045")))
    assert price() == "0.05"
    assert price(days=2) == "0.045"
