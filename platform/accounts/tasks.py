"""Scheduled tasks of the accounts."""

from __future__ import annotations

from celery import shared_task

from accounts import guesses


@shared_task(name="accounts.tasks.purge_guesses")
def purge_guesses() -> None:
    guesses.purge()
