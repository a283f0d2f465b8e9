"""The price book and the one formula that turns milliseconds into dollars."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q

from billing.models import Price

NANO_DOLLAR = Decimal("0.000000001")
MILLISECONDS_PER_MINUTE = 60_000
TIERS = ("batch", "flex", "priority")
"""The tiers of service that have a price of their own; the tier `default` costs the model's price itself."""


def multiple(tier: str) -> Decimal:
    """What a tier of service costs, as a multiple of the model's price."""
    environment = settings.ENVIRONMENT
    return {
        "batch": environment.batch_price_multiple,
        "flex": environment.flex_price_multiple,
        "priority": environment.priority_price_multiple,
    }[tier]


def cost(*, duration_ms: int, dollars_per_minute: Decimal) -> Decimal:
    """Dollars for `duration_ms` of audio, to the nano-dollar; the database's `billing_cost` is the same.

    Exact for $0.045, which is 750 nano-dollars a millisecond. What another price leaves below a nano-dollar is
    rounded half even, once, here: a sum of records is a sum of what they say.
    """
    exact = dollars_per_minute * duration_ms / MILLISECONDS_PER_MINUTE
    return exact.quantize(NANO_DOLLAR, rounding=ROUND_HALF_EVEN)


def price_at(*, model: str, at: datetime, organization_id: UUID | None = None) -> Price | None:
    """The price of `model` that is valid at a moment: the organization's own, else everybody's.

    `reserve.sql` finds that of now in the same way.
    """
    valid = Price.objects.filter(
        Q(organization=None) | Q(organization=organization_id),
        Q(valid_to=None) | Q(valid_to__gt=at),
        model=model,
        valid_from__lte=at,
    )
    return valid.order_by("organization_id", "-valid_from").first()  # NULL comes last


def entry(model: str, *, tier: str) -> str:
    """The name under which the price book has a model's price in a tier of service."""
    return f"{model}@{tier}" if tier in TIERS else model


def is_of_tier(entry: str) -> bool:
    """Whether a name in the price book is a model's in a tier of service, and not a model itself."""
    return entry.endswith(tuple(f"@{tier}" for tier in TIERS))


def publish_tier(tier: str) -> None:
    """Bring a tier's rows of the price book up to the models' own: each has one, with the same span.

    A tier's price is a row like any other, so that a job's price is a promise and its cost can be derived again.
    Where nothing has changed, nothing is written. A row keeps the multiple of the day it was published: another
    one holds for the prices that are entered from then on.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_price AS known (organization_id, model, dollars_per_minute, valid_from, valid_to)
            SELECT price.organization_id, price.model || %(suffix)s,
                round(price.dollars_per_minute * %(multiplier)s, 9), price.valid_from, price.valid_to
            FROM billing_price price
            LEFT JOIN billing_price tier ON tier.model = price.model || %(suffix)s
                AND tier.organization_id IS NOT DISTINCT FROM price.organization_id
                AND tier.valid_from = price.valid_from
            WHERE strpos(price.model, '@') = 0
                AND (tier.id IS NULL OR tier.valid_to IS DISTINCT FROM price.valid_to)
            ON CONFLICT (model, organization_id, valid_from) DO UPDATE SET valid_to = excluded.valid_to
            WHERE known.valid_to IS DISTINCT FROM excluded.valid_to
            """,
            {"suffix": entry("", tier=tier), "multiplier": multiple(tier)},
        )


def publish_tiers() -> None:
    """Bring every tier up to the models' prices, in the transaction that changes one of them."""
    for tier in TIERS:
        publish_tier(tier)


def show(amount: Decimal) -> str:
    """An amount as a decimal string of nine places, for people and for JSON: "0.045000000"."""
    return f"{amount.quantize(NANO_DOLLAR):f}"


def parse_dollars(text: str) -> Decimal:
    """Parse an operator's amount. Raises ValueError if it is no amount, or finer than a nano-dollar."""
    try:
        amount = Decimal(text)
        exact = amount.quantize(NANO_DOLLAR)
    except InvalidOperation:
        raise ValueError(text) from None
    if exact != amount:
        raise ValueError(text)
    return exact
