"""Invoices and credit notes. Once issued they do not change: triggers in the migrations refuse it.

Sums come in two kinds. `*exact` is the sum of the usage records, to the nano-dollar; all others are whole cents.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.identifiers import new_id
from accounts.models import Organization
from billing.models.ledger import LedgerTransaction
from billing.models.money import dollars


class NumberSeries(models.Model):
    """The last number of a series of documents. Its row is locked until what takes a number commits."""

    name = models.CharField(max_length=20, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"


class Invoice(models.Model):
    """A calendar month (UTC) of an organization's usage: from `start` up to, and without, `end`.

    draft -> open (finalized) -> paid | void | uncollectible. One that asks for nothing is paid when finalized; a
    payment that is taken back opens it again; one that was written off may still be paid.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        PAID = "paid"
        VOID = "void"
        UNCOLLECTIBLE = "uncollectible"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invoices")
    start = models.DateTimeField()
    end = models.DateTimeField()
    state = models.CharField(max_length=13, choices=State, default=State.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)

    due_exact = dollars()
    """What the organization owed for the month. Of a draft without lines: for all until `end`."""
    priced_at = models.DateTimeField(null=True)
    """When the lines were written."""
    exact = dollars(default=Decimal(0))
    subtotal = dollars(default=Decimal(0))
    """The sum of the lines' amounts."""
    promotional_exact = dollars(default=Decimal(0))
    promotional = dollars(default=Decimal(0))
    """What promotional credit paid of the subtotal."""
    prepaid = dollars(default=Decimal(0))
    """What paid credit paid of the subtotal."""
    net = dollars(default=Decimal(0))
    """What is left of the subtotal."""

    number = models.CharField(max_length=32, null=True, unique=True)  # noqa: DJ001 - unique where there is one
    issued_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4, default=Decimal(0))
    tax_note = models.CharField(max_length=200, blank=True)
    tax = dollars(default=Decimal(0))
    total = dollars(default=Decimal(0))
    seller = models.JSONField(default=dict)
    customer = models.JSONField(default=dict)

    paid = dollars(default=Decimal(0))
    credited = dollars(default=Decimal(0))
    """What credit notes took off what was left to pay."""
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    """When it was paid, voided or written off."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "start"], condition=~Q(state="void"), name="invoice_once_a_period"
            ),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="invoice_period_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "open", "paid", "void", "uncollectible"]),
                name="invoice_state_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    net=F("subtotal") - F("promotional") - F("prepaid"),
                    total=F("net") + F("tax"),
                    net__gte=0,
                    promotional__gte=0,
                    prepaid__gte=0,
                    tax__gte=0,
                    due_exact__gte=0,
                ),
                name="invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", number=None, issued_at=None, due_at=None)
                | (~Q(state="draft") & Q(number__isnull=False, issued_at__isnull=False, due_at__isnull=False))
                & Q(priced_at__isnull=False),
                name="invoice_numbered_once_issued",
            ),
            models.CheckConstraint(condition=Q(paid__gte=0, credited__gte=0), name="invoice_paid_not_negative"),
            models.CheckConstraint(
                condition=Q(state="paid", total=F("paid") + F("credited"))
                | Q(state__in=["open", "uncollectible"], total__gt=F("paid") + F("credited"))
                | Q(state__in=["draft", "void"], paid=0, credited=0),
                name="invoice_paid_when_all_is",
            ),
        )
        indexes = (models.Index(fields=["due_at"], condition=Q(state="open"), name="invoice_open"),)

    def __str__(self) -> str:
        return f"{self.number or 'draft'} {self.start:%Y-%m}: ${self.total:.2f} {self.state}"

    @property
    def left(self) -> Decimal:
        """What is still to be paid."""
        left: Decimal = self.total - self.paid - self.credited
        return left


class InvoiceLine(models.Model):
    """The month's usage of one model in one voice at one price. `amount` is `exact` in cents, half even."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines", db_index=False)
    position = models.PositiveIntegerField()
    model = models.CharField(max_length=100)
    voice = models.CharField(max_length=100)
    dollars_per_minute = dollars()
    requests = models.BigIntegerField()
    duration_ms = models.BigIntegerField()
    exact = dollars()
    amount = dollars()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position_once"),
            models.UniqueConstraint(
                fields=["invoice", "model", "voice", "dollars_per_minute"], name="invoice_line_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.model} {self.voice}: {self.duration_ms} ms, ${self.amount}"


class InvoiceDay(models.Model):
    """A day (UTC) of a line."""

    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="days", db_index=False)
    day = models.DateField()
    requests = models.BigIntegerField()
    duration_ms = models.BigIntegerField()
    exact = dollars()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["line", "day"], name="invoice_day_once"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.duration_ms} ms, ${self.exact}"


class InvoiceMovement(models.Model):
    """Which invoice a ledger transaction belongs to: its issue, payments, credit notes, and what undid them."""

    transaction = models.OneToOneField(
        LedgerTransaction, on_delete=models.PROTECT, primary_key=True, related_name="of_invoice"
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="movements")

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.transaction_id}"


class CreditNote(models.Model):
    """What was taken back of an invoice, whose tax goes back in proportion."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    number = models.CharField(max_length=32, unique=True)
    issued_at = models.DateTimeField()
    reason = models.TextField()
    net = dollars()
    tax = dollars()
    total = dollars()
    unpaid = dollars()
    """What of the total was still to be paid and is no more; the rest became paid credit."""
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, related_name="credit_note")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    net__gt=0, tax__gte=0, total=F("net") + F("tax"), unpaid__gte=0, unpaid__lte=F("total")
                ),
                name="credit_note_adds_up",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="credit_note_says_why"),
        )

    def __str__(self) -> str:
        return f"{self.number}: ${self.total:.2f}"


class DunningStep(models.Model):
    """What was done about an overdue invoice, each step once."""

    class Step(models.TextChoices):
        FIRST = "first", "First reminder"
        SECOND = "second", "Second reminder"
        LAST = "last", "Last reminder"
        SUSPENSION = "suspension", "Suspension"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="dunning", db_index=False)
    step = models.CharField(max_length=10, choices=Step)
    taken_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["invoice", "step"], name="dunning_step_once"),
            models.CheckConstraint(
                condition=Q(step__in=["first", "second", "last", "suspension"]), name="dunning_step_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.step}"
