"""What is agreed with customers: prices to come, and how far one may go below zero.

A price never changes what was admitted: a job keeps the price of its admission (`Reservation.price`), and no price
begins in the past.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization
from billing import pricing
from billing.models import Account, Price

MOMENT = timedelta(microseconds=1)
"""The shortest that a price can hold; one that is ended before it began holds so long."""


def set_price(
    *,
    model: str,
    dollars_per_minute: Decimal,
    organization: Organization | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> Price:
    """Enter what a minute of a model's audio costs, everybody or one organization, from a moment on.

    Args:
        valid_from: now, where it is missing.
        valid_to: the first moment at which it no longer holds; for ever, where it is missing.

    Raises:
        ValueError: it begins in the past, ends before it begins, or another one begins at that moment.
    """
    now = timezone.now()
    valid_from = valid_from or now
    if valid_from < now:
        raise ValueError("valid_from: what was used until now is billed; name a moment to come")
    if valid_to is not None and valid_to <= valid_from:
        raise ValueError("valid_to: a price ends after it begins")
    try:
        with transaction.atomic():
            price = Price.objects.create(
                model=model,
                organization=organization,
                dollars_per_minute=dollars_per_minute,
                valid_from=valid_from,
                valid_to=valid_to,
            )
            pricing.publish_tiers()
    except IntegrityError:
        raise ValueError("valid_from: a price that begins at that moment is entered already") from None
    return price


@transaction.atomic
def end_price(price: Price) -> Price:
    """End a price now, or before it begins; the one below it holds again.

    Raises:
        ValueError: it has ended, or nothing would be below it and the model could not be sold any more, or it is a
            service tier's, which ends with the model's.
    """
    if pricing.is_of_tier(price.model):
        raise ValueError("A service tier's price follows its model's: end that one.")
    rows = list(Price.objects.select_for_update().filter(model=price.model).order_by("pk"))
    price = next(row for row in rows if row.pk == price.pk)
    at = max(timezone.now(), price.valid_from + MOMENT)
    if price.valid_to is not None and price.valid_to <= at:
        raise ValueError("This price has ended, or its end is that near.")
    below = Price.objects.exclude(pk=price.pk).filter(
        Q(valid_to=None), model=price.model, organization=None, valid_from__lte=at
    )
    if price.organization_id is None and not below.exists():
        raise ValueError("Nobody could buy this model any more: enter the price that takes over, instead.")
    price.valid_to = at
    price.save(update_fields=["valid_to"])
    pricing.publish_tiers()
    return price


def set_credit_limit(*, organization: Organization, amount: Decimal) -> None:
    """Let an organization go that far below zero, to be invoiced; 0 is prepaid.

    Raises:
        ValueError: the amount is negative, or the organization owes or holds more than that already.
    """
    if amount < 0:
        raise ValueError("a credit limit is not negative")
    Account.objects.get_or_create(organization=organization)
    try:
        with transaction.atomic():
            Account.objects.filter(organization=organization).update(credit_limit=amount)
    except IntegrityError:
        raise ValueError("the organization owes or holds more than that already") from None
