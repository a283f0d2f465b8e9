"""Results of probes: the state of each component, its days, and its outages. Written by `recording`."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Component(models.Model):
    """The last probe of a component, and since when it has been in this state."""

    name = models.CharField(max_length=16, primary_key=True)
    slot = models.BigIntegerField()
    """The interval of `probes.INTERVAL_SECONDS` since 1970; each is counted once, whoever probes."""
    ok = models.BooleanField()
    since = models.DateTimeField()
    times = models.PositiveIntegerField()
    """Consecutive probes with this result."""

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(times__gte=1), name="status_component_was_probed"),)

    def __str__(self) -> str:
        return f"{self.name} {'works' if self.ok else 'fails'} since {self.since:%Y-%m-%d %H:%M}"


class Day(models.Model):
    """A component's day, in UTC. Missed probes are in neither number."""

    pk = models.CompositePrimaryKey("component", "date")
    component = models.CharField(max_length=16)
    date = models.DateField()
    probes = models.PositiveIntegerField()
    failures = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(probes__gte=1, failures__lte=F("probes")), name="status_day_failures_within_probes"
            ),
        )

    def __str__(self) -> str:
        return f"{self.component} {self.date}: {self.failures} of {self.probes} failed"


class Outage(models.Model):
    """At least two consecutive failed probes: from the first of them to the next successful one."""

    component = models.CharField(max_length=16)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["component"], condition=Q(ended_at=None), name="status_outage_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gt=F("began_at")),
                name="status_outage_ends_after_it_begins",
            ),
        )
        indexes = (models.Index(fields=["-began_at"], name="status_outage_latest"),)

    def __str__(self) -> str:
        return f"{self.component} from {self.began_at:%Y-%m-%d %H:%M}"
