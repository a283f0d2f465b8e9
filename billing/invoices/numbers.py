"""Numbers of documents, without gaps: tax law asks for it, and a sequence of PostgreSQL does not promise it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from billing.models import NumberSeries

INVOICES = "INV"
CREDIT_NOTES = "CN"


def take(prefix: str, *, at: datetime) -> str:
    """The next number of a year's series: "INV-2026-000001".

    It is taken in the caller's transaction, whose end the next one waits for, and goes back when that fails.
    """
    name = f"{prefix}-{at.year}"
    NumberSeries.objects.bulk_create([NumberSeries(name=name)], ignore_conflicts=True)
    NumberSeries.objects.filter(name=name).update(last=F("last") + 1)
    return f"{name}-{NumberSeries.objects.get(name=name).last:06d}"
