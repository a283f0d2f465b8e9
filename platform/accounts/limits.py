"""How much an organization or a key may ask for, set by the operator; the gateway keeps to it within a second."""

from __future__ import annotations

from accounts.models import ApiKey, Organization

NAMES = ("requests_per_minute", "audio_seconds_per_minute", "concurrent_jobs")


def put(subject: Organization | ApiKey, **limits: int | None) -> None:
    """Set those limits that are named; None is the settings' default."""
    type(subject)._default_manager.filter(pk=subject.pk).update(**limits)
