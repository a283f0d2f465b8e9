"""Doing business in a test: admit, settle, and ask for the proof."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.identifiers import new_id
from accounts.models import Organization
from billing import ledger, reservations, verification
from billing.ledger import Operator, Usage
from billing.models import Account

MODEL = "boson/higgs-audio-v2.5"
FRAME = Decimal("0.00003")
"""What 40 ms cost."""
KEY = UUID(int=1)
OPERATOR = Operator(actor="ada@example.com", reason="a test")


def new_organization(*, given: str = "0", paid: str = "0") -> Organization:
    organization = Organization.objects.create(name="A")
    Account.objects.create(organization=organization)
    if Decimal(given):
        ledger.grant(organization=organization, amount=Decimal(given), cause=f"given:{organization.pk}")
    if Decimal(paid):
        ledger.top_up(organization=organization, amount=Decimal(paid), cause=f"paid:{organization.pk}")
    return organization


def admit(
    organization: Organization,
    *,
    frames: int = 100,
    key: UUID = KEY,
    model: str = MODEL,
    lasts: timedelta = timedelta(minutes=5),
    job_id: UUID | None = None,
) -> UUID:
    """A job's hold, made by the function that makes them."""
    job_id = job_id or new_id()
    with transaction.atomic():
        hold(connection, job_id, organization, frames=frames, key=key, model=model, lasts=lasts)
    return job_id


def hold(
    own: Any,
    job_id: UUID,
    organization: Organization,
    *,
    frames: int,
    key: UUID = KEY,
    model: str = MODEL,
    lasts: timedelta = timedelta(minutes=5),
) -> None:
    """As `admit`, on a connection of its own. Raises what `reservations.check` does."""
    job = {
        "id": job_id,
        "organization_id": organization.pk,
        "api_key_id": key,
        "priced_as": model,
        "cap_ms": frames * 40,
        "hold_seconds": lasts.total_seconds(),
    }
    with own.cursor() as cursor:
        cursor.execute(
            "SELECT outcome, detail FROM billing_reserve(%s::json, '{}', true)", [json.dumps([job], default=str)]
        )
        [(outcome, detail)] = cursor.fetchall()
    reservations.check(outcome, detail, model=model)


def usage(job_id: UUID, *, frames: int = 25, key: UUID = KEY) -> Usage:
    return Usage(
        job_id=job_id, api_key_id=key, model=MODEL, voice="alloy", samples=frames * 960, duration_ms=frames * 40
    )


def account_of(organization: Organization) -> Account:
    return Account.objects.get(organization=organization)


def check_books() -> None:
    """`ledger verify` is clean."""
    report = verification.verify()
    assert report.clean, [finding for finding in report.findings if finding.count]


def by_hand(statement: str, *parameters: object) -> None:
    """What triggers refuse, with the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")
