"""Rate limits of organizations and keys, set by operators. The gateway applies them within a second."""

from __future__ import annotations

from accounts.models import ApiKey, Organization

NAMES = ("requests_per_minute", "audio_seconds_per_minute", "concurrent_jobs")


def put(subject: Organization | ApiKey, **limits: int | None) -> None:
    """Set the limits that are given; None is the default in the settings."""
    type(subject)._default_manager.filter(pk=subject.pk).update(**limits)
