"""The price book."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Organization
from billing.models.money import dollars


class Price(models.Model):
    """What a minute of a model's audio costs, for everybody or for one organization.

    The price of a moment is, among the rows valid then, the organization's own before everybody's, and of these
    the one that began last. So a later row takes over at its moment, and where it has an end (`valid_to`, the
    first moment at which it no longer holds) the row before it comes back: rows may overlap and still name one
    price. A row is a promise: a trigger lets nothing but its end be changed, and never lets it be deleted.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    model = models.CharField(max_length=100)
    dollars_per_minute = dollars()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["model", "organization", "valid_from"],
                name="price_once_per_moment",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(dollars_per_minute__gte=0), name="price_not_negative"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="price_ends_after_it_begins"
            ),
        )

    def __str__(self) -> str:
        span = f"from {self.valid_from:%Y-%m-%d %H:%M}" + (
            f" to {self.valid_to:%Y-%m-%d %H:%M}" if self.valid_to else ""
        )
        return f"{self.model}: ${self.dollars_per_minute.normalize():f}/min {span}"
