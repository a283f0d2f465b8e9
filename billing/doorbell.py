"""Starts billing tasks ahead of schedule, by name: code that writes a row need not import its sender."""

from __future__ import annotations

from celery import current_app

SEND_STRIPE_CALLS = "billing.tasks.send_stripe_calls"
PROCESS_STRIPE_EVENTS = "billing.tasks.process_stripe_events"


def ring(task: str) -> None:
    current_app.send_task(task)
