"""Holding money for a job at its admission: what is not there cannot be spent, however many ask at once.

The vocabulary is that of two-phase transfers (https://docs.tigerbeetle.com/coding/two-phase-transfers/): a
reservation is pending, then posted by a settlement or voided; it is resolved once.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import psycopg

from billing.pricing import MILLISECONDS_PER_MINUTE

_RESERVE = f"""
WITH price AS (
    SELECT id, round(%(cap_ms)s * dollars_per_minute / {MILLISECONDS_PER_MINUTE}, 9) AS hold
    FROM billing_price WHERE model = %(model)s AND valid_from <= now()
    ORDER BY valid_from DESC LIMIT 1
), account AS (
    UPDATE billing_account SET held = held + price.hold FROM price
    WHERE organization_id = %(organization_id)s AND balance + credit_limit - held >= price.hold
    RETURNING organization_id
), reservation AS (
    INSERT INTO billing_reservation (job_id, organization_id, amount, price_id, state, created_at)
    SELECT %(job_id)s, account.organization_id, price.hold, price.id, 'pending', now() FROM account, price
)
SELECT price.hold, EXISTS (SELECT FROM account) FROM price
"""  # noqa: S608 - the only thing put in is a constant number


class NoPrice(Exception):
    """The price book has no row for this model; nothing may be sold without a price."""


class InsufficientCredit(Exception):
    """The organization's credit, less what running jobs hold, does not cover this job's cap."""

    def __init__(self, needed: Decimal) -> None:
        super().__init__(f"${needed} needed")
        self.needed = needed


async def reserve(
    connection: psycopg.AsyncConnection, *, job_id: UUID, organization_id: UUID, model: str, cap_ms: int
) -> None:
    """Hold the cost of `cap_ms` of `model`'s audio at the price valid now, in the caller's transaction.

    One statement: the conditional UPDATE decides, nothing reads first and writes later.

    Raises:
        NoPrice: the model is not in the price book.
        InsufficientCredit: the hold would pass what the organization may spend. Nothing was written.
    """
    parameters = {"job_id": job_id, "organization_id": organization_id, "model": model, "cap_ms": cap_ms}
    row = await (await connection.execute(_RESERVE, parameters)).fetchone()
    if row is None:
        raise NoPrice(model)
    needed, reserved = row
    if not reserved:
        raise InsufficientCredit(needed)
