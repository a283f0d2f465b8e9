"""The limits that organizations and keys have alike."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from accounts.limits import MAX_INPUT_CHARACTERS


class Limited(models.Model):
    """Limits; null is the default in the settings. `gateway.limits.limiter` enforces the rates."""

    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    audio_seconds_per_minute = models.PositiveIntegerField(null=True, blank=True)
    concurrent_jobs = models.PositiveIntegerField(null=True, blank=True)
    input_characters = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar[Any] = (
            models.CheckConstraint(
                condition=models.Q(requests_per_minute=None) | models.Q(requests_per_minute__gte=1),
                name="%(class)s_requests_per_minute_above_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(audio_seconds_per_minute=None) | models.Q(audio_seconds_per_minute__gte=1),
                name="%(class)s_audio_per_minute_above_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(concurrent_jobs=None) | models.Q(concurrent_jobs__gte=1),
                name="%(class)s_concurrent_jobs_above_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(input_characters=None)
                | models.Q(input_characters__gte=1, input_characters__lte=MAX_INPUT_CHARACTERS),
                name="%(class)s_input_characters_in_range",
            ),
        )
