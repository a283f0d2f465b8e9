"""Codes that customers redeem for promotional credit."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from accounts.models import Organization
from billing.models.ledger import LedgerTransaction
from billing.models.money import dollars


class PromotionCode(models.Model):
    """A code worth `amount`, for `max_redemptions` organizations, once each, until `expires_at`."""

    code = models.CharField(max_length=50)
    amount = dollars()
    max_redemptions = models.PositiveIntegerField()
    redemptions = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    credit_days = models.PositiveIntegerField(null=True)
    """How long the credit lasts from its redemption; NULL is for ever."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(Upper("code"), name="promotion_code_unique_ignoring_case"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="promotion_above_zero"),
            models.CheckConstraint(
                condition=Q(redemptions__lte=F("max_redemptions")), name="promotion_never_over_redeemed"
            ),
        )

    def __str__(self) -> str:
        return f"{self.code}: ${self.amount}"


class Redemption(models.Model):
    """That an organization redeemed a code."""

    promotion = models.ForeignKey(PromotionCode, on_delete=models.PROTECT, related_name="redeemed")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    movement = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, related_name="+")
    redeemed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["promotion", "organization"], name="promotion_once_per_organization"),
        )

    def __str__(self) -> str:
        return f"{self.promotion_id} by {self.organization_id}"


class PromotionalClaim(models.Model):
    """That a person, or a mailbox, has had an offer of promotional credit: `welcome`, or `promotion:ID`.

    It refers to nobody: it outlives the account, so that who deletes one and comes again is known.
    """

    offer = models.CharField(max_length=40)
    claimant = models.BinaryField(max_length=32)
    """A keyed hash (`accounts.mailboxes`)."""
    claimed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["offer", "claimant"], name="promotional_claim_once"),)

    def __str__(self) -> str:
        return self.offer


class PromotionalNetworkDay(models.Model):
    """How many people of a network (/24, /48) had the welcome credit on a day (UTC)."""

    network = models.CharField(max_length=43)
    day = models.DateField()
    people = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["network", "day"], name="promotional_network_once_a_day"),)

    def __str__(self) -> str:
        return f"{self.people} of {self.network} on {self.day}"
