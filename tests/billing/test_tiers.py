"""A tier of service costs its share of the model's price, at every moment and for every organization."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from billing import pricing
from billing.models import Price
from tests.billing.books import new_organization

pytestmark = pytest.mark.django_db
MODEL = "boson/higgs-audio-v2.5"
BATCH = pricing.entry(MODEL, tier="batch")


def test_a_tier_without_a_multiplier_is_the_model_itself() -> None:
    assert pricing.entry(MODEL, tier="default") == MODEL
    assert BATCH != MODEL


def test_each_row_of_the_price_book_has_its_half_and_ends_with_it() -> None:
    organization, now = new_organization(), timezone.now()
    own = Price.objects.create(
        organization=organization,
        model=MODEL,
        dollars_per_minute=Decimal("0.03"),
        valid_from=now - timedelta(hours=1),
    )
    pricing.publish_tier("batch")

    def costs() -> list[Decimal]:
        found = (pricing.price_at(model=BATCH, at=now, organization_id=id) for id in (None, organization.id))
        return [price.dollars_per_minute for price in found if price]

    assert costs() == [Decimal("0.0225"), Decimal("0.015")]
    Price.objects.filter(pk=own.pk).update(valid_to=now - timedelta(minutes=1))
    pricing.publish_tier("batch")
    assert costs() == [Decimal("0.0225"), Decimal("0.0225")]
    rows = list(Price.objects.filter(model=BATCH).order_by("pk").values())
    pricing.publish_tier("batch")
    assert list(Price.objects.filter(model=BATCH).order_by("pk").values()) == rows
    assert len(rows) == Price.objects.filter(model=MODEL).count()
