"""Money that moves through Stripe, and the cards that it comes from."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.identifiers import new_id
from accounts.models import Organization
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerTransaction
from billing.models.money import dollars


class StripeCustomer(models.Model):
    """An organization at Stripe, and the card that it saved. `stripe_id` is empty until Stripe has made it."""

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, primary_key=True, related_name="stripe_customer"
    )
    stripe_id = models.CharField(max_length=255, default="")
    payment_method = models.CharField(max_length=255, default="")
    card_brand = models.CharField(max_length=50, default="")
    card_last_four = models.CharField(max_length=4, default="")
    card_expires = models.CharField(max_length=7, default="")
    """MM/YYYY."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["stripe_id"], condition=~Q(stripe_id=""), name="stripe_customer_once"),
        )

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.stripe_id or 'not made yet'}"


class StripeInvoice(models.Model):
    """An invoice of ours as Stripe shows and collects it, for `total`, tax included."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, primary_key=True, related_name="at_stripe")
    total = dollars()
    credited = dollars(default=Decimal(0))
    """What credit notes took off it since."""
    stripe_id = models.CharField(max_length=255, null=True, unique=True)  # noqa: DJ001 - unique where known
    status = models.CharField(max_length=20, default="")
    """Stripe's word: `draft`, `open`, `paid`, `void`, `uncollectible`; empty until Stripe has it."""
    url = models.TextField(default="")
    """Stripe's page on which it can be paid."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(credited__gte=0, credited__lte=F("total")), name="stripe_invoice_credited_in_range"
            ),
        )

    def __str__(self) -> str:
        return f"{self.invoice_id} of ${self.total}: {self.status or 'not there yet'}"


class StripePayment(models.Model):
    """Money that a customer pays, or is about to: one payment intent at Stripe, one movement in the ledger.

    pending -> failed | expired | paid; what Stripe received is booked from any of them.
    """

    class Purpose(models.TextChoices):
        TOP_UP = "top_up"
        RECHARGE = "recharge"
        INVOICE = "invoice"

    class State(models.TextChoices):
        PENDING = "pending"
        PAID = "paid"
        FAILED = "failed"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="stripe_payments")
    purpose = models.CharField(max_length=8, choices=Purpose)
    amount = dollars()
    returned = dollars(default=Decimal(0), db_default=Decimal(0))
    """What was refunded of it, or is about to be."""
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    payment_intent = models.CharField(max_length=255, null=True, unique=True)  # noqa: DJ001 - unique where known
    invoice = models.ForeignKey(StripeInvoice, on_delete=models.PROTECT, null=True, related_name="payments")
    movement = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="+")
    failure = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(purpose="recharge", state="pending"),
                name="stripe_payment_one_recharge_in_flight",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, returned__gte=0, returned__lte=F("amount")),
                name="stripe_payment_returned_in_range",
            ),
            models.CheckConstraint(
                condition=Q(state="paid", movement__isnull=False, payment_intent__isnull=False)
                | (~Q(state="paid") & Q(movement__isnull=True)),
                name="stripe_payment_is_booked_once_paid",
            ),
            models.CheckConstraint(
                condition=Q(purpose="invoice", invoice__isnull=False) | (~Q(purpose="invoice") & Q(invoice=None)),
                name="stripe_payment_names_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "paid", "failed", "expired"]), name="stripe_payment_state_known"
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["top_up", "recharge", "invoice"]), name="stripe_payment_purpose_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} of ${self.amount}: {self.state}"

    def booked(self) -> LedgerTransaction:
        """The movement of a payment that is paid, which the database promises to be there."""
        if self.movement is None:
            raise ValueError(f"payment {self.pk} is {self.state}")
        return self.movement


class StripeRefund(models.Model):
    """Money that goes back to the customer's card: booked when it is asked for, booked back where it fails."""

    class State(models.TextChoices):
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(StripePayment, on_delete=models.PROTECT, related_name="refunds")
    amount = dollars()
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    stripe_id = models.CharField(max_length=255, null=True, unique=True)  # noqa: DJ001 - unique where known
    movement = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="stripe_refund_above_zero"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "succeeded", "failed"]), name="stripe_refund_state_known"
            ),
        )

    def __str__(self) -> str:
        return f"${self.amount} back: {self.state}"


class StripeDispute(models.Model):
    """A payment that the customer's bank contests. What it takes and gives back is in the ledger."""

    stripe_id = models.CharField(max_length=255, primary_key=True)
    payment = models.ForeignKey(StripePayment, on_delete=models.PROTECT, related_name="disputes")
    amount = dollars()
    status = models.CharField(max_length=40)
    """Stripe's word: `needs_response`, `under_review`, `won`, `lost`, …"""
    reason = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.stripe_id} of ${self.amount}: {self.status}"


class AutoRecharge(models.Model):
    """A customer's order to charge the saved card when the balance falls below `threshold`.

    `charged` is what was charged in `month` (its first day, UTC) and never passes `monthly_ceiling`. A charge that
    failed stops the order until the customer turns it on again.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, primary_key=True, related_name="auto_recharge"
    )
    threshold = dollars()
    amount = dollars()
    monthly_ceiling = dollars()
    month = models.DateField()
    charged = dollars(default=Decimal(0))
    stopped_at = models.DateTimeField(null=True)
    stopped_because = models.CharField(max_length=200, default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(threshold__gte=0, amount__gt=0, monthly_ceiling__gte=F("amount")),
                name="auto_recharge_makes_sense",
            ),
            models.CheckConstraint(condition=Q(charged__gte=0), name="auto_recharge_charged_not_negative"),
        )

    def __str__(self) -> str:
        return f"${self.amount} below ${self.threshold}"
