"""Celery's thin tasks of the books, all of them safe to run twice and at once."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from billing import doorbell, grants, once, partitions, reservations, sealing, verification
from billing.alerts import detection
from billing.invoices import dunning, monthly
from billing.stripe import client, meters, mirror, recharge, reconciliation, sending, webhooks

log = logging.getLogger(__name__)


@shared_task(name="billing.tasks.expire_overdue")
def expire_overdue() -> None:
    """Release holds whose job's end was never reported."""
    if expired := reservations.expire_overdue():
        log.warning("%d holds outlived their deadline and were released", expired)


@shared_task(name="billing.tasks.expire_grants")
def expire_grants() -> None:
    """Book the rest of expired promotional credit, and delete the network counts of past days."""
    once.forget_networks(before=timezone.now() - timedelta(days=1))
    if booked := grants.expire_due():
        log.info("%d grants expired", booked)


@shared_task(name="billing.tasks.close_months")
def close_months() -> None:
    """Close the months that are over: draft, finalize and send their invoices."""
    if issued := monthly.run():
        log.info("%d invoices were issued", issued)


@shared_task(name="billing.tasks.remind_of_overdue")
def remind_of_overdue() -> None:
    """Take the next dunning step of every overdue invoice."""
    if taken := dunning.run():
        log.info("%d dunning steps were taken", taken)


@shared_task(name="billing.tasks.fire_alerts")
def fire_alerts() -> None:
    """Raise the alerts for low credit and nearly spent budgets."""
    if fired := detection.fire_due():
        log.info("%d alerts fired", fired)


@shared_task(name="billing.tasks.make_partitions")
def make_partitions() -> None:
    """Make the coming months' partitions of the usage records."""
    partitions.ensure_partitions("billing_usagerecord")


@shared_task(name="billing.tasks.verify_ledger")
def verify_ledger() -> None:
    """Seal the months that are over, prove the books, and publish the drift."""
    for seal in sealing.seal_due():
        log.info("sealed %s: %d rows, %s", f"{seal.month:%Y-%m}", seal.rows, seal.digest)
    report = verification.publish_due()
    for finding in report.findings:
        if finding.count:
            log.error("the books are wrong: %s: %d, drift $%s", finding.name, finding.count, finding.drift)


@shared_task(name="billing.tasks.show_at_stripe")
def show_at_stripe() -> None:
    """Have Stripe show the invoices and credit notes that it was not told of."""
    mirror.show_all()


@shared_task(name=doorbell.SEND_STRIPE_CALLS)
def send_stripe_calls() -> None:
    """Send what the outbox holds."""
    if client.is_configured():
        sending.send_due()


@shared_task(name=doorbell.PROCESS_STRIPE_EVENTS)
def process_stripe_events() -> None:
    """Give Stripe's events their effect."""
    if client.is_configured():
        webhooks.process_due()


@shared_task(name="billing.tasks.recharge_accounts")
def recharge_accounts() -> None:
    """Charge the cards of those whose balance is below what they named."""
    if client.is_configured() and (begun := recharge.run_due()):
        log.info("%d automatic recharges begun", begun)


@shared_task(name="billing.tasks.report_to_stripe_meter")
def report_to_stripe_meter() -> None:
    """Report the hours that ended, where a meter is named."""
    if client.is_configured() and settings.STRIPE_METER_EVENT:
        meters.report()


@shared_task(name="billing.tasks.reconcile_stripe")
def reconcile_stripe() -> None:
    """Compare Stripe's books with ours."""
    if client.is_configured():
        webhooks.purge_forged()
        for difference in reconciliation.run():
            log.error("Stripe and we differ: %s", difference)
