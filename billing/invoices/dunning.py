"""Reminders of overdue invoices, and the suspension of organizations that do not pay.

Three reminders go out, 3, 7 and 14 days after the due date. The organization is suspended a week after the last
one *was sent*, so an outage of the mail server suspends nobody unwarned. Suspended, it gets no new holds
(`billing.reservations.RESERVE`), and running requests finish. Paying the overdue invoice lifts the suspension.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from billing import audit
from billing.audit import Operator
from billing.booking import lock
from billing.invoices import emails, events
from billing.models import Account, DunningStep, Invoice

log = logging.getLogger(__name__)

_Step = DunningStep.Step
REMINDERS = (
    (_Step.FIRST, timedelta(days=3)),
    (_Step.SECOND, timedelta(days=7)),
    (_Step.LAST, timedelta(days=14)),
)
GRACE = timedelta(days=7)
"""From the last reminder to the suspension."""


def run(*, now: datetime | None = None) -> int:
    """Take the next step that is due of every overdue invoice, one each; returns how many were taken."""
    now = now or timezone.now()
    overdue = Invoice.objects.filter(state=Invoice.State.OPEN, due_at__lte=now - REMINDERS[0][1])
    taken = 0
    for invoice_id in overdue.order_by("due_at").values_list("pk", flat=True):
        try:
            taken += _take_next(invoice_id, now)
        except OSError:  # the mail server's; the step is undone and is tried again
            log.exception("invoice %s: an e-mail could not be sent", invoice_id)
    return taken


def lift(account: Account) -> None:
    """End the suspension of an account, its row locked, that owes nothing any more for which it was suspended."""
    if (
        account.suspended_at
        and not Invoice.objects.filter(
            organization=account.organization_id,
            state__in=(Invoice.State.OPEN, Invoice.State.UNCOLLECTIBLE),
            dunning__step=_Step.SUSPENSION,
        ).exists()
    ):
        account.suspended_at = None
        account.save(update_fields=["suspended_at"])


@transaction.atomic
def lift_by_hand(*, organization: Organization, operator: Operator) -> bool:
    """End a suspension though the invoice is unpaid; False where there is none. It does not come back for it."""
    account = lock(organization)
    if account.suspended_at is None:
        return False
    account.suspended_at = None
    account.save(update_fields=["suspended_at"])
    audit.record(operator, what=f"suspension of organization {organization.pk} lifted")
    return True


@transaction.atomic
def _take_next(invoice_id: UUID, now: datetime) -> bool:
    """The e-mail goes out before the step is committed: one that fails is sent again, and none is skipped."""
    organization = Organization.objects.get(invoices=invoice_id)
    account = lock(organization)
    invoice = Invoice.objects.select_for_update(of=("self",)).select_related("organization").get(pk=invoice_id)
    step = _next_step(invoice, now)
    if step is None:
        return False
    DunningStep.objects.create(invoice=invoice, step=step, taken_at=now)
    events.publish(invoice, "overdue", at=now, step=str(step))
    if step is _Step.SUSPENSION:
        account.suspended_at = account.suspended_at or now
        account.save(update_fields=["suspended_at"])
        emails.send_suspension(invoice)
    else:
        emails.send_reminder(invoice, last=step is _Step.LAST, suspension_at=now + GRACE)
    return True


def _next_step(invoice: Invoice, now: datetime) -> DunningStep.Step | None:
    if invoice.state != Invoice.State.OPEN or invoice.due_at is None:
        return None
    taken = dict(invoice.dunning.values_list("step", "taken_at"))
    for step, after in REMINDERS:
        if step not in taken:
            return step if now >= invoice.due_at + after else None
    due = _Step.SUSPENSION not in taken and now >= taken[_Step.LAST] + GRACE
    return _Step.SUSPENSION if due else None
