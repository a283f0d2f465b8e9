"""Wakes tasks of the books ahead of their clock, by name: who writes a row down does not import who sends it."""

from __future__ import annotations

from celery import current_app

SEND_STRIPE_CALLS = "billing.tasks.send_stripe_calls"
PROCESS_STRIPE_EVENTS = "billing.tasks.process_stripe_events"


def ring(task: str) -> None:
    current_app.send_task(task)
