"""Invoices as events for webhooks. Amounts are US dollars as decimal strings."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from billing.models import Invoice
from webhooks import events
from webhooks.events import Event


def publish(invoice: Invoice, what: str, *, at: datetime | None = None, step: str = "") -> None:
    """Tell of `issued`, `paid` or `overdue`, in the transaction in which it happens.

    Args:
        step: tells apart what may happen to one invoice more than once.
    """
    events.publish(
        Event(
            organization_id=invoice.organization_id,
            kind=f"invoice.{what}",
            data={
                "invoice": {
                    "id": str(invoice.pk),
                    "number": invoice.number,
                    "status": str(invoice.state),
                    "total": f"{invoice.total:.2f}",
                    "paid": f"{invoice.paid:.2f}",
                    "due_at": invoice.due_at and invoice.due_at.astimezone(UTC).isoformat(timespec="seconds"),
                }
            },
            at=at or timezone.now(),
            source=f"invoice:{invoice.pk}:{what}:{step}",
            summary=f"Invoice {invoice.number} is {what}",
        )
    )
