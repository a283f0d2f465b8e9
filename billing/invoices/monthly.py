"""The monthly run: closes past months, then issues and sends their invoices. Running it again repeats no step."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from accounts.models import Organization
from billing.invoices import closing, emails, issuing
from billing.invoices.months import Month
from billing.invoices.tax import TaxUnknown
from billing.models import Invoice

log = logging.getLogger(__name__)


def run(*, now: datetime | None = None) -> int:
    """Close every month that is over, finalize the drafts and send what was not sent; returns how many it issued.

    One organization's failure is logged and stops no other's; the next run tries again.
    """
    now = now or timezone.now()
    through = Month.of(now).previous()
    drafts = Invoice.objects.filter(state=Invoice.State.DRAFT, end__lte=through.end)
    waiting = {*closing.unclosed(before=through.end), *drafts.values_list("organization_id", flat=True)}
    issued = sum(_issue(organization_id, through, now) for organization_id in sorted(waiting))
    unsent = Invoice.objects.exclude(state__in=(Invoice.State.DRAFT, Invoice.State.VOID)).filter(sent_at=None)
    for invoice_id in unsent.order_by("number").values_list("pk", flat=True):
        try:
            emails.send_invoice(invoice_id=invoice_id)
        except OSError:  # the mail server's
            log.exception("invoice %s could not be sent", invoice_id)
    return issued


def _issue(organization_id: UUID, through: Month, now: datetime) -> int:
    try:
        organization = Organization.objects.get(pk=organization_id)
        drafts = closing.close(organization=organization, through=through, now=now)
        for draft in drafts:
            issuing.finalize(invoice_id=draft.pk, now=now)
    except (DatabaseError, TaxUnknown):
        log.exception("the months of organization %s could not be closed", organization_id)
        return 0
    return len(drafts)
