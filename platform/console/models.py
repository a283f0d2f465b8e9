"""What the console says to everybody."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.identifiers import new_id


class Announcement(models.Model):
    """A notice of the operator's on top of every page, from `starts_at` until `ends_at` or until it is ended.

    What was published stays as it was read: a trigger lets nothing change but `ended_at`, once.
    """

    class Level(models.TextChoices):
        INFO = "info", "Information"
        WARNING = "warning", "Warning"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=120)
    text = models.CharField(max_length=1000)
    level = models.CharField(max_length=16, choices=Level, default=Level.INFO)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(level__in=["info", "warning"]), name="announcement_level_known"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="announcement_ends_after_start"),
            models.CheckConstraint(condition=~Q(title="") & ~Q(text=""), name="announcement_says_something"),
        )
        indexes = (models.Index(fields=["ends_at"], condition=Q(ended_at=None), name="announcement_not_ended"),)

    def __str__(self) -> str:
        return self.title
