"""The double-entry ledger, and what each organization can spend by it.

`Account` is a projection of the ledger kept in the same transactions; its CHECK is the one rule that nobody
overspends. `LedgerTransaction` and `LedgerEntry` are append-only and every transaction sums to zero: triggers
in the migrations refuse anything else, whoever connects.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.identifiers import new_id
from accounts.models import Organization
from billing.models.money import dollars


class Account(models.Model):
    """What an organization has (`balance`, of which `promotional`), and what running jobs may take (`held`).

    `overdraft` is what a late settlement took below the floor (see `billing.settlement`): it was generated and
    is owed. It makes room in the CHECK for exactly that, admits nothing, and goes with the next credit.

    `invoiced_until` is the end of the last month that was closed: usage that is settled later belongs to a later
    month. One that is suspended (`billing.invoices.dunning`) gets no new holds.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, primary_key=True, related_name="account"
    )
    balance = dollars(default=Decimal(0))
    promotional = dollars(default=Decimal(0))
    held = dollars(default=Decimal(0))
    credit_limit = dollars(default=Decimal(0))
    overdraft = dollars(default=Decimal(0), db_default=Decimal(0))
    invoiced_until = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(balance__gte=F("held") - F("credit_limit") - F("overdraft")),
                name="account_never_overspent",
            ),
            models.CheckConstraint(
                condition=Q(held__gte=0, promotional__gte=0, credit_limit__gte=0, overdraft__gte=0),
                name="account_parts_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"{self.organization_id}: ${self.balance} of which ${self.held} held"


class LedgerTransaction(models.Model):
    """One movement of money and why. (`kind`, `cause`) is unique, so that a repeat finds the first.

    A usage transaction has its job's id. A correction names what it corrects.
    """

    class Kind(models.TextChoices):
        USAGE = "usage"
        GRANT = "grant"
        EXPIRY = "expiry"
        TOP_UP = "top_up"
        PAYOUT = "payout"
        REFUND = "refund"
        INVOICE = "invoice"
        PAYMENT = "payment"
        DISPUTE = "dispute"
        CREDIT_NOTE = "credit_note"
        WRITE_OFF = "write_off"
        CORRECTION = "correction"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    cause = models.CharField(max_length=200)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="corrections", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "cause"], name="ledger_cause_once"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "usage", "grant", "expiry", "top_up", "payout", "refund", "invoice", "payment",
                        "dispute", "credit_note", "write_off", "correction",
                    ]
                ),
                name="ledger_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="correction", corrects__isnull=False)
                | (~Q(kind="correction") & Q(corrects__isnull=True)),
                name="ledger_correction_names_what_it_corrects",
            ),
        )  # fmt: skip
        # For the reports; usage, which is most of the rows, has its records.
        indexes = (
            models.Index(fields=["created_at"], condition=~Q(kind="usage"), name="ledger_but_usage"),
            models.Index(
                fields=["organization", "id"], condition=~Q(kind="usage"), name="ledger_but_usage_of_one"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.cause}"


class LedgerEntry(models.Model):
    """One leg: positive credits the account, negative debits it.

    A transaction's legs are inserted by one statement and sum to zero.
    """

    class Name(models.TextChoices):
        CUSTOMER_CREDIT = "customer_credit", "What customers paid and have not used"
        PROMOTIONAL_CREDIT = "promotional_credit", "What customers were given and have not used"
        REVENUE = "revenue", "Generated audio"
        REFUNDS = "refunds", "Revenue given back"
        PROMOTIONAL_EXPENSE = "promotional_expense", "What given credit costs"
        CASH = "cash", "Money received"
        RECEIVABLE = "receivable", "Money invoiced and not received"
        TAX_PAYABLE = "tax_payable", "Tax invoiced, which is the state's"
        ROUNDING = "rounding", "What rounding to cents gained or lost"
        BAD_DEBT = "bad_debt", "Money invoiced that will not be received"

    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=24, choices=Name)
    amount = dollars()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_entry_not_zero"),
            models.CheckConstraint(
                condition=Q(
                    account__in=[
                        "customer_credit", "promotional_credit", "revenue", "refunds", "promotional_expense",
                        "cash", "receivable", "tax_payable", "rounding", "bad_debt",
                    ]
                ),
                name="ledger_account_known",
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.account} {self.amount:+}"


class Grant(models.Model):
    """Promotional credit and what is left of it as of the last time that `billing.grants` counted.

    What was spent since is the sum of `remaining` less the account's `promotional`; it came off the grants that
    expire soonest, and is taken off them before a grant is added or expires. So spending touches no grant.
    """

    transaction = models.OneToOneField(
        LedgerTransaction, on_delete=models.PROTECT, primary_key=True, related_name="grant"
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    amount = dollars()
    remaining = dollars()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gt=0, remaining__gte=0, remaining__lte=F("amount")),
                name="grant_remaining_in_range",
            ),
        )
        indexes = (
            models.Index(fields=["organization"], condition=Q(remaining__gt=0), name="grant_open"),
            models.Index(fields=["expires_at"], condition=Q(remaining__gt=0), name="grant_to_expire"),
        )

    def __str__(self) -> str:
        return f"${self.remaining} of ${self.amount}"
